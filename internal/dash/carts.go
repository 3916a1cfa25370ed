package dash

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/orderhook/orderhook/internal/oms"
)

// cartsView is the list of carts.
type cartsView struct {
	Items  []orderSummary
	Paging Paging
	Server string
}

// cartView is a cart, and what its validators said.
type cartView struct {
	Cart     orderSummary
	Lines    []lineRow
	Left     int // how many lines are not among these
	Document Document
	Results  []validatorResult // the newest first
	More     bool              // there are older ones
}

// validatorResult is what a validator answered about the cart.
type validatorResult struct {
	Attempt  oms.Attempt
	Unread   bool // what it answered is not all kept
	Passed   bool // it said so
	Message  string
	Errors   []oms.ValidationError
	Warnings []oms.ValidationError
	Changed  bool // it returned a cart to apply
}

var (
	cartsPage = newPage[cartsView]("carts", "/carts")
	cartPage  = newPage[cartView]("cart", "/carts")
)

func cartPages(s *server) {
	s.page(oms.Reader, "GET /carts", listCarts)
	s.page(oms.Reader, "GET /carts/{id}", showCart)
	s.page(oms.Reader, "GET /carts/{id}/document", cartFile)
	s.page(oms.Publisher, "GET /carts/{id}/validate", confirmValidateCart)
	s.page(oms.Publisher, "POST /carts/{id}/validate", validateCart)
}

func listCarts(v *visit) error {
	var list List[json.RawMessage]
	if err := v.get("/api/carts", asked(v.query()), &list); err != nil {
		return err
	}
	view := cartsView{Items: summaries(list.Items), Paging: newPaging(v.r.URL, &list), Server: v.s.address(v.r)}
	return cartsPage.showLive(v, "Carts", "carts", view)
}

func (v *visit) cart() (doc json.RawMessage, s orderSummary, err error) {
	if err = v.get("/api"+href("carts", v.r.PathValue("id")), nil, &doc); err == nil {
		s = summarized(doc)
	}
	return doc, s, err
}

// resultsShown is how many answers of validators the page of a cart shows.
const resultsShown = "5"

func showCart(v *visit) error {
	doc, cart, err := v.cart()
	if err != nil {
		return err
	}
	view := cartView{Cart: cart, Lines: lines(objectOf(doc).object("orderForm")), Document: v.document("Cart", doc, href("carts", cart.ID, "document"), nil)}
	view.Left = cart.Lines - len(view.Lines)
	var attempts List[oms.Attempt]
	if err := v.get("/api/attempts", url.Values{"cartId": {cart.ID}, "kind": {oms.KindValidator}, "limit": {resultsShown}}, &attempts); err != nil {
		return err
	}
	view.More = attempts.NextCursor != ""
	for _, at := range attempts.Items {
		r, err := v.validatorResult(at)
		if err != nil {
			return err
		}
		view.Results = append(view.Results, r)
	}
	return cartPage.showLive(v, "Cart "+cart.ID, "carts,attempts", view)
}

// validatorResult reads what a validator answered. An answer that is none says nothing:
// then the attempt's error does.
func (v *visit) validatorResult(at oms.Attempt) (r validatorResult, err error) {
	r.Attempt = at
	var full fullAttempt
	err = v.get("/api"+href("attempts", at.ID), nil, &full)
	if p := problemOf(err); p != nil && p.Status == http.StatusNotFound { // it was just removed
		return r, nil
	}
	if err != nil || at.Outcome != oms.OutcomeSucceeded || full.Response == nil {
		return r, err
	}
	said, err := oms.ParseValidation([]byte(full.Response.Body))
	if err != nil {
		r.Unread = true // it is longer than what is kept
		return r, nil
	}
	r.Passed, r.Message, r.Errors, r.Warnings, r.Changed = said.Passed, said.Message, said.Errors, said.Warnings, said.Value != nil
	return r, nil
}

func cartFile(v *visit) error {
	doc, _, err := v.cart()
	if err != nil {
		return err
	}
	return v.asText(doc)
}

func confirmValidateCart(v *visit) error { return showValidateCart(v, nil) }

// showValidateCart says who will be asked.
func showValidateCart(v *visit, problem *Problem) error {
	_, cart, err := v.cart()
	if err != nil {
		return err
	}
	back := href("carts", cart.ID)
	return v.confirm("Validate the cart", Confirm{What: "The cart is sent to its validators, and what they return is stored in it.",
		Facts:  []Fact{{"Cart", cart.ID, back}, {"Version", cart.Version, ""}, {"Market", cart.Market, ""}},
		Notes:  []string{"Each connector named webhookValidator whose markets admit the cart is called once, in the order of the settings."},
		Action: href("carts", cart.ID, "validate"), Hidden: []Hidden{newOnce()}, Button: "Validate now", Back: back, Problem: problem})
}

func validateCart(v *visit) error {
	path := href("carts", v.r.PathValue("id"))
	var result struct {
		Passed bool `json:"isValidatedSuccessful"`
	}
	err := v.sendForm("/api"+path+"/validate", nil, &result)
	if p := refused(err); p != nil {
		return showValidateCart(v, p)
	}
	if err != nil {
		return err
	}
	notice := "not-valid"
	if result.Passed {
		notice = "valid"
	}
	return v.done(path, notice)
}
