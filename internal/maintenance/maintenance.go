// Package maintenance does the maintenance of the database while the server runs: it adds
// recorded bodies to the index for searches, destroys secrets that were removed, and
// removes records that are older than their tenant wants. One goroutine does all of it,
// in small steps with pauses, so that requests and deliveries are not held up. It knows no
// SQL: what a step does is in the store, and when and how fast is decided here. Begin to
// read with work.
package maintenance

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Store is the part of the store that the maintenance needs.
type Store interface {
	store.Maintenance
	Settings(ctx context.Context, tenant string) (*settings.Settings, error)
}

// Options of the maintenance. Only Store is required. Tests give it a clock; everywhere else the
// system's is right.
type Options struct {
	Store Store
	Clock clock.Clock // of its pauses; nil: the system clock
	// Now is the time that records are removed by, the database's where several nodes work
	// with it; nil: that of the Clock.
	Now func() time.Time
	Log *slog.Logger // nil: no log
}

const (
	// indexEvery is how often the maintenance looks for bodies that are not in the index.
	indexEvery = time.Second
	// removeEvery is how often old records are removed. firstRemoval is when that is done
	// first after the start, which has enough other work.
	removeEvery  = time.Hour
	firstRemoval = time.Minute
	// After each step the goroutine pauses for pauseFactor times as long as it worked,
	// and at most for longestPause. If there was more to index for more than busyRounds rounds
	// in a row, the index falls behind, and the factor is busyPauseFactor. Measured: with a
	// quarter of a core the index fell behind a machine that delivered as fast as it could,
	// and with half of one it keeps up and the deliveries are not slower. A tenth is enough
	// for all others, and is noticed less.
	pauseFactor     = 9
	busyPauseFactor = 1
	busyRounds      = 1
	longestPause    = time.Second
	// While somebody reads what is in the journal, as a backup does, it is tried again after
	// firstJournal, and then after longer pauses: each try may hold up writes for a moment.
	firstJournal = time.Second
	lastJournal  = 30 * time.Second
	// After an error it waits, and after each further error longer.
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// Worker is the running maintenance. Start makes it, and it lives until Stop. It is not
// started again.
type Worker struct {
	Options
	cancel context.CancelFunc
	ended  chan struct{}

	// The fields below are used by the goroutine alone.
	resumed time.Time // when the last pause ended
	index   time.Time // when to look for bodies to index next
	removal time.Time // when to remove old records next
	journal time.Time // when to empty the journal next, if anything was erased
	held    int       // how often in a row a reader kept the journal from being emptied
	rounds  int       // how many rounds in a row found more to index
}

// Start starts the maintenance in the background, by a lease.
func Start(by nodes.Lease, o Options) *Worker {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Now == nil {
		o.Now = o.Clock.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(nodes.Under(context.Background(), by)) // it ends with Stop, not with the start
	u := &Worker{Options: o, cancel: cancel, ended: make(chan struct{})}
	u.removal = o.Clock.Now().Add(firstRemoval)
	go u.loop(ctx)
	return u
}

// Stop ends the maintenance. It returns only after the present step has ended, because the
// store is closed next. That is soon: steps are short, and their context has ended.
func (u *Worker) Stop() {
	u.cancel()
	<-u.ended
}

// hasEnded reports whether the last step has ended.
func (u *Worker) hasEnded() bool {
	select {
	case <-u.ended:
		return true
	default:
		return false
	}
}

// loop is the goroutine of a Worker. It ends with its context, and an error does not end it.
func (u *Worker) loop(ctx context.Context) {
	defer close(u.ended)
	for wait, failures := indexEvery, 0; clock.Pause(ctx, u.Clock, wait) == nil; {
		u.resumed = u.Clock.Now()
		err := u.work(ctx)
		if err == nil {
			wait, failures = indexEvery, 0
			continue
		}
		// Only the first error in a row is logged, so that a database that is down does not
		// fill the log.
		if failures == 0 && ctx.Err() == nil {
			u.Log.Warn("the maintenance of the database failed, and is tried again", "error", err)
		}
		// The shift is bounded, since a large one would overflow.
		wait = min(firstBackoff<<min(failures, 10), lastBackoff)
		failures++
	}
}

// work does all that is to be done now. It looks for secrets to destroy each time,
// because the last run that needed one may have ended since.
func (u *Worker) work(ctx context.Context) error {
	for {
		if err := u.emptyJournal(ctx); err != nil {
			return err
		}
		done, err := u.indexSome(ctx)
		if err != nil {
			return err
		}
		if err := u.Store.DestroySecrets(ctx, u.yield); err != nil {
			return fmt.Errorf("destroy secrets: %w", err)
		}
		if !u.Clock.Now().Before(u.removal) {
			if err := u.removeOld(ctx); err != nil {
				return err
			}
			// It is set after the removal, so that a pause of removeEvery follows even a
			// removal of hours.
			u.removal = u.Clock.Now().Add(removeEvery)
		}
		// There is more to index, so the next round follows at once. The pauses are in the
		// steps.
		if done {
			return nil
		}
	}
}

// indexSome adds one segment of bodies of each tenant to the index, and reports whether
// nothing is left.
func (u *Worker) indexSome(ctx context.Context) (done bool, err error) {
	u.index = u.Clock.Now().Add(indexEvery)
	tenants, err := u.Store.Tenants(ctx)
	if err != nil {
		return false, fmt.Errorf("read the tenants: %w", err)
	}
	done = true
	for _, tenant := range tenants {
		nothing, err := u.Store.IndexBodies(ctx, tenant, u.yield)
		// A tenant with much to index takes one segment a round, so that the others have
		// their turn.
		if err != nil {
			return false, fmt.Errorf("index the bodies of tenant %s: %w", tenant, err)
		}
		done = done && nothing
	}
	if u.rounds++; done {
		u.rounds = 0
	}
	return done, nil
}

// removeOld removes the old records of all tenants.
func (u *Worker) removeOld(ctx context.Context) error {
	tenants, err := u.Store.Tenants(ctx)
	if err != nil {
		return fmt.Errorf("read the tenants: %w", err)
	}
	for _, tenant := range tenants {
		if err := u.removeOldOf(ctx, tenant); err != nil {
			return fmt.Errorf("remove what is old of tenant %s: %w", tenant, err)
		}
	}
	return nil
}

// removeOldOf removes what is older than the tenant's settings say. A span of 0 means that
// the records are kept for ever.
func (u *Worker) removeOldOf(ctx context.Context, tenant string) error {
	s, err := u.Store.Settings(ctx, tenant)
	if err != nil {
		return fmt.Errorf("read how long it is kept: %w", err)
	}
	now, retention := u.Now(), s.Retention
	for _, k := range []struct {
		what store.Retained
		age  time.Duration
	}{
		{store.RetainedAttempts, retention.Attempts},
		{store.RetainedDeliveries, retention.Attempts},
		{store.RetainedVersions, retention.Versions},
		{store.RetainedHistory, retention.History},
		{store.RetainedRuns, retention.Runs},
		{store.RetainedCalls, store.CallsRetention},
		{store.RetainedAudit, retention.Audit},
	} {
		if k.age == 0 {
			continue
		}
		if err := u.Store.RemoveOld(ctx, tenant, k.what, now.Add(-k.age), u.yieldAndIndex); err != nil {
			return fmt.Errorf("%s: %w", k.what, err)
		}
	}
	// Sessions say themselves when they end, whatever the settings are.
	if err := u.Store.RemoveOld(ctx, tenant, store.RetainedSessions, now, u.yieldAndIndex); err != nil {
		return fmt.Errorf("%s: %w", store.RetainedSessions, err)
	}
	return nil
}

// yieldAndIndex is yield for work that may take hours: the index must not fall behind
// during that time.
func (u *Worker) yieldAndIndex(ctx context.Context) error {
	if err := u.yield(ctx); err != nil || u.Clock.Now().Before(u.index) {
		return err
	}
	_, err := u.indexSome(ctx)
	return err
}

// yield pauses for several times as long as the goroutine has worked since its last
// pause.
func (u *Worker) yield(ctx context.Context) error {
	// A clock that was set back must not make the pause negative.
	worked, factor := max(u.Clock.Now().Sub(u.resumed), 0), time.Duration(pauseFactor)
	if u.rounds > busyRounds {
		factor = busyPauseFactor
	}
	// A long step must not be followed by a pause of minutes, in which nothing is indexed.
	err := clock.Pause(ctx, u.Clock, min(worked*factor, longestPause))
	// The work that is under way may take hours, and what was erased has to go soon.
	if err == nil {
		err = u.emptyJournal(ctx)
	}
	u.resumed = u.Clock.Now()
	return err
}

// emptyJournal takes what was erased out of the journal, too, or tries to.
func (u *Worker) emptyJournal(ctx context.Context) error {
	if u.Clock.Now().Before(u.journal) {
		return nil
	}
	done, err := u.Store.EmptyJournal(ctx)
	if err != nil {
		return fmt.Errorf("take what was erased out of the journal: %w", err)
	}
	if done {
		u.held = 0
		return nil
	}
	u.journal = u.Clock.Now().Add(min(firstJournal<<min(u.held, 10), lastJournal))
	u.held++
	return nil
}
