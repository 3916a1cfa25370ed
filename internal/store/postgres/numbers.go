package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store/core"
)

// blockOf is how many numbers one value of the sequence stands for, and with it the most
// that one call can have in a row. Those that are left of a block are not used: they
// would be lower than what another node got since.
const blockOf = 1000

// numbers has those who want numbers at the same time ask the server once. Whoever asks has
// read before what it decides on; so its number is larger than all that were given away to
// those who committed before. A block is joined only until the server is asked: a number of
// an older answer could be lower than one that another node got since.
type numbers struct {
	asking sync.Mutex // held by who asks the server: the others join the next block meanwhile

	mu   sync.Mutex
	next *block // that others may still join; nil: none
}

// block is one value of the sequence, for those who joined. The one who made it fetches it.
type block struct {
	taken int
	ready chan struct{} // closed once first, or err, is there
	first int64
	err   error
}

// Numbers implements [core.Engine]. A write cannot have more numbers than a block, so it is
// refused if it makes more events.
func (e *engine) Numbers(ctx context.Context, n int) (int64, error) {
	if n > blockOf {
		return 0, apierr.Errorf(apierr.TooLarge, "a write makes %d events, of which it may make %d", n, blockOf)
	}
	b, at, leads := e.numbers.join(n)
	if leads {
		e.fetch(ctx, b)
	}
	select {
	case <-b.ready:
		return b.first + int64(at), b.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// join takes a part of the block that is gathered, or begins another one. at is where the
// part begins. Whoever begins one leads: it has to fetch the block, for all who join it.
func (s *numbers) join(n int) (b *block, at int, leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A block that has too few numbers left is still fetched by who made it; the next one
	// is another.
	if s.next == nil || s.next.taken+n > blockOf {
		s.next, leads = &block{ready: make(chan struct{})}, true
	}
	b, at = s.next, s.next.taken
	b.taken += n
	return b, at, leads
}

// fetch asks for the block. The others of the block wait for it, too: so the context of the
// one that fetches does not end it. While one block is asked for, the next one is gathered.
func (e *engine) fetch(ctx context.Context, b *block) {
	defer close(b.ready)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), numberTime)
	defer cancel()
	e.numbers.asking.Lock()
	defer e.numbers.asking.Unlock()
	e.numbers.mu.Lock()
	// From here on nobody joins this block: whoever comes now may have read something
	// newer.
	if e.numbers.next == b {
		e.numbers.next = nil
	}
	e.numbers.mu.Unlock()
	var value int64
	b.err = e.Query(ctx, func(r core.Row) error { return r.Scan(&value) }, `SELECT nextval('event_numbers')`)
	if errors.Is(b.err, context.DeadlineExceeded) {
		b.err = unavailable("the database does not answer", b.err)
	}
	// LastNumber, ValueAbove and the piece {newestevent} compute with this, too.
	b.first = value*blockOf + 1
}

// numberTime bounds how long numbers are waited for.
const numberTime = 30 * time.Second

const (
	awaitTime  = time.Second
	awaitEvery = 5 * time.Millisecond

	// selectUnderWay lists the transactions of this database that write. A transaction has
	// an id before it writes anything else (commit.go).
	selectUnderWay = `SELECT coalesce(string_agg(l.transactionid::text, ' '), '') FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND a.datname = current_database()`
)

// EmptyJournal implements [core.Engine]. The log is the server's, and so is what overwrites the
// bytes of rows that are gone (docs/operating.md#on-a-postgresql-server).
func (e *engine) EmptyJournal(context.Context) (bool, error) { return true, nil }

// AwaitOthers implements [core.Engine]. It compares the ids of the transactions that write
// now with those that write a moment later. It gives up after awaitTime: an administrator
// may have left a transaction open.
func (e *engine) AwaitOthers(ctx context.Context) (bool, error) {
	begun, err := e.underWay(ctx)
	now := begun
	for range awaitTime / awaitEvery {
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(begun, func(id string) bool { return slices.Contains(now, id) }) {
			return true, nil
		}
		select {
		case <-time.After(awaitEvery):
			now, err = e.underWay(ctx)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return false, err
}

// underWay returns the ids of the transactions that write now, of all nodes.
func (e *engine) underWay(ctx context.Context) ([]string, error) {
	var ids string
	err := e.Query(ctx, func(r core.Row) error { return r.Scan(&ids) }, selectUnderWay)
	return strings.Fields(ids), err
}
