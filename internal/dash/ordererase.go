package dash

import (
	"net/http"

	"github.com/orderhook/orderhook/internal/apierr"
)

// confirmErase is the page before an order is erased.
func confirmErase(v *visit) error { return showErase(v, nil) }

// showErase asks for the order's id once more: what is erased cannot be had back. It says
// what stays, too: whoever erases an order for a customer has to answer for that.
func showErase(v *visit, problem *Problem) error {
	_, order, err := v.order()
	if err != nil {
		return err
	}
	path := href("orders", order.ID)
	return v.confirm("Erase the order", Confirm{What: "The order is erased for good.",
		Facts: []Fact{{Name: "Order", Value: order.ID, URL: path}, {Name: "Status", Value: order.Status}, {Name: "Customer", Value: order.Customer}, {Name: "E-mail", Value: order.Email}},
		Notes: []string{"Its versions, history and runs go, and the bodies and headers of its attempts and events. What is to be sent of it is canceled.",
			"That there were attempts and events stays, without their content; so does an entry in the audit log that it was erased.",
			"A job does it in steps. Until that is done the id is not free."},
		Inputs: []Input{{Name: "id", Label: "To be sure, write the order's id", Required: true}},
		Action: path + "/erase", Button: "Erase the order", Danger: true, Back: path, Problem: problem})
}

// eraseOrder begins once the id was written as it is: one button pressed by chance is not enough
// for what cannot be undone. The API is asked by DELETE, which answers when the job has
// ended, or the browser has gone; the job goes on in any case.
func eraseOrder(v *visit) error {
	id := v.r.PathValue("id")
	// It is checked here, because the API's call has no such field.
	if v.field("id") != id {
		return showErase(v, &Problem{Status: http.StatusUnprocessableEntity, Title: http.StatusText(http.StatusUnprocessableEntity), Detail: "nothing was erased",
			Errors: []apierr.FieldError{{Location: "id", Message: "is not the id of this order"}}})
	}
	// What the API refuses is shown as an error page: the form could not be mended.
	if err := v.send(http.MethodDelete, "/api"+href("orders", id)+"?permanently=true", nil, nil); err != nil {
		return err
	}
	return v.done("/orders", "erased")
}
