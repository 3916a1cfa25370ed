package upkeep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// heldStore is a store in which each call lasts until the test lets it go,
// whatever its context says, as a commit does.
type heldStore struct {
	fakeStore
	goOn   chan struct{}
	inside atomic.Int64
}

func (h *heldStore) hold() {
	h.inside.Add(1)
	defer h.inside.Add(-1)
	<-h.goOn
}

func (h *heldStore) Tenants(ctx context.Context) ([]string, error) {
	h.hold()
	return h.fakeStore.Tenants(ctx)
}

func (h *heldStore) IndexBodies(ctx context.Context, tenant string, rest store.Rest) (bool, error) {
	h.hold()
	return h.fakeStore.IndexBodies(ctx, tenant, rest)
}

func (h *heldStore) RemoveOld(ctx context.Context, tenant string, what store.Kept, before time.Time, rest store.Rest) error {
	h.hold()
	return h.fakeStore.RemoveOld(ctx, tenant, what, before, rest)
}

// fakeStore has so many segments to build for each tenant, and what is old to
// remove in so many steps, each of which takes a while.
type fakeStore struct {
	segments map[string]int
	removals int
	takes    time.Duration
	settings map[string]string
	err      error

	destroyed int // how often secrets were to be destroyed

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
	doc, err := oms.Parse([]byte(f.settings[tenant]))
	if err != nil {
		return nil, err
	}
	s, _, err := settings.Parse(doc)
	return s, err
}

func (f *fakeStore) IndexBodies(ctx context.Context, tenant string, rest store.Rest) (bool, error) {
	if f.segments[tenant] == 0 {
		return true, nil
	}
	f.segments[tenant]--
	f.note("index " + tenant)
	return false, f.step(ctx, rest)
}

func (f *fakeStore) DestroySecrets(ctx context.Context, rest store.Rest) error {
	f.destroyed++
	return nil
}

func (f *fakeStore) RemoveOld(ctx context.Context, tenant string, what store.Kept, before time.Time, rest store.Rest) error {
	f.note(fmt.Sprintf("remove %s of %s before %s", what, tenant, before.UTC().Format(time.DateTime)))
	for range f.removals {
		if err := f.step(ctx, rest); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeStore) step(ctx context.Context, rest store.Rest) error {
	time.Sleep(f.takes)
	f.worked += f.takes
	return rest(ctx)
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

// runFor runs the upkeep of a store for a while.
func runFor(t *testing.T, f *fakeStore, d time.Duration) (log string) {
	t.Helper()
	var buffer bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		u := Start(Options{Store: f, Log: slog.New(slog.NewTextHandler(&buffer, nil))})
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

// TestDutyCycle has it work no more than a quarter of the time.
func TestDutyCycle(t *testing.T) {
	f := &fakeStore{segments: map[string]int{"a": 1000}, takes: 50 * time.Millisecond}
	runFor(t, f, 20*time.Second)
	if f.worked < 4*time.Second || f.worked > 5*time.Second {
		t.Errorf("worked %v of 20 s", f.worked)
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
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, "the database is busy") {
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
			f := &heldStore{fakeStore: fakeStore{segments: map[string]int{"a": 0}}, goOn: make(chan struct{}, 10)}
			u := Start(Options{Store: f})
			time.Sleep(c.after)
			for range c.calls {
				f.goOn <- struct{}{}
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
			close(f.goOn)
			synctest.Wait()
			select {
			case <-stopped:
			default:
				t.Fatalf("%s: Stop waits for more than the call", name)
			}
		})
	}
}
