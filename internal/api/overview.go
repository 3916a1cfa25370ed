package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/weburl"
)

// overviews registers the call behind the first page of the dashboard.
func overviews(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-overview", Method: http.MethodGet, Path: "/api/overview", Tags: []string{"Operating"},
		Summary: "Read what flows, what waits, and what is stuck",
		Description: "Every attempt is a call, and counts in the minute that it began in, from the commit that records it on; calls from before the server counted them are in none. " +
			"`p50Ms` and `p99Ms` are estimates: the exact values lie between the same two of the bounds 1, 1.5, 2, 3, 5, 7, 10 ms and so on up to 60 s. " +
			"Counts end at 10,000, with `countCapped`."}, a.getOverview)
}

// Overview is the state of a tenant at a glance. It is made when somebody asks. Counts
// are bounded, and calls are counted as they are recorded, so it takes about as long with
// a million rows as with none (docs/design.md#lists-and-pages).
type Overview struct {
	Timestamp time.Time        `json:"timestamp"`
	LastHour  callSeries       `json:"lastHour" doc:"Minute by minute"`
	LastDay   callSeries       `json:"lastDay" doc:"By quarters of an hour"`
	Waiting   waiting          `json:"waiting"`
	Stuck     stuck            `json:"stuck"`
	Warnings  []apierr.Warning `json:"warnings,omitempty" nullable:"false" doc:"What the config file leaves open; whose calls are intercepted"`
}

// callSeries is the calls over a period. An hour has 60 points, and a day 96.
type callSeries struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to" doc:"Where the last point ends, which is not over yet"`
	Step  string    `json:"step" doc:"The time between two points" example:"PT1M"`
	Total CallStats `json:"total"`
	// Points has all points of the period in their order, also those without a call.
	Points []callPoint `json:"points" nullable:"false" doc:"In their order, each of them"`
}

// callPoint is the calls that began within one step.
type callPoint struct {
	From time.Time `json:"from"`
	CallStats
}

// CallStats is the results of calls, and how long they took. The sums over all kinds come
// first, and then each kind by itself.
type CallStats struct {
	CallCounts
	Kinds []kindCounts `json:"kinds" nullable:"false" doc:"The kinds that there were any of"`
}

// kindCounts is CallCounts of one kind.
type kindCounts struct {
	Kind string `json:"kind" enum:"step,returnStep,validator,event,export,replay"`
	CallCounts
}

// CallCounts counts calls by their outcome, and says how long they took. The percentiles
// are worked out in finish, once everything has been added.
type CallCounts struct {
	Succeeded int64    `json:"succeeded"`
	Failed    int64    `json:"failed"`
	P50Ms     *float64 `json:"p50Ms,omitempty" doc:"About how many milliseconds half of the calls took at most; absent where there were none"`
	P99Ms     *float64 `json:"p99Ms,omitempty" doc:"The same of 99 in a hundred"`

	// durations has how many calls took how long, from which the percentiles are made.
	durations attempt.Durations
}

// add adds the calls of one kind and outcome.
func (c *CallCounts) add(n *attempt.CallCount) {
	if n.Outcome == attempt.OutcomeSucceeded {
		c.Succeeded += n.Calls
	} else {
		c.Failed += n.Calls
	}
	c.durations.Add(&n.Durations)
}

// finish works out the percentiles. Without any call there are none, which is not the
// same as 0.
func (c *CallCounts) finish() {
	if c.Succeeded+c.Failed == 0 {
		return
	}
	half, most := c.durations.Quantile(0.5), c.durations.Quantile(0.99)
	c.P50Ms, c.P99Ms = &half, &most
}

// add adds calls to the sum and to those of their kind. A kind appears with its first
// call.
func (s *CallStats) add(n *attempt.CallCount) {
	s.CallCounts.add(n)
	at := slices.IndexFunc(s.Kinds, func(k kindCounts) bool { return k.Kind == n.Kind })
	if at < 0 {
		at, s.Kinds = len(s.Kinds), append(s.Kinds, kindCounts{Kind: n.Kind})
	}
	s.Kinds[at].add(n)
}

// finish finishes the sum and each kind, and sorts the kinds, so that the answer is the
// same each time.
func (s *CallStats) finish() {
	s.CallCounts.finish()
	for i := range s.Kinds {
		s.Kinds[i].finish()
	}
	slices.SortFunc(s.Kinds, func(a, b kindCounts) int { return cmp.Compare(a.Kind, b.Kind) })
}

