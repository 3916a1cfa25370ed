package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func overviews(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "get-overview", Method: http.MethodGet, Path: "/api/overview", Tags: []string{"Operating"},
		Summary: "Read what flows, what waits, and what is stuck",
		Description: "Every attempt is a call, and counts in the minute that it began in, from the commit that records it on; calls from before the server counted them are in none. " +
			"`p50Ms` and `p99Ms` are estimates: the exact values lie between the same two of the bounds 1, 1.5, 2, 3, 5, 7, 10 ms and so on up to 60 s. " +
			"Counts end at 10,000, with `countCapped`."}, a.getOverview)
}

// Overview is how a tenant is doing.
type Overview struct {
	Timestamp time.Time     `json:"timestamp"`
	LastHour  callSeries    `json:"lastHour" doc:"Minute by minute"`
	LastDay   callSeries    `json:"lastDay" doc:"By quarters of an hour"`
	Waiting   waiting       `json:"waiting"`
	Stuck     stuck         `json:"stuck"`
	Warnings  []oms.Warning `json:"warnings,omitempty" doc:"What the config file leaves open"`
}

// callSeries is calls over a time.
type callSeries struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to" doc:"Where the last point ends, which is not over yet"`
	Step  string    `json:"step" doc:"The time between two points" example:"PT1M"`
	Total CallStats `json:"total"`
	// Points are all there are in the time, in their order, also those without a call.
	Points []callPoint `json:"points" nullable:"false" doc:"In their order, each of them"`
}

// callPoint is the calls that began within one step.
type callPoint struct {
	From time.Time `json:"from"`
	CallStats
}

// CallStats is what calls came to, and how long they took.
type CallStats struct {
	CallCounts
	Kinds []kindCounts `json:"kinds" nullable:"false" doc:"The kinds that there were any of"`
}

// kindCounts is CallCounts of one kind.
type kindCounts struct {
	Kind string `json:"kind" enum:"step,returnStep,validator,event,export,replay"`
	CallCounts
}

type CallCounts struct {
	Succeeded int64    `json:"succeeded"`
	Failed    int64    `json:"failed"`
	P50Ms     *float64 `json:"p50Ms,omitempty" doc:"About how many milliseconds half of the calls took at most; absent where there were none"`
	P99Ms     *float64 `json:"p99Ms,omitempty" doc:"The same of 99 in a hundred"`

	durations oms.Durations
}

func (c *CallCounts) add(n *oms.CallCount) {
	if n.Outcome == oms.OutcomeSucceeded {
		c.Succeeded += n.Calls
	} else {
		c.Failed += n.Calls
	}
	c.durations.Add(&n.Durations)
}

func (c *CallCounts) finish() {
	if c.Succeeded+c.Failed == 0 {
		return
	}
	half, most := c.durations.Quantile(0.5), c.durations.Quantile(0.99)
	c.P50Ms, c.P99Ms = &half, &most
}

func (s *CallStats) add(n *oms.CallCount) {
	s.CallCounts.add(n)
	at := slices.IndexFunc(s.Kinds, func(k kindCounts) bool { return k.Kind == n.Kind })
	if at < 0 {
		at, s.Kinds = len(s.Kinds), append(s.Kinds, kindCounts{Kind: n.Kind})
	}
	s.Kinds[at].add(n)
}

func (s *CallStats) finish() {
	s.CallCounts.finish()
	for i := range s.Kinds {
		s.Kinds[i].finish()
	}
	slices.SortFunc(s.Kinds, func(a, b kindCounts) int { return cmp.Compare(a.Kind, b.Kind) })
}

