package event

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/spelling"
)

// OrderWrite is one write of an order, as far as its events go. Package decide makes it of
// each decision that changes an order.
type OrderWrite struct {
	Before *jsondoc.Object // nil for a new order
	After  *order.Order    // as it was stored; its events carry it so
	// Via is the statuses that the order had on its way from Before to After, in
	// their order: a step's patch may set one, and its TriggerNewStatus the next.
	Via      []string
	ReturnID string // of the return that the write is about; "" for none
	// Settings is what settings say of the events of a status; nil: nothing.
	Settings func(status string) StatusEvents
	At       time.Time
}

// StatusEvents is what settings say of the events of entering a status
// (docs/contract.md#event-types: `events`). Types without Replace come beside those of the
// table.
type StatusEvents struct {
	Replace bool // the table's own events of the status are left out
	Types   []string
}

// cancelStatuses are the statuses of canceledTypes, for people to read.
const cancelStatuses = "Canceled, Cancelled, OrderCanceled, OrderCanceledByCustomer or OrderCanceledByStore"

// statusTypes is what the table says of an order that enters a status. It is that of
// docs/contract.md#event-types.
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

// canceledTypes are the names that two specifications have for the same thing.
var canceledTypes = []string{TypeOrderCanceled, TypeOrderCancelled}

// Entered returns the statuses that the order enters by this write: a new order
// its first, and one that changes each that is not the one before it.
func (w *OrderWrite) Entered() []string {
	var entered []string
	last := w.Before.Text("status")
	for _, s := range append(slices.Clone(w.Via), w.After.Status()) {
		// A new order enters its first status, whichever that is.
		if !spelling.SameName(last, s) || w.Before == nil && entered == nil {
			entered, last = append(entered, s), s
		}
	}
	return entered
}

// Events returns what happened by this write (docs/contract.md#event-types), each
// once, in the order of the table. Those of the order come before those of its shipments.
func (w *OrderWrite) Events() []*Event {
	var types []string
	if w.Before == nil {
		types = append(types, TypeOrderCreated)
	}
	for _, status := range w.Entered() {
		types = append(types, w.statusTypes(status)...)
	}
	// The due date that an order is created with is no change.
	if w.Before != nil && w.Before.Text("dueDate") != w.After.Doc.Text("dueDate") {
		types = append(types, TypeOrderDueDateUpdated)
	}
	return append(w.orderEvents(types), w.shipmentEvents()...)
}

// statusTypes returns the types of the events of entering a status. Its name may be in any
// case, and so may that of the table.
func (w *OrderWrite) statusTypes(status string) []string {
	var own StatusEvents
	if w.Settings != nil {
		own = w.Settings(status)
	}
	// Settings may also replace them by none.
	if own.Replace {
		return own.Types
	}
	for _, row := range statusTypes {
		if spelling.SameName(row.status, status) {
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
		// Two statuses of one write may make the same type; it comes once.
		if !slices.ContainsFunc(types[:i], func(earlier string) bool { return spelling.SameField(earlier, t) }) {
			events = append(events, &Event{ID: ids.New(ids.Event), Type: t, Subject: Subject{SubjectOrder, w.After.ID}, Related: related, Timestamp: w.At, Data: data})
		}
	}
	return events
}

// related is what all events of the write are about: the order, and its subscription if it
// has one.
func (w *OrderWrite) related() Related {
	return Related{OrderID: w.After.ID, SubscriptionID: w.After.Doc.Text("subscriptionId")}
}

// MaxOrderEvents bounds the events of one write of an order (docs/contract.md#limits). Each
// is a row, and a delivery for each endpoint that wants it.
const MaxOrderEvents = 1000

// CheckEventCount refuses, as [apierr.Invalid], a write of an order by which more happens
// than [MaxOrderEvents] events say. A caller gets it as an answer; the answer of a step
// that would make so many counts as invalid.
func CheckEventCount(events []*Event) error {
	if len(events) <= MaxOrderEvents {
		return nil
	}
	return apierr.Errorf(apierr.Invalid, "one write of an order may make at most %d events, and this one would make %d: change fewer shipments at a time", MaxOrderEvents, len(events))
}
