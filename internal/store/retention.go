package store

import (
	"context"
	"time"
)

// Upkeep is the work that keeps a database small and quick to search. Its
// methods take long and work in small steps: between two of them they call
// rest, whose error ends them. What was done by then stays.
type Upkeep interface {
	// Tenants returns the names of all tenants.
	Tenants(ctx context.Context) ([]string, error)

	// IndexBodies takes some more attempts of a tenant into the index of their
	// bodies; done says that there is nothing to do until more are recorded.
	// Searches find what is not in it as well, but not as fast.
	IndexBodies(ctx context.Context, tenant string, rest Rest) (done bool, err error)

	// DestroySecrets destroys the secrets of places that the settings of any tenant have
	// removed, of which no run that has not ended may need any.
	DestroySecrets(ctx context.Context, rest Rest) error

	// RemoveOld removes what a tenant has of a kind from before a time.
	RemoveOld(ctx context.Context, tenant string, what Kept, before time.Time, rest Rest) error
}

// CallsKept is how long the counts of calls are kept, whatever the settings say of
// the calls: they name nobody.
const CallsKept = 48 * time.Hour

// Rest is called when other work should have its turn.
type Rest func(ctx context.Context) error

// Kept is a kind of what is removed when it is old.
type Kept string

// The kinds, in the order to remove them in.
const (
	// KeptAttempts is attempts by when they started, with their bodies.
	KeptAttempts Kept = "attempts"
	// KeptDeliveries is deliveries that have ended, by when they did, and the
	// events that have no delivery left.
	KeptDeliveries Kept = "deliveries"
	// KeptVersions is earlier versions of orders, by when they were made. The
	// current one stays, and all while the order has a run that has not ended.
	KeptVersions Kept = "versions"
	// KeptCalls is the counts of calls, by their minutes; the calls themselves stay.
	KeptCalls Kept = "calls"
	// KeptHistory is history entries by their time.
	KeptHistory Kept = "history"
	// KeptRuns is runs that have ended, by when they were made.
	KeptRuns Kept = "runs"
	// KeptAudit is entries of the audit log by their time.
	KeptAudit Kept = "audit"
	// KeptSessions is sessions by when they expire.
	KeptSessions Kept = "sessions"
)
