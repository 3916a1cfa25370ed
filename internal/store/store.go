// Package store is what orderhook keeps: the interface that its engines
// satisfy. The database is the only truth; a run's row is its durable position.
//
// Everything is asked for by tenant first; what belongs to another tenant is
// as if it were not there. Errors that the caller caused are *oms.Error:
// [oms.NotFound], [oms.Conflict], [oms.Stale], and [oms.Unavailable] when the
// database cannot take a write now. Times come back in UTC, to the microsecond
// at least.
package store

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

// Store is an open database.
type Store interface {
	Reader
	Upkeep

	// Write runs do on the goroutine of its caller, and returns once what do has
	// written through tx is durable, all of it. What do reads is what is committed;
	// where that has changed by the time of the commit, do runs again. So it has no
	// effect but through tx and what it assigns; it makes no requests, waits for
	// nothing, calls no other Write, and does not end its goroutine (as t.Fatal
	// does). If it returns an error, nothing is written; a panic in it is such an
	// error. If ctx ends before the commit has begun, nothing is written; from then
	// on Write says what became of it.
	Write(ctx context.Context, do func(tx Tx) error) error

	// Publish is a Write that does nothing but AddEvents.
	Publish(ctx context.Context, tenant string, events ...*oms.Event) error

	// UnfinishedOrders calls each for every order that has a run which has not
	// ended, of every tenant, until each returns an error.
	UnfinishedOrders(ctx context.Context, each func(tenant, orderID string) error) error

	// EveryEndpoint calls each for every endpoint of every tenant, deleted ones
	// left out, until each returns an error.
	EveryEndpoint(ctx context.Context, each func(tenant string, e *oms.Endpoint) error) error

	// RunningJobs calls each for every job of every tenant that has not ended.
	RunningJobs(ctx context.Context, each func(tenant string, j *oms.Job) error) error

	// Listen names who is told what became due. It is called once, before any
	// write, or never.
	Listen(l Listener)

	// Watch names who is told what changed. It is called once, before any write, or
	// never.
	Watch(w Watcher)

	// KeyByHash finds a key of any tenant by the hash of its secret.
	KeyByHash(ctx context.Context, hash []byte) (oms.Key, error)

	// HasKeys reports whether there is a key of any tenant.
	HasKeys(ctx context.Context) (bool, error)

	// Session returns the key that a session was made with, by the hash of its
	// token; [oms.NotFound] once the session has expired or was ended, or its key
	// was taken away. Nothing of it is remembered, so it ends at once.
	Session(ctx context.Context, tokenHash []byte) (oms.Key, error)

	// CreateSession stores a session; [oms.NotFound] if its key was taken away. The
	// oldest one of a key that has [oms.MostSessions] ends.
	CreateSession(ctx context.Context, s oms.Session) error

	// DeleteSession ends a session; to end one that is not there is no error.
	DeleteSession(ctx context.Context, tokenHash []byte) error

	// Secrets opens the secrets of the database, for the package that makes the
	// requests.
	Secrets() *secret.Opener

	// SecretIs reports whether a text is that of a stored secret.
	SecretIs(ctx context.Context, tenant string, v secret.Value, text string) bool

	// Ping reports whether the database answers and its migrations are done.
	Ping(ctx context.Context) error

	// Close ends all work and gives the database free.
	Close() error
}

