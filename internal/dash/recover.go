package dash

import (
	"net/http"
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
)

// recoverView is the page before an endpoint is sent again what failed, or what it never
// got. Its URL says which; the form to send it comes once that is clear. Chosen decides
// between the form that chooses and the one that sends; Skipped has no entry for what is
// sent.
type recoverView struct {
	Head    endpointHead
	Filters Filters
	Chosen  bool // the URL says which events
	Missing bool // they are those that it never got
	Count   string
	Sample  []Fact
	Skipped []Fact // how many of them are not sent, and why
	From    time.Time
	To      time.Time
	Hidden  []Hidden
	Problem *Problem
}

// recoverPage is a page of one endpoint.
var recoverPage = newPage[recoverView]("recover", "/endpoints")

// recoverFilters are the fields of the form that chooses. They have the names of the
// API's body.
var recoverFilters = []Filter{
	{Name: "what", Label: "Send again", Options: []Option{{job.RecoverFailed, "what failed for good"}, {job.RecoverMissing, "what it never got: it did not exist, or was off"}}, Any: "choose", Wide: true},
	{Name: "from", Label: "Events from", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
	{Name: "to", Label: "Before, or now", Hint: "2026-11-28T09:00:00Z", Type: timeFilter},
}

// showRecovery shows the page as its URL says.
func showRecovery(v *visit) error { return v.showRecovery(v.r.URL, nil) }

// showRecovery fills in what one most likely comes for, as soon as the endpoint has failed
// deliveries, and shows how many deliveries that would be before anything is sent.
// problem is why the API refused to begin the job. An endpoint that is off gets nothing,
// so nothing is counted for it.
func (v *visit) showRecovery(at *url.URL, problem *Problem) error {
	head, err := v.endpoint("", "0")
	if err != nil {
		return err
	}
	// Without anything in the URL the page leads to the usual case, whose URL says what
	// it shows.
	query := at.Query()
	if len(query) == 0 && head.Endpoint.Counts.Failed > 0 { // what one comes for
		return v.see(v.usualRecovery(&head.Endpoint))
	}
	view := recoverView{Head: head, Filters: newFilters(at, recoverFilters, nil), Problem: problem, Missing: query.Get("what") == job.RecoverMissing}
	view.Filters.Active, view.Filters.Do = nil, "Count" // the form shows them
	view.Filters.Ranges = v.recoverRanges(at, &head)
	view.Chosen = query.Get("what") != "" && query.Get("from") != "" && head.Endpoint.Enabled
	if view.Chosen && problem == nil {
		view.Problem, err = v.previewRecovery(query, &view)
	}
	if err != nil {
		return err
	}
	// The form to send repeats what the page has counted.
	for _, name := range []string{"what", "from", "to"} {
		view.Hidden = append(view.Hidden, Hidden{name, query.Get(name)})
	}
	view.Hidden = append(view.Hidden, newOnce())
	const title = "Recover the endpoint"
	if view.Problem != nil {
		view.Problem.markFilters(&view.Filters)
		return recoverPage.refuse(v, title, view.Problem, view)
	}
	return recoverPage.show(v, title, view)
}

// recoverRanges are links that choose a time. The best guess comes first: when the
// trouble began.
func (v *visit) recoverRanges(at *url.URL, h *endpointHead) (out []Range) {
	now, what := v.s.Clock.Now().UTC(), at.Query().Get("what")
	if what == "" {
		what = job.RecoverFailed
	}
	add := func(text string, from time.Time) {
		out = append(out, Range{Text: text, URL: with(at, "what", what, "from", since(from))})
	}
	// An endpoint that does not fail any more has no such time.
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
	return href("endpoints", e.ID, "recover") + "?" + url.Values{"what": {job.RecoverFailed}, "from": {since(from)}}.Encode()
}

// since is a time for a filter, with the second that it is in. An event of that very
// second is meant, too.
func since(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// recoverable is what the API says would be sent. It is for what is missing; what failed
// is counted as a bulk redelivery is.
type recoverable struct {
	counted
	Newest []struct{ ID, Type string }
}

// previewRecovery counts what would be sent, and shows some of it. What failed is counted
// by the dry run of a bulk redelivery, which knows why some of it is not sent. The
// problem is what the API refuses of the times.
func (v *visit) previewRecovery(query url.Values, view *recoverView) (*Problem, error) {
	view.From, _ = time.Parse(time.RFC3339, query.Get("from"))
	view.To, _ = time.Parse(time.RFC3339, query.Get("to"))
	// Only the API's dry run knows what an endpoint would have got.
	if view.Missing {
		var missing recoverable
		body := map[string]any{"what": job.RecoverMissing, "from": query.Get("from"), "dryRun": true}
		if to := query.Get("to"); to != "" {
			body["to"] = to
		}
		err := v.send(http.MethodPost, "/api"+href("endpoints", view.Head.Endpoint.ID, "recover"), body, &missing)
		view.Count = missing.Total()
		for _, e := range missing.Newest {
			view.Sample = append(view.Sample, Fact{Name: e.Type, Value: e.ID, URL: href("events", e.ID)})
		}
		return refused(err), unlessRefused(err)
	}
	// What failed is a filter of deliveries, and is counted as on the page of a bulk
	// redelivery.
	picks := url.Values{"from": {query.Get("from")}, "endpointId": {view.Head.Endpoint.ID}, "status": {string(event.DeliveryFailed)}}
	if to := query.Get("to"); to != "" {
		picks.Set("to", to)
	}
	var failed redeliverable
	err := v.send(http.MethodPost, "/api/deliveries/redeliver", dryRun(picks), &failed)
	view.Count, view.Sample, view.Skipped = failed.Total(), deliverySample(failed.Deliveries), failed.facts()[1:]
	return refused(err), unlessRefused(err)
}

// recoverEndpoint begins the job with the times that the page before has shown, and leads
// to it. The URL of the page is put together again from the form, for the case that the
// API refuses.
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
	var job job.Job
	err := v.sendForm("/api"+href("endpoints", v.endpointID(), "recover"), body, &job)
	if p := refused(err); p != nil {
		return v.showRecovery(&at, p)
	}
	if err != nil {
		return err
	}
	return v.see(href("jobs", job.ID))
}
