package dash

import (
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// recoverView is the page before an endpoint is sent again what failed, or what it never
// got. Its URL says which; the form to send it comes once that is clear.
type recoverView struct {
	Head    endpointHead
	Filters Filters
	Chosen  bool // the URL says which events
	Missing bool // they are those that it never got
	Count   string
	Sample  []Fact
	From    time.Time
	To      time.Time
	Hidden  []Hidden
	Problem *Problem
}

var recoverPage = newPage[recoverView]("recover", "/endpoints")

var recoverFilters = []Filter{
	{Name: "what", Label: "Send again", Options: []Option{{oms.RecoverFailed, "what failed for good"}, {oms.RecoverMissing, "what it never got: it did not exist, or was off"}}, Wide: true},
	{Name: "from", Label: "Events from", Hint: "2026-11-28T08:00:00Z"},
	{Name: "to", Label: "Before", Hint: "now"},
}

// mostSample is how many of what a bulk action is about its page shows.
const mostSample = "5"

func showRecovery(v *visit) error { return v.showRecovery(v.r.URL, nil) }

func (v *visit) showRecovery(at *url.URL, problem *Problem) error {
	head, err := v.endpoint("", "0")
	if err != nil {
		return err
	}
	query := at.Query()
	if len(query) == 0 && head.Endpoint.Counts.Failed > 0 { // what one comes for
		return v.see(v.usualRecovery(&head.Endpoint))
	}
	view := recoverView{Head: head, Filters: newFilters(at, recoverFilters, nil), Problem: problem, Missing: query.Get("what") == oms.RecoverMissing}
	view.Filters.Active = nil // the form shows them
	view.Filters.Ranges = v.recoverRanges(at, &head)
	view.Chosen = query.Get("what") != "" && query.Get("from") != "" && head.Endpoint.Enabled
	if view.Chosen && problem == nil {
		view.Problem, err = v.previewRecovery(query, &view)
	}
	if err != nil {
		return err
	}
	for _, name := range []string{"what", "from", "to"} {
		view.Hidden = append(view.Hidden, Hidden{name, query.Get(name)})
	}
	view.Hidden = append(view.Hidden, newOnce())
	const title = "Recover the endpoint"
	if view.Problem != nil {
		return recoverPage.refuse(v, title, view.Problem, view)
	}
	return recoverPage.show(v, title, view)
}

// recoverRanges are links that choose a time.
func (v *visit) recoverRanges(at *url.URL, h *endpointHead) (out []Range) {
	now, what := v.s.Clock.Now().UTC(), at.Query().Get("what")
	if what == "" {
		what = oms.RecoverFailed
	}
	add := func(text string, from time.Time) {
		out = append(out, Range{Text: text, URL: with(at, "what", what, "from", since(from))})
	}
	if since := h.Endpoint.Health.FailingSince; since != nil {
		add("an hour before it began to fail", since.Add(-beforeFailing))
	}
	add("1 hour", now.Add(-time.Hour))
	add("24 hours", now.Add(-24*time.Hour))
	add("7 days", now.Add(-7*24*time.Hour))
	return out
}

// beforeFailing is how long before the first failed attempt an event may have happened
// that is meant, too: events wait for their attempts, and their attempts for repeats.
const beforeFailing = time.Hour

// usualRecovery is the page with what failed for good since the endpoint fails, or, where
// it does not fail any more, within a day.
func (v *visit) usualRecovery(e *api.Endpoint) string {
	from := v.s.Clock.Now().Add(-24 * time.Hour)
	if e.Health.FailingSince != nil {
		from = e.Health.FailingSince.Add(-beforeFailing)
	}
	return href("endpoints", e.ID, "recover") + "?" + url.Values{"what": {oms.RecoverFailed}, "from": {since(from)}}.Encode()
}

// since is a time for a filter, with the second that it is in.
func since(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// previewRecovery counts what would be sent. Of what never arrived the API can only say
// how many events there were in that time.
func (v *visit) previewRecovery(query url.Values, view *recoverView) (*Problem, error) {
	asks := url.Values{"from": {query.Get("from")}, "count": {"true"}, "limit": {mostSample}}
	if to := query.Get("to"); to != "" {
		asks.Set("to", to)
	}
	view.From, _ = time.Parse(time.RFC3339, query.Get("from"))
	view.To, _ = time.Parse(time.RFC3339, query.Get("to"))
	if view.Missing {
		var events List[api.Event]
		err := v.get("/api/events", asks, &events)
		view.Count = events.Total()
		for _, e := range events.Items {
			view.Sample = append(view.Sample, Fact{Name: e.Type, Value: e.ID, URL: href("events", e.ID)})
		}
		return refused(err), unlessRefused(err)
	}
	asks.Set("endpointId", view.Head.Endpoint.ID)
	asks.Set("status", "failed")
	var failed List[Delivery]
	err := v.get("/api/deliveries", asks, &failed)
	view.Count, view.Sample = failed.Total(), deliverySample(failed.Items)
	return refused(err), unlessRefused(err)
}

func recoverEndpoint(v *visit) error {
	body := map[string]string{}
	at := *v.r.URL
	query := url.Values{}
	for _, name := range []string{"what", "from", "to"} {
		if text := v.field(name); text != "" {
			body[name] = text
			query.Set(name, text)
		}
	}
	at.RawQuery = query.Encode()
	var job oms.Job
	err := v.sendForm("/api"+href("endpoints", v.endpointID(), "recover"), body, &job)
	if p := refused(err); p != nil {
		return v.showRecovery(&at, p)
	}
	if err != nil {
		return err
	}
	return v.see(href("jobs", job.ID))
}