// series returns counts as a series of so many points. The last point is the one that
// contains now. Points without a call are there, with zeros, so that whoever draws them
// need not fill gaps. Counts outside of the series are left out.
func series(counts []attempt.CallCount, now time.Time, step time.Duration, points int) callSeries {
	last := now.UTC().Truncate(step)
	s := callSeries{From: last.Add(-time.Duration(points-1) * step), To: last.Add(step), Step: timetext.FormatDuration(step), Total: CallStats{Kinds: []kindCounts{}}, Points: make([]callPoint, points)}
	for i := range s.Points {
		s.Points[i] = callPoint{s.From.Add(time.Duration(i) * step), CallStats{Kinds: []kindCounts{}}}
	}
	for i := range counts {
		if at := int(counts[i].From.Sub(s.From) / step); !counts[i].From.Before(s.From) && at < points {
			s.Points[at].add(&counts[i])
			s.Total.add(&counts[i])
		}
	}
	s.Total.finish()
	for i := range s.Points {
		s.Points[i].finish()
	}
	return s
}

// CappedCount is a count that stops at 10,000.
type CappedCount struct {
	Count       int  `json:"count"`
	CountCapped bool `json:"countCapped" doc:"There are at least so many"`
}

// showCount shows a count of the store.
func showCount(c store.Count) CappedCount { return CappedCount{c.N, c.Capped} }

// waitingThings is how many there are of what waits, and for how long the oldest has.
type waitingThings struct {
	CappedCount
	Oldest *time.Time `json:"oldest,omitempty" doc:"Since when the oldest of those that are counted waits"`
}

// waiting is the work that has not been done yet.
type waiting struct {
	Deliveries  waitingThings `json:"deliveries" doc:"That are pending; the oldest is by when its event happened"`
	RunningRuns waitingThings `json:"runningRuns" doc:"Whose call is made, or about to be"`
	WaitingRuns waitingThings `json:"waitingRuns" doc:"That wait for their turn, a retry's time or a deferred step's"`
}

// showWaiting shows what the store counted.
func showWaiting(w store.Waiting) waiting {
	return waiting{waitingThings{showCount(w.Deliveries), timeOrNil(w.OldestDelivery)},
		waitingThings{showCount(w.Running.Count), timeOrNil(w.Running.Oldest)}, waitingThings{showCount(w.Waiting.Count), timeOrNil(w.Waiting.Oldest)}}
}

// stuck is what does not continue by itself: the number of each kind, and a few examples.
type stuck struct {
	Endpoints  stuckThings[troubledEndpoint] `json:"endpoints" doc:"Those that orderhook turned off, and those whose last 3 attempts or more failed, the longest failing first"`
	Connectors stuckThings[connectorHealth]  `json:"connectors" doc:"Whose breaker is not closed, or whose last 3 attempts failed. One without a connectorId is known by its breaker alone"`
	Runs       stuckThings[stuckRun]         `json:"runs" doc:"That were aborted or have failed, the newest first"`
	Deliveries stuckThings[Delivery]         `json:"deliveries" doc:"That failed for good and can be sent again, now or once their endpoint is on, those of the newest events first"`

	ConnectorsNotExamined int         `json:"connectorsNotExamined,omitempty" doc:"Of so many connectors the breaker was looked at, but not the latest attempts, because there are more than 100"`
	DeliveriesEndpointOff CappedCount `json:"deliveriesEndpointOff" doc:"How many of the deliveries are of endpoints that are off: they can be sent once that is turned on"`
}

// stuckThings is how many there are of one kind of stuck things, and the first few. The
// count may be more than the items, and is capped by itself.
type stuckThings[T any] struct {
	CappedCount
	Items []T `json:"items" nullable:"false" doc:"At most 10"`
}

// mostStuck is how many of each kind of stuck things are shown.
const mostStuck = 10

// troubledEndpoint is an endpoint that needs attention. Its URL is shown as every role
// may see it.
type troubledEndpoint struct {
	ID             string         `json:"id"`
	URL            string         `json:"url"`
	Description    string         `json:"description,omitempty"`
	Origin         event.Origin   `json:"origin" enum:"api,webHook,connector"`
	Enabled        bool           `json:"enabled"`
	DisabledReason string         `json:"disabledReason,omitempty" doc:"Why orderhook turned it off"`
	DisabledAt     *time.Time     `json:"disabledAt,omitempty" doc:"When it did"`
	Counts         endpointCounts `json:"counts"`
	Health         endpointHealth `json:"health"`
}

