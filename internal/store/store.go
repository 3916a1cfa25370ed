// Package store is the interface to the database, which each engine implements. The
// database is the only truth: a run's row is its durable position, and a delivery's row
// is its place in the queue.
//
// Every question names the tenant first. What belongs to another tenant is treated as if
// it did not exist. Errors that the caller caused are *apierr.Error: [apierr.NotFound],
// [apierr.Conflict] and [apierr.Stale]; [apierr.Unavailable] says that the database cannot take a
// write now. Times are in UTC, to the microsecond at least.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

// Store is an open database.
type Store interface {
	Reader
	Maintenance

	// Write runs do on the goroutine of its caller. It returns once all that do has
	// written through tx is durable. do reads what is committed. If that has changed by
	// the time of the commit, do runs again. So do must have no effect except through tx
	// and the variables that it assigns. It must not make requests, wait, call Write, or
	// end its goroutine (as t.Fatal does).
	//
	// If do returns an error or panics, nothing is written. If ctx ends before the commit
	// has begun, nothing is written; after that, Write waits for the commit and returns
	// its result.
	Write(ctx context.Context, do func(tx Tx) error) error

	// Publish is Write for a do that only calls AddEvents. The engine may put several of
	// them together.
	Publish(ctx context.Context, tenant string, events ...*event.Event) error

	// UnfinishedOrders calls each for every order of every tenant that has a run which
	// has not ended. It stops when each returns an error.
	UnfinishedOrders(ctx context.Context, each func(tenant, orderID string) error) error

	// EveryEndpoint calls each for every endpoint of every tenant, except deleted ones,
	// with the version of the tenant's endpoints that it was read at. It stops when each
	// returns an error.
	EveryEndpoint(ctx context.Context, each func(tenant string, e *event.Endpoint, version int64) error) error

	// RunningJobs calls each for every job of every tenant that has not ended.
	RunningJobs(ctx context.Context, each func(tenant string, j *job.Job) error) error

	// Listen sets the listener, which is told what became due. It is called at most once,
	// before any write.
	Listen(l Listener)

	// Watch sets the watcher, which is told what changed. It is called at most once,
	// before any write.
	Watch(w Watcher)

	// Tell has other nodes be told of what commits change, beside what the listener is told
	// of. It is called at most once, before any write.
	Tell(tell func(...nodes.News))

	// Hear is told what other nodes have committed. What is in memory of it is read anew,
	// and the listener and the watcher are told.
	Hear(ctx context.Context, news []nodes.News)

	// KeyByHash finds a key of any tenant by the hash of its secret.
	KeyByHash(ctx context.Context, hash []byte) (access.Key, error)

	// HasKeys reports whether there is a key of any tenant that has not expired.
	HasKeys(ctx context.Context) (bool, error)

	// Session returns the key that a session was made with, by the hash of its token. It
	// is [apierr.NotFound] if the session has expired or was ended, or if its key was
	// deleted. Sessions are read from the database each time, so that one that was ended
	// stops working at once.
	Session(ctx context.Context, tokenHash []byte) (access.Key, error)

	// CreateSession stores a session; [apierr.NotFound] if its key was deleted. If the key
	// has [access.MostSessions] already, the oldest of them ends.
	CreateSession(ctx context.Context, s access.Session) error

	// DeleteSession ends a session. It is no error if the session does not exist.
	DeleteSession(ctx context.Context, tokenHash []byte) error

	// Secrets returns what opens the secrets of the database. Only the package that makes
	// the requests uses it.
	Secrets() *secret.Opener

	// SecretIs reports whether a stored secret has this text.
	SecretIs(ctx context.Context, tenant string, v secret.Value, text string) bool

	// Figures says what the database is doing.
	Figures(ctx context.Context) (Figures, error)
	// OldestAttempt returns when the oldest attempt was made that a tenant has; zero: it has
	// none.
	OldestAttempt(ctx context.Context, tenant string) (time.Time, error)

	// Ping reports whether the database answers and its migrations are done.
	Ping(ctx context.Context) error

	// Close ends all work and closes the database.
	Close() error
}

