package core_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// TestADecisionHoldsUpNobody: however long a write takes to be decided, those of
// others are committed meanwhile; those of the same order wait for their turn.
func TestADecisionHoldsUpNobody(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("big")))
	must(t, db.Write(ctx, insert("small")))
	change := func(id string) func(tx store.Tx) error {
		return func(tx store.Tx) error {
			o, err := tx.Order(ctx, acme, id)
			if err != nil {
				return err
			}
			o.Doc = o.Doc.Clone()
			o.Doc.Set("changed", true)
			o.Version++
			return tx.UpdateOrder(ctx, acme, o)
		}
	}
	decides, decided, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- db.Write(ctx, func(tx store.Tx) error {
			err := change("big")(tx)
			close(decides)
			<-decided
			return err
		})
	}()
	<-decides
	must(t, db.Write(ctx, change("small")))
	must(t, db.Publish(ctx, "other", &event.Event{ID: "evt_1", Type: "a", Data: []byte(`{}`)}))
	select {
	case err := <-ended:
		t.Fatalf("the large write has ended before it was decided: %v", err)
	default:
	}
	close(decided)
	must(t, <-ended)
	o, err := db.Order(ctx, acme, "big")
	must(t, err)
	if o.Version != 2 {
		t.Errorf("the order is of version %d", o.Version)
	}
}
