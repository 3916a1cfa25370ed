package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

// corrupt is a store that fails at writes, for another reason than that it takes
// none now.
type corrupt struct {
	store.Store
	mu    sync.Mutex
	left  int // writes to fail at
	tried []time.Time
}

var errCorrupt = errors.New("database disk image is malformed")

func (s *corrupt) Write(ctx context.Context, do func(store.Tx) error) error {
	s.mu.Lock()
	failing := s.left > 0
	if failing {
		s.left--
		s.tried = append(s.tried, time.Now())
	}
	s.mu.Unlock()
	if failing {
		return errCorrupt
	}
	return s.Store.Write(ctx, do)
}

func (s *corrupt) fail(writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = writes
}

// onCorrupt restarts on a store that can fail.
func (r *rig) onCorrupt(log *slog.Logger) *corrupt {
	r.t.Helper()
	r.stop()
	s := &corrupt{Store: r.store}
	r.startOn(s)
	if log != nil {
		r.d.log, r.d.warnings.log = log, log
	}
	return s
}

// TestPauses: a second, two, four, up to a minute, not all alike.
func TestPauses(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 8: time.Minute, 1000: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			got := pauseAfter(failures)
			if seen[got] = true; got < want*9/10 || got > want*11/10 {
				t.Errorf("after %d failures: %v, want about %v", failures, got, want)
			}
		}
		if len(seen) < 10 {
			t.Errorf("after %d failures all pauses are alike", failures)
		}
	}
}

// TestWhatIsNotRecordedIsNotSentAgain: however long the database fails, the call is
// made once, recorded in the end, and the database is not asked all the time.
func TestWhatIsNotRecordedIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		to := r.endpoint("shop", nil)
		s := r.onCorrupt(nil)
		synctest.Wait()
		s.fail(1 << 30)
		e := r.publish("evt_1", "o1")
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(r.calls.made()); n != 1 {
			t.Errorf("%d calls", n)
		}
		health := int(time.Hour / healthEvery)
		if n := len(s.tried) - health; n < 50 || n > 80 {
			t.Errorf("tried %d times within an hour", n)
		}
		s.fail(0)
		time.Sleep(2 * time.Minute)
		if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 || len(r.attempts()) != 1 || len(r.calls.made()) != 1 {
			t.Errorf("it is %s after %d attempts and %d calls", d.Status, d.Attempts, len(r.calls.made()))
		}
	})
}

// TestASlotIsHeldUntilItsResultIsWritten: while the database takes nothing, no more calls are
// made than there are slots; afterwards all are made, once.
func TestASlotIsHeldUntilItsResultIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Millisecond))
		r.stop()
		s := &down{Store: r.store}
		const slots, events = 8, 100
		r.d = New(Options{Store: s, Client: r.calls, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), Slots: fair.New(slots)})
		must(t, r.d.Start(t.Context()))
		r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency = 64 })
		s.down.Store(true)
		r.publishMany("e", events)
		time.Sleep(time.Minute)
		// A quarter of a quarter is left for those who come next (package fair).
		if made, used := len(r.calls.made()), int(r.d.slots.Used()); made == 0 || made > slots || used != made {
			t.Errorf("%d calls, and %d slots of %d are taken", made, used, slots)
		}
		s.down.Store(false)
		time.Sleep(time.Minute)
		if made, used := len(r.calls.made()), r.d.slots.Used(); made != events || used != 0 {
			t.Errorf("%d calls in the end, and %d slots are taken", made, used)
		}
	})
}

// down is a store that may be unavailable for writes.
type down struct {
	store.Store
	down atomic.Bool
}

func (s *down) Write(ctx context.Context, do func(store.Tx) error) error {
	if s.down.Load() {
		return apierr.Errorf(apierr.Unavailable, "the database did not take the write")
	}
	return s.Store.Write(ctx, do)
}

// TestOneBadResultHoldsUpNoOther: what can be recorded is, and the endpoint goes on.
func TestOneBadResultHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Second))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })
		s := r.onCorrupt(nil)
		bad := r.publish("evt_bad", "o1")
		behind := r.publish("evt_behind", "o1")
		time.Sleep(time.Second / 2)
		s.fail(8)
		time.Sleep(time.Second)
		s.fail(0)
		for i := range 20 {
			e := r.publish(fmt.Sprint("evt_", i), fmt.Sprint("other", i))
			time.Sleep(2 * time.Second)
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded {
				t.Fatalf("%s is %s", e.ID, d.Status)
			}
		}
		time.Sleep(time.Hour)
		for _, e := range []*event.Event{bad, behind} {
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 {
				t.Errorf("%s is %s after %d attempts", e.ID, d.Status, d.Attempts)
			}
		}
		if n := len(r.calls.made()); n != 22 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestNoAttemptBeginsWhileTooManyWait to be recorded; none is made twice, and all go