// Reader is the questions that can be asked within a write and outside of one.
type Reader interface {
	EventReader

	Order(ctx context.Context, tenant, id string) (*oms.Order, error)
	Orders(ctx context.Context, tenant string, f OrderFilter, p Page) (List[Document], error)
	// OrderCount, and its like for other lists, counts what a filter picks.
	OrderCount(ctx context.Context, tenant string, f OrderFilter) (Count, error)
	OrderVersion(ctx context.Context, tenant, id string, version int64) (*oms.Order, error)
	// OrderUnless is Order for who holds a version of it: nil if it still is of
	// that version, so that nothing has to be read and parsed again. A write takes
	// what is held for the current version at first, without a look at the database:
	// if that is wrong, it is overtaken, and is told of the current one then.
	OrderUnless(ctx context.Context, tenant string, held *oms.Order) (*oms.Order, error)
	// History returns what happened to an order, what was added last first;
	// nothing for an order that is not there.
	History(ctx context.Context, tenant, orderID string, p Page) (List[oms.HistoryEntry], error)

	Cart(ctx context.Context, tenant, id string) (*oms.Cart, error)
	Carts(ctx context.Context, tenant string, p Page) (List[Document], error)

	Run(ctx context.Context, tenant, id string) (*oms.Run, error)
	// RunUnless is Run for who holds a revision of it, as OrderUnless is Order.
	RunUnless(ctx context.Context, tenant, id string, revision int64) (*oms.Run, error)
	Runs(ctx context.Context, tenant string, f RunFilter, p Page) (List[*oms.Run], error)
	RunCount(ctx context.Context, tenant string, f RunFilter) (Count, error)
	// NextRun returns the order's first run, in commit order, that has not
	// ended, or nil when all have.
	NextRun(ctx context.Context, tenant, orderID string) (*oms.Run, error)

	Attempt(ctx context.Context, tenant, id string) (*oms.Attempt, error)
	// Attempts lists what a filter picks. The newest come first; if bodies are
	// searched, and no one thing that the attempts are about is given, those that
	// were recorded last.
	Attempts(ctx context.Context, tenant string, f AttemptFilter, p Page) (List[*oms.Attempt], error)

	AttemptCount(ctx context.Context, tenant string, f AttemptFilter) (Count, error)

	// Waiting says what is to be done yet, and since when.
	Waiting(ctx context.Context, tenant string) (Waiting, error)

	// Calls counts the calls that began within each span of a time, by their kind and
	// their outcome; what there was none of is left out. The spans are one of
	// [CallSpans]; they begin at multiples of their length, and those that from and to
	// are in are the first, and the one behind the last. Calls are counted in the write
	// that records them, and the counts are kept for [CallsKept].
	Calls(ctx context.Context, tenant string, from, to time.Time, span time.Duration) ([]oms.CallCount, error)

	// Settings returns the tenant's settings, with references to their secrets;
	// those of a tenant that has none are empty and of version 0. SettingsVersion
	// returns those of any version, 0 included: a run may have begun with it.
	// What they return is shared: it must not be changed.
	Settings(ctx context.Context, tenant string) (*settings.Settings, error)
	SettingsVersion(ctx context.Context, tenant string, version int64) (*settings.Settings, error)
	// DestroyedSecrets returns those of the secrets that a version of the settings
	// refers to of which nothing is left (PutSettings).
	DestroyedSecrets(ctx context.Context, tenant string, s *settings.Settings) (ids []string, err error)
	SettingsHistory(ctx context.Context, tenant string, p Page) (List[SettingsInfo], error)
	// SettingsFromFile returns the newest version that held what the settings
	// file of `serve` did, 0 if none has.
	SettingsFromFile(ctx context.Context, tenant string) (int64, error)

	Keys(ctx context.Context, tenant string, p Page) (List[oms.Key], error)

	// Audit lists the entries of the audit log that a filter picks.
	Audit(ctx context.Context, tenant string, f AuditFilter, p Page) (List[oms.AuditEntry], error)

	// Idempotency returns what is kept under an Idempotency-Key, nil if
	// nothing is or it is older than its 24 hours.
	Idempotency(ctx context.Context, tenant, key string) (*Idempotency, error)
}

