package dash

import (
	"maps"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// endpointHead is above each page of an endpoint: what it is, and the other pages.
type endpointHead struct {
	Endpoint api.Endpoint
	States   []Badge
	Here     string // the page that is shown
}

// Own reports whether the endpoint was made by the API, so that it can be changed here.
func (h endpointHead) Own() bool { return h.Endpoint.Origin == oms.OriginAPI }

// Testable reports whether an example can be sent to it.
func (h endpointHead) Testable() bool { return h.Endpoint.Origin != oms.OriginConnector }

// endpointView is an endpoint: its health, what waits for it, its settings.
type endpointView struct {
	Head      endpointHead
	Recent    sparkline
	Settings  []Fact
	PublicKey string // "" if it has none
}

// endpointAttemptsView is the attempts at one endpoint.
type endpointAttemptsView struct {
	Head    endpointHead
	Filters Filters
	Items   []oms.Attempt
	Paging  Paging
	Problem *Problem
}

var (
	endpointPage         = newPage[endpointView]("endpoint", "/endpoints")
	endpointAttemptsPage = newPage[endpointAttemptsView]("endpoint-attempts", "/endpoints")
)

// endpointID is the id in the path of a page.
func (v *visit) endpointID() string { return v.r.PathValue("id") }

// endpoint asks for the endpoint of a page.
func (v *visit) endpoint(here, recent string) (h endpointHead, err error) {
	h.Here = here
	if err = v.get("/api"+href("endpoints", v.endpointID()), map[string][]string{"recent": {recent}}, &h.Endpoint); err == nil {
		h.States = endpointStates(&h.Endpoint)
	}
	return h, err
}

// titleOf is the title of an endpoint's pages.
func titleOf(e *api.Endpoint) string {
	if e.Description != "" {
		return short(80, e.Description)
	}
	return short(80, e.URL)
}

func showEndpoint(v *visit) error {
	head, err := v.endpoint("", "40")
	if err != nil {
		return err
	}
	e := &head.Endpoint
	view := endpointView{Head: head, Recent: newSparkline(e), Settings: endpointSettings(e)}
	if slices.Contains(e.Signatures, oms.SignatureV1a) {
		var key struct{ PublicKey string }
		if err := v.get("/api"+href("endpoints", v.endpointID(), "public-key"), nil, &key); err != nil {
			return err
		}
		view.PublicKey = key.PublicKey
	}
	return endpointPage.showLive(v, titleOf(e), "endpoints,deliveries,attempts", view)
}

// endpointSettings are the fields of an endpoint as people read them.
func endpointSettings(e *api.Endpoint) []Fact {
	facts := []Fact{{Name: "URL", Value: e.URL}, {Name: "Event types", Value: strings.Join(e.EventTypes, ", ")}, {Name: "Body", Value: formats[e.Format]},
		{Name: "Order", Value: orderings[e.Ordering]}, {Name: "Time-out of an attempt", Value: e.Timeout}, {Name: "Waits before the repeats", Value: strings.Join(e.RetrySchedule, ", ")},
		{Name: "Attempts at the same time", Value: count(e.MaxConcurrency)}, {Name: "Signatures", Value: strings.Join(e.Signatures, ", ")}}
	optional := []Fact{{Name: "Description", Value: e.Description}, {Name: "Filter", Value: e.Filter}, {Name: "Headers", Value: strings.Join(slices.Sorted(maps.Keys(e.Headers)), ", ")}}
	if e.RateLimit > 0 {
		optional = append(optional, Fact{Name: "Attempts a second, at most", Value: numberText(e.RateLimit)})
	}
	if e.TLS != nil {
		optional = append(optional, Fact{Name: "TLS", Value: tlsText(e)})
	}
	if e.ReorderingJob != "" {
		optional = append(optional, Fact{Name: "What is pending is being put in order by", Value: e.ReorderingJob, URL: href("jobs", e.ReorderingJob)})
	}
	for _, f := range optional {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

var (
	formats   = map[oms.Format]string{oms.FormatFull: "the whole event", oms.FormatThin: "ids alone", oms.FormatData: "the event's data alone"}
	orderings = map[oms.Ordering]string{oms.OrderingNone: "events as they come", oms.OrderingSubject: "the events of one subject one after the other"}
)

func tlsText(e *api.Endpoint) string {
	var parts []string
	if e.TLS.CA != "" {
		parts = append(parts, "certificates of its own are trusted")
	}
	if e.TLS.Certificate != "" {
		parts = append(parts, "a client certificate is shown")
	}
	return strings.Join(parts, ", ")
}

// endpointAttemptFilters are those of the search over attempts that make sense where
// the endpoint is given.
var endpointAttemptFilters = slices.DeleteFunc(slices.Concat(attemptFilters, attemptMore), func(f Filter) bool {
	return !slices.Contains([]string{"body", "orderId", "outcome", "status", "eventType", "minDurationMs", "from", "to"}, f.Name)
})

func showEndpointAttempts(v *visit) error {
	head, err := v.endpoint("attempts", "0")
	if err != nil {
		return err
	}
	view := endpointAttemptsView{Head: head, Filters: newFilters(v.r.URL, endpointAttemptFilters[:4], endpointAttemptFilters[4:])}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	query := askedWithCount(v.query())
	query.Set("endpointId", head.Endpoint.ID)
	var list List[oms.Attempt]
	err = v.get("/api/attempts", query, &list)
	if p := refused(err); p != nil {
		view.Problem = p
		return endpointAttemptsPage.refuse(v, titleOf(&head.Endpoint), p, view)
	}
	if err != nil {
		return err
	}
	view.Items = list.Items
	view.Paging = newPaging(v.r.URL, &list)
	return endpointAttemptsPage.showLive(v, titleOf(&head.Endpoint), "attempts", view)
}