// Reader is the questions that can be asked both within a write and outside of one.
type Reader interface {
	EventReader

	Order(ctx context.Context, tenant, id string) (*order.Order, error)
	Orders(ctx context.Context, tenant string, f OrderFilter, p Page) (List[Document], error)
	// OrderCount counts the orders that a filter picks. The other Count methods do the
	// same for their lists.
	OrderCount(ctx context.Context, tenant string, f OrderFilter) (Count, error)
	OrderVersion(ctx context.Context, tenant, id string, version int64) (*order.Order, error)
	// OrderUnless is Order for a caller that has a version of the order in memory. It
	// returns nil if the order still has that version, so that the document need not be
	// read and parsed again. A write first assumes that the version in memory is the
	// current one, without asking the database. If that is wrong, the write is overtaken,
	// and the second time it gets the current version.
	OrderUnless(ctx context.Context, tenant string, held *order.Order) (*order.Order, error)
	// History returns the history of an order, the newest entry first. It is empty for an
	// order that does not exist.
	History(ctx context.Context, tenant, orderID string, p Page) (List[order.HistoryEntry], error)

	Cart(ctx context.Context, tenant, id string) (*cart.Cart, error)
	Carts(ctx context.Context, tenant string, p Page) (List[Document], error)

	Run(ctx context.Context, tenant, id string) (*run.Run, error)
	// RunUnless is to Run what OrderUnless is to Order.
	RunUnless(ctx context.Context, tenant, id string, revision int64) (*run.Run, error)
	Runs(ctx context.Context, tenant string, f RunFilter, p Page) (List[*run.Run], error)
	RunCount(ctx context.Context, tenant string, f RunFilter) (Count, error)
	// NextRun returns the first run of the order, in the order of the commits, that has
	// not ended. It returns nil if all have ended.
	NextRun(ctx context.Context, tenant, orderID string) (*run.Run, error)

	Attempt(ctx context.Context, tenant, id string) (*attempt.Attempt, error)
	// Attempts lists the attempts that a filter picks, those that began last first.
	Attempts(ctx context.Context, tenant string, f AttemptFilter, p Page) (List[*attempt.Attempt], error)

	AttemptCount(ctx context.Context, tenant string, f AttemptFilter) (Count, error)

	// Agreements returns how often each shadow agreed with its live step. That of a shadow
	// that is not in the settings any more, or is another one by now, may be among them.
	Agreements(ctx context.Context, tenant string) ([]*attempt.Agreement, error)

	// Waiting returns how much work has not been done yet, and how old it is.
	Waiting(ctx context.Context, tenant string) (Waiting, error)

	// Calls counts the calls that began in each span of a period, by kind and outcome.
	// What would be 0 is left out. The length of a span is one of [CallSpans], and spans
	// begin at multiples of it. The first span is the one that contains from, and the
	// last is the one that contains to. A call is counted in the write that records it,
	// and the counts are retained for [CallsRetention].
	Calls(ctx context.Context, tenant string, from, to time.Time, span time.Duration) ([]attempt.CallCount, error)

	// Settings returns the tenant's settings, with references in place of the secrets. A
	// tenant without settings has empty ones, of version 0. SettingsVersion returns those
	// of any version, 0 included, because a run may have begun with it. The result is
	// shared: it must not be changed.
	Settings(ctx context.Context, tenant string) (*settings.Settings, error)
	SettingsVersion(ctx context.Context, tenant string, version int64) (*settings.Settings, error)
	// DestroyedSecrets returns those secrets that a version of the settings refers to,
	// but that have been destroyed (see PutSettings).
	DestroyedSecrets(ctx context.Context, tenant string, s *settings.Settings) (ids []string, err error)
	SettingsHistory(ctx context.Context, tenant string, p Page) (List[SettingsInfo], error)
	// SettingsFromFile returns the newest version that came from the settings file of
	// `serve`, 0 if there is none.
	SettingsFromFile(ctx context.Context, tenant string) (int64, error)

	// Key returns one key of a tenant; [apierr.NotFound] if the tenant has no key of this
	// id.
	Key(ctx context.Context, tenant, id string) (access.Key, error)
	Keys(ctx context.Context, tenant string, p Page) (List[access.Key], error)

	// Audit lists the entries of the audit log that a filter picks.
	Audit(ctx context.Context, tenant string, f AuditFilter, p Page) (List[access.AuditEntry], error)

	// Idempotency returns what is stored under an Idempotency-Key. It returns nil if
	// nothing is, or if it is older than [IdempotencyTTL].
	Idempotency(ctx context.Context, tenant, key string) (*Idempotency, error)
}

// Why an attempt is not recorded.
var (
	// ErrRecorded is in the error of an attempt that is there already, with all that was
	// written with it.
	ErrRecorded = errors.New("it is there already")
	// ErrNumberTaken is in the error of an attempt whose id another one has. It is to be
	// recorded under another id.
	ErrNumberTaken = errors.New("another one has its id")
)

