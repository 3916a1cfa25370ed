package oms

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// DefaultTenant is the tenant of `serve --api-key`, `--settings` and the
// webHook section, where none is named.
const DefaultTenant = "default"

// Statuses that orderhook itself gives an order.
const (
	StatusNew     = "New"     // posted without a status
	StatusDeleted = "Deleted" // removed with DELETE
)

// Order is an order with what orderhook itself knows of it. Its document says
// the same id, version and status.
type Order struct {
	ID      string
	Version int64 // from 1, one more at each change
	// StatusVersion is the version at which the status last became another.
	StatusVersion int64
	Created       time.Time
	Modified      time.Time
	Doc           *Object
}

// Status returns the order's status.
func (o *Order) Status() string { return o.Doc.Text("status") }

// NewOrder makes the first version of an order of a document as [ParseOrder]
// returns it, which it completes: an id where there is none, the status New, the
// time of its creation, and prices and totals. Errors are [Invalid] and name the
// fields.
func NewOrder(doc *Object, now time.Time) (*Order, error) {
	var wrong []FieldError
	created, err := createdTime(doc, now)
	if err != nil {
		wrong = append(wrong, FieldError{"created", err.Error()})
	}
	if v, ok := doc.Get("id"); ok && v != nil {
		if err := checkID(doc.Text("id")); err != nil {
			wrong = append(wrong, FieldError{"id", err.Error()})
		}
	}
	if s, ok := doc.Get("status"); ok && isBlank(s) {
		wrong = append(wrong, FieldError{"status", "must not be empty; leave it out for New"})
	}
	if len(wrong) > 0 {
		return nil, &Error{Kind: Invalid, Detail: "the order is not valid", Fields: wrong}
	}
	setDefault(doc, "id", func() any { return NewID(OrderID) })
	setDefault(doc, "status", func() any { return StatusNew })
	setDefault(doc, "created", func() any { return FormatTime(now) })
	if err := Complete(doc); err != nil {
		return nil, err
	}
	o := &Order{ID: doc.Text("id"), Created: created, Doc: doc}
	o.Advance(doc, now)
	return o, nil
}

// Complete takes out of a new order or cart what is derived from other fields,
// and computes the prices and totals that it lacks (CONTRACT.md, "Patch"). The
// error is [Invalid] and names the field.
func Complete(doc *Object) error {
	m := &merger{forced: newForced(nil, nil), same: true, compared: new(int)}
	resolved, err := m.resolveLines(nil, doc)
	if err != nil {
		return err
	}
	*doc = *resolved
	if a := shippingAddress(doc, ""); a != nil && equal(a, exactly(doc, "shippingAddress")) {
		doc.Delete("shippingAddress")
	}
	_, err = recompute(nil, doc)
	return err
}

// isBlank reports whether a value is a text that says nothing.
func isBlank(v any) bool {
	s, ok := v.(string)
	return ok && strings.TrimSpace(s) == ""
}

func setDefault(doc *Object, name string, value func() any) {
	if doc.Text(name) == "" {
		doc.Set(name, value())
	}
}

// createdTime reads the document's own time of creation. Orders of other
// systems write it with a zone or without, which then is UTC.
func createdTime(doc *Object, now time.Time) (time.Time, error) {
	s := doc.Text("created")
	if s == "" {
		return now, nil
	}
	return ParseTime(s, LayoutLocal)
}

const maxID = 200

func checkID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("must not be empty; leave it out and one is made")
	case len(id) > maxID:
		return fmt.Errorf("must be at most %d bytes long", maxID)
	case id == "." || id == ".." || id == "/": // net/http takes the last, %2F, for a slash at the end
		return fmt.Errorf("must not be %q, which cannot stand in a URL", id)
	case strings.ContainsFunc(id, unicode.IsControl):
		return fmt.Errorf("must not hold control characters")
	}
	return nil
}

// Advance makes doc the order's next version.
func (o *Order) Advance(doc *Object, now time.Time) {
	was := ""
	if o.Version > 0 {
		was = o.Status()
	}
	o.Version++
	if !SameName(was, doc.Text("status")) {
		o.StatusVersion = o.Version
	}
	o.Modified = now
	o.Doc = doc
	doc.Set("version", Number(fmt.Sprint(o.Version)))
	doc.Set("modified", FormatTime(now))
}

// Shipment returns the shipment of that id, or nil.
func Shipment(order *Object, id string) *Object {
	return byKey(order.Object("orderForm").Objects("shipments"), "shipmentId", id)
}

// ReturnForm returns the return order form of that id, or nil.
func ReturnForm(order *Object, id string) *Object {
	return byKey(order.Objects("returnOrderForms"), "returnId", id)
}

func byKey(list []*Object, key, id string) *Object {
	if id == "" {
		return nil
	}
	i := slices.IndexFunc(list, func(o *Object) bool { return keyText(o, key) == id })
	if i < 0 {
		return nil
	}
	return list[i]
}
