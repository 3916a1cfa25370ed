package maintenance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// heldStore is a store in which each call lasts until the test lets it go,
// whatever its context says, as a commit does.
type heldStore struct {
	fakeStore
	mu     sync.Mutex // of fakeStore: what was left behind uses it beside what has begun anew
	next   chan struct{}
	inside atomic.Int64
}

func (h *heldStore) hold() {
	h.inside.Add(1)
	defer h.inside.Add(-1)
	<-h.next
}

func (h *heldStore) Tenants(ctx context.Context) ([]string, error) {
	h.hold()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fakeStore.Tenants(ctx)
}

func (h *heldStore) IndexBodies(ctx context.Context, tenant string, yield store.Yield) (bool, error) {
	h.hold()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fakeStore.IndexBodies(ctx, tenant, yield)
}

func (h *heldStore) RemoveOld(ctx context.Context, tenant string, what store.Retained, before time.Time, yield store.Yield) error {
	h.hold()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fakeStore.RemoveOld(ctx, tenant, what, before, yield)
}

func (h *heldStore) DestroySecrets(ctx context.Context, yield store.Yield) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fakeStore.DestroySecrets(ctx, yield)
}

func (h *heldStore) Settings(ctx context.Context, tenant string) (*settings.Settings, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fakeStore.Settings(ctx, tenant)
}

func (h *heldStore) EmptyJournal(ctx context.Context) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fakeStore.EmptyJournal(ctx)
}

// fakeStore has so many segments to build for each tenant, and what is old to
// remove in so many steps, each of which takes a while.
type fakeStore struct {
	segments map[string]int
	removals int
	takes    time.Duration
	settings map[string]string
	err      error

	destroyed int    // how often secrets were to be destroyed
	held      []bool // whether a reader keeps the journal from being emptied, call by call
	emptied   []time.Time

	log    []string
	worked time.Duration
}

func (f *fakeStore) Tenants(context.Context) ([]string, error) {
	f.note("look")
	var all []string
	for tenant := range f.segments {
		all = append(all, tenant)
	}
	slices.Sort(all)
	return all, f.err
}

func (f *fakeStore) Settings(_ context.Context, tenant string) (*settings.Settings, error) {
	if f.settings[tenant] == "" {
		return settings.Empty(), nil
	}
	doc, err := schema.Parse([]byte(f.settings[tenant]))
	if err != nil {
		return nil, err
	}
	s, _, err := settings.Parse(doc)
	return s, err
}

func (f *fakeStore) IndexBodies(ctx context.Context, tenant string, yield store.Yield) (bool, error) {
	if f.segments[tenant] == 0 {
		return true, nil
	}
	f.segments[tenant]--
	f.note("index " + tenant)
	return false, f.step(ctx, yield)
}

func (f *fakeStore) DestroySecrets(ctx context.Context, yield store.Yield) error {
	f.destroyed++
	return nil
}

func (f *fakeStore) EmptyJournal(context.Context) (bool, error) {
	f.emptied = append(f.emptied, time.Now())
	n := len(f.emptied)
	return n > len(f.held) || !f.held[n-1], nil
}

func (f *fakeStore) RemoveOld(ctx context.Context, tenant string, what store.Retained, before time.Time, yield store.Yield) error {
	f.note(fmt.Sprintf("remove %s of %s before %s", what, tenant, before.UTC().Format(time.DateTime)))
	for range f.removals {
		if err := f.step(ctx, yield); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeStore) step(ctx context.Context, yield store.Yield) error {
	time.Sleep(f.takes)
	f.worked += f.takes
	return yield(ctx)
}

func (f *fakeStore) note(what string) { f.log = append(f.log, what) }

// said returns how often something begins a line of the log.
func (f *fakeStore) said(what string) (n int) {
	for _, line := range f.log {
		if strings.HasPrefix(line, what) {
			n++
		}
	}
	return n
}

// runFor runs the maintenance of a store for a while.
func runFor(t *testing.T, f *fakeStore, d time.Duration) (log string) {
	t.Helper()
	var buffer bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		u := Start(nodes.Lease{}, Options{Store: f, Log: slog.New(slog.NewTextHandler(&buffer, nil))})
		time.Sleep(d)
		u.Stop()
	})
	return buffer.String()
}

func TestIndexing(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"a": 3, "b": 1}}
	runFor(t, f, 3500*time.Millisecond)
	want := []string{"look", "index a", "index b", "look", "index a", "look", "index a", "look", "look", "look"}
	if !slices.Equal(f.log, want) {
		t.Errorf("%q, want %q", f.log, want)
	}
}

