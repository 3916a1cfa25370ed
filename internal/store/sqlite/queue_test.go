package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store/core"
)

// queued returns a queue that has writes: each is "tenant" or "tenant:alike".
func queued(t *testing.T, writes string) *queue {
	t.Helper()
	q, many := newQueue(), map[string]int{}
	for _, text := range strings.Fields(writes) {
		tenant, alike, _ := strings.Cut(text, ":")
		many[tenant]++
		w := &write{Batch: &core.Batch{Tenant: tenant, Alike: alike, Size: many[tenant]}, done: make(chan struct{})}
		must(t, q.put(w))
	}
	return q
}

// name is what a write of queued is called: its tenant, and which of its writes it is.
func name(w *write) string { return fmt.Sprint(w.Tenant, w.Size) }

// taken takes all writes as the writer does: those that are alike, together.
func taken(q *queue) string {
	var groups []string
	for w := q.next(); w != nil; w = q.next() {
		together := name(w)
		for w.Alike != "" {
			next := q.nextAlike(w.Tenant, w.Alike)
			if next == nil {
				break
			}
			together += "+" + name(next)
		}
		groups = append(groups, together)
	}
	return strings.Join(groups, " ")
}

func TestTenantsInTurn(t *testing.T) {
	for writes, want := range map[string]string{
		"":                      "",
		"a a a":                 "a1 a2 a3",
		"a a a b":               "a1 b1 a2 a3",
		"a a a b b c":           "a1 b1 c1 a2 b2 a3",
		"a:1 a:1 a:1":           "a1+a2+a3",
		"a:1 a:1 a:2 a:1":       "a1+a2 a3 a4",       // another version of the endpoints
		"a:1 a a:1":             "a1 a2 a3",          // what comes between keeps its place
		"a:1 a:1 a b:1 b:1 a:1": "a1+a2 b1+b2 a3 a4", // and one turn each
		"a:1 b:1 a:1 b:1":       "a1+a2 b1+b2",       // those of another tenant are not alike
		"a:1 b a:1 b a b":       "a1+a2 b1 a3 b2 b3",
		"a a:1 a:1 b b:1 c c c": "a1 b1 c1 a2+a3 b2 c2 c3",
	} {
		q := queued(t, writes)
		if got := taken(q); got != want {
			t.Errorf("%s: %s, want %s", writes, got, want)
		}
		if q.len() != 0 || len(q.tenants) != 0 || len(q.turns) != 0 {
			t.Errorf("%s: the queue still has %d, %v, %v", writes, q.len(), q.tenants, q.turns)
		}
	}
}

// TestAFloodLeavesTheOthersTheirTurn: whoever comes while a tenant has thousands
// of writes waiting is the next.
func TestAFloodLeavesTheOthersTheirTurn(t *testing.T) {
	q := queued(t, strings.Repeat("flood ", 5000))
	for range 10 {
		q.next()
	}
	late := &write{Batch: &core.Batch{Tenant: "late", Size: 1}, done: make(chan struct{})}
	must(t, q.put(late))
	first, second := q.next(), q.next()
	if first != late && second != late {
		t.Errorf("%s and %s come before it", name(first), name(second))
	}
}

// TestTakenBack: a write that was taken back is passed over, be it in turn or
// among those that are alike; one that has begun cannot be taken back.
func TestTakenBack(t *testing.T) {
	over, cancel := context.WithCancel(ctx)
	cancel()
	for back, want := range map[string]string{"a1": "b1 a2+a3", "a2": "a1+a3 b1", "a3": "a1+a2 b1", "b1": "a1+a2+a3"} {
		q := queued(t, "a:1 a:1 b a:1")
		for _, line := range q.tenants {
			for _, w := range line.writes {
				if name(w) != back {
					continue
				}
				if err := w.await(over); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", back, err)
				}
			}
		}
		if got := taken(q); got != want || q.len() != 0 {
			t.Errorf("without %s: %s, want %s; %d are left", back, got, want, q.len())
		}
	}
	q := queued(t, "a")
	w := q.next()
	w.err = errors.New("the answer")
	close(w.done)
	for range 50 { // whichever a select takes
		if err := w.await(over); err != w.err {
			t.Fatalf("a write that had begun: %v", err)
		}
	}
}

func TestClosedQueue(t *testing.T) {
	q := queued(t, "a b")
	q.close()
	if err := q.put(&write{Batch: &core.Batch{Tenant: "a"}}); err != core.ErrClosed {
		t.Errorf("a closed queue takes a write: %v", err)
	}
	if got := name(q.wait()) + " " + name(q.wait()); got != "a1 b1" {
		t.Errorf("left: %s", got)
	}
	if w := q.wait(); w != nil {
		t.Errorf("after its end: %s", name(w))
	}
	idle := newQueue()
	ended := make(chan *write)
	go func() { ended <- idle.wait() }()
	idle.close()
	if w := <-ended; w != nil {
		t.Errorf("while it waited: %s", name(w))
	}
}

// TestWhatWaitsIsBounded fills the queue, by the number of writes and by their
// bytes, of one tenant and of all. Nothing is left of what is refused.
func TestWhatWaitsIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		tenants, size, fit int // of each tenant
		also               bool
	}{
		"writes of one":    {1, 1, mostWaitingOf, true},
		"bytes of one":     {1, mostBytesOf / 64, 64, true},
		"writes of all":    {4, 1, mostWaiting / 4, false},
		"bytes of all":     {4, mostBytesOf / 4, 4, false},
		"a very large one": {1, 2 * mostBytesOf, 1, true}, // it may wait where none of its tenant does
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue()
			put := func(tenant string, size int) error {
				return q.put(&write{Batch: &core.Batch{Tenant: tenant, Size: size}, done: make(chan struct{})})
			}
			for i := range test.tenants {
				tenant := fmt.Sprint("t", i)
				for range test.fit {
					must(t, put(tenant, test.size))
				}
				if err := put(tenant, test.size); i == test.tenants-1 && oms.KindOf(err) != oms.TooMany {
					t.Errorf("one more: %v", err)
				}
			}
			if err := put("another", 1); (err == nil) != test.also || err != nil && oms.KindOf(err) != oms.TooMany {
				t.Errorf("of another: %v", err)
			}
			if !test.also && q.tenants["another"] != nil {
				t.Error("what was refused has a place")
			}
			n := q.len()
			for range n {
				q.next()
			}
			if q.next() != nil || q.len() != 0 || q.bytes != 0 || len(q.tenants) != 0 {
				t.Errorf("%d, with %d bytes, of %d tenants are left", q.len(), q.bytes, len(q.tenants))
			}
			must(t, put("t0", 1))
		})
	}
}

// TestShares: of those that are alike a tenant has no more in a group than leaves
// the others that wait theirs.
func TestShares(t *testing.T) {
	for writes, want := range map[string]int{"": mostInGroup, "a": mostInGroup, "b": mostInGroup / 2, "a b": mostInGroup / 2, "b c d": mostInGroup / 4, "a b b b c d": mostInGroup / 4} {
		if got := queued(t, writes).share("a"); got != want {
			t.Errorf("beside %q: %d, want %d", writes, got, want)
		}
	}
	q := newQueue()
	for i := range 3 * mostInGroup {
		must(t, q.put(&write{Batch: &core.Batch{Tenant: fmt.Sprint(i)}}))
	}
	if got := q.share("a"); got != 1 {
		t.Errorf("beside many: %d", got)
	}
}
