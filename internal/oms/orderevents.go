package oms

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// OrderWrite is one write of an order, as far as its events go.
type OrderWrite struct {
	Before *Object // nil for a new order
	After  *Order  // as it was stored; its events carry it so
	// Via is the statuses that the order had on its way from Before to After, in
	// their order: a step's patch may set one, and its TriggerNewStatus the next.
	Via      []string
	ReturnID string // of the return that the write is about; "" for none
	// Settings is what settings say of the events of a status; nil: nothing.
	Settings func(status string) StatusEvents
	At       time.Time
}

// StatusEvents is what settings say of the events of entering a status
// (CONTRACT.md, "Event notifications": `events`).
type StatusEvents struct {
	Replace bool // the table's own events of the status are left out
	Types   []string
}

const cancelStatuses = "Canceled, Cancelled, OrderCanceled, OrderCanceledByCustomer or OrderCanceledByStore"

// statusTypes is what the table says of an order that enters a status.
var statusTypes = []struct {
	status string
	types  []string
}{
	{"Accepted", []string{TypeOrderAccepted}},
	{"Signed", []string{TypeOrderSigned}},
	{"Rejected", []string{TypeOrderRejected}},
	{"Expired", []string{TypeOrderExpired}},
	{"Completed", []string{TypeOrderCompleted}},
	{"Canceled", canceledTypes},
	{"Cancelled", canceledTypes},
	{"OrderCanceled", canceledTypes},
	{"OrderCanceledByCustomer", canceledTypes},
	{"OrderCanceledByStore", canceledTypes},
}

var canceledTypes = []string{TypeOrderCanceled, TypeOrderCancelled}

// Entered returns the statuses that the order enters by this write: a new order
// its first, and one that changes each that is not the one before it.
func (w *OrderWrite) Entered() []string {
	var entered []string
	last := w.Before.Text("status")
	for _, s := range append(slices.Clone(w.Via), w.After.Status()) {
		if !SameName(last, s) || w.Before == nil && entered == nil {
			entered, last = append(entered, s), s
		}
	}
	return entered
}

// Events returns what happened by this write (CONTRACT.md, "Event
// notifications"), each once, in the order of the table.
func (w *OrderWrite) Events() []*Event {
	var types []string
	if w.Before == nil {
		types = append(types, TypeOrderCreated)
	}
	for _, status := range w.Entered() {
		types = append(types, w.statusTypes(status)...)
	}
	if w.Before != nil && w.Before.Text("dueDate") != w.After.Doc.Text("dueDate") {
		types = append(types, TypeOrderDueDateUpdated)
	}
	return append(w.orderEvents(types), w.shipmentEvents()...)
}

// statusTypes returns the types of the events of entering a status.
func (w *OrderWrite) statusTypes(status string) []string {
	var own StatusEvents
	if w.Settings != nil {
		own = w.Settings(status)
	}
	if own.Replace {
		return own.Types
	}
	for _, row := range statusTypes {
		if SameName(row.status, status) {
			return slices.Concat(row.types, own.Types)
		}
	}
	return own.Types
}

// orderEvents makes events that carry the order, which is encoded once for all.
func (w *OrderWrite) orderEvents(types []string) []*Event {
	if len(types) == 0 {
		return nil
	}
	data := jsontext.Value(w.After.Doc.JSON())
	related := w.related()
	related.ReturnID = w.ReturnID
	var events []*Event
	for i, t := range types {
		if !slices.ContainsFunc(types[:i], func(earlier string) bool { return sameName(earlier, t) }) {
			events = append(events, &Event{ID: NewID(EventID), Type: t, Subject: Subject{SubjectOrder, w.After.ID}, Related: related, Timestamp: w.At, Data: data})
		}
	}
	return events
}

func (w *OrderWrite) related() Related {
	return Related{OrderID: w.After.ID, SubscriptionID: w.After.Doc.Text("subscriptionId")}
}
