package cart

import (
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/timetext"
)

// Cart is one cart. Its document says the same id and version. A version never changes once
// it is stored: who changes a cart makes a new document and calls Advance.
type Cart struct {
	ID       string
	Version  int64 // from 1, one more at each change
	Created  time.Time
	Modified time.Time
	Doc      *jsondoc.Object
}

// NewCart makes the first version of a cart of a document as [schema.ParseOrder]
// returns it, which it completes. Errors are [apierr.Invalid] and name the fields. The id
// in the path names the cart; a document that has another one is refused.
func NewCart(id string, doc *jsondoc.Object, now time.Time) (*Cart, error) {
	var wrong []apierr.FieldError
	created, err := order.CreatedTime(doc, now)
	if err != nil {
		wrong = append(wrong, apierr.FieldError{Location: "created", Message: err.Error()})
	}
	if err := ids.Check(id); err != nil {
		wrong = append(wrong, apierr.FieldError{Location: "id", Message: err.Error()})
	}
	if doc.Has("id") && doc.Text("id") != id {
		wrong = append(wrong, apierr.FieldError{Location: "id", Message: "is not the id in the path"})
	}
	if len(wrong) > 0 {
		return nil, &apierr.Error{Kind: apierr.Invalid, Detail: "the cart is not valid", Fields: wrong}
	}
	doc.Set("id", id)
	order.SetDefault(doc, "created", func() any { return timetext.FormatTime(now) })
	if err := order.Complete(doc); err != nil {
		return nil, err
	}
	c := &Cart{ID: id, Created: created}
	c.Advance(doc, now)
	return c, nil
}

// Advance makes doc the cart's next version. It changes doc, which must not be shared.
func (c *Cart) Advance(doc *jsondoc.Object, now time.Time) {
	c.Version++
	c.Modified = now
	c.Doc = doc
	doc.Set("version", jsondoc.Number(fmt.Sprint(c.Version)))
	doc.Set("modified", timetext.FormatTime(now))
}

// Replace makes the cart the version that follows another, whose time of
// creation it keeps. A PUT of a cart that is there is such a version.
func (c *Cart) Replace(was *Cart, now time.Time) {
	c.Version, c.Created = was.Version, was.Created
	created, _ := was.Doc.Get("created")
	c.Doc.Set("created", created)
	c.Advance(c.Doc, now)
}

// OrderOfCart is the document of a new order with what a cart holds. It gets
// an id, a status and times of its own, and names the cart. The cart itself stays as it is.
func OrderOfCart(cart *jsondoc.Object) *jsondoc.Object {
	order := cart.Clone()
	// These would say of the cart what is not true of the order.
	for _, name := range []string{"id", "status", "version", "created", "modified"} {
		order.Delete(name)
	}
	form := order.Object("orderForm")
	if form == nil {
		form = &jsondoc.Object{}
		order.Set("orderForm", form)
	}
	form.Set("cartId", cart.Text("id"))
	return order
}
