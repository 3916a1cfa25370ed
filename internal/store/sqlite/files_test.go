package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestErasedBytes looks for an erased order in every byte of the database.
func TestErasedBytes(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	putEndpoints(t, db, 1, nil)
	const secret = "Åsa-Öberg-secret"
	must(t, db.Write(ctx, func(tx store.Tx) error {
		o := testOrder("o1")
		o.Doc.Set("customerName", secret)
		must(t, tx.InsertOrder(ctx, acme, o))
		next := *o
		next.Version, next.Doc = 2, o.Doc.Clone()
		next.Doc.Set("status", "Done")
		must(t, tx.UpdateOrder(ctx, acme, &next))
		must(t, tx.AddHistory(ctx, acme, "o1", order.HistoryEntry{ID: "h", Message: secret}))
		must(t, tx.InsertRun(ctx, acme, &run.Run{ID: "r", OrderID: "o1", Status: run.RunSucceeded, Results: []run.StepResult{{Step: secret}}}))
		e := benchEvent(time.Now())
		e.Related, e.Data = event.Related{OrderID: "o1"}, []byte(`{"customerName":"`+secret+`"}`)
		err := tx.AddEvents(ctx, acme, e)
		must(t, err)
		for n, a := range []*attempt.Attempt{anAttempt(e, time.Unix(1, 0)), anAttempt(e, time.Unix(2, 0))} {
			a.Detail.Request.Body, a.Detail.Response.Body = []byte(secret), []byte(secret)
			a.Detail.Response.Headers["X"] = []string{secret}
			if a.OrderID = "o1"; n == 1 {
				a.Delivery, a.CallID = event.DeliveryKey{}, "call"
			}
			must(t, tx.AddAttempt(ctx, acme, a))
		}
		return nil
	}))
	addAttempts(t, db, 512) // as many as make a segment
	for done := false; !done; {
		var err error
		done, err = db.IndexBodies(ctx, acme, func(context.Context) error { return nil })
		must(t, err)
	}
	if n := countRows(t, db, "body_chunks"); n == 0 {
		t.Error("nothing is in the index")
	}
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") }))
	j := &job.Job{OrderID: "o1"}
	for done := false; !done; {
		var next job.Job
		must(t, db.Write(ctx, func(tx store.Tx) (err error) {
			next = *j
			done, err = tx.EraseSome(ctx, acme, &next, 100)
			return err
		}))
		j = &next
	}
	if n := countRows(t, db, "body_chunks"); n != 0 {
		t.Errorf("%d chunks are left", n)
	}
	must(t, db.Close())
	files, err := os.ReadDir(path[:strings.LastIndexByte(path, '/')])
	must(t, err)
	for _, f := range files {
		whole, err := os.ReadFile(path[:strings.LastIndexByte(path, '/')+1] + f.Name())
		must(t, err)
		if bytes.Contains(whole, []byte(secret)) {
			t.Errorf("%s still says %s", f.Name(), secret)
		}
	}
}

// anAttempt is one at an event, or at a call of a step.
func anAttempt(e *event.Event, at time.Time) *attempt.Attempt {
	return &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindEvent, Number: 1, StartedAt: at, Status: 200, Outcome: attempt.OutcomeSucceeded,
		Related: e.Related, Delivery: event.DeliveryKey{Event: e.Seq, Endpoint: 1},
		Detail: &attempt.AttemptDetail{Response: &attempt.Message{Headers: map[string][]string{"Content-Type": {"text/plain"}}}}}
}

func addAttempts(t *testing.T, db *DB, count int) {
	t.Helper()
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := range count {
			at := time.Unix(int64(n), 0)
			a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindStep, CallID: fmt.Sprint("c", n), StartedAt: at,
				Detail: &attempt.AttemptDetail{Request: attempt.Message{Body: fmt.Appendf(nil, "body %d", n)}}}
			if err := tx.AddAttempt(ctx, acme, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

func countRows(t *testing.T, db *DB, table string) (n int) {
	t.Helper()
	must(t, db.engine.Query(ctx, func(r core.Row) error { return r.Scan(&n) }, `SELECT count(*) FROM `+table))
	return n
}
