package model

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/store"
)

// docs/contract.md#event-types: which events a write makes, what they carry, and in which order
// those of a subject come. All of a scenario are about its order, so that is one order.

// statusEvents are the types of the events of entering a status, which has no case.
var statusEvents = map[string][]string{
	"accepted": {"OrderAccepted"}, "signed": {"OrderSigned"}, "rejected": {"OrderRejected"}, "expired": {"OrderExpired"}, "completed": {"order_completed"},
	"canceled": canceled, "cancelled": canceled, "ordercanceled": canceled, "ordercanceledbycustomer": canceled, "ordercanceledbystore": canceled,
}

var canceled = []string{"OrderCanceled", "order_cancelled"}

// entered notes that the order enters a status in the write that is being decided.
func (m *oracle) entered(status string) { m.happening(statusEvents[strings.ToLower(status)]...) }

// happening notes types of events of the write that is being decided. Each comes once in a write.
func (m *oracle) happening(types ...string) {
	for _, t := range types {
		if !slices.Contains(m.write, t) {
			m.write = append(m.write, t)
		}
	}
}

// ends notes that a run has ended, which is told if it has failed, or if one of its steps has.
func (m *oracle) ends(r *run, last int) {
	var errors []string
	first := -1
	for i, x := range r.results {
		if x.status == "Error" {
			errors = append(errors, errorText(x.step.key, i+1, x.call))
			if first < 0 {
				first = i
			}
		}
	}
	if r.status == "aborted" {
		first = last
	}
	if first >= 0 {
		m.failed = failedText(m.order.ID, r.entered, r.status, r.returned > 0, r.results[first].step.key, first+1, errors)
	}
}

// commit ends the write that is being decided. Its events carry the order as it is then.
func (m *oracle) commit() {
	for _, t := range m.write {
		m.events = append(m.events, eventText(t, "order", m.order.ID, m.order.view().String()))
	}
	if m.failed != "" {
		m.events = append(m.events, eventText("workflow_failed", "order", m.order.ID, m.failed))
	}
	m.write, m.failed = nil, ""
}

func eventText(eventType, kind, subject, data string) string {
	return fmt.Sprintf("%s of %s %s\n    %s", eventType, kind, subject, data)
}

func failedText(id, entered, status string, returns bool, step string, position int, errors []string) string {
	return fmt.Sprintf("order=%s entered=%s run=%s return=%t step=%s position=%d errors=%q", id, entered, status, returns, step, position, errors)
}

func errorText(step string, position, call int) string {
	return fmt.Sprintf("%s position=%d call=%d", step, position, call)
}

// happened is an event as the API shows it.
type happened struct {
	ID, Type string
	Subject  struct{ Kind, ID string }
	Data     json.RawMessage
}

// failure is the data of an event of the type workflow_failed.
type failure struct {
	OrderID, RunID, Status, RunStatus, Reason, ReturnID, Step string
	Position                                                  int
	Errors                                                    []struct {
		Step, Message, CallID string
		Position              int
	}
}

// events reads all events of the tenant, the oldest first. versions are the documents of the order,
// the first one first: the data of an event of the order is one of them, and not of an earlier one
// than that of the event before it.
func (r *rig) events(t *rapid.T, versions [][]byte) (out []string) {
	_, raw := r.ask(t, "GET", "/api/events?limit=200", "")
	list := read[struct{ Items []happened }](t, raw).Items
	slices.Reverse(list)
	last := int64(1)
	for _, e := range list {
		_, raw := r.ask(t, "GET", "/api/events/"+e.ID, "")
		e = read[happened](t, raw)
		if e.Type == "workflow_failed" {
			out = append(out, eventText(e.Type, e.Subject.Kind, e.Subject.ID, r.failureText(t, e.Data)))
			continue
		}
		o := read[order](t, e.Data)
		if o.Version < last || o.Version > int64(len(versions)) || !sameJSON(t, e.Data, versions[o.Version-1]) {
			t.Errorf("the event %s behind version %d carries what is no version of the order: %s", e.Type, last, e.Data)
		}
		last = max(last, o.Version)
		out = append(out, eventText(e.Type, e.Subject.Kind, e.Subject.ID, o.view().String()))
	}
	return out
}

// failureText writes what an event says of a run that failed as the model does.
func (r *rig) failureText(t *rapid.T, data []byte) string {
	f := read[failure](t, data)
	if code, _ := r.ask(t, "GET", "/api/runs/"+f.RunID, ""); code != 200 || f.Reason == "" && f.RunStatus != "succeeded" {
		t.Errorf("the event of a run that failed leads to no run, or has no reason: %s", data)
	}
	var errors []string
	for _, e := range f.Errors {
		if e.Message == "" {
			t.Errorf("an error without a message in %s", data)
		}
		errors = append(errors, errorText(e.Step, e.Position, r.sink.callOf(e.CallID)))
	}
	return failedText(f.OrderID, f.Status, f.RunStatus, f.ReturnID != "", f.Step, f.Position, errors)
}

// sameJSON compares two documents, the digits of numbers included.
func sameJSON(t *rapid.T, a, b []byte) bool {
	var texts [2][]byte
	for i, raw := range [][]byte{a, b} {
		var v any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		err := dec.Decode(&v)
		if err == nil {
			texts[i], err = json.Marshal(v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return bytes.Equal(texts[0], texts[1])
}

// left is what a tenant has stored, when its scenario was compared with the model.
type left struct {
	events  []string // their ids
	history int
	version int64
}

// leaves notes what is stored of a tenant.
func (r *rig) leaves(tenant, id string) (l left, err error) {
	ctx := context.Background()
	events, err := r.store.Events(ctx, tenant, store.EventFilter{}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return l, err
	}
	for _, e := range events.Items {
		l.events = append(l.events, e.ID)
	}
	o, err := r.store.Order(ctx, tenant, id)
	if err != nil {
		return l, err
	}
	l.version = o.Version
	history, err := r.store.History(ctx, tenant, id, store.Page{Limit: store.MaxLimit})
	l.history = len(history.Items)
	return l, err
}

// nothingCame fails the test if anything came to the tenants behind their scenarios. It ends the
// engine, and so all shadow calls that were still under way: what one of them changes
// after the comparison with the model is seen here.
func (r *rig) nothingCame(t *testing.T) {
	r.stop()
	for tenant, was := range r.left {
		is, err := r.leaves(tenant, scenarioOrder)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(is.events, was.events) || is.history != was.history || is.version != was.version {
			t.Errorf("behind its scenario %s had %d events, %d entries of the history and version %d; at the end it has %d, %d and %d",
				tenant, len(was.events), was.history, was.version, len(is.events), is.history, is.version)
		}
	}
}
