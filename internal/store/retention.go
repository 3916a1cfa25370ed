package store

import (
	"context"
	"time"
)

// Maintenance is the background work that keeps a database small and quick to search. Its
// methods may take long, so they work in small steps. Between two steps they call yield;
// if that returns an error, they end with it. The steps that are done stay done.
type Maintenance interface {
	// Tenants returns the names of all tenants.
	Tenants(ctx context.Context) ([]string, error)

	// IndexBodies adds some more attempts of a tenant to the index of their bodies. done
	// says that nothing is left to do until more attempts are recorded. Searches find
	// attempts that are not in the index, too, but more slowly.
	IndexBodies(ctx context.Context, tenant string, yield Yield) (done bool, err error)

	// DestroySecrets destroys the secrets whose places were removed from the settings of
	// any tenant, as soon as no unfinished run can need them.
	DestroySecrets(ctx context.Context, yield Yield) error

	// EmptyJournal takes what was erased out of the journal of the database, where it has one
	// that is the store's to empty; otherwise, and where nothing was erased since, it does
	// nothing. It returns false if somebody who reads keeps it from that. Each call may hold
	// up writes for a moment.
	EmptyJournal(ctx context.Context) (done bool, err error)

	// RemoveOld removes the records of one kind that a tenant has from before a time.
	RemoveOld(ctx context.Context, tenant string, what Retained, before time.Time, yield Yield) error
}

// CallsRetention is how long the counts of calls are retained, whatever the settings say
// about the calls themselves: counts contain no personal data.
const CallsRetention = 48 * time.Hour

// Yield is called between two steps of long work, so that other work gets its turn.
type Yield func(ctx context.Context) error

// Retained is a kind of records that are retained for some time and then removed.
type Retained string

// The kinds of records. They are removed in any order: what has to stay because of a record of
// another kind, RemoveOld leaves there until that one is gone.
const (
	// RetainedAttempts is attempts and their bodies, by when the attempts started. One that
	// alone says that its event was sent to its endpoint goes with the event.
	RetainedAttempts Retained = "attempts"
	// RetainedDeliveries is the events of which no delivery is pending, has ended or was
	// attempted since, with their deliveries and the attempts at these.
	RetainedDeliveries Retained = "deliveries"
	// RetainedVersions is earlier versions of orders, by when they were made. The current
	// version of an order stays, and so do all versions while the order has an unfinished
	// run.
	RetainedVersions Retained = "versions"
	// RetainedCalls is the counts of calls, by their minutes. The calls themselves are
	// not removed by it.
	RetainedCalls Retained = "calls"
	// RetainedHistory is history entries by their time.
	RetainedHistory Retained = "history"
	// RetainedRuns is runs that have ended, by when they were made.
	RetainedRuns Retained = "runs"
	// RetainedAudit is entries of the audit log by their time.
	RetainedAudit Retained = "audit"
	// RetainedSessions is sessions by when they expire.
	RetainedSessions Retained = "sessions"
)
