package order

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/timetext"
)

// Statuses that orderhook itself gives an order.
const (
	StatusNew     = "New"     // posted without a status
	StatusDeleted = "Deleted" // removed with DELETE
)

// Order is an order with what orderhook itself knows of it. Its document says
// the same id, version and status. A version never changes once it is stored. To make the
// next one, copy the order and its document, and call [Order.Advance] on the copies: so
// one Order may be read by many goroutines.
type Order struct {
	ID      string
	Version int64 // from 1, one more at each change
	// StatusVersion is the version at which the status last became another.
	StatusVersion int64
	Created       time.Time
	Modified      time.Time
	Doc           *jsondoc.Object
}

// Status returns the order's status.
func (o *Order) Status() string { return o.Doc.Text("status") }

// NewOrder makes the first version of an order of a document as [schema.ParseOrder]
// returns it, which it completes: an id where there is none, the status New, the
// time of its creation, and prices and totals. Errors are [apierr.Invalid] and name the
// fields.
func NewOrder(doc *jsondoc.Object, now time.Time) (*Order, error) {
	var wrong []apierr.FieldError
	// All errors are collected, so that the caller can mend them in one go.
	created, err := CreatedTime(doc, now)
	if err != nil {
		wrong = append(wrong, apierr.FieldError{Location: "created", Message: err.Error()})
	}
	if v, ok := doc.Get("id"); ok && v != nil {
		if err := ids.Check(doc.Text("id")); err != nil {
			wrong = append(wrong, apierr.FieldError{Location: "id", Message: err.Error()})
		}
	}
	v, _ := doc.Get("status")
	if s, ok := v.(string); ok && strings.TrimSpace(s) == "" {
		wrong = append(wrong, apierr.FieldError{Location: "status", Message: "must not be empty; leave it out for New"})
	}
	if len(wrong) > 0 {
		return nil, &apierr.Error{Kind: apierr.Invalid, Detail: "the order is not valid", Fields: wrong}
	}
	// An id, a status and a time that the document has are kept: orders are moved in from
	// other systems.
	SetDefault(doc, "id", func() any { return ids.New(ids.Order) })
	SetDefault(doc, "status", func() any { return StatusNew })
	SetDefault(doc, "created", func() any { return timetext.FormatTime(now) })
	if err := Complete(doc); err != nil {
		return nil, err
	}
	o := &Order{ID: doc.Text("id"), Created: created, Doc: doc}
	o.Advance(doc, now)
	return o, nil
}

// Complete takes out of a new order or cart what is derived from other fields,
// and computes the prices, totals and returned quantities that it lacks (docs/contract.md#totals). The
// error is [apierr.Invalid] and names the field.
func Complete(doc *jsondoc.Object) error {
	if err := DropDerived(doc); err != nil {
		return err
	}
	if doc.Has("returnOrderForms") {
		raiseReturned(doc)
	}
	_, err := recompute(nil, doc)
	return err
}

// DropDerived takes out of a new document what is derived from other fields, since derived fields
// are not stored (docs/contract.md#documents): orderLines, which become the lines of the order
// form, and an address that only repeats that of a shipment. The error is [apierr.Invalid] and
// names the field.
func DropDerived(doc *jsondoc.Object) error {
	m := &merger{forced: newForced(nil, nil), same: true, compared: new(int)}
	resolved, err := m.resolveLines(nil, doc)
	if err != nil {
		return err
	}
	*doc = *resolved
	if a := ShippingAddress(doc, ""); a != nil && jsondoc.Equal(a, exactly(doc, "shippingAddress")) {
		doc.Delete("shippingAddress")
	}
	return nil
}

// SetDefault sets a text of a document that it lacks. An empty text counts as absent, as
// typed clients write one for what they do not set.
func SetDefault(doc *jsondoc.Object, name string, value func() any) {
	if doc.Text(name) == "" {
		doc.Set(name, value())
	}
}

// CreatedTime reads the document's own time of creation. Orders of other
// systems write it with a zone or without, which then is UTC.
func CreatedTime(doc *jsondoc.Object, now time.Time) (time.Time, error) {
	s := doc.Text("created")
	if s == "" {
		return now, nil
	}
	return timetext.ParseTime(s, timetext.LayoutLocal)
}

// Advance makes doc the order's next version. It changes doc, which must not be shared yet:
// its version and time of change become the new ones.
func (o *Order) Advance(doc *jsondoc.Object, now time.Time) {
	was := ""
	if o.Version > 0 {
		was = o.Status()
	}
	o.Version++
	// The first version sets the status, and so does each that changes more than its case.
	if !spelling.SameName(was, doc.Text("status")) {
		o.StatusVersion = o.Version
	}
	// Whoever asks for what was modified since a version must get each later one, though its
	// writer looked at the clock before it waited for its turn.
	if now.After(o.Modified) {
		o.Modified = now
	}
	o.Doc = doc
	doc.Set("version", jsondoc.Number(fmt.Sprint(o.Version)))
	doc.Set("modified", timetext.FormatTime(o.Modified))
}

// Shipment returns the shipment of that id, or nil.
func Shipment(order *jsondoc.Object, id string) *jsondoc.Object {
	return byKey(ShipmentsOf(order), "shipmentId", id)
}

// ReturnForm returns the return order form of that id, or nil.
func ReturnForm(order *jsondoc.Object, id string) *jsondoc.Object {
	return byKey(order.Objects("returnOrderForms"), "returnId", id)
}

// byKey returns the first object with that id, nil for none. An empty id names nothing, though
// elements without an id would be equal to it.
func byKey(list []*jsondoc.Object, key, id string) *jsondoc.Object {
	if id == "" {
		return nil
	}
	i := slices.IndexFunc(list, func(o *jsondoc.Object) bool { return schema.KeyText(o, key) == id })
	if i < 0 {
		return nil
	}
	return list[i]
}
