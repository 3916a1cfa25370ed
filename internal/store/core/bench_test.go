package core_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// benchOrder is a document of about 5 KB.
func benchOrder(id string) *oms.Order {
	o := testOrder(id)
	var lines []any
	for i := range 20 {
		line, err := oms.Parse(fmt.Appendf(nil, `{"lineItemId":"%d","code":"SKU-%06d","quantity":2,"placedPrice":149.90,"extendedPrice":299.80,`+
			`"displayName":"%s","properties":[{"key":"color","value":"blue"}]}`, i, i, strings.Repeat("name ", 12)))
		if err != nil {
			panic(err)
		}
		lines = append(lines, line)
	}
	o.Doc.Set("orderForm", oms.NewObject(oms.Member{Name: "lineItems", Value: lines}))
	return o
}

// insertAs stores the order under an id.
func insertAs(o *oms.Order, id string) func(store.Tx) error {
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
	r := &oms.Run{ID: "run-1", OrderID: "o1", Status: oms.RunRunning, Results: make([]oms.StepResult, 5)}
	must(b, db.Write(ctx, func(tx store.Tx) error {
		must(b, tx.InsertRun(ctx, acme, r))
		return tx.InsertOrder(ctx, acme, o)
	}))
	body := o.Doc.PascalJSON()
	for b.Loop() {
		must(b, db.Write(ctx, func(tx store.Tx) error { return step(tx, r, body) }))
	}
}

func step(tx store.Tx, r *oms.Run, body []byte) error {
	o, err := tx.Order(ctx, acme, "o1")
	if err != nil {
		return err
	}
	o.Version++
	o.Doc.Set("note", oms.NewID(oms.AttemptID))
	if err := tx.UpdateOrder(ctx, acme, o); err != nil {
		return err
	}
	a := &oms.Attempt{ID: oms.NewID(oms.AttemptID), CallID: oms.NewID(oms.CallID), Kind: oms.KindStep, StartedAt: time.Now(), Related: oms.Related{OrderID: "o1"},
		RunID: r.ID, Detail: &oms.AttemptDetail{Request: oms.Message{Headers: http.Header{"Content-Type": {"application/json"}}, Body: body},
			Response: &oms.Message{Headers: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{}`)}}}
	if err := tx.AddAttempt(ctx, acme, a); err != nil {
		return err
	}
	entry := oms.HistoryEntry{ID: oms.NewID(oms.HistoryID), Operation: oms.OpExecuteExportOrder, Changes: []oms.Change{{Path: "note", After: "x"}}}
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
