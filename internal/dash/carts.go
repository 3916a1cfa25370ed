package dash

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
)

// cartsView is the list of carts. Carts and orders have the same summary, since a cart is
// a document of the same model.
type cartsView struct {
	Filters Filters
	Items   []orderSummary
	Paging  Paging
	Server  string
}

// cartView is a cart, and what its validators said. The results are read from the
// recorded attempts, because a cart itself does not keep what validators said.
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
	Attempt  attempt.Attempt
	Unread   bool // what it answered is not all stored
	Passed   bool // it said so
	Message  string
	Errors   []cart.ValidationError
	Warnings []cart.ValidationError
	Changed  bool // it returned a cart to apply
}

var (
	// The page of one cart has the section of the list, too.
	cartsPage = newPage[cartsView]("carts", "/carts")
	cartPage  = newPage[cartView]("cart", "/carts")
)

// cartPages registers the pages about carts. A shop changes its carts through the API;
// here they are looked at, and validated by hand.
func cartPages(s *server) {
	s.page(access.Reader, "GET /carts", listCarts)
	s.page(access.Reader, "GET /carts/{id}", showCart)
	s.page(access.Reader, "GET /carts/{id}/document", cartFile)
	s.page(access.Publisher, "GET /carts/{id}/validate", confirmValidateCart)
	s.page(access.Publisher, "POST /carts/{id}/validate", validateCart)
}

// cartFilters is the form that opens a cart. The API finds carts by nothing but their id.
var cartFilters = []Filter{{Name: "id", Label: "Cart", Hint: "C-1"}}

// listCarts shows the newest carts, or leads to the one whose id was written into the
// form.
func listCarts(v *visit) error {
	// There is one field, so to fill it in is to open the cart. A cart that does not
	// exist is a 404 there.
	if id := strings.TrimSpace(v.query().Get("id")); id != "" {
		return v.see(href("carts", id))
	}
	var list List[json.RawMessage]
	if err := v.get("/api/carts", asked(v.query()), &list); err != nil {
		return err
	}
	view := cartsView{Filters: newFilters(v.r.URL, cartFilters, nil), Items: summaries(list.Items), Paging: newPaging(v.r.URL, &list), Server: v.s.address(v.r)}
	return cartsPage.showLive(v, "Carts", "carts", view)
}

// cart asks for the cart of a page. It returns the document with all its fields, and what
// a row shows of it.
func (v *visit) cart() (doc json.RawMessage, s orderSummary, err error) {
	if err = v.get("/api"+href("carts", v.r.PathValue("id")), nil, &doc); err == nil {
		s = summarized(doc)
	}
	return doc, s, err
}

// resultsShown is how many answers of validators the page of a cart shows.
const resultsShown = "5"

// showCart shows a cart, and the newest answers of its validators. Each answer is a
// question more, since lists have no bodies.
func showCart(v *visit) error {
	doc, cart, err := v.cart()
	if err != nil {
		return err
	}
	view := cartView{Cart: cart, Lines: lines(objectOf(doc).object("orderForm")), Document: v.document("Cart", doc, href("carts", cart.ID, "document"), nil)}
	// A page shows a limited number of lines. The document below has all of them.
	view.Left = cart.Lines - len(view.Lines)
	var attempts List[attempt.Attempt]
	if err := v.get("/api/attempts", url.Values{"cartId": {cart.ID}, "kind": {attempt.KindValidator}, "limit": {resultsShown}}, &attempts); err != nil {
		return err
	}
	view.More = attempts.NextCursor != ""
	// What a validator said is in the body of its answer, so each attempt is read by
	// itself.
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
// then the attempt's error does. The answer is read by the function that the validation
// itself uses, so the page says what orderhook understood of it.
func (v *visit) validatorResult(at attempt.Attempt) (r validatorResult, err error) {
	r.Attempt = at
	var full fullAttempt
	err = v.get("/api"+href("attempts", at.ID), nil, &full)
	if p := problemOf(err); p != nil && p.Status == http.StatusNotFound { // it was just removed
		return r, nil
	}
	// A call that failed has no result. Its row shows the error of the attempt.
	if err != nil || at.Outcome != attempt.OutcomeSucceeded || full.Response == nil {
		return r, err
	}
	said, err := cart.ParseValidation([]byte(full.Response.Body))
	if err != nil {
		r.Unread = true // it is longer than what is stored
		return r, nil
	}
	r.Passed, r.Message, r.Errors, r.Warnings, r.Changed = said.Passed, said.Message, said.Errors, said.Warnings, said.Value != nil
	return r, nil
}

// cartFile is the cart as the API has it, for what the page shows in part.
func cartFile(v *visit) error {
	doc, _, err := v.cart()
	if err != nil {
		return err
	}
	return v.asText(doc)
}

// confirmValidateCart is the page before a validation.
func confirmValidateCart(v *visit) error { return showValidateCart(v, nil) }

// showValidateCart says who will be asked. Validators are endpoints of others, which may
// note the call, so nothing is sent before somebody has pressed the button.
func showValidateCart(v *visit, problem *Problem) error {
	_, cart, err := v.cart()
	if err != nil {
		return err
	}
	back := href("carts", cart.ID)
	return v.confirm("Validate the cart", Confirm{What: "The cart is sent to its validators, and what they return is stored in it.",
		Facts:  []Fact{{Name: "Cart", Value: cart.ID, URL: back}, {Name: "Version", Value: cart.Version}, {Name: "Market", Value: cart.Market}},
		Notes:  []string{"Each connector named webhookValidator whose markets admit the cart is called once, in the order of the settings."},
		Action: href("carts", cart.ID, "validate"), Hidden: []Hidden{newOnce()}, Button: "Validate now", Back: back, Problem: problem})
}

// validateCart has the cart validated, and shows it with what came of that. A cart that
// does not pass is no error of the form.
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
	// The notice says how it went; the results are on the page that comes.
	notice := "not-valid"
	if result.Passed {
		notice = "valid"
	}
	return v.done(path, notice)
}
