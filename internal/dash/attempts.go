package dash

import (
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
)

// attemptsView is the search over all outgoing requests. Problem is nil unless the API
// refused a filter; the items are empty then.
type attemptsView struct {
	Filters Filters
	Items   []attempt.Attempt
	Paging  Paging
	Problem *Problem // the filters are not valid
	Server  string
}

// attemptsPage lists attempts. The pages of one attempt are in attempt.go and replay.go.
var attemptsPage = newPage[attemptsView]("attempts", "/attempts")

// attemptPages registers the pages about outgoing requests.
func attemptPages(s *server) {
	s.page(access.Reader, "GET /attempts", listAttempts)
	s.page(access.Reader, "GET /attempts/{id}", showAttempt)
	s.page(access.Reader, "GET /attempts/{id}/request-body", attemptFile(func(at *fullAttempt) []byte { return at.Request.content() }))
	s.page(access.Reader, "GET /attempts/{id}/response-body", attemptFile(func(at *fullAttempt) []byte { return at.Response.content() }))
	s.page(access.Reader, "GET /attempts/{id}/curl", attemptFile(func(at *fullAttempt) []byte { return []byte(curl(at)) }))
	s.page(access.Operator, "GET /attempts/{id}/replay", confirmReplay)
	s.page(access.Operator, "POST /attempts/{id}/replay", replay)
	s.page(access.Reader, "GET /attempts/{id}/replays/{replay}", showReplay)
}

// attemptFilters are the fields that are always there, attemptMore those behind "More
// filters": together every filter of the API.
var (
	attemptFilters = []Filter{
		// The fields that one needs most come first: what was in a body, of which order,
		// and how it went.
		{Name: "body", Label: "Body contains", Hint: "3 characters or more, in request or response", Type: "search", Wide: true},
		{Name: "orderId", Label: "Order", Hint: "ORD-1"},
		{Name: "outcome", Label: "Outcome", Options: options(attempt.Outcomes...)},
		{Name: "status", Label: "Status", Hint: "500, 5xx, none"},
		{Name: "kind", Label: "Kind", Options: options(attempt.Kinds...)},
	}
	attemptMore = []Filter{
		// What an attempt belongs to, where it went, when, and how long it took. Links of
		// other pages fill in the ids.
		{Name: "endpointId", Label: "Endpoint", Hint: "ep_…"},
		{Name: "connectorId", Label: "Connector"},
		{Name: "host", Label: "Host", Hint: "erp.example.com"},
		{Name: "eventType", Label: "Event type", Hint: "OrderCreated"},
		{Name: "minDurationMs", Label: "At least ms", Type: "number", Hint: "1000"},
		{Name: "from", Label: "From", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
		{Name: "to", Label: "Before", Hint: "2026-11-28T09:00:00Z", Type: timeFilter},
		{Name: "shipmentId", Label: "Shipment"},
		{Name: "returnId", Label: "Return"},
		{Name: "cartId", Label: "Cart"},
		{Name: "subscriptionId", Label: "Subscription"},
		{Name: "stockItemId", Label: "Stock item"},
		{Name: "deliveryId", Label: "Delivery"},
		{Name: "runId", Label: "Run"},
		{Name: "callId", Label: "Call"},
	}
)

// timeRanges are links that list what began since then. The time is in the URL, so
// that the link means the same tomorrow. Other filters of the page stay; the cursor does
// not, since it is a place in another list.
func timeRanges(at *url.URL, now time.Time) (out []Range) {
	out = append(out, Range{"any time", with(at, "from", "", "to", "", "cursor", ""), !at.Query().Has("from") && !at.Query().Has("to")})
	for _, r := range []struct {
		text string
		span time.Duration
	}{{"15 min", 15 * time.Minute}, {"1 hour", time.Hour}, {"24 hours", 24 * time.Hour}, {"7 days", 7 * 24 * time.Hour}} {
		// Seconds are enough, and make a short URL.
		from := now.Add(-r.span).UTC().Truncate(time.Second).Format(time.RFC3339)
		out = append(out, Range{r.text, with(at, "from", from, "to", "", "cursor", ""), false})
	}
	return out
}

// listAttempts hands the filters on to the API as they are, which refuses by name what it does
// not know; then the list is shown again, with the error at its filter.
func listAttempts(v *visit) error {
	view := attemptsView{Filters: newFilters(v.r.URL, attemptFilters, attemptMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	asks := asked(v.query())
	if !asks.Has("body") { // to count what a search finds takes longer than the search
		asks = askedWithCount(v.query())
	}
	var list List[attempt.Attempt]
	// The API checks the filters, so that a page and a call refuse the same.
	err := v.get("/api/attempts", asks, &list)
	if p := refused(err); p != nil {
		view.Problem = p
		p.markFilters(&view.Filters)
		return attemptsPage.refuse(v, "Attempts", p, view)
	}
	if err != nil {
		return err
	}
	view.Items = list.Items
	view.Paging = newPaging(v.r.URL, &list)
	return attemptsPage.showLive(v, "Attempts", "attempts", view)
}
