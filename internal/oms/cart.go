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

// NewCart makes the first version of a cart of a document, which it completes.
// Errors are [Invalid] and name the fields.
func NewCart(id string, doc *Object, now time.Time) (*Cart, error) {
	wrong := CheckOrder(doc, "")
	created, err := createdTime(doc, now)
	if err != nil {
		wrong = append(wrong, FieldError{"created", err.Error()})
	}
	if err := checkID(id); err != nil {
		wrong = append(wrong, FieldError{"id", err.Error()})
	}
	v, _ := doc.Get("id")
	if own, isText := v.(string); isText && own != id { // another type is wrong already
		wrong = append(wrong, FieldError{"id", "is not the id in the path"})
	}
	if len(wrong) > 0 {
		return nil, &Error{Kind: Invalid, Detail: "the cart is not valid", Fields: wrong}
	}
	doc.Set("id", id)
	setDefault(doc, "created", func() any { return FormatTime(now) })
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
// that list is all that is applied. The cart itself does not change.
func ApplyCart(cart, value *Object, onlyLines bool) (Patched, error) {
	if onlyLines {
		value = onlyLineItems(value)
	}
	out := cart.Clone()
	replaceFields(out, value, cartFixedFields)
	changes := Diff(cart, out)
	recomputed, err := recompute(cart, out, value)
	if err != nil {
		return Patched{}, err
	}
	set := changes
	if recomputed {
		changes = Diff(cart, out)
	}
	return Patched{Doc: out, Changes: changes, Set: set}, nil
}

// cartFixedFields are orderhook's own, whatever a validator says.
var cartFixedFields = names(`id version created`)

func onlyLineItems(value *Object) *Object {
	lines, ok := value.Object("orderForm").Get("lineItems")
	if !ok || lines == nil {
		return &Object{}
	}
	return NewObject(Member{"orderForm", NewObject(Member{"lineItems", lines})})
}

// replaceFields sets the fields of value on dst, but for those left out.
func replaceFields(dst, value *Object, leaveOut map[string]bool) {
	for _, m := range value.Members() {
		if m.Value == nil || leaveOut[m.Name] {
			continue
		}
		switch v := m.Value.(type) {
		case *Object:
			replaceObject(dst, m.Name, v)
		case []any:
			if m.Name == "lineItems" {
				v = replaceLines(dst.Objects(m.Name), v)
			}
			dst.Set(m.Name, v)
		default:
			if have, ok := dst.Get(m.Name); !ok || !equal(have, v) {
				dst.Set(m.Name, v)
			}
		}
	}
}

func replaceObject(dst *Object, name string, value *Object) {
	if have := dst.Object(name); have != nil {
		replaceFields(have, value, nil)
		return
	}
	fresh := &Object{}
	replaceFields(fresh, value, nil)
	if fresh.Len() > 0 || value.Len() == 0 { // nothing but nulls is nothing
		dst.Set(name, fresh)
	}
}

// replaceLines is the new list of lines, each on top of the one it was.
func replaceLines(have []*Object, lines []any) []any {
	was := map[string][]*Object{}
	for _, line := range have {
		id := keyText(line, "lineItemId")
		was[id] = append(was[id], line)
	}
	delete(was, "")
	out := make([]any, len(lines))
	for i, e := range lines {
		line, ok := e.(*Object)
		if !ok {
			out[i] = e
			continue
		}
		now := &Object{}
		id := keyText(line, "lineItemId")
		if same := was[id]; len(same) > 0 {
			now = same[0].Clone()
			was[id] = same[min(1, len(same)-1):] // lines of one id are told apart by their order
		}
		replaceFields(now, line, nil)
		out[i] = now
	}
	return out
}
