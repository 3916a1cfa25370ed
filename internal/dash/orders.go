package dash

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// ordersView is the list of orders. The items are summaries of documents, which may be of
// any form.
type ordersView struct {
	Filters Filters
	Items   []orderSummary
	Paging  Paging
	Problem *Problem // the filters are not valid
	Server  string
}

// ordersPage lists the orders.
var ordersPage = newPage[ordersView]("orders", "/orders")

// orderPages registers the pages about orders. Those that change one are for publishers,
// as the API's calls are.
func orderPages(s *server) {
	s.page(access.Reader, "GET /orders", listOrders)
	s.page(access.Reader, "GET /orders/{id}", showOrder)
	s.page(access.Reader, "GET /orders/{id}/document", orderFile)
	s.page(access.Reader, "GET /orders/{id}/blame", showBlame)
	s.page(access.Reader, "GET /orders/{id}/versions", showVersions)
	s.page(access.Publisher, "GET /orders/{id}/status", prepareStatus)
	s.page(access.Publisher, "POST /orders/{id}/status", enterStatus)
	s.page(access.Publisher, "GET /orders/{id}/erase", confirmErase)
	s.page(access.Publisher, "POST /orders/{id}/erase", eraseOrder)
	s.page(access.Publisher, "GET /orders/{id}/returns/{returnId}/cancel", confirmCancelReturn)
	s.page(access.Publisher, "POST /orders/{id}/returns/{returnId}/cancel", cancelReturn)
	s.page(access.Reader, "GET /subscriptions/{id}", showSubscription)
}

// orderFilters are the fields that are always there, orderMore those behind "More
// filters": together every filter of the API.
var (
	orderFilters = []Filter{
		// The first field opens an order at once; the others search.
		{Name: openParam, Label: "Open the order", Hint: "ORD-1"},
		{Name: "q", Label: "Anywhere in an order", Hint: "Kari, 370000000000000012", Type: "search", Wide: true},
		{Name: "status", Label: "Status", Hint: "New"},
		{Name: "hasErrors", Label: "Errors", Options: []Option{{"true", "with unsolved errors"}, {"false", "without"}}},
		{Name: "customerEmail", Label: "E-mail", Hint: "kari@example.com"},
	}
	orderMore = []Filter{
		{Name: "marketId", Label: "Market", Hint: "NOR"},
		{Name: "orderType", Label: "Order type"},
		{Name: "storeId", Label: "Store"},
		{Name: "externalId", Label: "External id"},
		{Name: "subscriptionId", Label: "Subscription"},
		{Name: "tag", Label: "Tag"},
		{Name: "from", Label: "Created from", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
		{Name: "to", Label: "Created before", Hint: "2026-11-28T09:00:00Z", Type: timeFilter},
		{Name: "modifiedFrom", Label: "Changed from", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
	}
)

// openParam is the field that leads to an order by its id, without a search. It is not a
// parameter of the API's, and is never handed on: the page leads away first.
const openParam = "open"

// orderSummary is a row of a list of orders or carts. A field that the document lacks, or
// has in another shape, is empty.
type orderSummary struct {
	ID, Status, Type, Market string
	Customer, Email          string
	Total, Currency          string // digits as stored
	Subscription             string
	Lines, Errors            int // lines; errors that nobody has solved
	Created, Modified        time.Time
	Version                  string
}

// summarized reads what a row shows of an order or a cart.
func summarized(raw json.RawMessage) orderSummary {
	o := objectOf(raw)
	return summaryOf(o, o.object("orderForm"))
}

// summaryOf is summarized of what has been read: an order or a cart, and its form.
// Reading a large document is most of the work, so it is done once where a page needs
// more of it.
func summaryOf(o, form object) orderSummary {
	s := orderSummary{ID: o.text("id"), Status: o.text("status"), Type: o.text("orderType"), Market: o.text("marketId"),
		Customer: o.text("customerName"), Email: o.text("customerEmail"), Currency: o.text("billingCurrency"), Subscription: o.text("subscriptionId"),
		Total: form.text("total"), Created: o.time("created"), Modified: o.time("modified"), Version: o.text("version")}
	// Some documents have the total outside of the form.
	if s.Total == "" {
		s.Total = o.text("total")
	}
	s.Lines = form.count("lineItems")
	// Only errors that somebody still has to look at are counted.
	for _, e := range orderErrors(o) {
		if e.Unsolved {
			s.Errors++
		}
	}
	return s
}

// summaries are the rows of a list of documents.
func summaries(documents []json.RawMessage) []orderSummary {
	out := make([]orderSummary, len(documents))
	for i, d := range documents {
		out[i] = summarized(d)
	}
	return out
}

// orderError is an error on an order. Reference is the shipment or the return that it is
// about.
type orderError struct {
	Key, DisplayName, Message, Details string
	Severity, Status                   string
	Reference, RunID                   string
	Occurred                           time.Time
	Unsolved                           bool
}

// mostErrors is how many errors of an order a page looks at. Each step that fails leaves
// one, so an order with more has another problem.
const mostErrors = 1000

// orderErrors are the errors on an order, the newest last. As with the API's hasErrors,
// one is unsolved as long as it is neither Solved nor Deleted.
func orderErrors(o object) (out []orderError) {
	for _, e := range o.list("errors", mostErrors) {
		status := e.text("status")
		at := e.time("occurred")
		if at.IsZero() {
			at = e.time("occured") // as others spell it
		}
		out = append(out, orderError{Key: e.text("key"), DisplayName: e.text("displayName"), Message: e.text("message"), Details: e.text("details"), Severity: e.text("severity"),
			Status: status, Reference: e.text("referenceId"), RunID: e.text("runId"), Occurred: at,
			Unsolved: !strings.EqualFold(status, "Solved") && !strings.EqualFold(status, "Deleted")})
	}
	return out
}

// listOrders shows the newest orders, or those that the filters pick; with the field
// "open" it leads to the order itself.
func listOrders(v *visit) error {
	// An id that does not exist is a 404 of the order's page.
	if id := strings.TrimSpace(v.query().Get(openParam)); id != "" {
		return v.see(href("orders", id))
	}
	view := ordersView{Filters: newFilters(v.r.URL, orderFilters, orderMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[json.RawMessage]
	err := v.get("/api/orders", askedWithCount(v.query()), &list)
	if p := refused(err); p != nil {
		view.Problem = p
		p.markFilters(&view.Filters)
		return ordersPage.refuse(v, "Orders", p, view)
	}
	if err != nil {
		return err
	}
	view.Items, view.Paging = summaries(list.Items), newPaging(v.r.URL, &list)
	return ordersPage.showLive(v, "Orders", "orders", view)
}