// stuckRun is a run that was aborted or has failed. It has what one needs to decide what
// to do: where the run ended, and why.
type stuckRun struct {
	ID            string        `json:"id"`
	OrderID       string        `json:"orderId"`
	Status        run.RunStatus `json:"status" enum:"aborted,failed"`
	EnteredStatus string        `json:"enteredStatus"`
	ShipmentID    string        `json:"shipmentId,omitempty" doc:"The shipment that it was for"`
	ReturnID      string        `json:"returnId,omitempty" doc:"The return that it was for"`
	Step          string        `json:"step,omitempty" doc:"The key of the step that it ended at"`
	DisplayName   string        `json:"displayName,omitempty" doc:"Of that step"`
	Reason        string        `json:"reason,omitempty"`
	Created       time.Time     `json:"created"`
	Ended         *time.Time    `json:"ended,omitempty"`
}

// getOverview answers what is in progress and what is stuck. The parts are asked for one
// after the other, so they may be of slightly different moments.
func (a *api) getOverview(ctx context.Context, _ *struct{}) (*struct{ Body Overview }, error) {
	now, tenant := a.now(), tenantOf(ctx)
	o := Overview{Timestamp: now, Warnings: append(a.webHookWarnings(ctx), a.intercepted(ctx)...)}
	w, err := a.Store.Waiting(ctx, tenant)
	if err != nil {
		return nil, err
	}
	o.Waiting = showWaiting(w)
	for _, one := range []struct {
		into   *callSeries
		step   time.Duration
		points int
	}{{&o.LastHour, store.CallSpans[0], 60}, {&o.LastDay, store.CallSpans[1], 96}} {
		// A series ends with the span that is not over yet, whose calls count already.
		to := now.Truncate(one.step).Add(one.step)
		counts, err := a.Store.Calls(ctx, tenant, to.Add(-time.Duration(one.points)*one.step), to, one.step)
		if err != nil {
			return nil, err
		}
		*one.into = series(counts, now, one.step, one.points)
	}
	o.Stuck, err = a.findStuck(ctx)
	return &struct{ Body Overview }{o}, err
}

// findStuck returns what needs somebody: endpoints and connectors that fail, and runs and
// deliveries that failed and can be helped. An error in any part is an error of the
// whole: a list that is empty because nobody could read it would look like good news.
func (a *api) findStuck(ctx context.Context) (s stuck, err error) {
	if s.Endpoints, err = a.stuckEndpoints(ctx); err != nil {
		return s, err
	}
	if s.Connectors, s.ConnectorsNotExamined, err = a.stuckConnectors(ctx); err != nil {
		return s, err
	}
	if s.Runs, err = a.stuckRuns(ctx); err != nil {
		return s, err
	}
	s.Deliveries, s.DeliveriesEndpointOff, err = a.stuckDeliveries(ctx)
	return s, err
}

// stuckDeliveries also returns how many of them go to endpoints that are off. Those are
// counted apart, since sending them again does nothing before the endpoint is on.
func (a *api) stuckDeliveries(ctx context.Context) (s stuckThings[Delivery], endpointOff CappedCount, err error) {
	f := store.DeliveryFilter{Status: event.DeliveryFailed, Sendable: store.SendableAtAll}
	list, err := a.Store.Deliveries(ctx, tenantOf(ctx), f, store.Page{Limit: mostStuck})
	if err != nil {
		return s, endpointOff, err
	}
	n, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
	if err != nil {
		return s, endpointOff, err
	}
	f.Sendable = store.SendableOnceOn
	off, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
	if err != nil {
		return s, endpointOff, err
	}
	s.CappedCount = showCount(n)
	s.Items, err = a.showDeliveries(ctx, list.Items)
	return s, showCount(off), err
}

