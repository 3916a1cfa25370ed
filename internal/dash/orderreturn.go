package dash

import (
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
)

// confirmCancelReturn is the page before a return is canceled.
func confirmCancelReturn(v *visit) error { return showCancelReturn(v, nil) }

// showCancelReturn names the lines that can be returned again then. The return is looked
// for in the order, since it has no call of its own. When a form is shown again that was
// refused, the return may be gone by now; the page still says what was refused.
func showCancelReturn(v *visit, problem *Problem) error {
	doc, o, err := v.order()
	if err != nil {
		return err
	}
	id := v.r.PathValue("returnId")
	// A return has no page, so both ways out lead to its order.
	back := href("orders", o.ID)
	c := Confirm{What: "The return is canceled, so that its quantities can be returned again.",
		Facts: []Fact{{Name: "Order", Value: o.ID, URL: back}, {Name: "Return", Value: id}},
		Notes: []string{"The form stays, with the status " + order.StatusCancelled + ". A run of the return that goes on is superseded.",
			"An order that is Returned or PartiallyReturned gets the status that its other returns give it, or the one from before its returns. No workflow runs."},
		Action: href("orders", o.ID, "returns", id, "cancel"), Hidden: []Hidden{newOnce()}, Button: "Cancel the return", Danger: true, Back: back, Problem: problem}
	// The page shows the status of the return, and each line with its quantity, which becomes
	// free for another return.
	found := false
	for _, r := range returns(objectOf(doc)) {
		if found = r.ID == id; found {
			c.Facts = append(c.Facts, Fact{Name: "Its status", Value: r.Status})
			for _, l := range r.Lines {
				c.Facts = append(c.Facts, Fact{Name: "Line " + l.ID, Value: l.Returned + " × " + l.Code + " " + l.Name})
			}
			break
		}
	}
	// A link to a return that the order does not have is a 404, as an unknown order is.
	if !found && problem == nil {
		return apierr.Errorf(apierr.NotFound, "the order has no return %q", id)
	}
	return v.confirm("Cancel the return", c)
}

// cancelReturn cancels the return once, and leads to the order.
func cancelReturn(v *visit) error {
	order := href("orders", v.r.PathValue("id"))
	// The API's path has the same form as that of this page.
	err := v.sendForm("/api"+order+href("returns", v.r.PathValue("returnId"), "cancel"), nil, nil)
	if p := refused(err); p != nil {
		return showCancelReturn(v, p)
	}
	if err != nil {
		return err
	}
	return v.done(order, "canceled")
}
