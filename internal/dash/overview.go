package dash

import (
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// overview is how a tenant is doing, as the API shows it.
type overview struct {
	Warnings []oms.Warning
	LastHour callSeries
	LastDay  callSeries
	Waiting  struct{ Deliveries, RunningRuns, WaitingRuns waitingThings }
	Stuck    struct {
		Endpoints  stuckThings[stuckEndpoint]
		Connectors stuckThings[stuckConnector]
		Runs       stuckThings[stuckRun]
		Deliveries stuckThings[Delivery]
	}
}

// callSeries is the calls over a time, point by point.
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

func quantile(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return duration(*ms)
}

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

type waitingThings struct {
	cappedCount
	Oldest time.Time
}

type stuckThings[T any] struct {
	cappedCount
	Items []T
}

type stuckEndpoint struct {
	ID, URL, Description, DisabledReason string
	Origin                               oms.Origin
	Enabled                              bool
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

// State is what is wrong with it.
func (e stuckEndpoint) State() Badge {
	switch {
	case !e.Enabled:
		return Badge{"off", "bad", "orderhook turned it off"}
	case e.Health.Circuit == "closed":
		return Badge{"failing", "warn", "its latest attempts failed; deliveries are still tried"}
	}
	return Badge{"circuit " + e.Health.Circuit, "bad", "it failed so often that its deliveries wait"}
}

// Testable reports whether an example can be sent to it.
func (e stuckEndpoint) Testable() bool { return e.Origin != oms.OriginConnector }

// TurnedOnHere reports whether it is off, and a button turns it on.
func (e stuckEndpoint) TurnedOnHere() bool { return e.Origin == oms.OriginAPI && !e.Enabled }

// Waits is how many deliveries wait for the endpoint.
func (e stuckEndpoint) Waits() string {
	return cappedCount{e.Counts.Pending, e.Counts.PendingCapped}.Shown()
}

type stuckConnector struct {
	Name, ConnectorID, LastError string
	Breaker                      struct{ Circuit string }
	Failed, Succeeded            int
	LastSuccess                  time.Time
}

// Looked is how many of its attempts were looked at.
func (c stuckConnector) Looked() int { return c.Failed + c.Succeeded }

type stuckRun struct {
	ID, OrderID, ShipmentID, ReturnID                string
	Status, EnteredStatus, Step, DisplayName, Reason string
	Created                                          time.Time
}

// SomeAborted reports whether there is a run that can be resumed.
func (o overviewView) SomeAborted() bool {
	return slices.ContainsFunc(o.Stuck.Runs.Items, func(r stuckRun) bool { return r.Status == string(oms.RunAborted) })
}

// AgainURL is the form that enters the run's status again.
func (r stuckRun) AgainURL() string {
	return enterURL(r.OrderID, r.EnteredStatus, r.ShipmentID, r.ReturnID)
}

// overviewView is the page that says whether everything flows.
type overviewView struct {
	overview
	Hour, Day picture
	Empty     bool // nothing has ever been sent, and nothing waits
	Well      bool // nothing is stuck
	Server    string
}

// picture is the calls over a time, a bar for each point.
type picture struct {
	Title string
	Calls callSeries
	Bars  []bar
	Width int
	Most  int // calls of the highest bar
	Table bool
}

// bar is one point: failed calls below, others on top of them.
type bar struct {
	X               int
	FailedY, Failed float64 // where it begins, and its height, of 100
	GoodY, Good     float64
	Text, URL       string
}

const (
	barStep = 10 // from one bar to the next, in the picture's units
	height  = 100
)

var overviewPage = newPage[overviewView]("overview", "/")

func overviewPages(s *server) { s.page(oms.Reader, "GET /{$}", showOverview) }

func showOverview(v *visit) error {
	view := overviewView{Server: v.s.address(v.r)}
	if err := v.get("/api/overview", nil, &view.overview); err != nil {
		return err
	}
	view.Hour, view.Day = newPicture("Last hour, by the minute", view.LastHour), newPicture("Last day, by quarters of an hour", view.LastDay)
	view.Hour.Table = true
	s, w := &view.Stuck, &view.Waiting
	view.Well = s.Endpoints.Count+s.Connectors.Count+s.Runs.Count+s.Deliveries.Count == 0
	view.Empty = view.Well && view.LastDay.Total.All()+w.Deliveries.Count+w.RunningRuns.Count+w.WaitingRuns.Count == 0
	return overviewPage.showLive(v, "Overview", "attempts,deliveries,endpoints,runs,settings", view)
}

// newPicture scales the bars by the highest. A few calls beside very many still have a
// height that one sees.
func newPicture(title string, s callSeries) picture {
	p := picture{Title: title, Calls: s, Width: len(s.Points) * barStep}
	for _, point := range s.Points {
		p.Most = max(p.Most, point.All())
	}
	for i, point := range s.Points {
		b := bar{X: i * barStep, Failed: scaled(point.Failed, p.Most), Good: scaled(point.Succeeded, p.Most)}
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

func scaled(n, most int) float64 {
	const least = 2
	if n == 0 || most == 0 {
		return 0
	}
	return max(float64(n)/float64(most)*height, least)
}
