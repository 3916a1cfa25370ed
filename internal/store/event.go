package store

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/stock"
)

// Listener is told, right after a commit, which deliveries became due by it and which
// endpoints changed. So no query is needed between the commit and the first attempt. Its
// methods must not block and must not write. If it does not take a delivery, that
// delivery stays in its table, where it is due. What it gets is shared with others and
// must not be changed.
type Listener interface {
	// Due is called once for all deliveries that a commit made due, in the order of the
	// writes, and after the calls for the endpoints that the commit changed. Deliveries
	// that became due because the ordering of their endpoint changed are left out.
	Due(due []Due)
	// EndpointChanged and EndpointDeleted are told of the endpoint as it is in a version of
	// the tenant's endpoints. Where several nodes make changes, an earlier version may come
	// after a later one: then it is to be ignored.
	EndpointChanged(tenant string, e *event.Endpoint, version int64)
	EndpointDeleted(tenant string, no, version int64)
	// Ended is told of a delivery that was canceled. If it is queued, it must not be sent
	// any more.
	Ended(tenant string, key event.DeliveryKey)
	// Behind is told of an endpoint that has a due delivery which cannot be read now. The
	// listener has to look for it in the table.
	Behind(tenant string, endpoint int64)
	// FilterFailed is told of an event that an endpoint gets only because its filter
	// could not evaluate it.
	FilterFailed(u FilterFailure)
}

// Watcher is told, for each commit, what kinds of things of which tenant changed. It must
// return at once, because the writer waits for it.
type Watcher interface {
	Changed(tenant string, what changes.Topics)
}

// FilterFailure is an event that the filter of an endpoint could not evaluate.
type FilterFailure struct {
	Tenant   string
	Endpoint int64 // its No
	EventID  string
	Why      string
	At       time.Time // of the write
}

// Due is a delivery that may be attempted from the time Delivery.Due on.
type Due struct {
	Tenant   string
	Delivery event.Delivery
	Event    *event.Event // nil: to be read with EventBySeq
	Trial    bool         // it was sent again by hand, and is attempted even while the circuit of the endpoint is open
}

// DueQuery asks for the pending deliveries of an endpoint that are due, the longest due
// first.
type DueQuery struct {
	Endpoint int64 // its No
	Now      time.Time
	Limit    int
	Skip     func(event int64) bool // whether to leave out the delivery of this event; nil: leave out none
	MostData int                    // the largest data of an event, in bytes, that is returned with its delivery
}

// DueList is the answer to a DueQuery.
type DueList struct {
	Due  []Due
	More bool      // there are others beyond the limit
	Next time.Time // if there are no more: when the next one becomes due; zero: none is scheduled
}

// FeedQuery asks for a page of the feed of an endpoint.
type FeedQuery struct {
	After int64 // the position before the first; 0: from the beginning
	Limit int   // the most entries
	Bytes int   // about how many bytes of data they may have; one entry may have more
}

// Feed is a page of the feed of an endpoint.
type Feed struct {
	Entries []FeedEntry
	// Next is the position to ask for next, which need not be one of an entry. More says that
	// there may be more now.
	Next int64
	More bool
	// LostTo is the position up to which there were, or may have been, entries after
	// FeedQuery.After that are not retained any more; 0: none are missing.
	LostTo int64
}

// FeedEntry is an event that an endpoint was given. The event is nil once it was removed,
// and has no data once that was erased.
type FeedEntry struct {
	event.Place
	Event *event.Event
}