// stuckEndpoints returns the endpoints in trouble. The store picks them, and what an
// attempt came to arrives there a moment later than in the memory of the dispatcher. So
// an endpoint that is well by now is left out, and not counted.
func (a *api) stuckEndpoints(ctx context.Context) (s stuckThings[troubledEndpoint], err error) {
	found, n, err := a.Store.EndpointsInTrouble(ctx, tenantOf(ctx), mostStuck)
	s.CappedCount, s.Items = showCount(n), []troubledEndpoint{}
	for _, e := range found {
		if err != nil {
			break
		}
		var h event.Health
		if h, err = a.Deliveries.Health(ctx, tenantOf(ctx), e.No); err != nil {
			break
		}
		circuit := a.Deliveries.Circuit(tenantOf(ctx), e.No)
		if isWell(e, h, circuit) {
			s.Count--
			continue
		}
		s.Items = append(s.Items, troubledEndpoint{ID: e.ID, URL: weburl.PublicURL(e.URL), Description: e.Description, Origin: e.Origin, Enabled: e.Enabled,
			DisabledReason: e.Disabled, DisabledAt: timeOrNil(e.DisabledAt), Counts: showCounts(h), Health: showHealth(h, circuit)})
	}
	return s, err
}

// isWell reports whether nothing is wrong with an endpoint: it is on, its circuit is closed,
// and its last attempt did not fail. An attempt since the last look may have mended it.
func isWell(e *event.Endpoint, h event.Health, circuit breaker.State) bool {
	return e.Enabled && circuit == breaker.Closed && h.Consecutive == 0
}

// mostConnectors is of how many connectors the latest attempts are read. Breakers are in
// memory, so all of them are looked at.
const mostConnectors = 100

// stuckConnectors returns the connectors whose breaker is open, or whose last calls
// failed. A connector without an id has no attempts of its own to look at, only a
// breaker. It also returns of how many the latest attempts were not looked at.
//
// The latest attempts are read for the first 100 connectors, and beyond these only for
// those whose breaker waits, as long as they would be shown: each costs a question.
func (a *api) stuckConnectors(ctx context.Context) (s stuckThings[connectorHealth], notExamined int, err error) {
	s.Items = []connectorHealth{}
	doc, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return s, 0, err
	}
	notExamined = max(len(doc.Connectors)-mostConnectors, 0)
	s.CountCapped = notExamined > 0
	for i := range doc.Connectors {
		c := &doc.Connectors[i]
		h := connectorHealth{Name: c.Name, ConnectorID: c.ConnectorID, Breaker: a.Engine.Breaker(tenantOf(ctx), c)}
		if c.ConnectorID != "" && (i < mostConnectors || h.Breaker.Waits() && len(s.Items) < mostStuck) {
			if h, err = a.readConnectorHealth(ctx, c); err != nil {
				return s, 0, err
			}
		}
		if !h.inTrouble() {
			continue
		}
		if s.Count++; len(s.Items) < mostStuck {
			s.Items = append(s.Items, h)
		}
	}
	return s, notExamined, nil
}

// inTrouble reports whether the breaker of a connector is open, or its last calls have
// failed.
func (h *connectorHealth) inTrouble() bool {
	return h.Breaker.Waits() || h.inARow >= store.FailuresInTrouble
}

// stuckRuns returns the newest runs that were aborted or have failed, and that somebody
// can still do something about. Aborted and failed runs are two lists, each the newest
// first, which are put together here. A run whose order has moved on since is left out:
// nothing is to be done about it (store.RunFilter, Current).
func (a *api) stuckRuns(ctx context.Context) (s stuckThings[stuckRun], err error) {
	var all []*run.Run
	for _, status := range []run.RunStatus{run.RunAborted, run.RunFailed} {
		f := store.RunFilter{Status: status, Current: true}
		list, err := a.Store.Runs(ctx, tenantOf(ctx), f, store.Page{Limit: mostStuck})
		if err != nil {
			return s, err
		}
		n, err := a.Store.RunCount(ctx, tenantOf(ctx), f)
		if err != nil {
			return s, err
		}
		all = append(all, list.Items...)
		s.Count, s.CountCapped = min(s.Count+n.N, store.MostCounted), s.CountCapped || n.Capped || s.Count+n.N > store.MostCounted
	}
	slices.SortStableFunc(all, func(a, b *run.Run) int { return b.Created.Compare(a.Created) })
	s.Items = []stuckRun{}
	for _, r := range all[:min(len(all), mostStuck)] {
		at := r.AtStep()
		s.Items = append(s.Items, stuckRun{r.ID, r.OrderID, r.Status, r.EnteredStatus, r.ShipmentID, r.ReturnID, at.Step, at.DisplayName, r.Reason, r.Created, r.Ended})
	}
	return s, nil
}
