package sqlite

import (
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// occupy takes all connections of a class, until release is called.
func occupy(t *testing.T, db *DB, class store.Class) (unblock func()) {
	t.Helper()
	held, unblocked, ended := make(chan bool), make(chan bool), make(chan error)
	for range connections[class] {
		go func() {
			ended <- db.engine.Query(class.Mark(ctx), func(core.Row) error {
				held <- true
				<-unblocked
				return nil
			}, `SELECT 1`)
		}()
		<-held
	}
	return func() {
		close(unblocked)
		for range connections[class] {
			must(t, <-ended)
		}
	}
}

// Whatever those of one class take up, every other class goes on: readiness is
// asked, orders are read, written and listed.
func TestNoClassWaitsForAnother(t *testing.T) {
	db := openTemp(t)
	put := func(id string) {
		must(t, db.Write(store.Read.Mark(ctx), func(tx store.Tx) error {
			if _, err := tx.Order(ctx, acme, "first"); id != "first" && err != nil {
				return err
			}
			return tx.InsertOrder(ctx, acme, testOrder(id))
		}))
	}
	put("first")
	orders := 0
	asks := map[store.Class]func(){
		store.Work: func() {
			orders++
			put(fmt.Sprint("more", orders))
		},
		store.Read: func() {
			_, err := db.Order(store.Read.Mark(ctx), acme, "first")
			must(t, err)
		},
		store.Listing: func() {
			_, err := db.Orders(store.Read.Mark(ctx), acme, store.OrderFilter{}, store.Page{})
			must(t, err)
		},
		store.Search: func() {
			for _, f := range []store.OrderFilter{{Text: "x"}, {Tag: "x"}} {
				_, err := db.Orders(store.Read.Mark(ctx), acme, f, store.Page{})
				must(t, err)
			}
			_, err := db.Attempts(store.Read.Mark(ctx), acme, store.AttemptFilter{Body: "abc"}, store.Page{})
			must(t, err)
		},
		store.Background: func() {
			_, err := db.Runs(store.Background.Mark(ctx), acme, store.RunFilter{}, store.Page{})
			must(t, err)
		},
		store.Check: func() { must(t, db.Ping(store.Read.Mark(ctx))) },
	}
	for class := range store.Class(store.Classes) {
		unblock := occupy(t, db, class)
		for other, ask := range asks {
			if other != class {
				ask()
			}
		}
		unblock()
	}
	if orders != store.Classes-1 {
		t.Errorf("%d orders were written", orders)
	}
}
