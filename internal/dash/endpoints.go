package dash

import (
	"fmt"
	"math"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
)

// endpointsView is the list of endpoints. The navigation calls them webhooks, as most
// people do.
type endpointsView struct {
	Filters Filters
	Items   []endpointRow
	Paging  Paging
	Problem *Problem
	Server  string
}

// endpointRow is an endpoint and how it is doing.
type endpointRow struct {
	api.Endpoint
	States []Badge
	Recent sparkline
}

// endpointsPage lists the endpoints.
var endpointsPage = newPage[endpointsView]("endpoints", "/endpoints")

// endpointPages registers all pages about endpoints. The path explain stands before {id},
// since no endpoint has that id.
func endpointPages(s *server) {
	s.page(access.Reader, "GET /endpoints", listEndpoints)
	s.page(access.Operator, "GET /endpoints/new", newEndpointForm)
	s.page(access.Operator, "POST /endpoints", createEndpoint)
	s.page(access.Reader, "GET /endpoints/explain", explain)
	s.page(access.Reader, "GET /endpoints/{id}", showEndpoint)
	s.page(access.Reader, "GET /endpoints/{id}/attempts", showEndpointAttempts)
	s.page(access.Reader, "GET /endpoints/{id}/feed", showEndpointFeed)
	s.page(access.Operator, "GET /endpoints/{id}/edit", editEndpointForm)
	s.page(access.Operator, "POST /endpoints/{id}/edit", editEndpoint)
	for _, d := range endpointActions {
		s.page(access.Operator, "GET /endpoints/{id}/"+d.name, func(v *visit) error { return d.show(v, nil) })
		s.page(access.Operator, "POST /endpoints/{id}/"+d.name, func(v *visit) error { return d.post(v) })
	}
	s.page(access.Operator, "GET /endpoints/{id}/recover", showRecovery)
	s.page(access.Operator, "POST /endpoints/{id}/recover", recoverEndpoint)
}

// recentAttempts is how many attempts a sparkline shows.
const recentAttempts = 40

// endpointFilters are all filters that the API has for endpoints.
var endpointFilters = []Filter{
	{Name: "q", Label: "URL or description", Hint: "erp.example.com", Type: "search", Wide: true},
	{Name: "eventType", Label: "Wants the type", Hint: "OrderCreated"},
	{Name: "enabled", Label: "On or off", Options: []Option{{"true", "on"}, {"false", "off"}}},
}

// listEndpoints shows the endpoints, each with its newest attempts in a picture. Those
// come in the same answer, so the page asks once.
func listEndpoints(v *visit) error {
	query := asked(v.query())
	// The API adds so many of the newest attempts to each endpoint.
	query.Set("recent", fmt.Sprint(recentAttempts))
	var list List[api.Endpoint]
	err := v.get("/api/endpoints", query, &list)
	view := endpointsView{Filters: newFilters(v.r.URL, endpointFilters, nil), Paging: newPaging(v.r.URL, &list), Server: v.s.address(v.r), Problem: refused(err)}
	if view.Problem != nil {
		view.Problem.markFilters(&view.Filters)
		return endpointsPage.refuse(v, "Webhooks", view.Problem, view)
	}
	if err != nil {
		return err
	}
	for _, e := range list.Items {
		view.Items = append(view.Items, endpointRow{e, endpointStates(&e), newSparkline(&e)})
	}
	return endpointsPage.showLive(v, "Webhooks", "endpoints,deliveries", view)
}

// endpointStates say whether an endpoint gets its events. The first badge is the one
// state that matters most; a filter that fails is told of beside it.
func endpointStates(e *api.Endpoint) (out []Badge) {
	h := e.Health
	switch {
	case !e.Enabled:
		out = append(out, Badge{"off", "warn", e.DisabledReason})
	// The circuit counts more than a single failure: it decides whether anything is sent.
	case h.Circuit == "open":
		out = append(out, Badge{"circuit open", "bad", "It failed so often that its deliveries wait; one is tried now and then"})
	case h.Circuit == "halfOpen":
		out = append(out, Badge{"being tried", "warn", "It failed often; one delivery is under way to see whether it is well again"})
	case h.ConsecutiveFailures > 0:
		out = append(out, Badge{"failing", "bad", h.LastError})
	case h.LastSuccess != nil:
		out = append(out, Badge{"ok", "good", ""})
	default:
		out = append(out, Badge{"nothing sent yet", "idle", ""})
	}
	if h.FilterErrors > 0 {
		out = append(out, Badge{"filter fails", "warn", "Events that the filter could not evaluate were sent"})
	}
	return out
}

// sparkline is the picture of the newest attempts, the newest at the right. The label
// says the same for whoever does not see the picture.
type sparkline struct {
	Bars  []sparkBar
	Label string // the same in words
}

// sparkBar is one attempt of a sparkline, in the picture's units.
type sparkBar struct {
	X, Y, Height int
	Class        string
}

const (
	// All of these are in units of the picture, which the style sheet scales.
	sparkStep  = 4 // from one sparkBar to the next
	sparkTall  = 20
	sparkLeast = 3
	sparkSlots = recentAttempts * sparkStep
)

// newSparkline draws an attempt the taller the longer it took, against the slowest of
// them; by the square root, so that one slow attempt does not flatten all others.
// Attempts that were few leave the left side empty, so that pictures of several endpoints
// can be compared.
func newSparkline(e *api.Endpoint) (s sparkline) {
	slowest, failed := 1.0, 0
	for _, at := range e.Recent {
		slowest = max(slowest, at.DurationMs)
	}
	// The list begins with the newest, which is drawn at the right end.
	for i, at := range e.Recent {
		height := sparkLeast + int(math.Round(math.Sqrt(max(at.DurationMs, 0)/slowest)*(sparkTall-sparkLeast)))
		b := sparkBar{X: sparkSlots - (i+1)*sparkStep, Y: sparkTall - height, Height: height, Class: "ok"}
		if at.Outcome != "succeeded" {
			b.Class, failed = "failed", failed+1
		}
		s.Bars = append(s.Bars, b)
	}
	s.Label = fmt.Sprintf("The last %d attempts: %d failed, the slowest took %s", len(e.Recent), failed, duration(slowest))
	return s
}

// capped is a number that was not counted further than up to itself.
func capped(n int64, more bool) string {
	text := count(int(n))
	if more {
		text += "+"
	}
	return text
}

// deliveriesOf is the list of an endpoint's deliveries of a status. Links and facts about
// an endpoint lead there.
func deliveriesOf(endpoint, status string) string {
	return search("deliveries", "endpointId", endpoint, "status", status)
}
