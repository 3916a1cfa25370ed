// Package upkeep does what the database needs while it serves: it takes
// recorded bodies into the index that searches them, destroys secrets that were
// removed, and removes what is older than its tenant wants it kept. One goroutine does it all in small steps, and
// rests after each, so that traffic is not held up.
package upkeep

import (
	"context"
	"log/slog"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Store is what upkeep needs of a store.
type Store interface {
	store.Upkeep
	Settings(ctx context.Context, tenant string) (*settings.Settings, error)
}

// Options of the upkeep. Store is needed.
type Options struct {
	Store Store
	Clock clock.Clock  // nil: the machine's
	Log   *slog.Logger // nil: no log
}

const (
	// indexEvery is how often it is looked whether there is something to index.
	indexEvery = time.Second
	// removeEvery is how often old things are removed, firstRemoval when after
	// the start: that has enough to do.
	removeEvery  = time.Hour
	firstRemoval = time.Minute
	// restFor is how many times as long as it worked the goroutine rests, and
	// longestRest the most of that. While the index falls behind, for busyRounds
	// in a row, it rests less: measured, a quarter of a core's time keeps up with
	// all that one machine delivers, and a tenth costs the deliveries less.
	restFor     = 9
	busyRestFor = 3
	busyRounds  = 8
	longestRest = time.Second
	// After an error it waits for a while, and longer after each that follows.
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// Upkeep is the work that goes on.
type Upkeep struct {
	Options
	cancel context.CancelFunc
	ended  chan struct{}

	// What follows is the goroutine's own.
	resumed time.Time // when the last rest ended
	index   time.Time // when to look next whether there is something to index
	removal time.Time // when to remove next what is old
	rounds  int       // how often in a row there was more to index
}

// Start starts the upkeep.
func Start(o Options) *Upkeep {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	u := &Upkeep{Options: o, cancel: cancel, ended: make(chan struct{})}
	u.removal = o.Clock.Now().Add(firstRemoval)
	go u.loop(ctx)
	return u
}

// Stop ends the upkeep and returns once the step under way is over, however
// little time is left: the store is closed next. Steps are short, and their
// context has ended.
func (u *Upkeep) Stop() {
	u.cancel()
	<-u.ended
}

func (u *Upkeep) loop(ctx context.Context) {
	defer close(u.ended)
	for wait, failures := indexEvery, 0; clock.Pause(ctx, u.Clock, wait) == nil; {
		u.resumed = u.Clock.Now()
		err := u.work(ctx)
		if err == nil {
			wait, failures = indexEvery, 0
			continue
		}
		if failures == 0 && ctx.Err() == nil {
			u.Log.Warn("the upkeep of the database failed, and is tried again", "error", err)
		}
		wait = min(firstBackoff<<min(failures, 10), lastBackoff)
		failures++
	}
}

// work does what there is to do now. It looks for secrets to destroy each time: a run
// that was the last to need one may have ended.
func (u *Upkeep) work(ctx context.Context) error {
	for {
		done, err := u.indexSome(ctx)
		if err != nil {
			return err
		}
		if err := u.Store.DestroySecrets(ctx, u.rest); err != nil {
			return err
		}
		if !u.Clock.Now().Before(u.removal) {
			if err := u.removeOld(ctx); err != nil {
				return err
			}
			u.removal = u.Clock.Now().Add(removeEvery)
		}
		if done {
			return nil
		}
	}
}

// indexSome takes one segment's worth of each tenant's bodies into the index,
// and reports whether there are no more.
func (u *Upkeep) indexSome(ctx context.Context) (done bool, err error) {
	u.index = u.Clock.Now().Add(indexEvery)
	tenants, err := u.Store.Tenants(ctx)
	if err != nil {
		return false, err
	}
	done = true
	for _, tenant := range tenants {
		nothing, err := u.Store.IndexBodies(ctx, tenant, u.rest)
		if err != nil {
			return false, err
		}
		done = done && nothing
	}
	if u.rounds++; done {
		u.rounds = 0
	}
	return done, nil
}

// removeOld removes what is old of all tenants.
func (u *Upkeep) removeOld(ctx context.Context) error {
	tenants, err := u.Store.Tenants(ctx)
	for _, tenant := range tenants {
		if err == nil {
			err = u.removeOldOf(ctx, tenant)
		}
	}
	return err
}

func (u *Upkeep) removeOldOf(ctx context.Context, tenant string) error {
	s, err := u.Store.Settings(ctx, tenant)
	if err != nil {
		return err
	}
	now, kept := u.Clock.Now(), s.Retention
	for _, k := range []struct {
		what store.Kept
		age  time.Duration
	}{
		{store.KeptAttempts, kept.Attempts},
		{store.KeptDeliveries, kept.Attempts},
		{store.KeptVersions, kept.Versions},
		{store.KeptHistory, kept.History},
		{store.KeptRuns, kept.Runs},
		{store.KeptCalls, store.CallsKept},
		{store.KeptAudit, kept.Audit},
	} {
		if k.age == 0 {
			continue
		}
		if err := u.Store.RemoveOld(ctx, tenant, k.what, now.Add(-k.age), u.restAndIndex); err != nil {
			return err
		}
	}
	return u.Store.RemoveOld(ctx, tenant, store.KeptSessions, now, u.restAndIndex)
}

// restAndIndex is rest for work that may take hours, while which the index must
// not fall behind.
func (u *Upkeep) restAndIndex(ctx context.Context) error {
	if err := u.rest(ctx); err != nil || u.Clock.Now().Before(u.index) {
		return err
	}
	_, err := u.indexSome(ctx)
	return err
}

// rest sleeps several times as long as was worked since the last rest.
func (u *Upkeep) rest(ctx context.Context) error {
	worked, factor := max(u.Clock.Now().Sub(u.resumed), 0), time.Duration(restFor)
	if u.rounds > busyRounds {
		factor = busyRestFor
	}
	err := clock.Pause(ctx, u.Clock, min(worked*factor, longestRest))
	u.resumed = u.Clock.Now()
	return err
}
