package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store/core"
)

// queued returns a queue that has writes: each is "tenant" or "tenant:alike".
func queued(t *testing.T, writes string) *Queue {
	t.Helper()
	q, many := New(), map[string]int{}
	for _, text := range strings.Fields(writes) {
		tenant, alike, _ := strings.Cut(text, ":")
		many[tenant]++
		w := NewWrite(&core.Batch{Tenant: tenant, Alike: alike, Size: many[tenant]})
		must(t, q.Put(w))
	}
	return q
}

// name is what a write of queued is called: its tenant, and which of its writes it is.
func name(w *Write) string { return fmt.Sprint(w.Tenant, w.Size) }

// taken takes all writes as the writer does: those that are alike, together.
func taken(q *Queue) string {
	var groups []string
	for w := q.Next(); w != nil; w = q.Next() {
		together := name(w)
		for w.Alike != "" {
			next := q.NextAlike(w.Tenant, w.Alike)
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
		if q.Len() != 0 || len(q.tenants) != 0 || len(q.turns) != 0 {
			t.Errorf("%s: the queue still has %d, %v, %v", writes, q.Len(), q.tenants, q.turns)
		}
	}
}

// TestAFloodLeavesTheOthersTheirTurn: whoever comes while a tenant has thousands
// of writes waiting is the next.
func TestAFloodLeavesTheOthersTheirTurn(t *testing.T) {
	q := queued(t, strings.Repeat("flood ", 5000))
	for range 10 {
		q.Next()
	}
	late := NewWrite(&core.Batch{Tenant: "late", Size: 1})
	must(t, q.Put(late))
	first, second := q.Next(), q.Next()
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
				if err := w.Await(over); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", back, err)
				}
			}
		}
		if got := taken(q); got != want || q.Len() != 0 {
			t.Errorf("without %s: %s, want %s; %d are left", back, got, want, q.Len())
		}
	}
	q := queued(t, "a")
	w := q.Next()
	w.Err = errors.New("the answer")
	close(w.done)
	for range 50 { // whichever a select takes
		if err := w.Await(over); err != w.Err {
			t.Fatalf("a write that had begun: %v", err)
		}
	}
}

func TestClosedQueue(t *testing.T) {
	q := queued(t, "a b")
	q.Close()
	if err := q.Put(NewWrite(&core.Batch{Tenant: "a"})); err != core.ErrClosed {
		t.Errorf("a closed queue takes a write: %v", err)
	}
	if got := name(q.Wait()) + " " + name(q.Wait()); got != "a1 b1" {
		t.Errorf("left: %s", got)
	}
	if w := q.Wait(); w != nil {
		t.Errorf("after its end: %s", name(w))
	}
	idle := New()
	ended := make(chan *Write)
	go func() { ended <- idle.Wait() }()
	idle.Close()
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
			q := New()
			put := func(tenant string, size int) error {
				return q.Put(NewWrite(&core.Batch{Tenant: tenant, Size: size}))
			}
			for i := range test.tenants {
				tenant := fmt.Sprint("t", i)
				for range test.fit {
					must(t, put(tenant, test.size))
				}
				if err := put(tenant, test.size); i == test.tenants-1 && apierr.KindOf(err) != apierr.TooMany {
					t.Errorf("one more: %v", err)
				}
			}
			if err := put("another", 1); (err == nil) != test.also || err != nil && apierr.KindOf(err) != apierr.TooMany {
				t.Errorf("of another: %v", err)
			}
			if !test.also && q.tenants["another"] != nil {
				t.Error("what was refused has a place")
			}
			q.Next() // what is taken makes room, also for a tenant that always has some waiting
			must(t, put("t0", test.size))
			n := q.Len()
			for range n {
				q.Next()
			}
			if q.Next() != nil || q.Len() != 0 || q.bytes != 0 || len(q.tenants) != 0 {
				t.Errorf("%d, with %d bytes, of %d tenants are left", q.Len(), q.bytes, len(q.tenants))
			}
			must(t, put("t0", 1))
		})
	}
}

// TestShares: of those that are alike a tenant has no more in a group than leaves
// the others that wait theirs.
func TestShares(t *testing.T) {
	for writes, want := range map[string]int{"": MostInGroup, "a": MostInGroup, "b": MostInGroup / 2, "a b": MostInGroup / 2, "b c d": MostInGroup / 4, "a b b b c d": MostInGroup / 4} {
		if got := queued(t, writes).Share("a"); got != want {
			t.Errorf("beside %q: %d, want %d", writes, got, want)
		}
	}
	q := New()
	for i := range 3 * MostInGroup {
		must(t, q.Put(NewWrite(&core.Batch{Tenant: fmt.Sprint(i)})))
	}
	if got := q.Share("a"); got != 1 {
		t.Errorf("beside many: %d", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var ctx = context.Background()

// TestTogether: what is run as one has the rows of all, and what each of them needs.
func TestTogether(t *testing.T) {
	events := &core.Insertion{Table: "events"}
	one := func(row int) *Write {
		return NewWrite(&core.Batch{Locks: []core.Lock{{Tenant: "a", Name: "endpoints", Shared: true}}, Checks: []core.Check{{Text: "SELECT 1"}},
			Changes: []core.Change{{Insertion: events, Values: []core.Tuple{{Often: []any{row}}}}}})
	}
	all := Together([]*Write{one(1), one(2), one(3)})
	if len(all.Locks) != 1 || !all.Locks[0].Shared || len(all.Checks) != 1 || len(all.Changes) != 1 || all.Changes[0].Insertion != events {
		t.Errorf("together: %+v", all)
	}
	for i, row := range all.Changes[0].Values {
		if row.Often[0] != i+1 {
			t.Errorf("row %d is %v", i, row.Often)
		}
	}
}