// series puts counts into a series of so many points, the last of which is the one
// that now is in.
func series(counts []oms.CallCount, now time.Time, step time.Duration, points int) callSeries {
	last := now.UTC().Truncate(step)
	s := callSeries{From: last.Add(-time.Duration(points-1) * step), To: last.Add(step), Step: oms.FormatDuration(step), Total: CallStats{Kinds: []kindCounts{}}, Points: make([]callPoint, points)}
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

// CappedCount is a count that ends at 10,000.
type CappedCount struct {
	Count       int  `json:"count"`
	CountCapped bool `json:"countCapped" doc:"There are at least so many"`
}

func showCount(c store.Count) CappedCount { return CappedCount{c.N, c.Capped} }

type waitingThings struct {
	CappedCount
	Oldest *time.Time `json:"oldest,omitempty" doc:"Since when the oldest of those that are counted waits"`
}

// waiting is what is to be done yet.
type waiting struct {
	Deliveries  waitingThings `json:"deliveries" doc:"That are pending; the oldest is by when its event happened"`
	RunningRuns waitingThings `json:"runningRuns" doc:"Whose call is made, or about to be"`
	WaitingRuns waitingThings `json:"waitingRuns" doc:"That wait for their turn, a retry's time or a deferred step's"`
}

func showWaiting(w store.Waiting) waiting {
	return waiting{waitingThings{showCount(w.Deliveries), timeOrNil(w.OldestDelivery)},
		waitingThings{showCount(w.Running.Count), timeOrNil(w.Running.Oldest)}, waitingThings{showCount(w.Waiting.Count), timeOrNil(w.Waiting.Oldest)}}
}

// stuck is what does not go on by itself. Of each there are a few.
type stuck struct {
	Endpoints  stuckThings[troubledEndpoint] `json:"endpoints" doc:"Those that orderhook turned off, and those whose last 3 attempts or more failed, the longest failing first"`
	Connectors stuckThings[connectorHealth]  `json:"connectors" doc:"Whose breaker is not closed, or whose last 3 attempts failed. One without a connectorId is known by its breaker alone"`
	Runs       stuckThings[stuckRun]         `json:"runs" doc:"That were aborted or have failed, the newest first"`
	Deliveries stuckThings[delivery]         `json:"deliveries" doc:"That failed for good, those of the newest events first"`
}

type stuckThings[T any] struct {
	CappedCount
	Items []T `json:"items" nullable:"false" doc:"At most 10"`
}

// mostStuck is how many of each kind of stuck things are shown.
const mostStuck = 10

// troubledEndpoint is an endpoint that something is wrong with.
type troubledEndpoint struct {
	ID             string         `json:"id"`
	URL            string         `json:"url"`
	Description    string         `json:"description,omitempty"`
	Origin         oms.Origin     `json:"origin" enum:"api,webHook,connector"`
	Enabled        bool           `json:"enabled"`
	DisabledReason string         `json:"disabledReason,omitempty" doc:"Why orderhook turned it off"`
	Counts         endpointCounts `json:"counts"`
	Health         endpointHealth `json:"health"`
}

// stuckRun is a run that did not come to its end.
type stuckRun struct {
	ID            string        `json:"id"`
	OrderID       string        `json:"orderId"`
	Status        oms.RunStatus `json:"status" enum:"aborted,failed"`
	EnteredStatus string        `json:"enteredStatus"`
	ShipmentID    string        `json:"shipmentId,omitempty" doc:"The shipment that it was for"`
	ReturnID      string        `json:"returnId,omitempty" doc:"The return that it was for"`
	Step          string        `json:"step,omitempty" doc:"The key of the step that it ended at"`
	DisplayName   string        `json:"displayName,omitempty" doc:"Of that step"`
	Reason        string        `json:"reason,omitempty"`
	Created       time.Time     `json:"created"`
	Ended         *time.Time    `json:"ended,omitempty"`
}

func (a *api) getOverview(ctx context.Context, _ *struct{}) (*struct{ Body Overview }, error) {
	now, tenant := a.now(), tenantOf(ctx)
	o := Overview{Timestamp: now, Warnings: a.webHookWarnings(ctx)}
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
		to := now.Truncate(one.step).Add(one.step)
		counts, err := a.Store.Calls(ctx, tenant, to.Add(-time.Duration(one.points)*one.step), to, one.step)
		if err != nil {
			return nil, err
		}
		*one.into = series(counts, now, one.step, one.points)
	}
	o.Stuck, err = a.stuck(ctx)
	return &struct{ Body Overview }{o}, err
}