// on once the database takes them.
func TestNoAttemptBeginsWhileTooManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Millisecond))
		shop := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.EventTypes = 64, []string{"order_packed"} })
		other := r.endpoint("other", func(e *event.Endpoint) { e.EventTypes = []string{"other"} })
		s := r.onCorrupt(nil)
		const events = mostUnrecorded + 1000
		s.fail(1 << 30)
		for at := 0; at < events; at += 1000 {
			r.publishMany(fmt.Sprint(at, "_"), min(1000, events-at))
		}
		time.Sleep(5 * time.Minute)
		made := len(r.calls.made())
		if made < mostUnrecorded || made > mostUnrecorded+64 {
			t.Errorf("%d attempts, with room for %d", made, mostUnrecorded)
		}
		late := &event.Event{ID: "evt_late", Type: "other", Timestamp: time.Now(), Data: []byte(`{}`)}
		must(t, r.store.Publish(t.Context(), acme, late)) // for a queue of which nothing is under way
		synctest.Wait()
		for _, e := range []*event.Endpoint{shop, other} {
			if q := r.d.queue(queueKey{acme, e.No}); q.state != stateUnwritten {
				t.Errorf("the queue of %s is %s", e.ID, q.state)
			}
		}
		s.fail(0)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if made := len(r.calls.made()); made != events+1 {
			t.Errorf("%d attempts in all", made)
		}
		if d := r.delivery(late, other); d.Status != event.DeliverySucceeded {
			t.Errorf("the other endpoint's is %s", d.Status)
		}
		if one := r.d.completers[acme]; one.intake.count.Load() != 0 || one.intake.bytes.Load() != 0 {
			t.Errorf("%d results of %d bytes are left", one.intake.count.Load(), one.intake.bytes.Load())
		}
	})
}

// TestWhatCouldNotBeRecordedIsLogged at the end with its ids; the next start makes
// it again.
func TestWhatCouldNotBeRecordedIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		to := r.endpoint("shop", nil)
		var log bytes.Buffer
		s := r.onCorrupt(slog.New(slog.NewTextHandler(&log, nil)))
		s.fail(1 << 30)
		e := r.publish("evt_1", "o1")
		time.Sleep(time.Minute)
		synctest.Wait()
		r.stop()
		d := r.delivery(e, to)
		if d.Status != event.DeliveryPending || d.Attempts != 0 {
			t.Errorf("it is %s after %d attempts", d.Status, d.Attempts)
		}
		last := log.String()[strings.LastIndex(strings.TrimSpace(log.String()), "\n")+1:]
		for _, want := range []string{"was not recorded before the end", "tenant=" + acme, "endpoint=" + to.ID, "delivery=" + d.ID(), "event=evt_1", "attempt=att_"} {
			if !strings.Contains(last, want) {
				t.Errorf("no %q in the last line of the log: %s", want, last)
			}
		}
		if n := strings.Count(log.String(), "\n"); n > 20 {
			t.Errorf("%d lines of log within a minute", n)
		}
		r.start()
		time.Sleep(time.Minute)
		if d := r.delivery(e, to); d.Status != event.DeliverySucceeded {
			t.Errorf("after the next start it is %s", d.Status)
		}
	})
}

// TestOwnTroublePutsOff an endpoint's deliveries for a second or two, uses up no
// attempt, opens no circuit and says nothing of the endpoint.
func TestOwnTroublePutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := newRig(t, func(call) outbound.Exchange {
			if time.Since(began) < 10*time.Minute {
				return outbound.Exchange{Err: outbound.OwnTroubleError("too many open files")}
			}
			return outbound.Exchange{Status: 200}
		})
		var log bytes.Buffer
		r.d.warnings.log = slog.New(slog.NewTextHandler(&log, nil))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule, e.Concurrency = nil, 4 })
		events := r.publishMany("e", 100)
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		if n := len(r.calls.made()); n > 4*9*60 || n < 9*60/2 {
			t.Errorf("%d attempts within nine minutes of trouble", n)
		}
		synctest.Wait() // whoever writes to the log
		if n := strings.Count(log.String(), "\n"); n == 0 || n > 9*6*mostWarnings {
			t.Errorf("%d lines of log", n)
		}
		if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
			t.Errorf("the circuit is %s", c)
		}
		h, err := r.d.Health(t.Context(), acme, to.No)
		must(t, err)
		if h.Consecutive != 0 || !h.LastFailure.IsZero() || len(r.attempts()) != 0 {
			t.Errorf("health %+v, %d attempts are recorded", h, len(r.attempts()))
		}
		time.Sleep(10 * time.Minute)
		for _, e := range events {
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 {
				t.Fatalf("%s is %s after %d attempts", e.ID, d.Status, d.Attempts)
			}
		}
	})
}

