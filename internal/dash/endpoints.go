package dash

import (
	"fmt"
	"math"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// endpointsView is the list of endpoints.
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

var endpointsPage = newPage[endpointsView]("endpoints", "/endpoints")

func endpointPages(s *server) {
	s.page(oms.Reader, "GET /endpoints", listEndpoints)
	s.page(oms.Operator, "GET /endpoints/new", newEndpointForm)
	s.page(oms.Operator, "POST /endpoints", createEndpoint)
	s.page(oms.Reader, "GET /endpoints/explain", explain)
	s.page(oms.Reader, "GET /endpoints/{id}", showEndpoint)
	s.page(oms.Reader, "GET /endpoints/{id}/attempts", showEndpointAttempts)
	s.page(oms.Operator, "GET /endpoints/{id}/edit", editEndpointForm)
	s.page(oms.Operator, "POST /endpoints/{id}/edit", editEndpoint)
	for _, d := range endpointDeeds {
		s.page(oms.Operator, "GET /endpoints/{id}/"+d.name, func(v *visit) error { return d.show(v, nil) })
		s.page(oms.Operator, "POST /endpoints/{id}/"+d.name, func(v *visit) error { return d.post(v) })
	}
	s.page(oms.Operator, "GET /endpoints/{id}/recover", showRecovery)
	s.page(oms.Operator, "POST /endpoints/{id}/recover", recoverEndpoint)
}

// recentAttempts is how many attempts a sparkline shows.
const recentAttempts = 40

var endpointFilters = []Filter{
	{Name: "q", Label: "URL or description", Hint: "erp.example.com", Type: "search", Wide: true},
	{Name: "eventType", Label: "Wants the type", Hint: "OrderCreated"},
	{Name: "enabled", Label: "On or off", Options: []Option{{"true", "on"}, {"false", "off"}}},
}

func listEndpoints(v *visit) error {
	query := asked(v.query())
	query.Set("recent", fmt.Sprint(recentAttempts))
	var list List[api.Endpoint]
	err := v.get("/api/endpoints", query, &list)
	view := endpointsView{Filters: newFilters(v.r.URL, endpointFilters, nil), Paging: newPaging(v.r.URL, &list), Server: v.s.address(v.r), Problem: refused(err)}
	if view.Problem != nil {
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

// endpointStates say whether an endpoint gets its events.
func endpointStates(e *api.Endpoint) (out []Badge) {
	h := e.Health
	switch {
	case !e.Enabled:
		out = append(out, Badge{"off", "warn", e.DisabledReason})
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
		out = append(out, Badge{"filter fails", "warn", "Events that the filter could not judge were sent"})
	}
	return out
}

// sparkline is the picture of the newest attempts, the newest at the right.
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
	sparkStep  = 4 // from one sparkBar to the next
	sparkTall  = 20
	sparkLeast = 3
	sparkSlots = recentAttempts * sparkStep
)

// newSparkline draws an attempt the taller the longer it took, against the slowest of
// them; by the square root, so that one slow attempt does not flatten all others.
func newSparkline(e *api.Endpoint) (s sparkline) {
	slowest, failed := 1.0, 0
	for _, at := range e.Recent {
		slowest = max(slowest, at.DurationMs)
	}
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

// deliveriesOf is the list of an endpoint's deliveries of a status.
func deliveriesOf(endpoint, status string) string {
	return search("deliveries", "endpointId", endpoint, "status", status)
}
