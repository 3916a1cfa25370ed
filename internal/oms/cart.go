package oms

import (
	"fmt"
	"time"
)

// Cart is one cart. Its document says the same id and version.
type Cart struct {
	ID       string
	Version  int64 // from 1, one more at each change
	Created  time.Time
	Modified time.Time
	Doc      *Object
}

// NewCart makes the first version of a cart of a document as [ParseOrder]
// returns it, which it completes. Errors are [Invalid] and name the fields.
func NewCart(id string, doc *Object, now time.Time) (*Cart, error) {
	var wrong []FieldError
	created, err := createdTime(doc, now)
	if err != nil {
		wrong = append(wrong, FieldError{"created", err.Error()})
	}
	if err := checkID(id); err != nil {
		wrong = append(wrong, FieldError{"id", err.Error()})
	}
	if doc.Has("id") && doc.Text("id") != id {
		wrong = append(wrong, FieldError{"id", "is not the id in the path"})
	}
	if len(wrong) > 0 {
		return nil, &Error{Kind: Invalid, Detail: "the cart is not valid", Fields: wrong}
	}
	doc.Set("id", id)
	setDefault(doc, "created", func() any { return FormatTime(now) })
	if err := Complete(doc); err != nil {
		return nil, err
	}
	c := &Cart{ID: id, Created: created}
	c.Advance(doc, now)
	return c, nil
}

// Advance makes doc the cart's next version.
func (c *Cart) Advance(doc *Object, now time.Time) {
	c.Version++
	c.Modified = now
	c.Doc = doc
	doc.Set("version", Number(fmt.Sprint(c.Version)))
	doc.Set("modified", FormatTime(now))
}

// Replace makes the cart the version that follows another, whose time of
// creation it keeps.
func (c *Cart) Replace(was *Cart, now time.Time) {
	c.Version, c.Created = was.Version, was.Created
	created, _ := was.Doc.Get("created")
	c.Doc.Set("created", created)
	c.Advance(c.Doc, now)
}

// OrderOfCart is the document of a new order with what a cart holds. It gets
// an id, a status and times of its own, and names the cart.
func OrderOfCart(cart *Object) *Object {
	order := cart.Clone()
	for _, name := range []string{"id", "status", "version", "created", "modified"} {
		order.Delete(name)
	}
	form := order.Object("orderForm")
	if form == nil {
		form = &Object{}
		order.Set("orderForm", form)
	}
	form.Set("cartId", cart.Text("id"))
	return order
}

// ApplyCart returns the cart with what a validator handed back applied
// (cart-validator.txt, "Modifying the cart"; CONTRACT.md, "Cart validator"):
// fields of value replace the cart's, objects merge at every depth, absent and
// null fields stay, lists replace. lineItems is the new list, in which a line
// that the cart has keeps the fields that it does not name. With onlyLines
// that list is all that is applied. What is as the validator got it is no change,
// as in every patch. The cart itself does not change.
func ApplyCart(cart, value *Object, onlyLines bool) (Patched, error) {
	m := &merger{answer: true, cart: true, same: true, forced: newForced(nil, nil), compared: new(int)}
	value, err := m.resolveLines(cart, value)
	if err != nil {
		return Patched{}, err
	}
	if onlyLines {
		value = onlyLineItems(value)
	}
	for _, name := range fixedFields { // orderhook's own, whatever a validator says
		value = value.without(name)
	}
	out := cart.Clone()
	m.object(out, cart, value, place{model: orderModel}, keepAll)
	if m.err != nil {
		return Patched{}, m.err
	}
	p := Patched{Doc: out, Set: Differences(cart, out), Warnings: m.shapes}
	return p, p.finish(cart)
}

func onlyLineItems(value *Object) *Object {
	lines, ok := value.Object("orderForm").Get("lineItems")
	if !ok || lines == nil {
		return &Object{}
	}
	return NewObject(Member{"orderForm", NewObject(Member{"lineItems", lines})})
}