// EventReader is the questions about events, endpoints and deliveries.
type EventReader interface {
	// Event and EventBySeq return [apierr.NotFound] also for an event that retention has
	// removed.
	Event(ctx context.Context, tenant, id string) (*event.Event, error)
	EventBySeq(ctx context.Context, tenant string, seq int64) (*event.Event, error)
	// Events returns the events without their data.
	Events(ctx context.Context, tenant string, f EventFilter, p Page) (List[*event.Event], error)
	EventCount(ctx context.Context, tenant string, f EventFilter) (Count, error)

	Endpoint(ctx context.Context, tenant, id string) (*event.Endpoint, error)
	// EndpointNo and EndpointByNo find deleted endpoints, too, because deliveries refer
	// to them.
	EndpointNo(ctx context.Context, tenant, id string) (int64, error)
	EndpointByNo(ctx context.Context, tenant string, no int64) (*event.Endpoint, error)
	// Endpoints leaves out the endpoints of connectors. The result is shared and must not
	// be changed.
	Endpoints(ctx context.Context, tenant string, f EndpointFilter, p Page) (List[*event.Endpoint], error)
	// EndpointsInTrouble returns at most so many endpoints that need attention, and how
	// many there are. First come those that orderhook turned off. Then come those that
	// are on and whose last [FailuresInTrouble] attempts or more have failed, the longest
	// failing first. Endpoints of connectors are included. The result is shared and must
	// not be changed.
	EndpointsInTrouble(ctx context.Context, tenant string, most int) ([]*event.Endpoint, Count, error)
	// Recent returns the newest attempts at an endpoint in short form, the newest first.
	Recent(ctx context.Context, tenant string, endpoint int64, most int) ([]RecentAttempt, error)
	// EndpointStates returns a function that tells of an endpoint, by its No, whether it
	// still exists, is on, and where it is.
	EndpointStates(ctx context.Context, tenant string) (func(no int64) EndpointState, error)
	// Subscriptions returns all subscriptions of a tenant. The result is shared and must
	// not be changed, nor its endpoints.
	Subscriptions(ctx context.Context, tenant string) (*event.Subscriptions, error)
	Health(ctx context.Context, tenant string, endpoint int64) (event.Health, error)

	// Delivery returns [apierr.NotFound] if the event was never meant for the endpoint.
	Delivery(ctx context.Context, tenant string, key event.DeliveryKey) (*event.Delivery, error)
	Deliveries(ctx context.Context, tenant string, f DeliveryFilter, p Page) (List[*event.Delivery], error)
	DeliveryCount(ctx context.Context, tenant string, f DeliveryFilter) (Count, error)
	DueDeliveries(ctx context.Context, tenant string, q DueQuery) (DueList, error)

	// Feed returns what an endpoint was given, in the order of the commits. Whoever has read
	// up to a position misses nothing that is committed later.
	Feed(ctx context.Context, tenant string, endpoint int64, q FeedQuery) (Feed, error)
	// FeedEnd returns the last position of all feeds of a tenant, 0 if there is none.
	FeedEnd(ctx context.Context, tenant string) (int64, error)
	// FeedGrows returns what is closed when the endpoint may have been given an event, as soon
	// as this node knows.
	FeedGrows(tenant string, endpoint int64) <-chan struct{}
	// Place returns where an event stands in the feed of an endpoint.
	Place(ctx context.Context, tenant string, key event.DeliveryKey) (*event.Place, error)
	// NewestMissing returns what [EventTx.Candidates] returns for missing events, but
	// from the job's Last down to its position. last is 0 if there are no more.
	NewestMissing(ctx context.Context, tenant string, j *job.Job, endpoint int64, limit int) (events []*event.Event, last int64, err error)

	StockItem(ctx context.Context, tenant, id string) (*stock.StockItem, error)

	Job(ctx context.Context, tenant, id string) (*job.Job, error)
	Jobs(ctx context.Context, tenant string, p Page) (List[*job.Job], error)
}

// RecentAttempt is an attempt in short form.
type RecentAttempt struct {
	ID         string
	StartedAt  time.Time
	DurationMs float64
	Status     int // 0: no answer
	Outcome    string
}

// FailuresInTrouble is how many attempts in a row have failed at an endpoint that needs
// attention.
const FailuresInTrouble = 3

