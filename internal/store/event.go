package store

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// Listener is told, right after the commit, what became due by it and which
// endpoints changed: so that no query stands between a commit and the first
// attempt. It must not block and must not write. What it does not take stays
// in its table, due. What it is given is shared: it must not be changed.
type Listener interface {
	// Due is called once for all that one commit made due, in the order of the
	// writes, after the endpoints that it changed. It leaves out what a change
	// of an endpoint's ordering made due.
	Due(due []Due)
	EndpointChanged(tenant string, e *oms.Endpoint)
	EndpointDeleted(tenant string, no int64)
	// Ended is told of a delivery that was canceled: what is queued of it is not
	// to be sent any more.
	Ended(tenant string, key oms.DeliveryKey)
	// Behind is told of an endpoint of which a delivery became due that cannot be read
	// now: it is in its table, to be looked for there.
	Behind(tenant string, endpoint int64)
	// Unjudged is told of an event that an endpoint gets since its filter cannot
	// judge it.
	Unjudged(u Unjudged)
}

// Watcher is told of each commit what it changed, of each tenant, and nothing more.
// It must return at once: who writes waits for it.
type Watcher interface {
	Changed(tenant string, what oms.Topics)
}

// Unjudged is an event that the filter of an endpoint cannot judge.
type Unjudged struct {
	Tenant   string
	Endpoint int64 // its No
	EventID  string
	Why      string
	At       time.Time // of the write
}

// Due is a delivery that may be attempted from its Due on.
type Due struct {
	Tenant   string
	Delivery oms.Delivery
	Event    *oms.Event // nil: to be read with EventBySeq
	Trial    bool       // it was sent again by hand, and is tried even while the endpoint's circuit is open
}

// DueQuery asks for an endpoint's pending deliveries that are due, the longest
// due first.
type DueQuery struct {
	Endpoint int64 // its No
	Now      time.Time
	Limit    int
	Skip     func(event int64) bool // which to leave out; nil: none
	MostData int                    // bytes of data that an event has at most to come with its delivery
}

// DueList is the answer to a DueQuery.
type DueList struct {
	Due  []Due
	More bool      // the limit left out others
	Next time.Time // unless there are more, when the next one is due; zero if none will be by itself
}

// EventReader is the questions about events, endpoints and deliveries.
type EventReader interface {
	// Event and EventBySeq return [oms.NotFound] for what retention removed, too.
	Event(ctx context.Context, tenant, id string) (*oms.Event, error)
	EventBySeq(ctx context.Context, tenant string, seq int64) (*oms.Event, error)
	// Events returns the events without their data.
	Events(ctx context.Context, tenant string, f EventFilter, p Page) (List[*oms.Event], error)
	EventCount(ctx context.Context, tenant string, f EventFilter) (Count, error)

	Endpoint(ctx context.Context, tenant, id string) (*oms.Endpoint, error)
	// EndpointNo and EndpointByNo find deleted ones too: their deliveries name them.
	EndpointNo(ctx context.Context, tenant, id string) (int64, error)
	EndpointByNo(ctx context.Context, tenant string, no int64) (*oms.Endpoint, error)
	// Endpoints leaves out those of connectors. They are shared and must not be changed.
	Endpoints(ctx context.Context, tenant string, f EndpointFilter, p Page) (List[*oms.Endpoint], error)
	// EndpointsInTrouble returns at most so many of the endpoints that orderhook turned
	// off, and behind them those that are on and whose last [FailuresInTrouble] attempts
	// or more failed, the longest failing first; and how many there are. Those of
	// connectors are among them. They are shared and must not be changed.
	EndpointsInTrouble(ctx context.Context, tenant string, most int) ([]*oms.Endpoint, Count, error)
	// Recent returns what the newest attempts at an endpoint came to, the newest first.
	Recent(ctx context.Context, tenant string, endpoint int64, most int) ([]RecentAttempt, error)
	// EndpointURLs returns a function for the public URL that an endpoint has now, by its
	// No; "" of one that was deleted, and of one that has its connector's.
	EndpointURLs(ctx context.Context, tenant string) (func(no int64) string, error)
	// Subscriptions is shared and must not be changed; nor must its endpoints.
	Subscriptions(ctx context.Context, tenant string) (*oms.Subscriptions, error)
	Health(ctx context.Context, tenant string, endpoint int64) (oms.Health, error)

	// Delivery is [oms.NotFound] if the event never went to the endpoint.
	Delivery(ctx context.Context, tenant string, key oms.DeliveryKey) (*oms.Delivery, error)
	Deliveries(ctx context.Context, tenant string, f DeliveryFilter, p Page) (List[*oms.Delivery], error)
	DeliveryCount(ctx context.Context, tenant string, f DeliveryFilter) (Count, error)
	DueDeliveries(ctx context.Context, tenant string, q DueQuery) (DueList, error)

	StockItem(ctx context.Context, tenant, id string) (*oms.StockItem, error)

	Job(ctx context.Context, tenant, id string) (*oms.Job, error)
	Jobs(ctx context.Context, tenant string, p Page) (List[*oms.Job], error)
}