func (a *api) stuck(ctx context.Context) (s stuck, err error) {
	if s.Endpoints, err = a.stuckEndpoints(ctx); err != nil {
		return s, err
	}
	if s.Connectors, err = a.stuckConnectors(ctx); err != nil {
		return s, err
	}
	if s.Runs, err = a.stuckRuns(ctx); err != nil {
		return s, err
	}
	f := store.DeliveryFilter{Status: oms.DeliveryFailed}
	list, err := a.Store.Deliveries(ctx, tenantOf(ctx), f, store.Page{Limit: mostStuck})
	if err != nil {
		return s, err
	}
	n, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
	if err != nil {
		return s, err
	}
	s.Deliveries.CappedCount = showCount(n)
	s.Deliveries.Items, err = a.showDeliveries(ctx, list.Items)
	return s, err
}

func (a *api) stuckEndpoints(ctx context.Context) (s stuckThings[troubledEndpoint], err error) {
	found, n, err := a.Store.EndpointsInTrouble(ctx, tenantOf(ctx), mostStuck)
	s.CappedCount, s.Items = showCount(n), []troubledEndpoint{}
	for _, e := range found {
		if err != nil {
			break
		}
		var h oms.Health
		if h, err = a.Notify.Health(ctx, tenantOf(ctx), e.No); err == nil {
			s.Items = append(s.Items, troubledEndpoint{ID: e.ID, URL: oms.PublicURL(e.URL), Description: e.Description, Origin: e.Origin, Enabled: e.Enabled,
				DisabledReason: e.Disabled, Counts: showCounts(h), Health: showHealth(h, a.Notify.Circuit(tenantOf(ctx), e.No))})
		}
	}
	return s, err
}

// mostConnectors is how many connectors are looked at.
const mostConnectors = 100

func (a *api) stuckConnectors(ctx context.Context) (s stuckThings[connectorHealth], err error) {
	s.Items = []connectorHealth{}
	doc, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return s, err
	}
	s.CountCapped = len(doc.Connectors) > mostConnectors
	for i := range doc.Connectors[:min(len(doc.Connectors), mostConnectors)] {
		c := &doc.Connectors[i]
		h := connectorHealth{Name: c.Name, Breaker: a.Engine.Breaker(tenantOf(ctx), c)}
		if c.ConnectorID != "" {
			if h, err = a.connectorHealth(ctx, c); err != nil {
				return s, err
			}
		}
		if !h.inTrouble() {
			continue
		}
		if s.Count++; len(s.Items) < mostStuck {
			s.Items = append(s.Items, h)
		}
	}
	return s, nil
}

// inTrouble reports whether a connector's calls are kept back, or its latest failed.
func (h *connectorHealth) inTrouble() bool {
	return h.Breaker.Circuit == string(notify.CircuitOpen) || h.Breaker.Circuit == string(notify.CircuitHalfOpen) || h.inARow >= store.FailuresInTrouble
}

func (a *api) stuckRuns(ctx context.Context) (s stuckThings[stuckRun], err error) {
	var all []*oms.Run
	for _, status := range []oms.RunStatus{oms.RunAborted, oms.RunFailed} {
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
	slices.SortStableFunc(all, func(a, b *oms.Run) int { return b.Created.Compare(a.Created) })
	s.Items = []stuckRun{}
	for _, r := range all[:min(len(all), mostStuck)] {
		at := r.AtStep()
		s.Items = append(s.Items, stuckRun{r.ID, r.OrderID, r.Status, r.EnteredStatus, r.ShipmentID, r.ReturnID, at.Step, at.DisplayName, r.Reason, r.Created, r.Ended})
	}
	return s, nil
}
