package dash

import (
	"maps"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
)

// endpointHead is above each page of an endpoint: what it is, and the other pages. The
// template shows the links to the other pages by it.
type endpointHead struct {
	Endpoint api.Endpoint
	States   []Badge
	Here     string // the page that is shown
}

// Own reports whether the endpoint was made by the API, so that it can be changed here.
// The others belong to the config file or to the settings, and the API refuses to change
// them.
func (h endpointHead) Own() bool { return h.Endpoint.Origin == event.OriginAPI }

// Whose says where an endpoint is changed that the API did not make, and how one is read that
// nothing is sent to; "" of any other.
func (h endpointHead) Whose() string {
	switch {
	case h.Endpoint.Origin == event.OriginWebHook && !h.Endpoint.Enabled:
		return "It is the webHook section of the config file. It is turned on when the server starts with that section enabled; what waits for it is sent then."
	case h.Endpoint.Origin == event.OriginWebHook:
		return "It is the webHook section of the config file, and is changed there."
	case h.Endpoint.Origin == event.OriginConnector:
		return "It belongs to an ExportOrder step of the settings, and is changed there."
	case h.FeedOnly():
		return "Nothing is sent to it. Its receiver reads its feed."
	}
	return ""
}

// Testable reports whether an example can be sent to it. An export's endpoint gets orders
// alone, and an example would look like one.
func (h endpointHead) Testable() bool {
	return h.Endpoint.Origin != event.OriginConnector && !h.FeedOnly()
}

// FeedOnly reports whether nothing is sent to it, so that nothing can be recovered either.
func (h endpointHead) FeedOnly() bool { return h.Endpoint.URL == event.FeedURL }

// endpointView is an endpoint: its health, what waits for it, its settings. It has no
// secret: the API shows one only when it is made.
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
	Items   []attempt.Attempt
	Paging  Paging
	Problem *Problem
}

var (
	// The pages of one endpoint belong to the section of the list.
	endpointPage         = newPage[endpointView]("endpoint", "/endpoints")
	endpointAttemptsPage = newPage[endpointAttemptsView]("endpoint-attempts", "/endpoints")
)

// endpointID is the id in the path of a page. The API says whether there is such an
// endpoint.
func (v *visit) endpointID() string { return v.r.PathValue("id") }

// endpoint asks for the endpoint of a page. here is the page that is shown, for the links
// above it, and recent is of how many attempts the page wants to know in short.
func (v *visit) endpoint(here, recent string) (h endpointHead, err error) {
	h.Here = here
	if err = v.get("/api"+href("endpoints", v.endpointID()), map[string][]string{"recent": {recent}}, &h.Endpoint); err == nil {
		h.States = endpointStates(&h.Endpoint)
	}
	return h, err
}

// titleOf is the title of an endpoint's pages. People know an endpoint by its
// description, if it has one.
func titleOf(e *api.Endpoint) string {
	if e.Description != "" {
		return short(80, e.Description)
	}
	return short(80, e.URL)
}

// showEndpoint shows how an endpoint is doing, and what it is set to. The public key is
// asked for only where the endpoint has one.
func showEndpoint(v *visit) error {
	head, err := v.endpoint("", "40")
	if err != nil {
		return err
	}
	e := &head.Endpoint
	view := endpointView{Head: head, Recent: newSparkline(e), Settings: endpointSettings(e)}
	if slices.Contains(e.Signatures, event.SignatureV1a) {
		var key struct{ PublicKey string }
		if err := v.get("/api"+href("endpoints", v.endpointID(), "public-key"), nil, &key); err != nil {
			return err
		}
		view.PublicKey = key.PublicKey
	}
	return endpointPage.showLive(v, titleOf(e), "endpoints,deliveries,attempts", view)
}

// endpointSettings are the fields of an endpoint as people read them. What has its
// default and is rarely set is left out. Of headers only the names are shown.
func endpointSettings(e *api.Endpoint) []Fact {
	facts := []Fact{{Name: "URL", Value: e.URL}, {Name: "Event types", Value: strings.Join(e.EventTypes, ", ")}, {Name: "Body", Value: formats[e.Format]},
		{Name: "Order", Value: orderings[e.Ordering]}, {Name: "Time-out of an attempt", Value: lengthOf(e.Timeout)}, {Name: "Waits before the repeats", Value: lengthsOf(e.RetrySchedule)},
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
	// These are the values of the API in words, as the form has them, too.
	formats   = map[event.Format]string{event.FormatFull: "the whole event", event.FormatThin: "ids alone", event.FormatData: "the event's data alone"}
	orderings = map[event.Ordering]string{event.OrderingNone: "events as they come", event.OrderingSubject: "the events of one subject one after the other"}
)

// tlsText says what is peculiar about an endpoint's TLS, and shows no certificate: a page of
// facts is no place for kilobytes of PEM.
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
// the endpoint is given. They are taken from those of the search, so that labels and
// hints are the same.
var endpointAttemptFilters = slices.DeleteFunc(slices.Concat(attemptFilters, attemptMore), func(f Filter) bool {
	return !slices.Contains([]string{"body", "orderId", "outcome", "status", "eventType", "minDurationMs", "from", "to"}, f.Name)
})

// showEndpointAttempts is the search over attempts, of one endpoint, so that a filter can be
// changed without losing the endpoint.
func showEndpointAttempts(v *visit) error {
	head, err := v.endpoint("attempts", "0")
	if err != nil {
		return err
	}
	view := endpointAttemptsView{Head: head, Filters: newFilters(v.r.URL, endpointAttemptFilters[:4], endpointAttemptFilters[4:])}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	query := askedWithCount(v.query())
	query.Set("endpointId", head.Endpoint.ID)
	var list List[attempt.Attempt]
	err = v.get("/api/attempts", query, &list)
	if p := refused(err); p != nil {
		view.Problem = p
		p.markFilters(&view.Filters)
		return endpointAttemptsPage.refuse(v, titleOf(&head.Endpoint), p, view)
	}
	if err != nil {
		return err
	}
	view.Items = list.Items
	view.Paging = newPaging(v.r.URL, &list)
	return endpointAttemptsPage.showLive(v, titleOf(&head.Endpoint), "attempts", view)
}
