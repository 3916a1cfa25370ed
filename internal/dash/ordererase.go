package dash

import (
	"net/http"

	"github.com/orderhook/orderhook/internal/oms"
)

func confirmErase(v *visit) error { return showErase(v, nil) }

// showErase asks for the order's id once more: what is erased cannot be had back.
func showErase(v *visit, problem *Problem) error {
	_, order, err := v.order("")
	if err != nil {
		return err
	}
	path := href("orders", order.ID)
	return v.confirm("Erase the order", Confirm{What: "The order is erased for good.",
		Facts: []Fact{{"Order", order.ID, path}, {"Status", order.Status, ""}, {"Customer", order.Customer, ""}, {"E-mail", order.Email, ""}},
		Notes: []string{"Its versions, history and runs go, and the bodies and headers of its attempts and events. What is to be sent of it is canceled.",
			"That there were attempts and events stays, without their content; so does an entry in the audit log that it was erased.",
			"A job does it in steps. Until that is done the id is not free."},
		Inputs: []Input{{Name: "id", Label: "To be sure, write the order's id", Required: true}},
		Action: path + "/erase", Button: "Erase the order", Danger: true, Back: path, Problem: problem})
}

func eraseOrder(v *visit) error {
	id := v.r.PathValue("id")
	if v.field("id") != id {
		return showErase(v, &Problem{Status: http.StatusUnprocessableEntity, Title: http.StatusText(http.StatusUnprocessableEntity), Detail: "nothing was erased",
			Errors: []oms.FieldError{{Location: "id", Message: "is not the id of this order"}}})
	}
	if err := v.send(http.MethodDelete, "/api"+href("orders", id)+"?permanently=true", nil, nil); err != nil {
		return err
	}
	return v.done("/orders", "erased")
}
