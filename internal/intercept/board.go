// Package intercept hands the calls of chosen steps to a listener in place of their
// endpoint: `orderhook listen --step` on somebody's laptop, which polls for them and brings
// the answers back.
//
// All of it is in the memory of this process. An interception has a lease, which each poll
// renews: when the listener is gone for longer, or the process ends, calls go to the endpoint
// again (docs/contract.md#interceptions). The package knows no database, no HTTP server and
// no run. Leases go by the machine's clock, since they are about connections. Begin to read
// with [Board.Match], which the engine asks, and [Interception.Offer].
package intercept

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
)

const (
	// DefaultLease is how long a listener may be silent.
	DefaultLease = 30 * time.Second
	// MostPerTenant and Most bound how many interceptions there may be at the same time.
	MostPerTenant = 10
	Most          = 100
	// MostCalls bounds the calls of an interception that wait for the listener, or for its
	// answer. Each has a request in memory.
	MostCalls = 50
	// remembered is how long an interception is known that has ended, so that its listener
	// learns how many calls it missed.
	remembered = time.Hour
)

// Board has the interceptions of this process. It is safe for concurrent use.
type Board struct {
	lease time.Duration
	// known is how many there are, those that have ended included.
	known atomic.Int64

	mu     sync.Mutex // of all that follows, and of each interception
	all    map[string][]*Interception
	lost   func(tenant string, s State)
	closed bool
}

// New returns a board whose listeners may be silent for a time; 0: [DefaultLease].
func New(lease time.Duration) *Board {
	if lease == 0 {
		lease = DefaultLease
	}
	return &Board{lease: lease, all: map[string][]*Interception{}}
}

// WhenLost has a function called when an interception ends though nobody asked for that. It must
// not wait, nor ask the board. It is set before anything is intercepted.
func (b *Board) WhenLost(do func(tenant string, s State)) { b.lost = do }

// State is an interception as it is shown.
type State struct {
	ID       string
	Filter   Filter
	By       attempt.Listener // with the id of the interception
	Begun    time.Time
	Until    time.Time // the end of the lease, if nobody polls before
	Ended    time.Time // zero: it goes on
	Why      string    // it ended
	Handed   int       // calls that the listener was given
	Answered int       // of these
	Missed   int       // calls of the filter that went to the endpoint since it ended
}

// Interception is one that goes on, or has ended lately.
type Interception struct {
	board  *Board
	tenant string
	done   chan struct{} // closed when it has ended

	state   State
	polls   int           // that wait now: while there is one, the lease does not end
	timer   *time.Timer   // of the lease
	waiting []*Call       // for a poll, in the order in which they came
	calls   []*Call       // all that have not ended, those that wait among them
	news    chan struct{} // closed, and made anew, when a call begins to wait
}

// Begin begins an interception with a lease. The error is [apierr.TooMany] if there are as
// many as may be.
func (b *Board) Begin(tenant, id string, by attempt.Listener, f Filter) (State, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return State{}, apierr.Errorf(apierr.Unavailable, "orderhook is shutting down")
	}
	b.forget(time.Now())
	all, own := 0, 0
	for of, list := range b.all {
		n := len(slices.DeleteFunc(slices.Clone(list), func(i *Interception) bool { return !i.state.Ended.IsZero() }))
		if all += n; of == tenant {
			own = n
		}
	}
	if own >= MostPerTenant || all >= Most {
		return State{}, apierr.Errorf(apierr.TooMany, "there may be %d interceptions of a tenant and %d of all at a time: end one, or wait until one has ended", MostPerTenant, Most)
	}
	by.InterceptionID = id
	i := &Interception{board: b, tenant: tenant, done: make(chan struct{}), news: make(chan struct{}),
		state: State{ID: id, Filter: f, By: by, Begun: time.Now().UTC()}}
	b.all[tenant] = append(b.all[tenant], i)
	b.known.Add(1)
	i.renew()
	return i.state, nil
}

// NewID returns the id of an interception that is to begin.
func NewID() string { return ids.New(ids.Interception) }

// renew has the lease begin anew. The lock is held.
func (i *Interception) renew() {
	i.state.Until = time.Now().Add(i.board.lease).UTC()
	if i.timer == nil {
		i.timer = time.AfterFunc(i.board.lease, i.lapse)
		return
	}
	i.timer.Reset(i.board.lease)
}

// lapse ends the interception if its lease is over.
func (i *Interception) lapse() {
	i.board.mu.Lock()
	defer i.board.mu.Unlock()
	if i.polls == 0 && i.state.Ended.IsZero() && !time.Now().Before(i.state.Until) {
		i.lose(lostListener)
	}
}

