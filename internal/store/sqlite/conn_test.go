package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// occupy takes all connections of a class, until release is called.
func occupy(t *testing.T, db *DB, class store.Class) (unblock func()) {
	t.Helper()
	held, unblocked, ended := make(chan bool), make(chan bool), make(chan error)
	for range core.Connections[class] {
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
		for range core.Connections[class] {
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

// TestSettingsThatAreGone: what was the newest version is looked for again, and no write is
// decided by it once the database does not have it any more, as after a failover to a server
// that had not got the last commit.
func TestSettingsThatAreGone(t *testing.T) {
	db := openTemp(t)
	for base := range int64(2) {
		must(t, db.Write(ctx, func(tx store.Tx) error {
			return tx.PutSettings(ctx, acme, settings.Empty(), base, "", time.Now())
		}))
	}
	if s, err := db.Settings(ctx, acme); err != nil || s.Version != 2 {
		t.Fatalf("version %v: %v", s, err)
	}
	other, err := sql.Open("sqlite", dsn(db.engine.path))
	must(t, err)
	_, err = other.Exec(`DELETE FROM settings WHERE version = 2`)
	must(t, errors.Join(err, other.Close()))
	var seen []int64
	must(t, db.Write(ctx, func(tx store.Tx) error {
		s, err := tx.Settings(ctx, acme)
		if err != nil {
			return err
		}
		seen = append(seen, s.Version)
		return insert("o1")(tx)
	}))
	if fmt.Sprint(seen) != "[2 1]" {
		t.Errorf("decided by the versions %v", seen)
	}
}

// TestAQuestionThatWaitsIsGivenUp with its context, also where all connections are taken by
// questions that are not prepared.
func TestAQuestionThatWaitsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTemp(t)
		ask := func(ctx context.Context) error {
			return db.engine.Query(ctx, func(core.Row) error { return nil }, `SELECT 1`)
		}
		must(t, ask(ctx))
		most := core.Connections[store.Work]
		free, ended := make(chan struct{}), make(chan error)
		for range most {
			go func() {
				ended <- db.engine.QueryOnce(ctx, func(core.Row) error { <-free; return nil }, `SELECT 1`)
			}()
		}
		synctest.Wait()
		waits, giveUp := context.WithCancel(ctx)
		given := make(chan error, 1)
		go func() { given <- ask(waits) }()
		synctest.Wait()
		giveUp()
		synctest.Wait()
		select {
		case err := <-given:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("given up with %v", err)
			}
		default:
			t.Error("it is not given up")
		}
		close(free)
		for range most {
			must(t, <-ended)
		}
		must(t, db.Close())
	})
}