// RecentAttempt is what an attempt came to, in short.
type RecentAttempt struct {
	ID         string
	StartedAt  time.Time
	DurationMs float64
	Status     int // 0: no answer
	Outcome    string
}

// FailuresInTrouble is how many attempts in a row have failed at an endpoint that is in
// trouble.
const FailuresInTrouble = 3

// EventTx is the changes of events, endpoints and deliveries.
type EventTx interface {
	// AddEvents stores events, whose Seq it sets, and a pending delivery for each
	// endpoint that wants one, as the endpoints are in this write. An event
	// whose id is there already is left alone: its Seq is 0 then. The listener
	// gets the very events: they must not be changed any more.
	AddEvents(ctx context.Context, tenant string, events ...*oms.Event) error
	// AddEventFor is AddEvents with one delivery, to the given endpoint alone,
	// whatever it subscribes to; [oms.Conflict] if the event's id is taken.
	AddEventFor(ctx context.Context, tenant string, e *oms.Event, endpoint *oms.Endpoint) error

	// PutEndpoint stores a new endpoint, whose No it sets, or the next state of
	// one. Secrets that it refers to no more are removed. Where its ordering changes, Reordering names the job that has pending
	// deliveries follow it, by Reorder.
	PutEndpoint(ctx context.Context, tenant string, e *oms.Endpoint) error
	// Reorder has pending deliveries of an endpoint follow its ordering, at most
	// limit of them, from where the job says on, and notes in the job where it is
	// then. It reports whether all do. The listener is not told of what becomes
	// due by it.
	Reorder(ctx context.Context, tenant string, e *oms.Endpoint, j *oms.Job, limit int) (done bool, err error)
	// DeleteEndpoint removes an endpoint from all lists; its deliveries and
	// attempts stay until retention takes them, and its secrets are gone. Pending
	// ones are canceled by CancelOrphans.
	DeleteEndpoint(ctx context.Context, tenant, id string) error
	// CancelOrphans cancels at most limit pending deliveries of deleted
	// endpoints and returns how many it did.
	CancelOrphans(ctx context.Context, limit int) (int, error)

	// Settle records what attempts made of deliveries, and the attempts. If one
	// ended its delivery, the earliest of its group that waits becomes due, and
	// the listener is told of it. A delivery that has ended meanwhile stays so,
	// unless the attempt succeeded; one that waits for another of its group waits
	// on. One that is gone is no error. Deliveries that succeeded may all be
	// updated at the time of the last.
	Settle(ctx context.Context, tenant string, settlements ...Settlement) error
	// AddHealth adds a change to an endpoint's health, as [HealthChange.On]
	// does, and returns the result, Pending and Failed left out.
	AddHealth(ctx context.Context, tenant string, endpoint int64, c HealthChange) (oms.Health, error)

	// SendAgain makes a delivery pending and due at a time, with as many more
	// attempts as its endpoint's schedule has; it makes the delivery if the
	// event never went to the endpoint. A pending one is made due by then. If
	// others of its group are pending, later ones too, it waits for the one that
	// is due: that may be under way. [oms.Conflict] if the event's data was erased,
	// [oms.NotFound] if the event or the endpoint is gone. The listener is told
	// whether it is a trial (see [Due]).
	SendAgain(ctx context.Context, tenant string, e *oms.Event, endpoint *oms.Endpoint, at time.Time, trial bool) error
	// CancelDelivery ends a pending delivery; [oms.Conflict] for one that has ended.
	CancelDelivery(ctx context.Context, tenant string, key oms.DeliveryKey, at time.Time) error

	// PutStockItem stores the next version of an item read in this write,
	// or the first of a new one.
	PutStockItem(ctx context.Context, tenant string, s *oms.StockItem) error

	PutJob(ctx context.Context, tenant string, j *oms.Job) error
	// Candidates returns what a recover job has to look at next: at most limit
	// events behind its position, without their data, and the last Seq looked
	// at. For what failed it is those whose delivery to the endpoint failed;
	// for what is missing, all events that have no delivery to it.
	Candidates(ctx context.Context, tenant string, j *oms.Job, endpoint int64, limit int) (events []*oms.Event, last int64, err error)
}

