package dash

import (
	"github.com/orderhook/orderhook/internal/oms"
)

func confirmCancelReturn(v *visit) error { return showCancelReturn(v, nil) }

func showCancelReturn(v *visit, problem *Problem) error {
	doc, order, err := v.order("")
	if err != nil {
		return err
	}
	id := v.r.PathValue("returnId")
	back := href("orders", order.ID)
	c := Confirm{What: "The return is canceled, so that its quantities can be returned again.",
		Facts: []Fact{{"Order", order.ID, back}, {"Return", id, ""}},
		Notes: []string{"The form stays, with the status " + oms.StatusCancelled + ". A run of the return that goes on is superseded.",
			"An order that is Returned or PartiallyReturned gets the status that its other returns give it, or the one from before its returns. No workflow runs."},
		Action: href("orders", order.ID, "returns", id, "cancel"), Hidden: []Hidden{newOnce()}, Button: "Cancel the return", Danger: true, Back: back, Problem: problem}
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
	if !found && problem == nil {
		return oms.Errorf(oms.NotFound, "the order has no return %q", id)
	}
	return v.confirm("Cancel the return", c)
}

func cancelReturn(v *visit) error {
	order := href("orders", v.r.PathValue("id"))
	err := v.sendForm("/api"+order+href("returns", v.r.PathValue("returnId"), "cancel"), nil, nil)
	if p := refused(err); p != nil {
		return showCancelReturn(v, p)
	}
	if err != nil {
		return err
	}
	return v.done(order, "canceled")
}
