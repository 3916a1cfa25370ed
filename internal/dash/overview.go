package dash

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/run"
)

// overview is how a tenant is doing, as the API shows it. Names of members are read in
// any case, so most need no tag.
type overview struct {
	Warnings []apierr.Warning
	LastHour callSeries
	LastDay  callSeries
	Waiting  struct{ Deliveries, RunningRuns, WaitingRuns waitingThings }
	Stuck    struct {
		Endpoints  stuckThings[stuckEndpoint]
		Connectors stuckThings[stuckConnector]
		Runs       stuckThings[stuckRun]
		Deliveries stuckThings[Delivery]

		ConnectorsNotExamined int // of so many, only the breaker was looked at
		DeliveriesEndpointOff cappedCount
	}
}

// callSeries is the calls over a time, point by point. The kinds are shown as a table,
// and the points as a picture.
type callSeries struct {
	From, To time.Time
	Total    struct {
		callCounts
		Kinds []struct {
			Kind string
			callCounts
		}
	}
	Points []struct {
		From time.Time
		callCounts
	}
}

// callCounts is how many calls there were, and how long they took. The durations are nil
// where there were none.
type callCounts struct {
	Succeeded, Failed int
	P50Ms, P99Ms      *float64
}

// All is how many calls there were.
func (c callCounts) All() int { return c.Succeeded + c.Failed }

// P50 and P99 are durations for people.
func (c callCounts) P50() string { return quantile(c.P50Ms) }

// P99 is that of 99 in a hundred.
func (c callCounts) P99() string { return quantile(c.P99Ms) }

// quantile is a duration for people; a dash where there were no calls, which is not 0 ms.
func quantile(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return duration(*ms)
}

// cappedCount is a number that the API did not count further than to 10,000.
type cappedCount struct {
	Count       int
	CountCapped bool
}

// Shown is the count for people.
func (c cappedCount) Shown() string {
	if c.CountCapped {
		return count(c.Count) + "+"
	}
	return count(c.Count)
}

// waitingThings is how many wait, and since when the oldest does.
type waitingThings struct {
	cappedCount
	Oldest time.Time
}

// stuckThings is how many of one kind are stuck, and the first few of them.
type stuckThings[T any] struct {
	cappedCount
	Items []T
}

// SomeSendable reports whether a delivery that failed can be sent again now: not all of them
// go to endpoints that are off, as far as they were counted. If there are not any, the
// button that sends them again would do nothing.
func (o overview) SomeSendable() bool {
	all, off := o.Stuck.Deliveries, o.Stuck.DeliveriesEndpointOff
	return all.Count > off.Count || all.CountCapped
}

// stuckEndpoint is an endpoint that was turned off, whose circuit is open, or whose latest
// attempts failed. The page offers to test it, or to turn it on, where that can be done.
type stuckEndpoint struct {
	ID, URL, Description, DisabledReason string
	Origin                               event.Origin
	Enabled                              bool
	DisabledAt                           time.Time
	Counts                               struct {
		Pending       int
		PendingCapped bool
	}
	Health struct {
		LastError           string
		ConsecutiveFailures int
		FailingSince        time.Time
		Circuit             string
	}
}

// State is what is wrong with it. An endpoint that somebody turned off on purpose is not
// stuck, so one that is off was turned off by orderhook.
func (e stuckEndpoint) State() Badge {
	switch {
	case !e.Enabled:
		return Badge{"off", "bad", "orderhook turned it off"}
	case e.Health.Circuit == "closed":
		return Badge{"failing", "warn", "its latest attempts failed; deliveries are still tried"}
	}
	return Badge{"circuit " + e.Health.Circuit, "bad", "it failed so often that its deliveries wait"}
}

// Since is when it came into this state; zero where that is not known.
func (e stuckEndpoint) Since() time.Time {
	if !e.Enabled {
		return e.DisabledAt
	}
	return e.Health.FailingSince
}

// Testable reports whether an example can be sent to it.
func (e stuckEndpoint) Testable() bool { return e.Origin != event.OriginConnector }

// TurnedOnHere reports whether it is off, and a button turns it on.
func (e stuckEndpoint) TurnedOnHere() bool { return turnedOnHere(e.Origin) && !e.Enabled }

// turnedOnHere reports whether the dashboard can turn on an endpoint that is off. The one of
// the config file's webHook section is turned on by each start of a server with that
// section. Those of exports belong to the settings.
func turnedOnHere(o event.Origin) bool { return o == event.OriginAPI }

// findOrigins notes of deliveries whose endpoint is off what made that endpoint, which
// decides what helps. They are a handful, and often all of one endpoint. An endpoint that
// was removed meanwhile has no origin, and no button.
func (v *visit) findOrigins(all []Delivery) error {
	known := map[string]event.Origin{}
	for i := range all {
		d := &all[i]
		if !d.EndpointOff {
			continue
		}
		if _, ok := known[d.EndpointID]; !ok {
			var e struct{ Origin event.Origin }
			err := v.get("/api"+href("endpoints", d.EndpointID), url.Values{"recent": {"0"}}, &e)
			if p := problemOf(err); err != nil && (p == nil || p.Status != http.StatusNotFound) { // it may just have been removed
				return err
			}
			known[d.EndpointID] = e.Origin
		}
		d.TurnedOnHere = turnedOnHere(known[d.EndpointID])
	}
	return nil
}

// Waits is how many deliveries wait for the endpoint.
func (e stuckEndpoint) Waits() string {
	return cappedCount{e.Counts.Pending, e.Counts.PendingCapped}.Shown()
}