// TestDestroying looks for secrets to destroy every second.
func TestDestroying(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"a": 0}}
	if runFor(t, f, 10*time.Second+time.Millisecond); f.destroyed != 10 {
		t.Errorf("looked for secrets to destroy %d times in 10 s", f.destroyed)
	}
}

// TestTheJournalIsEmptied looks each second, also while there is other work for longer, and less
// and less often while somebody reads what is in it.
func TestTheJournalIsEmptied(t *testing.T) {
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of each bubble
	for name, c := range map[string]struct {
		store *fakeStore
		lasts time.Duration
		want  []int // when, in seconds
	}{
		"nobody reads it": {&fakeStore{}, 4 * time.Second, []int{1, 2, 3}},
		"a reader":        {&fakeStore{held: []bool{true, true, true, true, true, true, true, true, false, true, true}}, 180 * time.Second, []int{1, 2, 4, 8, 16, 32, 62, 92, 122, 123, 124, 126, 127}},
		// Each step takes a second, and so does the pause behind it.
		"other work": {&fakeStore{segments: map[string]int{"a": 9}, takes: time.Second}, 8 * time.Second, []int{1, 3, 3, 5, 5, 7, 7}},
	} {
		runFor(t, c.store, c.lasts+time.Millisecond)
		var got []int
		for _, at := range c.store.emptied {
			got = append(got, int(at.Sub(begin).Seconds()))
		}
		if len(got) < len(c.want) || !slices.Equal(got[:len(c.want)], c.want) {
			t.Errorf("%s: looked at seconds %v, want %v", name, got, c.want)
		}
	}
}

// TestRetention has what each tenant's settings say removed after a minute, and
// then every hour; the time in a bubble begins with the year 2000.
func TestRetention(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"all": 0, "none": 0, "unset": 0}, settings: map[string]string{
		"all":  `{"retention":{"attempts":"P1D","versions":"P2D","history":"P3D","runs":"P4D","audit":"P31D"}}`,
		"none": `{"retention":{"attempts":null,"audit":null}}`,
	}}
	runFor(t, f, time.Hour)
	removed := slices.DeleteFunc(f.log, func(line string) bool { return line == "look" })
	calls := func(of string) string { return "remove calls of " + of + " before 1999-12-30 00:01:00" } // whatever its settings say
	want := []string{"remove attempts of all before 1999-12-31 00:01:00", "remove deliveries of all before 1999-12-31 00:01:00",
		"remove versions of all before 1999-12-30 00:01:00", "remove history of all before 1999-12-29 00:01:00",
		"remove runs of all before 1999-12-28 00:01:00", calls("all"), "remove audit of all before 1999-12-01 00:01:00", "remove sessions of all before 2000-01-01 00:01:00",
		calls("none"), "remove sessions of none before 2000-01-01 00:01:00",
		"remove attempts of unset before 1999-10-03 00:01:00", "remove deliveries of unset before 1999-10-03 00:01:00",
		calls("unset"), "remove audit of unset before 1999-01-01 00:01:00", "remove sessions of unset before 2000-01-01 00:01:00"}
	if !slices.Equal(removed, want) {
		t.Errorf("%q, want %q", removed, want)
	}
	runFor(t, f, 5*time.Hour)
	if n := f.said("remove attempts of all"); n != 1+5 {
		t.Errorf("removed %d times in six hours", n)
	}
}

// TestDutyCycle has it work half of the time at most while the index falls behind, and a tenth
// of it at whatever else.
func TestDutyCycle(t *testing.T) {
	behind := &fakeStore{segments: map[string]int{"a": 1000}, takes: 50 * time.Millisecond}
	if runFor(t, behind, 20*time.Second); behind.worked < 9*time.Second || behind.worked > 10*time.Second {
		t.Errorf("worked %v of 20 s at an index that is behind", behind.worked)
	}
	removing := &fakeStore{segments: map[string]int{"a": 0}, takes: 50 * time.Millisecond, removals: 10_000}
	if runFor(t, removing, firstRemoval+20*time.Second); removing.worked < 1900*time.Millisecond || removing.worked > 2100*time.Millisecond {
		t.Errorf("worked %v of 20 s at what is old", removing.worked)
	}
}

// TestLongRemoval has bodies indexed while old things are being removed, and
// the other way around.
func TestLongRemoval(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"a": 100_000}, takes: 50 * time.Millisecond, removals: 10_000}
	runFor(t, f, 10*time.Minute)
	if n := f.said("index a"); n < 500 {
		t.Errorf("%d segments indexed", n)
	}
	if n := f.said("remove attempts"); n != 1 {
		t.Errorf("removal began %d times", n)
	}
}