// Tx is a write in progress. It reads what is committed, except for the orders, endpoints
// and deliveries that this write has changed: these it reads as changed. Nobody else sees
// the changes before they are committed, and then all of them at once.
type Tx interface {
	Reader
	EventTx

	// InsertOrder stores a new order and its first version; [apierr.Conflict] if the id is taken.
	InsertOrder(ctx context.Context, tenant string, o *order.Order) error
	// UpdateOrder stores the next version of an order that was read in this write. It is
	// [apierr.Stale] if the stored version is not the one before it.
	UpdateOrder(ctx context.Context, tenant string, o *order.Order) error
	// EraseOrder removes an order. What else is stored about it is removed in steps, by
	// EraseSome (docs/contract.md#calls-of-the-api). The id cannot be used again until
	// all steps are done.
	EraseOrder(ctx context.Context, tenant, id string) error
	// EraseSome makes one step of an erase job. It removes some of what is stored about
	// the order: its versions, its history, its runs, and the bodies and headers of its
	// attempts and events. Deliveries and calls that are still to be sent are canceled.
	// It changes about limit rows, stores its position in the job, and reports whether
	// everything is removed.
	EraseSome(ctx context.Context, tenant string, j *job.Job, limit int) (done bool, err error)
	AddHistory(ctx context.Context, tenant, orderID string, entries ...order.HistoryEntry) error

	// PutCart stores the next version of a cart that was read in this write, or the first
	// version of a new cart. It is [apierr.Stale] if the stored version is not the one
	// before it.
	PutCart(ctx context.Context, tenant string, c *cart.Cart) error
	DeleteCart(ctx context.Context, tenant, id string) error

	// InsertRun stores a new run at the end of its order queue.
	InsertRun(ctx context.Context, tenant string, r *run.Run) error
	UpdateRun(ctx context.Context, tenant string, r *run.Run) error
	// RequeueRun is UpdateRun for a run that begins again: it moves to the end of its
	// order queue.
	RequeueRun(ctx context.Context, tenant string, r *run.Run) error
	// RebaseRuns changes the status version of waiting runs of an order from one version
	// to another: an own run has changed the status, and the runs behind it must not take
	// that for somebody else's change. It applies to runs that are for a shipment or a
	// return, and to runs of the status that the order has now. It is one statement,
	// however many runs there are.
	RebaseRuns(ctx context.Context, tenant, orderID string, from, to int64, status string) error
	// OvertakeRuns notes on ended runs of an order that their shipment or return, one of
	// scopes, has had its status set by somebody since. UpdateRun takes the note back.
	OvertakeRuns(ctx context.Context, tenant, orderID string, scopes []string) error
	// NoteTry changes no data. It only adds the entry of the audit log that says that
	// somebody ended the wait of a connector's breaker, because breakers are in memory.
	NoteTry(ctx context.Context, tenant, connector string) error
	// NoteInterception is the same for an interception that begins, of the calls that it is
	// about, or that ends; of is nil then.
	NoteInterception(ctx context.Context, tenant, id string, of *access.AuditedInterception) error

	// AddAttempt records an attempt. Its id should have been made by [ids.Numbered] from its
	// start: any other id takes up room in its row. All attempts of a call have the same request body, which is stored once. The
	// body of an attempt at a delivery is that of its event, and is not stored. It is
	// [apierr.Conflict], with [ErrRecorded] or [ErrNumberTaken], if its id is not free, and
	// [apierr.NotFound] if it is of a shadow and its order was erased.
	AddAttempt(ctx context.Context, tenant string, a *attempt.Attempt) error

	// Agreement returns what was counted of a shadow; nil: nothing was. It takes the turn of
	// the shadow, so that calls which end at the same time are counted one after the other.
	Agreement(ctx context.Context, tenant, shadow string) (*attempt.Agreement, error)
	// PutAgreement stores an agreement that was read in this write, or a new one.
	PutAgreement(ctx context.Context, tenant string, a *attempt.Agreement) error
	// DropAgreement removes what was counted of a shadow. It is no error if nothing was.
	DropAgreement(ctx context.Context, tenant, shadow string) error

	// PutSettings stores settings as the next version, and sets their version number. It
	// is [apierr.Stale] if the current version is not base. A secret that the new version
	// does not refer to any more is retired; if a later version restores it, it is in use
	// again. If the new version removes the place of a secret
	// ([settings.Settings.Removals]), the secret is destroyed: at once, or, if a run
	// under way may need it, later (Maintenance.DestroySecrets).
	PutSettings(ctx context.Context, tenant string, s *settings.Settings, base int64, by string, at time.Time) error

	// MarkSettingsFromFile notes that a version has the content of the settings file of
	// `serve`. It is [apierr.NotFound] if there is no such version.
	MarkSettingsFromFile(ctx context.Context, tenant string, version int64) error

	// InsertKey stores a key, and its tenant if that is new. It is [apierr.Conflict] if a
	// key with the same hash exists.
	InsertKey(ctx context.Context, k access.Key) error
	// UpdateKey changes the name, the limit and the expiry of a key as change does, which
	// returns the names of the fields that it changed, and returns the key as it is then.
	UpdateKey(ctx context.Context, tenant, id string, change func(k *access.Key) (changed []string, err error)) (access.Key, error)
	// NoteKeyUses notes when requests came with keys last, by the ids of these. A key that is
	// gone, or was used later already, stays as it is.
	NoteKeyUses(ctx context.Context, tenant string, used map[string]time.Time) error
	// DeleteKey deletes a key. It is [apierr.Conflict] if it is the last admin key of its
	// tenant: nobody could make another one.
	DeleteKey(ctx context.Context, tenant, id string) error

	// PutIdempotency stores what a POST made, under its Idempotency-Key. It is
	// [apierr.Conflict] if the key is in use. A key that is older than [IdempotencyTTL] is
	// not in use any more.
	PutIdempotency(ctx context.Context, tenant string, i Idempotency) error
}