// TestAClockThatIsSet: a repeat that is due in an hour comes within a minute of when
// the clock shows that time, wherever somebody sets it.
func TestAClockThatIsSet(t *testing.T) {
	for name, row := range map[string]struct {
		jump        time.Duration
		least, most time.Duration // until the repeat
	}{
		"forward": {2 * time.Hour, 0, time.Minute},
		"back":    {-time.Hour, 110 * time.Minute, 130 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, answering(500, 0))
				r.stop()
				c := &clocktest.Jumping{}
				r.d = New(Options{Store: r.store, Client: r.calls, Clock: c, Log: slog.New(slog.DiscardHandler)})
				must(t, r.d.Start(t.Context()))
				r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = []time.Duration{time.Hour} })
				r.publish("evt_1", "o1")
				time.Sleep(30 * time.Second)
				began := time.Now()
				c.Jump(row.jump)
				time.Sleep(3 * time.Hour)
				made := r.calls.made()
				if len(made) != 2 {
					t.Fatalf("%d attempts", len(made))
				}
				if after := made[1].began.Sub(began); after < row.least || after > row.most {
					t.Errorf("the repeat came %v after the clock was set, want %v to %v", after, row.least, row.most)
				}
			})
		})
	}
}

// stuck is a store in which what came of one tenant's attempts takes until it is freed.
type stuck struct {
	store.Store
	free chan struct{}
}

type stuckTx struct {
	store.Tx
	free chan struct{}
}

func (s *stuck) Write(ctx context.Context, do func(store.Tx) error) error {
	return s.Store.Write(ctx, func(tx store.Tx) error { return do(stuckTx{tx, s.free}) })
}

func (tx stuckTx) CompleteDeliveries(ctx context.Context, tenant string, all ...store.Completion) (map[int]bool, error) {
	if tenant == acme {
		<-tx.free
	}
	return tx.Tx.CompleteDeliveries(ctx, tenant, all...)
}

// TestATenantsAttemptsAreRecordedWhateverThoseOfAnotherTake: what is written with an
// attempt, as the end of an export is, may take long.
func TestATenantsAttemptsAreRecordedWhateverThoseOfAnotherTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		r.endpoint("shop", nil)
		r.stop()
		free := make(chan struct{})
		r.startOn(&stuck{r.store, free})
		synctest.Wait()
		r.publish("evt_stuck", "o1")
		synctest.Wait()
		r.otherTenant(3)
		list, err := r.store.Attempts(t.Context(), "other", store.AttemptFilter{}, store.Page{Limit: 10})
		must(t, err)
		if len(list.Items) != 3 || len(r.attempts()) != 0 {
			t.Errorf("%d of 3 attempts of the other tenant are recorded, and %d of the first", len(list.Items), len(r.attempts()))
		}
		close(free)
		synctest.Wait()
		if n := len(r.attempts()); n != 1 {
			t.Errorf("%d attempts of the first are recorded in the end", n)
		}
	})
}

// TestFewLargeExportsAreRecordedTogether: the order of each is read for it.
func TestFewLargeExportsAreRecordedTogether(t *testing.T) {
	results := func(kind string, sizes ...int) (all []result) {
		for _, size := range sizes {
			all = append(all, result{event: &event.Event{Data: make([]byte, size)}, completion: store.Completion{Attempt: &attempt.Attempt{Kind: kind}}})
		}
		return all
	}
	for name, one := range map[string]struct {
		waiting []result
		want    string
	}{
		"small exports":    {results(attempt.KindExport, 10, 10, 10), "[3]"},
		"large exports":    {results(attempt.KindExport, 5<<20, 5<<20, 5<<20, 5<<20, 10), "[2 2 1]"},
		"one that is more": {results(attempt.KindExport, mostExported+1, 10), "[1 1]"},
		"large events":     {results(attempt.KindEvent, 5<<20, 5<<20, 5<<20, 5<<20), "[4]"},
		"many":             {results(attempt.KindEvent, make([]int, mostRecorded+1)...), fmt.Sprintf("[%d 1]", mostRecorded)},
	} {
		r := newCompleter(nil, acme)
		r.waiting = one.waiting
		var groups []int
		for group, _ := r.gather(); len(group) > 0; group, _ = r.gather() {
			groups = append(groups, len(group))
		}
		if got := fmt.Sprint(groups); got != one.want {
			t.Errorf("%s: recorded together are %s, want %s", name, got, one.want)
		}
	}
}

// refusingStore is a store in which nothing that came of attempts can be written.
type refusingStore struct{ store.Store }

type refusingTx struct{ store.Tx }

func (s refusingStore) Write(ctx context.Context, do func(store.Tx) error) error {
	return s.Store.Write(ctx, func(tx store.Tx) error { return do(refusingTx{tx}) })
}

func (refusingTx) CompleteDeliveries(context.Context, string, ...store.Completion) (map[int]bool, error) {
	return nil, errCorrupt
}

// TestTheLogSaysWhatCouldNotBeWritten, not only what the database says.
func TestTheLogSaysWhatCouldNotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		r.endpoint("shop", nil)
		r.stop()
		r.startOn(refusingStore{r.store})
		var log bytes.Buffer
		r.d.warnings.log = slog.New(slog.NewTextHandler(&log, nil))
		r.publish("evt_1", "o1")
		synctest.Wait()
		r.stop()
		if want := "store what 1 attempts came to: " + errCorrupt.Error(); !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q: %s", want, log.String())
		}
	})
}