// Tx is a write that is being decided. What is read through it is what is
// committed, but for orders, endpoints and deliveries that the write itself has
// changed; nobody else sees its changes before they are committed, all of them.
type Tx interface {
	Reader
	EventTx

	// InsertOrder stores a new order and its first version; [oms.Conflict] if the id is taken.
	InsertOrder(ctx context.Context, tenant string, o *oms.Order) error
	// UpdateOrder stores the next version of an order read in this write;
	// [oms.Stale] if the order's version is not the one before it.
	UpdateOrder(ctx context.Context, tenant string, o *oms.Order) error
	// EraseOrder removes an order; what else is kept of it goes by EraseSome
	// (API.md, `permanently=true`). Until that is done its id is not free.
	EraseOrder(ctx context.Context, tenant, id string) error
	// EraseSome removes some more of what is kept of the order of an erase job: its
	// versions, history, runs, and the bodies and headers of its attempts and events.
	// What is to be sent of it is canceled. It changes a bounded number of rows,
	// about limit, notes in the job how far it is, and reports whether all is gone.
	EraseSome(ctx context.Context, tenant string, j *oms.Job, limit int) (done bool, err error)
	AddHistory(ctx context.Context, tenant, orderID string, entries ...oms.HistoryEntry) error

	// PutCart stores the next version of a cart read in this write, or
	// the first one of a new cart; [oms.Stale] if the stored version is not the
	// one before.
	PutCart(ctx context.Context, tenant string, c *oms.Cart) error
	DeleteCart(ctx context.Context, tenant, id string) error

	// InsertRun stores a new run, behind all earlier ones of its order.
	InsertRun(ctx context.Context, tenant string, r *oms.Run) error
	UpdateRun(ctx context.Context, tenant string, r *oms.Run) error
	// RequeueRun is UpdateRun for a run that begins anew: it is behind all
	// other runs of its order then.
	RequeueRun(ctx context.Context, tenant string, r *oms.Run) error
	// CarryRuns lets the runs of an order that wait, and know its status as of
	// version from, know it as of version to: all that are for a shipment or a
	// return, and those of the status that the order has now. However many there
	// are, it is one statement.
	CarryRuns(ctx context.Context, tenant, orderID string, from, to int64, status string) error

	// AddAttempt records an attempt, whose id [oms.NewIDAt] made of its start.
	// The request bodies of the attempts of one call are the same and are kept
	// once; that of an attempt with a Delivery is its event's and is not kept.
	AddAttempt(ctx context.Context, tenant string, a *oms.Attempt) error

	// PutSettings stores settings as the next version, whose number it sets;
	// [oms.Stale] if the current version is not base. Secrets that the next version
	// does not refer to any more are retired, those of a restored one in use again.
	// Of places that it removes ([settings.Settings.Removals]) they are destroyed, too:
	// at once, but for those that a run under way may need (Upkeep.DestroySecrets).
	PutSettings(ctx context.Context, tenant string, s *settings.Settings, base int64, by string, at time.Time) error

	// MarkSettingsFromFile notes that a version holds what the settings file of
	// `serve` does; [oms.NotFound] if there is no such version.
	MarkSettingsFromFile(ctx context.Context, tenant string, version int64) error

	// InsertKey stores a key, making its tenant if that is new; [oms.Conflict] if
	// the secret's hash is there already.
	InsertKey(ctx context.Context, k oms.Key) error
	// DeleteKey makes a key worthless; [oms.Conflict] if it is the last one of an
	// admin of its tenant.
	DeleteKey(ctx context.Context, tenant, id string) error

	// PutIdempotency keeps what a POST came to; [oms.Conflict] if the key is
	// in use, which one older than its 24 hours is not.
	PutIdempotency(ctx context.Context, tenant string, i Idempotency) error
}

// Page asks for one page of a list. A page ends early, with a cursor that goes
// on, once its items come to a number of bytes. The work for it is bounded, too:
// where a filter picks few of many, a page has less than was asked for, or
// nothing, and still a cursor. Only a page without a cursor is the last.
type Page struct {
	Limit  int    // at most this many; 0 is DefaultLimit
	Bytes  int    // as stored; the item that brings the page to it is its last. 0 is PageBytes
	Cursor string // NextCursor of the page before; "" asks for the first
}

