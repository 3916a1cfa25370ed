package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// interrupted is an engine in whose commits something else comes first.
type interrupted struct {
	core.Engine
	first func()
}

func (e interrupted) Commit(ctx context.Context, b *core.Batch) error {
	e.first()
	return e.Engine.Commit(ctx, b)
}

// TestAWriteWhileTheKeyIsReplaced by a node that was cut off is kept, and sealed with the new key;
// if it writes again and again, the key stays the old one.
func TestAWriteWhileTheKeyIsReplaced(t *testing.T) {
	const newKey = testKey + " which is new"
	for what, write := range map[string]func(db *DB, to event.Endpoint, n int) error{
		"is added": func(db *DB, to event.Endpoint, n int) error {
			to.ID, to.Secrets = fmt.Sprintf("%slate%d", ids.Endpoint, n), []event.Secret{{Value: secret.New(fmt.Sprint("whsec_", n))}}
			return db.Write(ctx, func(tx store.Tx) error { to.No = 0; return tx.PutEndpoint(ctx, acme, &to) })
		},
		"is edited": func(db *DB, to event.Endpoint, n int) error {
			to.Description = fmt.Sprint("edited ", n)
			return db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, &to) })
		},
	} {
		for _, writes := range []int{2, 100} {
			t.Run(fmt.Sprint("an endpoint ", what, " ", writes), func(t *testing.T) {
				url := pgtest.Database(t, Migrate)
				db := openAt(t, url, nil, Options{})
				to := putEndpoint(t, db, event.OrderingNone)
				sealer, err := secret.NewSealer(testKey, db.engine.salt)
				must(t, err)
				made := 0
				_, err = core.New(interrupted{db.engine, func() {
					if made < writes {
						made++
						must(t, write(db, *to, made))
					}
				}}, core.Options{Sealer: sealer, Clock: time.Now}).Reseal(ctx, newKey)
				if writes == 100 {
					if apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), "the old key is in use still") {
						t.Errorf("others write for ever: %v", err)
					}
					must(t, write(db, *to, 1000))
					return
				}
				must(t, err)
				if err := write(db, *to, 3); !errors.Is(err, core.ErrKeyReplaced) {
					t.Errorf("written with the old key: %v", err)
				}
				other, err := Open(ctx, url, Options{EncryptionKey: newKey})
				must(t, err)
				defer other.Close()
				list, err := other.Endpoints(ctx, acme, store.EndpointFilter{}, store.Page{Limit: 10}) // which opens each
				must(t, err)
				if what == "is added" && len(list.Items) != 3 || what == "is edited" && (len(list.Items) != 1 || list.Items[0].Description != "edited 2") {
					t.Errorf("the endpoints are %+v", list.Items)
				}
				again, err := other.Reseal(ctx, testKey+" which is newer")
				must(t, err)
				if again.Endpoints != len(list.Items) || len(again.Unopened) > 0 {
					t.Errorf("the new key opens %+v of %d endpoints", again, len(list.Items))
				}
			})
		}
	}
}