// EventTx is the changes of events, endpoints and deliveries within a write.
type EventTx interface {
	// ImportEvents stores events of another installation, and sets their Seq as AddEvents
	// does. They are records: nobody is sent them.
	ImportEvents(ctx context.Context, tenant string, events ...*event.Event) error
	// AddEvents stores events and sets their Seq. For each endpoint that subscribes to an
	// event, as the endpoints are in this write, it stores a pending delivery. An event
	// whose id exists already is not stored again, and its Seq is 0 then. The listener
	// gets the events themselves, so they must not be changed any more.
	AddEvents(ctx context.Context, tenant string, events ...*event.Event) error
	// AddEventFor is AddEvents with one delivery, to the given endpoint, whatever that
	// subscribes to. It is [apierr.Conflict] if the id of the event exists already.
	AddEventFor(ctx context.Context, tenant string, e *event.Event, endpoint *event.Endpoint) error

	// PutEndpoint stores a new endpoint, and sets its No, or stores a changed one.
	// Secrets that it does not refer to any more are removed. If its ordering changes,
	// Reordering names the job that applies the new ordering to pending deliveries, by
	// Reorder.
	PutEndpoint(ctx context.Context, tenant string, e *event.Endpoint) error
	// Reorder applies the ordering of an endpoint to at most limit pending deliveries,
	// from the position in the job, and stores the new position in the job. It reports
	// whether all pending deliveries are done. The listener is not told which deliveries
	// become due by it.
	Reorder(ctx context.Context, tenant string, e *event.Endpoint, j *job.Job, limit int) (done bool, err error)
	// DeleteEndpoint removes an endpoint from all lists, and its secrets. Its deliveries
	// and attempts stay until retention removes them. The pending ones are canceled by
	// CancelOrphans.
	DeleteEndpoint(ctx context.Context, tenant, id string) error
	// CancelOrphans cancels at most limit pending deliveries of deleted endpoints, and
	// returns how many it canceled.
	CancelOrphans(ctx context.Context, limit int) (int, error)

	// CompleteDeliveries records attempts, and changes their deliveries. If an attempt
	// ended its delivery, the earliest waiting delivery of the same group becomes due,
	// and the listener is told. A delivery that has ended meanwhile stays ended as it is,
	// unless the attempt succeeded. A delivery that by now waits for another one of its
	// group continues to wait. A delivery that was removed is no error.
	//
	// A completion whose attempt is recorded already changes nothing: an earlier write has
	// stored it, with all that was in that write, and its writer was not told. before says
	// of which completions that is so, by their places; nil: of none.
	CompleteDeliveries(ctx context.Context, tenant string, completions ...Completion) (before map[int]bool, err error)
	// StoredHealth is Health without how many deliveries are pending and failed, which
	// takes long to count.
	StoredHealth(ctx context.Context, tenant string, endpoint int64) (event.Health, error)
	// AddHealth applies a change to the health of an endpoint, as [HealthChange.On] does.
	// It returns the result without Pending and Failed.
	AddHealth(ctx context.Context, tenant string, endpoint int64, c HealthChange) (event.Health, error)

	// SendAgain makes a delivery pending and due at a time, with as many further attempts
	// as the schedule of its endpoint has. If the event was never meant for the endpoint,
	// it makes the delivery. A delivery that is pending already becomes due at that time.
	// If other deliveries of its group are pending, earlier or later ones, it waits for
	// the one that is due, because an attempt at that may be under way. The listener is
	// told whether it is a trial (see [Due]).
	//
	// It is [apierr.Conflict] if the data of the event was erased, and [apierr.NotFound] if the
	// event or the endpoint was removed.
	SendAgain(ctx context.Context, tenant string, e *event.Event, endpoint *event.Endpoint, at time.Time, trial bool) error
	// CancelDelivery ends a pending delivery. It is [apierr.Conflict] if the delivery has
	// ended already.
	CancelDelivery(ctx context.Context, tenant string, key event.DeliveryKey, at time.Time) error

	// PutStockItem stores the next version of a stock item that was read in this write,
	// or the first version of a new one.
	PutStockItem(ctx context.Context, tenant string, s *stock.StockItem) error

	PutJob(ctx context.Context, tenant string, j *job.Job) error
	// Candidates returns what a recover job has to look at next: at most limit events
	// after its position, without their data, and the Seq of the last event that was
	// looked at. A job for failed deliveries gets the events whose delivery to the
	// endpoint failed. A job for missing ones gets all events that have no delivery to
	// it.
	Candidates(ctx context.Context, tenant string, j *job.Job, endpoint int64, limit int) (events []*event.Event, last int64, err error)
}