// Limits of a page (API.md, "Lists").
const (
	DefaultLimit = 50
	MaxLimit     = 200
	PageBytes    = 8 << 20
)

// List is one page, newest first.
type List[T any] struct {
	Items      []T
	Bytes      int    // of the items, as stored
	NextCursor string // "" on the last page
}

// Count is how many things a filter picks. It is not counted to the end where that
// would take long: then there are at least N, and Capped says so.
type Count struct {
	N      int
	Capped bool
}

// MostCounted is the most that a [Count] counts.
const MostCounted = 10_000

// CallSpans are the spans that calls are counted by.
var CallSpans = []time.Duration{time.Minute, 15 * time.Minute}

// Waiting is what a tenant has that is to be done yet.
type Waiting struct {
	Deliveries       Count     // that are pending
	OldestDelivery   time.Time // when the earliest event happened of those that are counted; zero: there are none
	Running, Waiting WaitingRuns
}

// WaitingRuns are the runs of a status that have not ended.
type WaitingRuns struct {
	Count  Count
	Oldest time.Time // when the first of them was created; zero: there are none
}

// Document is an order or a cart in a list: its JSON text as it is stored, which
// is what the API answers with.
type Document struct {
	ID      string
	Created time.Time
	JSON    string
}

// OrderFilter picks orders; an empty field picks all.
type OrderFilter struct {
	Status, MarketID, OrderType, CustomerEmail, StoreID string // compared without regard to case
	SubscriptionID, Tag                                 string // compared exactly
	ExternalID                                          string // one of its external ids, compared exactly
	HasErrors                                           *bool  // whether it has one that is neither Solved nor Deleted; nil: either
	// Text is to be found anywhere in the document's values, without regard to case.
	Text string
	// From and To bound when the order was created: From <= created < To.
	From, To time.Time
	// ModifiedFrom picks the orders that were changed at this time or later.
	ModifiedFrom time.Time
}

// RunFilter picks runs; an empty field picks all.
type RunFilter struct {
	Status  oms.RunStatus
	OrderID string
	// Step is the key or the display name of the step that a run is at, or ended
	// at before it had taken all of them. It is compared without regard to case.
	Step     string
	Canceled *bool // whether its status is canceled; nil: either
	// Current leaves out runs whose order is gone, or has had its status set by
	// others since: nothing is to be done about them.
	Current bool
	// From and To bound when the run was created: From <= created < To.
	From, To time.Time
}

// AttemptFilter picks attempts; an empty field picks all. Host is compared
// without regard to case.
type AttemptFilter struct {
	Kind, CallID, ConnectorID, Host, RunID, Outcome, EventType string
	oms.Related
	Endpoint int64            // its No
	Delivery *oms.DeliveryKey // nil: any
	// Body is a piece of the request's or the response's body, of three
	// characters or more (API.md, "Attempts").
	Body string
	StatusFilter
	MinDuration time.Duration
	From, To    time.Time // From <= startedAt < To
}

// StatusFilter picks by the status of an answer: StatusFrom and StatusTo bound
// it, ends included, and NoStatus picks attempts that had no answer.
type StatusFilter struct {
	StatusFrom, StatusTo int
	NoStatus             bool
}

// SettingsInfo is one version of a tenant's settings.
type SettingsInfo struct {
	Version int64     `json:"version"`
	Created time.Time `json:"created"`
	By      string    `json:"by"`
}

// IdempotencyTTL is how long an Idempotency-Key is honoured (API.md).
const IdempotencyTTL = 24 * time.Hour

// Idempotency is what is kept of a POST that had an Idempotency-Key: no body
// and no answer, only what the same answer can be made from again.
type Idempotency struct {
	Key      string
	Hash     []byte // of the method, path and body
	Resource string // id of what the POST made
	Created  time.Time
}