// stuckConnector is a connector whose breaker is open, or whose latest calls failed. One
// without an id has no attempts that could be counted.
type stuckConnector struct {
	Name, ConnectorID, LastError string
	Breaker                      struct{ Circuit string }
	Failed, Succeeded            int
	LastSuccess                  time.Time
}

// Looked is how many of its attempts were looked at.
func (c stuckConnector) Looked() int { return c.Failed + c.Succeeded }

// stuckRun is a run that was aborted or has failed, and that somebody can still do
// something about. It is shorter than a run of the list, since it has no results.
type stuckRun struct {
	ID, OrderID, ShipmentID, ReturnID                string
	Status, EnteredStatus, Step, DisplayName, Reason string
	Created                                          time.Time
}

// someResumable reports whether there is a run among the stuck ones that can be resumed.
// Where all that are shown have failed, older ones may. The button that resumes all of
// them is shown only then.
func (v *visit) someResumable(runs *stuckThings[stuckRun]) (bool, error) {
	if slices.ContainsFunc(runs.Items, func(r stuckRun) bool { return r.Status == string(run.RunAborted) }) {
		return true, nil // the API calls a run stuck only as long as somebody can do something about it
	}
	if runs.Count <= len(runs.Items) {
		return false, nil
	}
	return v.anyResumable(url.Values{})
}

// AgainURL is the form that enters the run's status again.
func (r stuckRun) AgainURL() string {
	return enterURL(r.OrderID, r.EnteredStatus, r.ShipmentID, r.ReturnID)
}

// overviewView is the page that says whether everything flows. Well and Empty pick what
// the page says first: that all is well, or how to begin.
type overviewView struct {
	overview
	Hour, Day picture
	Aborted   bool // there is a run that can be resumed
	Empty     bool // nothing has ever been sent, and nothing waits
	Well      bool // nothing is stuck
	Server    string
}

// picture is the calls over a time, a bar for each point. It is an SVG in the template;
// each bar is a link to its attempts.
type picture struct {
	Title string
	Calls callSeries
	Bars  []bar
	ID    string // of its table, which stays open when the page is fetched again
	Width int
	Most  int // calls of the highest bar
}

// Rows are the bars that have calls, the newest first: the picture as a table, for whoever
// has no mouse or does not see it.
func (p picture) Rows() (out []bar) {
	for _, b := range slices.Backward(p.Bars) {
		if b.Calls.All() > 0 {
			out = append(out, b)
		}
	}
	return out
}

// bar is one point: failed calls below, others on top of them. X is its left edge. Text
// says the same in words.
type bar struct {
	X               int
	FailedY, Failed float64 // where it begins, and its height, of 100
	GoodY, Good     float64
	Text, URL       string
	From            time.Time
	Calls           callCounts
}

const (
	// The style sheet scales the picture to the page.
	barStep = 10 // from one bar to the next, in the picture's units
	height  = 100
)

// overviewPage is the first page.
var overviewPage = newPage[overviewView]("overview", "/")

// overviewPages registers the first page. Its pattern is the root alone, and not
// everything below it.
func overviewPages(s *server) { s.page(access.Reader, "GET /{$}", showOverview) }

// showOverview is live by all topics that it counts. All its figures come from one answer of the
// API, so that no two of them are of different moments.
func showOverview(v *visit) error {
	view := overviewView{Server: v.s.address(v.r)}
	if err := v.get("/api/overview", nil, &view.overview); err != nil {
		return err
	}
	view.Hour, view.Day = newPicture("hour", "Last hour, by the minute", view.LastHour), newPicture("day", "Last day, by quarters of an hour", view.LastDay)
	s, w := &view.Stuck, &view.Waiting
	// Endpoints, connectors, runs and deliveries are all that can be stuck.
	view.Well = s.Endpoints.Count+s.Connectors.Count+s.Runs.Count+s.Deliveries.Count == 0
	view.Empty = view.Well && view.LastDay.Total.All()+w.Deliveries.Count+w.RunningRuns.Count+w.WaitingRuns.Count == 0
	var err error
	if view.Aborted, err = v.someResumable(&s.Runs); err != nil {
		return err
	}
	if err := v.findOrigins(s.Deliveries.Items); err != nil {
		return err
	}
	return overviewPage.showLive(v, "Overview", "attempts,deliveries,endpoints,runs,settings", view)
}

// newPicture scales the bars by the highest. A few calls beside very many still have a
// height that one sees; where that makes the two parts of a bar higher than the picture,
// they overlap.
func newPicture(id, title string, s callSeries) picture {
	p := picture{ID: id, Title: title, Calls: s, Width: len(s.Points) * barStep}
	for _, point := range s.Points {
		p.Most = max(p.Most, point.All())
	}
	for i, point := range s.Points {
		b := bar{X: i * barStep, From: point.From, Calls: point.callCounts, Failed: scaled(point.Failed, p.Most), Good: scaled(point.Succeeded, p.Most)}
		b.FailedY = height - b.Failed
		b.GoodY = max(b.FailedY-b.Good, 0)
		end := s.To
		if i+1 < len(s.Points) {
			end = s.Points[i+1].From
		}
		b.URL = search("attempts", "from", point.From.UTC().Format(time.RFC3339), "to", end.UTC().Format(time.RFC3339))
		b.Text = fmt.Sprintf("%s UTC: %s succeeded, %s failed, p50 %s, p99 %s", point.From.UTC().Format("15:04"), count(point.Succeeded), count(point.Failed), point.P50(), point.P99())
		p.Bars = append(p.Bars, b)
	}
	return p
}

// scaled is the height of a part of a bar, of 100: 0 for nothing, and at least 2 for
// anything.
func scaled(n, most int) float64 {
	const least = 2
	if n == 0 || most == 0 {
		return 0
	}
	return max(float64(n)/float64(most)*height, least)
}