// Completion is what one attempt means for its delivery.
type Completion struct {
	Key      event.DeliveryKey
	Attempt  *attempt.Attempt // nil: there is no attempt to record; a delivery that succeeded has one
	Status   event.DeliveryStatus
	Attempts int       // attempts so far, this one included
	Due      time.Time // when the next attempt is due, if the status is pending
	At       time.Time // when the attempt ended
}

// Outcome returns the HTTP status of the attempt's answer, 0 if there was no answer, and
// why the attempt failed, "" if it succeeded.
func (s *Completion) Outcome() (status int, failure string) {
	if s.Attempt == nil {
		return 0, ""
	}
	return s.Attempt.Status, s.Attempt.Error
}

// HealthChange is the sum of what a number of attempts mean for the health of an
// endpoint.
type HealthChange struct {
	Succeeded    int64     // deliveries that succeeded
	LastSuccess  time.Time // zero: none
	LastFailure  time.Time
	LastError    string
	Failures     int       // failures since the last success; if none of these attempts succeeded, all failures
	FailingSince time.Time // when the first of those failures was
	// FilterErrors counts the events that the filter of the endpoint could not evaluate.
	// LastFilterError is the last of them.
	FilterErrors    int64
	LastFilterError event.FilterError
	Streak          event.Streak
	Silence         time.Duration // the longest time without attempts that does not end a streak of failures
}

// Then returns the sum of c and of a later change.
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

// On returns a health with the change applied.
func (c HealthChange) On(h event.Health) event.Health {
	was := HealthChange{h.Succeeded, h.LastSuccess, h.LastFailure, h.LastError, h.Consecutive, h.FailingSince, h.FilterErrors, h.LastFilterError, h.Streak, c.Silence}
	is := was.Then(c)
	h.Succeeded, h.LastSuccess, h.LastFailure, h.LastError = is.Succeeded, is.LastSuccess, is.LastFailure, is.LastError
	h.Consecutive, h.FailingSince, h.Streak = is.Failures, is.FailingSince, is.Streak
	h.FilterErrors, h.LastFilterError = is.FilterErrors, is.LastFilterError
	return h
}

// EndpointState is what there is to say of an endpoint beside its deliveries.
type EndpointState struct {
	URL             string // the public one; "" if it comes from a connector
	Exists, Enabled bool
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
	event.Related
	From, To time.Time
}

// DeliveryFilter picks deliveries; an empty field picks all.
type DeliveryFilter struct {
	Endpoint  int64 // its No
	Event     int64 // its Seq
	Status    event.DeliveryStatus
	EventType string
	OrderID   string
	From, To  time.Time // of the event's time: From <= time < To
	// StatusFilter is of the last attempt; a delivery without any has no status
	// that it picks.
	StatusFilter
	Sendable Sendable
}

// Sendable picks deliveries by whether they can be sent again. They cannot where their
// endpoint was deleted or their event's data was erased, and not yet where their endpoint
// is off.
type Sendable int

// The zero value picks all deliveries.
const (
	SendableAtAll  Sendable = iota + 1 // whether the endpoint is on or off
	SendableNow                        // the endpoint is on
	SendableOnceOn                     // the endpoint is off
	NotSendable                        // neither now nor later
)
