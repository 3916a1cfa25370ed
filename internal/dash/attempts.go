package dash

import (
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// attemptsView is the search over all outgoing requests.
type attemptsView struct {
	Filters Filters
	Items   []oms.Attempt
	Paging  Paging
	Problem *Problem // the filters are not valid
	Server  string
}

var attemptsPage = newPage[attemptsView]("attempts", "/attempts")

func attemptPages(s *server) {
	s.page(oms.Reader, "GET /attempts", listAttempts)
	s.page(oms.Reader, "GET /attempts/{id}", showAttempt)
	s.page(oms.Reader, "GET /attempts/{id}/request-body", attemptFile(func(at *fullAttempt) []byte { return at.Request.content() }))
	s.page(oms.Reader, "GET /attempts/{id}/response-body", attemptFile(func(at *fullAttempt) []byte { return at.Response.content() }))
	s.page(oms.Reader, "GET /attempts/{id}/curl", attemptFile(func(at *fullAttempt) []byte { return []byte(curl(at)) }))
	s.page(oms.Operator, "GET /attempts/{id}/replay", confirmReplay)
	s.page(oms.Operator, "POST /attempts/{id}/replay", replay)
	s.page(oms.Reader, "GET /attempts/{id}/replays/{replay}", showReplay)
}

// attemptFilters are the fields that are always there, attemptMore those behind "More
// filters": together every filter of the API.
var (
	attemptFilters = []Filter{
		{Name: "body", Label: "Body contains", Hint: "3 characters or more, in request or response", Type: "search", Wide: true},
		{Name: "orderId", Label: "Order", Hint: "ORD-1"},
		{Name: "outcome", Label: "Outcome", Options: options("succeeded", "failed")},
		{Name: "status", Label: "Status", Hint: "500, 5xx, none"},
		{Name: "kind", Label: "Kind", Options: options(oms.KindEvent, oms.KindStep, oms.KindReturnStep, oms.KindValidator, oms.KindExport, oms.KindReplay)},
	}
	attemptMore = []Filter{
		{Name: "endpointId", Label: "Endpoint", Hint: "ep_…"},
		{Name: "connectorId", Label: "Connector"},
		{Name: "host", Label: "Host", Hint: "erp.example.com"},
		{Name: "eventType", Label: "Event type", Hint: "OrderCreated"},
		{Name: "minDurationMs", Label: "At least ms", Type: "number", Hint: "1000"},
		{Name: "from", Label: "From", Hint: "2026-11-28T08:00:00Z"},
		{Name: "to", Label: "Before", Hint: "2026-11-28T09:00:00Z"},
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
// that the link means the same tomorrow.
func timeRanges(at *url.URL, now time.Time) (out []Range) {
	out = append(out, Range{"any time", with(at, "from", "", "to", "", "cursor", ""), at.Query().Get("from") == ""})
	for _, r := range []struct {
		text string
		span time.Duration
	}{{"15 min", 15 * time.Minute}, {"1 hour", time.Hour}, {"24 hours", 24 * time.Hour}, {"7 days", 7 * 24 * time.Hour}} {
		from := now.Add(-r.span).UTC().Truncate(time.Second).Format(time.RFC3339)
		out = append(out, Range{r.text, with(at, "from", from, "to", "", "cursor", ""), false})
	}
	return out
}

func listAttempts(v *visit) error {
	view := attemptsView{Filters: newFilters(v.r.URL, attemptFilters, attemptMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	asks := asked(v.query())
	if !asks.Has("body") { // to count what a search finds takes longer than the search
		asks = askedWithCount(v.query())
	}
	var list List[oms.Attempt]
	err := v.get("/api/attempts", asks, &list)
	if p := refused(err); p != nil {
		view.Problem = p
		return attemptsPage.refuse(v, "Attempts", p, view)
	}
	if err != nil {
		return err
	}
	view.Items = list.Items
	view.Paging = newPaging(v.r.URL, &list)
	return attemptsPage.showLive(v, "Attempts", "attempts", view)
}