// Settlement is what came of one attempt at a delivery.
type Settlement struct {
	Key      oms.DeliveryKey
	Attempt  *oms.Attempt // nil: none is to be recorded
	Status   oms.DeliveryStatus
	Attempts int       // made so far, this one included
	Due      time.Time // of the next attempt, while the status is pending
	At       time.Time // when the attempt ended
}

// Outcome returns the status of the attempt's answer, 0 where none came, and why
// it failed, "" if it did not.
func (s *Settlement) Outcome() (status int, failure string) {
	if s.Attempt == nil {
		return 0, ""
	}
	return s.Attempt.Status, s.Attempt.Error
}

// HealthChange is what attempts at an endpoint's deliveries add up to.
type HealthChange struct {
	Succeeded    int64     // deliveries
	LastSuccess  time.Time // zero: none
	LastFailure  time.Time
	LastError    string
	Failures     int       // since the last success among these attempts, else all of them
	FailingSince time.Time // when the first of these failures was
	// FilterErrors counts events that the endpoint's filter could not judge;
	// LastFilterError is the last of them.
	FilterErrors    int64
	LastFilterError oms.FilterError
	Streak          oms.Streak
	Silence         time.Duration // the longest that does not end a streak
}

// Then returns the change that c and a later one add up to.
func (c HealthChange) Then(later HealthChange) HealthChange {
	sum := later
	sum.Succeeded += c.Succeeded
	sum.Silence = max(c.Silence, later.Silence)
	if later.LastSuccess.IsZero() {
		sum.LastSuccess, sum.Failures = c.LastSuccess, c.Failures+later.Failures
		sum.Streak = c.Streak.Then(c.LastFailure, later.Streak, later.Silence)
		if c.Failures > 0 {
			sum.FailingSince = c.FailingSince
		}
	}
	if later.LastFailure.IsZero() {
		sum.LastFailure, sum.LastError = c.LastFailure, c.LastError
	}
	sum.FilterErrors += c.FilterErrors
	if later.FilterErrors == 0 {
		sum.LastFilterError = c.LastFilterError
	}
	return sum
}

// On returns what becomes of a health by a change.
func (c HealthChange) On(h oms.Health) oms.Health {
	was := HealthChange{h.Succeeded, h.LastSuccess, h.LastFailure, h.LastError, h.Consecutive, h.FailingSince, h.FilterErrors, h.LastFilterError, h.Streak, c.Silence}
	is := was.Then(c)
	h.Succeeded, h.LastSuccess, h.LastFailure, h.LastError = is.Succeeded, is.LastSuccess, is.LastFailure, is.LastError
	h.Consecutive, h.FailingSince, h.Streak = is.Failures, is.FailingSince, is.Streak
	h.FilterErrors, h.LastFilterError = is.FilterErrors, is.LastFilterError
	return h
}

// EndpointFilter picks endpoints; an empty field picks all.
type EndpointFilter struct {
	Text      string // a piece of the id, the description or the public URL, without regard to case
	EventType string // one that the endpoint's types name
	Enabled   *bool
}

// EventFilter picks events; an empty field picks all. From <= time < To.
type EventFilter struct {
	Type string
	oms.Related
	From, To time.Time
}

// DeliveryFilter picks deliveries; an empty field picks all.
type DeliveryFilter struct {
	Endpoint  int64 // its No
	Event     int64 // its Seq
	Status    oms.DeliveryStatus
	EventType string
	OrderID   string
	From, To  time.Time // of the event's time: From <= time < To
	// StatusFilter is of the last attempt; a delivery without any has no status
	// that it picks.
	StatusFilter
}
