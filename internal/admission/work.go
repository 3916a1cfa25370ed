package admission

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// Large is the size, in bytes of JSON, from which on documents are worked on by turns.
// Reading, changing and writing a document of this size takes about 10 ms. That is how
// long the scheduler lets a goroutine run; longer work keeps others from the processor.
const Large = 256 << 10

// Work limits the work on large documents: only so many goroutines at a time read,
// compare and encode them. So other work always gets a processor, and memory is limited:
// a document takes up to thirty times its size while it is worked on. Nobody is refused.
// Tenants take turns, so that one tenant cannot hold up another. Where the system
// supports it (see [CanLower]), the work is done by threads of low priority. It is safe
// for concurrent use.
type Work struct {
	all   *semaphore.Weighted
	each  int64 // slots of one tenant
	lower func() (restore func())

	mu      sync.Mutex
	tenants map[string]*share // the tenants that have work under way or waiting
	figures WorkFigures
}

// WorkFigures are how many tasks have a slot, and how many wait for one.
type WorkFigures struct{ Working, Waiting int }

// Figures returns the numbers as they are now.
func (w *Work) Figures() WorkFigures {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.figures
}

// share is the part of the work that one tenant may do.
type share struct {
	slots *semaphore.Weighted
	users int
}

// mostAtOnce limits the memory for large documents on machines with many processors: 4
// documents of 10 MiB take about 1.2 GiB.
const mostAtOnce = 4

// worked is when a task had a slot last, in Unix nanoseconds.
var worked atomic.Int64

// WorkedSince reports whether this process works on large documents, or has done so
// within this time.
func WorkedSince(within time.Duration) bool {
	return slots.Load() > 0 || time.Since(time.Unix(0, worked.Load())) < within
}

// slots is how many slots are taken, of all Works of this process.
var slots atomic.Int64

// processors is how many processors this process has, before it asks for more threads.
var processors = runtime.GOMAXPROCS(0)

// DefaultAtOnce is how many large documents are worked on at a time: half as many as
// there are processors.
func DefaultAtOnce() int { return min(mostAtOnce, max(1, processors/2)) }

// NewWork returns a Work with so many slots; one tenant may have half of them.
func NewWork(atOnce int) *Work {
	w := &Work{all: semaphore.NewWeighted(int64(atOnce)), each: int64(max(1, atOnce/2)), lower: func() func() { return func() {} }, tenants: map[string]*share{}}
	if CanLower() {
		w.lower = lower
	}
	return w
}

// task is what one goroutine does for a tenant: it answers a request, or advances a run.
// It has a slot only while it works on large documents, and not while it waits for
// something. So two tasks cannot wait for each other. It is used by one goroutine and is
// not safe for concurrent use.
type task struct {
	work   *Work
	tenant string

	large bool   // a document that it works on is large
	end   func() // frees its slot; nil while it has none
}

type taskKey struct{}

// Task returns a context for work that is done for a tenant until end is called. With a
// context that has no task, [Begin] and [Pause] do nothing.
func (w *Work) Task(ctx context.Context, tenant string) (_ context.Context, end func()) {
	t := &task{work: w, tenant: tenant}
	return context.WithValue(ctx, taskKey{}, t), t.pause
}

func taskOf(ctx context.Context) *task {
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}

// Begin must be called before work on a document of so many bytes and, with 0, before a
// task continues after [Pause]. If that document, or an earlier one of the task, is
// large, it waits for a slot, unless the task has one. The error is that of ctx, if ctx
// ends first.
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

// Pause frees the slot of the task. It must be called before the task waits for anything:
// another task, a commit of the database, a network.
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

// acquire waits for a slot. The caller frees it by calling free.
func (w *Work) acquire(ctx context.Context, tenant string) (free func(), err error) {
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
