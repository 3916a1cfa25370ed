package admission

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// Large is how many bytes of JSON a document has at least that is worked on in
// turn. To read one of this size, change it and write it again takes about as long
// as the scheduler lets a goroutine run, 10 ms: whatever takes longer keeps others
// from a processor.
const Large = 256 << 10

// Work has large documents worked on in turn: only so many goroutines at a time
// read, compare and encode them. So a processor is left for everybody else, and
// memory is bounded: a document takes up to thirty times its size while it is
// worked on. Nobody is refused. Who has to wait does so behind its own tenant's
// work first, so that one tenant has no more than its share of what is under way
// or next. Where the system lets it (see [CanLower]), the work is done by threads of
// low priority. It is safe for concurrent use.
type Work struct {
	all   *semaphore.Weighted
	each  int64 // slots of one tenant
	lower func() (restore func())

	mu      sync.Mutex
	tenants map[string]*share // of those that have work under way, or waiting
	figures WorkFigures
}

// WorkFigures are how many tasks have a slot, and how many wait for one.
type WorkFigures struct{ Working, Waiting int }

// Figures returns how things stand now.
func (w *Work) Figures() WorkFigures {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.figures
}

// share is one tenant's part of the work.
type share struct {
	slots *semaphore.Weighted
	users int
}

// mostAtOnce bounds the memory of large documents on machines of many processors:
// 4 documents of 10 MiB take some 1.2 GiB.
const mostAtOnce = 4

// worked is when anybody had a slot last, in Unix nanoseconds.
var worked atomic.Int64

// WorkedSince reports whether large documents are, or were, worked on in this process
// within so long a time.
func WorkedSince(within time.Duration) bool {
	return slots.Load() > 0 || time.Since(time.Unix(0, worked.Load())) < within
}

// slots is how many are taken, of all Works of this process.
var slots atomic.Int64

// processors is how many there are for this process, before anybody has asked for
// more threads than that.
var processors = runtime.GOMAXPROCS(0)

// DefaultAtOnce is how many large documents are worked on at a time: half as many
// as there are processors.
func DefaultAtOnce() int { return min(mostAtOnce, max(1, processors/2)) }

// NewWork returns a Work that lets so many goroutines work at a time, and half as
// many of one tenant.
func NewWork(atOnce int) *Work {
	w := &Work{all: semaphore.NewWeighted(int64(atOnce)), each: int64(max(1, atOnce/2)), lower: func() func() { return func() {} }, tenants: map[string]*share{}}
	if CanLower() {
		w.lower = lower
	}
	return w
}

// task is what one goroutine does for a tenant: it answers a request, or advances
// a run. It has a slot only while it works on large documents and waits for
// nothing else; so no task waits for a slot of one that waits for it. It is of one
// goroutine, and not safe for concurrent use.
type task struct {
	work   *Work
	tenant string

	large bool   // it works on large documents
	end   func() // gives its slot back; nil while it has none
}

type taskKey struct{}

// Task returns a context for what is done for a tenant until end is called.
// [Begin] and [Pause] do nothing with a context of no task.
func (w *Work) Task(ctx context.Context, tenant string) (_ context.Context, end func()) {
	t := &task{work: w, tenant: tenant}
	return context.WithValue(ctx, taskKey{}, t), t.pause
}

func taskOf(ctx context.Context) *task {
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}

// Begin is to be called before work on a document of so many bytes, and before a
// task goes on after [Pause], with 0. It waits for a slot if that document is large,
// or one before it was, and the task has no slot yet. The error is that of ctx, if
// it ends before.
func Begin(ctx context.Context, bytes int) error {
	t := taskOf(ctx)
	if t == nil || bytes < Large && !t.large {
		return nil
	}
	t.large = true
	if t.end != nil {
		return nil
	}
	end, err := t.work.acquire(ctx, t.tenant)
	t.end = end
	return err
}

// Pause gives the slot of the task back. It is to be called before a task waits
// for anything: for others, for the database to commit, for a network.
func Pause(ctx context.Context) {
	if t := taskOf(ctx); t != nil {
		t.pause()
	}
}

func (t *task) pause() {
	if t.end != nil {
		t.end()
		t.end = nil
	}
}

// acquire waits for a slot; release gives it back.
func (w *Work) acquire(ctx context.Context, tenant string) (release func(), err error) {
	mine := w.join(tenant)
	if err := mine.slots.Acquire(ctx, 1); err != nil {
		w.leave(tenant, &w.figures.Waiting)
		return nil, err
	}
	if err := w.all.Acquire(ctx, 1); err != nil {
		mine.slots.Release(1)
		w.leave(tenant, &w.figures.Waiting)
		return nil, err
	}
	w.mu.Lock()
	w.figures.Waiting--
	w.figures.Working++
	w.mu.Unlock()
	slots.Add(1)
	restore := w.lower()
	return func() {
		restore()
		worked.Store(time.Now().UnixNano())
		slots.Add(-1)
		w.all.Release(1)
		mine.slots.Release(1)
		w.leave(tenant, &w.figures.Working)
	}, nil
}

func (w *Work) join(tenant string) *share {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.figures.Waiting++
	s := w.tenants[tenant]
	if s == nil {
		s = &share{slots: semaphore.NewWeighted(w.each)}
		w.tenants[tenant] = s
	}
	s.users++
	return s
}

func (w *Work) leave(tenant string, counted *int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*counted--
	s := w.tenants[tenant]
	if s.users--; s.users == 0 {
		delete(w.tenants, tenant)
	}
}