// lose ends the interception, and has that told. The lock is held.
func (i *Interception) lose(why string) {
	i.end(why)
	if b := i.board; b.lost != nil && !b.closed {
		b.lost(i.tenant, i.state)
	}
}

// Why an interception ended.
const (
	removed      = "it was removed"
	lostListener = "the listener was silent for too long"
	closing      = "the server stops"
	// SeveralNodes is why it cannot go on where several nodes share the work.
	SeveralNodes = "several nodes share the work of the database, and only one of them would hand calls to the listener"
	// KeyGone is why it cannot go on without the key that began it.
	KeyGone = "the key that began it was deleted, or has expired"
)

// end ends an interception: calls that wait go to the endpoint, and those that were handed out
// fail. The lock is held.
func (i *Interception) end(why string) {
	i.state.Ended, i.state.Why = time.Now().UTC(), why
	i.timer.Stop()
	i.waiting = nil
	close(i.done)
}

// forget removes what ended long ago, and more than [MostPerTenant] of a tenant that ended. The
// lock is held.
func (b *Board) forget(now time.Time) {
	for tenant, list := range b.all {
		ended := 0
		for _, i := range slices.Backward(list) {
			gone := !i.state.Ended.IsZero()
			if gone {
				ended++
			}
			if gone && (ended > MostPerTenant || now.Sub(i.state.Ended) > remembered) {
				list = slices.DeleteFunc(list, func(o *Interception) bool { return o == i })
				b.known.Add(-1)
			}
		}
		if b.all[tenant] = list; len(list) == 0 {
			delete(b.all, tenant)
		}
	}
}

// Known reports whether there are interceptions, those that have ended included. A caller asks
// before [Board.Match] and [Board.Missed]: nearly always there are none, and then a call costs
// no more than this.
func (b *Board) Known() bool { return b.known.Load() > 0 }

// Match returns the interception that a call of a tenant is to be offered to, the one that
// began first; nil if there is none. Those that have ended are not asked; [Board.Missed] counts
// the call for them, once it goes to the endpoint.
func (b *Board) Match(tenant string, s *Subject) *Interception {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(time.Now())
	for _, i := range b.all[tenant] {
		if i.state.Ended.IsZero() && i.state.Filter.picks(s) {
			return i
		}
	}
	return nil
}

// Missed notes a call that goes to its endpoint, for those interceptions which would have had
// it and have ended.
func (b *Board) Missed(tenant string, s *Subject) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, i := range b.all[tenant] {
		if !i.state.Ended.IsZero() && i.state.Filter.picks(s) {
			i.state.Missed++
		}
	}
}

// find returns an interception of a tenant, also one that has ended. The lock is held.
func (b *Board) find(tenant, id string) (*Interception, error) {
	for _, i := range b.all[tenant] {
		if i.state.ID == id {
			return i, nil
		}
	}
	return nil, apierr.Errorf(apierr.NotFound, "there is no interception %q: those of a server that was restarted are gone", id)
}

// StateOf returns an interception as it is now. The error is [apierr.NotFound] if it is not known.
func (b *Board) StateOf(tenant, id string) (State, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.find(tenant, id)
	if err != nil {
		return State{}, err
	}
	return i.state, nil
}

// List returns the interceptions of a tenant, in the order in which they began; those that
// have ended lately, too.
func (b *Board) List(tenant string) []State {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(time.Now())
	out := make([]State, len(b.all[tenant]))
	for n, i := range b.all[tenant] {
		out[n] = i.state
	}
	return out
}

// End ends an interception that goes on, and reports whether it did. What its listener has
// and has not answered fails, and is tried again as ever.
func (b *Board) End(tenant, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.find(tenant, id)
	if err != nil || !i.state.Ended.IsZero() {
		return false
	}
	i.end(removed)
	return true
}

// Lose ends an interception that goes on, and that nobody asked to end.
func (b *Board) Lose(tenant, id, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, err := b.find(tenant, id); err == nil && i.state.Ended.IsZero() {
		i.lose(why)
	}
}

// LoseOf is Lose for all interceptions that a key has begun.
func (b *Board) LoseOf(tenant, keyID, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, i := range b.all[tenant] {
		if i.state.By.KeyID == keyID && i.state.Ended.IsZero() {
			i.lose(why)
		}
	}
}

// Close ends all interceptions, and lets no other begin. Nobody is told.
func (b *Board) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, list := range b.all {
		for _, i := range list {
			if i.state.Ended.IsZero() {
				i.end(closing)
			}
		}
	}
}