// TestFailures has it try again, less and less often, and say so once.
func TestFailures(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"a": 0}, err: errors.New("the database is busy")}
	log := runFor(t, f, 10*time.Minute)
	if n := len(f.log); n < 14 || n > 17 {
		t.Errorf("tried %d times in 10 minutes", n)
	}
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, "read the tenants: the database is busy") {
		t.Errorf("log: %s", log)
	}
	f.err, f.log = nil, nil
	if runFor(t, f, 10*time.Second); len(f.log) < 9 {
		t.Errorf("looked %d times in 10 s", len(f.log))
	}
}

// TestStop has it end in the middle of its work, without an error.
func TestStop(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"a": 1000}, takes: 50 * time.Millisecond}
	if log := runFor(t, f, 1100*time.Millisecond); log != "" {
		t.Error(log)
	}
	if n := f.said("index"); n == 0 || n > 2 {
		t.Errorf("%d segments indexed in 100 ms", n)
	}
}

// TestStopWaitsForTheStore has it stopped within each of its calls: Stop returns
// when the call has, and not before, since the store is closed then.
func TestStopWaitsForTheStore(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration // the start
		calls int           // that are let go before
	}{
		"reading the tenants": {after: time.Second},
		"indexing":            {after: time.Second, calls: 1},
		"removing":            {after: 2 * time.Minute, calls: 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &heldStore{fakeStore: fakeStore{segments: map[string]int{"a": 0}}, next: make(chan struct{}, 10)}
			u := Start(nodes.Lease{}, Options{Store: f})
			time.Sleep(c.after)
			for range c.calls {
				f.next <- struct{}{}
			}
			synctest.Wait()
			if f.inside.Load() != 1 {
				t.Fatalf("%s: it is not in the store", name)
			}
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				u.Stop()
				if f.inside.Load() != 0 {
					t.Errorf("%s: it is in the store when Stop returns", name)
				}
			}()
			synctest.Wait()
			select {
			case <-stopped:
				t.Errorf("%s: Stop did not wait", name)
			default:
			}
			close(f.next)
			synctest.Wait()
			select {
			case <-stopped:
			default:
				t.Fatalf("%s: Stop waits for more than the call", name)
			}
		})
	}
}

// TestRecordsAreRemovedByTheTimeOfTheDatabase: what is old is so by the time that all nodes
// share, whatever the clock of this machine says.
func TestRecordsAreRemovedByTheTimeOfTheDatabase(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"acme": 0}}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		u := Start(nodes.Lease{}, Options{Store: f, Now: func() time.Time { return time.Now().Add(30 * time.Second) }})
		time.Sleep(2 * time.Minute)
		u.Stop()
		before := start.Add(firstRemoval + indexEvery + 30*time.Second - 90*24*time.Hour)
		want := "remove attempts of acme before "
		for _, line := range f.log {
			text, removes := strings.CutPrefix(line, want)
			if !removes {
				continue
			}
			at, err := time.Parse(time.DateTime, text)
			if off := at.Sub(before); err != nil || off.Abs() > 5*time.Second {
				t.Errorf("%s, want about %v (%v)", line, before, err)
			}
			return
		}
		t.Errorf("nothing was removed: %q", f.log)
	})
}

// TestGivingTheMaintenanceBackEndsInTime, whatever hangs; the end of all of it waits for what
// was left behind.
func TestGivingTheMaintenanceBackEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &heldStore{fakeStore: fakeStore{segments: map[string]int{"a": 0}}, next: make(chan struct{}, 10)}
		k := &Keeper{Options: Options{Store: f}}
		first := nodes.Lease{Name: nodes.Maintenance, Epoch: 1}
		if err := k.Take(t.Context(), []nodes.Lease{first}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * indexEvery)
		if f.inside.Load() != 1 {
			t.Fatal("it is not in the store")
		}
		k.Give(t.Context(), []nodes.Lease{{Name: nodes.Maintenance, Epoch: 2}}) // not its own
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if k.Give(ctx, []nodes.Lease{first}); time.Since(began) != 30*time.Second {
			t.Errorf("it took %v", time.Since(began))
		}
		if err := k.Take(t.Context(), []nodes.Lease{{Name: nodes.Maintenance, Epoch: 3}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * indexEvery)
		if n := f.inside.Load(); n != 2 {
			t.Errorf("%d are in the store: what hangs, and what has begun anew", n)
		}
		stopped := make(chan struct{})
		go func() { k.Stop(); close(stopped) }()
		synctest.Wait()
		f.next <- struct{}{}
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("Stop did not wait for all that is in the store")
		default:
		}
		close(f.next)
		<-stopped
	})
}
