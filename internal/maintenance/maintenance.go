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
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Store is the part of the store that the upkeep needs.
type Store interface {
	store.Upkeep
	Settings(ctx context.Context, tenant string) (*settings.Settings, error)
}

// Options of the upkeep. Only Store is required. Tests give it a clock; everywhere else the
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
	// indexEvery is how often the upkeep looks for bodies that are not in the index.
	indexEvery = time.Second
	// removeEvery is how often old records are removed. firstRemoval is when that is done
	// first after the start, which has enough other work.
	removeEvery  = time.Hour
	firstRemoval = time.Minute
	// aheadEvery is how often the database is made ready for the time that comes, aheadAgain
	// when that is tried again after an error.
	aheadEvery = 10 * time.Minute
	aheadAgain = time.Minute
	// After each step the goroutine pauses for pauseFactor times as long as it worked,
	// and at most for longestPause. If there was more to index for busyRounds rounds in a
	// row, the index falls behind, and the factor is busyPauseFactor. Measured: a quarter
	// of a core keeps up with all that one machine delivers, and a tenth slows the
	// deliveries less.
	pauseFactor     = 9
	busyPauseFactor = 3
	busyRounds      = 8
	longestPause    = time.Second
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
	ahead   time.Time // when to have the database ready for what comes next
	rounds  int       // how many rounds in a row found more to index
}

// Start starts the upkeep in the background, by a lease.
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

// Stop ends the upkeep. It returns only after the present step has ended, because the
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
			u.Log.Warn("the upkeep of the database failed, and is tried again", "error", err)
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
		if err := u.makeAhead(ctx); err != nil {
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

// makeAhead has the database ready for the time that comes, now and then. Where that fails,
// the rest of the maintenance goes on: what is not ready then is made when it is needed.
func (u *Worker) makeAhead(ctx context.Context) error {
	if u.Clock.Now().Before(u.ahead) {
		return nil
	}
	_, longest, err := u.retentions(ctx)
	if err != nil {
		return err
	}
	u.ahead = u.Clock.Now().Add(aheadEvery)
	if err := u.Store.MakeAhead(ctx, u.Now(), longest); err != nil {
		u.ahead = u.Clock.Now().Add(aheadAgain)
		u.Log.Warn("the database could not be made ready for the records of the time that comes, which is tried again", "error", err)
	}
	return ctx.Err()
}

// retained is how long the records of a tenant are retained.
type retained struct {
	tenant string
	settings.Retention
}

// retentions returns how long each tenant's records are retained, and the longest that any
// retains attempts; 0: one does for good.
func (u *Worker) retentions(ctx context.Context) (all []retained, longest time.Duration, err error) {
	tenants, err := u.Store.Tenants(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("read the tenants: %w", err)
	}
	for _, tenant := range tenants {
		s, err := u.Store.Settings(ctx, tenant)
		if err != nil {
			return nil, 0, fmt.Errorf("read how long records of tenant %s are kept: %w", tenant, err)
		}
		all = append(all, retained{tenant, s.Retention})
		longest = max(longest, s.Retention.Attempts)
	}
	if len(all) == 0 { // the first one begins with settings that say nothing
		return nil, settings.Empty().Retention.Attempts, nil
	}
	if slices.ContainsFunc(all, func(r retained) bool { return r.Attempts == 0 }) {
		longest = 0
	}
	return all, longest, nil
}

// removeOld removes the old records of all tenants. What is old to all is dropped as a whole
// first; the tenants that retain attempts the longest leave theirs to that.
func (u *Worker) removeOld(ctx context.Context) error {
	all, longest, err := u.retentions(ctx)
	if err != nil {
		return err
	}
	before := time.Time{} // nothing is
	if longest > 0 {
		before = u.Now().Add(-longest)
	}
	rest, err := u.Store.DropOld(ctx, before, u.yieldAndIndex)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		u.Log.Warn("old records could not be dropped, which is tried again", "error", err)
	}
	for _, r := range all {
		if err := u.removeOldOf(ctx, r, longest, rest); err != nil {
			return fmt.Errorf("remove what is old of tenant %s: %w", r.tenant, err)
		}
	}
	return nil
}

// removeOldOf removes what is older than the tenant's settings say. A span of 0 means that
// the records are kept for ever.
func (u *Worker) removeOldOf(ctx context.Context, retention retained, longest time.Duration, rest time.Time) error {
	now, tenant := u.Now(), retention.tenant
	attempts := now.Add(-retention.Attempts)
	if retention.Attempts == longest && rest.Before(attempts) {
		attempts = rest
	}
	for _, k := range []struct {
		what store.Retained
		age  time.Duration
		from time.Time
	}{
		{store.RetainedAttempts, retention.Attempts, attempts},
		{store.RetainedDeliveries, retention.Attempts, attempts},
		{store.RetainedVersions, retention.Versions, now.Add(-retention.Versions)},
		{store.RetainedHistory, retention.History, now.Add(-retention.History)},
		{store.RetainedRuns, retention.Runs, now.Add(-retention.Runs)},
		{store.RetainedCalls, store.CallsRetention, now.Add(-store.CallsRetention)},
		{store.RetainedAudit, retention.Audit, now.Add(-retention.Audit)},
	} {
		if k.age == 0 {
			continue
		}
		if err := u.Store.RemoveOld(ctx, tenant, k.what, k.from, u.yieldAndIndex); err != nil {
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
	u.resumed = u.Clock.Now()
	return err
}