// Page asks for one page of a list. A page ends early, with a cursor for the next one,
// when its items reach a number of bytes. The work for a page is limited, too: where a
// filter picks few of many rows, a page may have fewer items than asked for, or none, and
// still have a cursor. Only a page without a cursor is the last one.
type Page struct {
	Limit  int    // at most this many; 0 is DefaultLimit
	Bytes  int    // the page ends with the item that reaches this size, as stored; 0 is PageBytes
	Cursor string // the NextCursor of the page before; "" asks for the first page
}

// Limits of a page (docs/contract.md#calls-of-the-api).
const (
	DefaultLimit = 50
	MaxLimit     = 200
	PageBytes    = 8 << 20
)

// List is one page of a list, the newest first.
type List[T any] struct {
	Items      []T
	Bytes      int    // of the items, as stored
	NextCursor string // "" on the last page
}

// Count is how many things a filter picks. If counting all would take long, it stops:
// then there are at least N, and Capped is set.
type Count struct {
	N      int
	Capped bool
}

// MostCounted is the most that a [Count] counts.
const MostCounted = 10_000

// CallSpans are the spans that calls are counted by.
var CallSpans = []time.Duration{time.Minute, 15 * time.Minute}

// Waiting is the work of a tenant that has not been done yet.
type Waiting struct {
	Deliveries       Count     // the pending deliveries
	OldestDelivery   time.Time // when the earliest event of those deliveries happened; zero: there are none
	Running, Waiting WaitingRuns
}

// WaitingRuns is the runs of a status that have not ended.
type WaitingRuns struct {
	Count  Count
	Oldest time.Time // when the oldest of them was created; zero: there are none
}

// Document is an order or a cart in a list. Its JSON is the text that is stored, and the
// API answers with that text.
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
	HasErrors                                           *bool  // whether it has an error that is neither Solved nor Deleted; nil: either
	// Text must be somewhere in the values of the document, in any case of letters.
	Text string
	// From and To bound when the order was created: From <= created < To.
	From, To time.Time
	// ModifiedFrom picks the orders that were changed at this time or later.
	ModifiedFrom time.Time
}

// RunFilter picks runs; an empty field picks all.
type RunFilter struct {
	Status  run.RunStatus
	OrderID string
	// Step is the key or the display name of the step that a run is at, or at which it
	// ended before its last step. Upper and lower case are the same.
	Step     string
	Canceled *bool // whether the run was canceled; nil: either
	// Current leaves out the runs that nobody has to act on: the order was erased, or its
	// status was set by somebody else since; the same for the shipment or return of the
	// run; or the same status was entered again, and that run succeeded.
	Current bool
	// From and To bound when the run was created: From <= created < To.
	From, To time.Time
}

// AttemptFilter picks attempts; an empty field picks all. Host is compared
// without regard to case.
type AttemptFilter struct {
	Kind, CallID, ConnectorID, Host, RunID, Outcome, EventType string
	event.Related
	Endpoint int64              // its No
	Delivery *event.DeliveryKey // nil: any
	// Body is a part of the body of the request or of the answer, of three characters or
	// more (docs/contract.md#attempts).
	Body string
	StatusFilter
	MinDuration time.Duration
	From, To    time.Time // From <= startedAt < To
}

// StatusFilter picks by the HTTP status of the answer: StatusFrom <= status <= StatusTo.
// NoStatus picks attempts that had no answer.
type StatusFilter struct {
	StatusFrom, StatusTo int
	NoStatus             bool
}

// SettingsInfo is one version of a tenant's settings.
type SettingsInfo struct {
	Version int64     `json:"version"`
	Created time.Time `json:"created"`
	By      string    `json:"by"`
	KeyName string    `json:"keyName,omitempty" doc:"Of the key that stored it, if that still exists and has a name"` // the store leaves it empty
}
