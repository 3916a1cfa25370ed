package maintenance

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// keyUseEvery is how long the uses of keys stay in memory before they are stored. A write for
// each request would cost more than most requests do.
const keyUseEvery = time.Minute

// KeyUses stores when each key was used last, all of a minute in one write for each tenant.
// A process that dies loses what it has of the last minute. It is safe for concurrent use.
// Its ctx is that of the writes, and ends when Stop gives up or is done.
type KeyUses struct {
	store  store.Store
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc

	storing sync.Mutex // held while uses are stored, so that Stop waits for it
	// mu guards the fields below. It is held only for moments, so that requests do not wait
	// for the database.
	mu      sync.Mutex
	used    map[string]map[string]time.Time // by tenant and key
	timer   *time.Timer                     // nil: nothing waits to be stored
	stopped bool
}

// NewKeyUses returns a KeyUses that has to be stopped.
func NewKeyUses(ctx context.Context, st store.Store, log *slog.Logger) *KeyUses {
	u := &KeyUses{store: st, log: log, used: map[string]map[string]time.Time{}}
	u.ctx, u.cancel = context.WithCancel(store.Background.Mark(context.WithoutCancel(ctx))) // it ends with Stop, not with the start
	return u
}

// Note notes that a request came with a key. It returns at once.
func (u *KeyUses) Note(tenant, id string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.note(tenant, id, at)
}

// note is Note for callers that hold mu.
func (u *KeyUses) note(tenant, id string, at time.Time) {
	// A use that comes after Stop is lost, as there is nobody who would store it.
	if u.stopped {
		return
	}
	if u.used[tenant] == nil {
		u.used[tenant] = map[string]time.Time{}
	}
	// Requests may end in another order than they came, and the latest use counts.
	if at.After(u.used[tenant][id]) {
		u.used[tenant][id] = at
	}
	// The timer starts with the first use, so a server that nobody uses writes nothing.
	if u.timer == nil {
		u.timer = time.AfterFunc(keyUseEvery, u.flush)
	}
}

// flush stores what was noted. What the database does not take is stored a minute later.
func (u *KeyUses) flush() {
	u.storing.Lock()
	defer u.storing.Unlock()
	// The map is taken out as a whole, so that requests go on with an empty one meanwhile.
	u.mu.Lock()
	used := u.used
	u.used, u.timer = map[string]map[string]time.Time{}, nil
	u.mu.Unlock()
	// Each tenant has a write of its own, so that one that fails does not undo the others.
	for tenant, keys := range used {
		err := u.store.Write(u.ctx, func(tx store.Tx) error { return tx.NoteKeyUses(u.ctx, tenant, keys) })
		if err == nil {
			continue
		}
		// After Stop has given up, the error is expected, and is not logged.
		if u.ctx.Err() == nil {
			u.log.Warn("when keys were used last cannot be stored yet", "tenant", tenant, "keys", len(keys), "error", err)
		}
		// What failed goes back into the map, where a later use of the same key wins.
		u.mu.Lock()
		for id, at := range keys {
			u.note(tenant, id, at)
		}
		u.mu.Unlock()
	}
}

// Stop stores what was noted, and ends. Until ctx ends it waits for the database.
func (u *KeyUses) Stop(ctx context.Context) {
	defer u.cancel()
	// A database that hangs must not hold up the end of the process: the write ends with ctx.
	defer context.AfterFunc(ctx, u.cancel)()
	u.mu.Lock()
	u.stopped = true
	// If the timer has fired already, flush waits for the write that it has begun.
	if u.timer != nil {
		u.timer.Stop()
	}
	u.mu.Unlock()
	u.flush()
}
