package core_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// benchOrder is a document of about 5 KB.
func benchOrder(id string) *order.Order {
	o := testOrder(id)
	var lines []any
	for i := range 20 {
		line, err := schema.Parse(fmt.Appendf(nil, `{"lineItemId":"%d","code":"SKU-%06d","quantity":2,"placedPrice":149.90,"extendedPrice":299.80,`+
			`"displayName":"%s","properties":[{"key":"color","value":"blue"}]}`, i, i, strings.Repeat("name ", 12)))
		if err != nil {
			panic(err)
		}
		lines = append(lines, line)
	}
	o.Doc.Set("orderForm", jsondoc.NewObject(jsondoc.Member{Name: "lineItems", Value: lines}))
	return o
}

// insertAs stores the order under an id.
func insertAs(o *order.Order, id string) func(store.Tx) error {
	c := *o
	c.ID = id
	return func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, &c) }
}

func BenchmarkWriteOneByOne(b *testing.B) {
	db := openTemp(b)
	o := benchOrder("o")
	for i := 0; b.Loop(); i++ {
		must(b, db.Write(ctx, insertAs(o, fmt.Sprint("o", i))))
	}
}

func BenchmarkWriteTogether(b *testing.B) {
	db := openTemp(b)
	o, n := benchOrder("o"), atomic.Int64{}
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			must(b, db.Write(ctx, insertAs(o, fmt.Sprint("o", n.Add(1)))))
		}
	})
}

// BenchmarkStep is what a two-way step writes after its call: the attempt, the
// order as patched, a history entry, and the run's new position.
func BenchmarkStep(b *testing.B) {
	db := openTemp(b)
	o := benchOrder("o1")
	r := &run.Run{ID: "run-1", OrderID: "o1", Status: run.RunRunning, Results: make([]run.StepResult, 5)}
	must(b, db.Write(ctx, func(tx store.Tx) error {
		must(b, tx.InsertRun(ctx, acme, r))
		return tx.InsertOrder(ctx, acme, o)
	}))
	body := o.Doc.PascalJSON()
	for b.Loop() {
		must(b, db.Write(ctx, func(tx store.Tx) error { return step(tx, r, body) }))
	}
}

func step(tx store.Tx, r *run.Run, body []byte) error {
	o, err := tx.Order(ctx, acme, "o1")
	if err != nil {
		return err
	}
	o.Version++
	o.Doc.Set("note", ids.New(ids.Attempt))
	if err := tx.UpdateOrder(ctx, acme, o); err != nil {
		return err
	}
	a := &attempt.Attempt{ID: ids.New(ids.Attempt), CallID: ids.New(ids.Call), Kind: attempt.KindStep, StartedAt: time.Now(), Related: event.Related{OrderID: "o1"},
		RunID: r.ID, Detail: &attempt.AttemptDetail{Request: attempt.Message{Headers: http.Header{"Content-Type": {"application/json"}}, Body: body},
			Response: &attempt.Message{Headers: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{}`)}}}
	if err := tx.AddAttempt(ctx, acme, a); err != nil {
		return err
	}
	entry := order.HistoryEntry{ID: ids.New(ids.History), Operation: order.OpExecuteExportOrder, Changes: []order.Change{{Path: "note", After: "x"}}}
	if err := tx.AddHistory(ctx, acme, "o1", entry); err != nil {
		return err
	}
	return tx.UpdateRun(ctx, acme, r)
}

func BenchmarkReadOrder(b *testing.B) {
	db := openTemp(b)
	must(b, db.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, benchOrder("o1")) }))
	for b.Loop() {
		_, err := db.Order(ctx, acme, "o1")
		must(b, err)
	}
}
