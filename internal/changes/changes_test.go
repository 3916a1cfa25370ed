package changes_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// told returns what a listener was told by now; 0 for nothing, and all topics for being
// told that nothing changed.
func told(l *changes.Listener) changes.Topics {
	synctest.Wait()
	select {
	case what := <-l.Changed:
		if what == 0 {
			return ^changes.Topics(0)
		}
		return what
	default:
		return 0
	}
}

func listen(t *testing.T, h *changes.Hub, tenant string, topics changes.Topics) *changes.Listener {
	t.Helper()
	l, err := h.Listen(tenant, topics)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestToldAtOnceThenOnceASecond: the first change is told at once, and what follows
// within the second together, at its end; nothing is lost.
func TestToldAtOnceThenOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := changes.New(clock.Real{})
		l := listen(t, h, "acme", changes.TopicOrders|changes.TopicRuns)
		h.Changed("acme", changes.TopicOrders)
		if got := told(l); got != changes.TopicOrders {
			t.Errorf("the first: %v", got.Names())
		}
		h.Changed("acme", changes.TopicRuns)
		time.Sleep(changes.Every / 2)
		h.Changed("acme", changes.TopicOrders)
		if got := told(l); got != 0 {
			t.Errorf("within a second: %v", got.Names())
		}
		time.Sleep(changes.Every / 2)
		if got := told(l); got != changes.TopicOrders|changes.TopicRuns {
			t.Errorf("after a second: %v", got.Names())
		}
		time.Sleep(10 * changes.Every)
		if got := told(l); got != 0 {
			t.Errorf("nothing changed: %v", got.Names())
		}
		h.Changed("acme", changes.TopicOrders)
		if got := told(l); got != changes.TopicOrders {
			t.Errorf("after silence: %v", got.Names())
		}
	})
}

// TestWhoDoesNotReceiveHoldsNobodyUp: what one did not take is remembered for it, added up.
func TestWhoDoesNotReceiveHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := changes.New(clock.Real{})
		slow, quick := listen(t, h, "acme", changes.TopicOrders|changes.TopicJobs), listen(t, h, "acme", changes.TopicJobs)
		h.Changed("acme", changes.TopicOrders)
		if got := told(quick); got != 0 {
			t.Errorf("of another topic: %v", got.Names())
		}
		time.Sleep(changes.Every)
		h.Changed("acme", changes.TopicJobs)
		if got := told(quick); got != changes.TopicJobs {
			t.Errorf("the quick one: %v", got.Names())
		}
		if got := told(slow); got != changes.TopicOrders|changes.TopicJobs {
			t.Errorf("the slow one: %v", got.Names())
		}
	})
}

func TestTenantsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := changes.New(clock.Real{})
		l := listen(t, h, "acme", changes.TopicOrders)
		h.Changed("other", changes.TopicOrders)
		if got := told(l); got != 0 {
			t.Errorf("of another tenant: %v", got.Names())
		}
		l.Stop()
		l.Stop()
		h.Changed("acme", changes.TopicOrders)
		if got := told(l); got != 0 {
			t.Errorf("after its end: %v", got.Names())
		}
	})
}

// TestListenersAreBounded per tenant and in all, and a place that was left is free.
func TestListenersAreBounded(t *testing.T) {
	h := changes.New(clock.Real{})
	var all []*changes.Listener
	for n := range changes.Most / changes.MostPerTenant {
		for range changes.MostPerTenant {
			all = append(all, listen(t, h, fmt.Sprint(n), changes.TopicOrders))
		}
		if _, err := h.Listen(fmt.Sprint(n), changes.TopicOrders); apierr.KindOf(err) != apierr.TooMany {
			t.Fatalf("one too many of a tenant: %v", err)
		}
	}
	full := func() {
		t.Helper()
		_, err := h.Listen("another", changes.TopicOrders)
		if e, ok := errors.AsType[*apierr.Error](err); !ok || e.Kind != apierr.TooMany || e.RetryAfter <= 0 {
			t.Errorf("one too many in all: %v", err)
		}
	}
	full()
	all[0].Stop()
	all[0].Stop() // leaves one place, not two
	listen(t, h, "another", changes.TopicOrders)
	full()
}

// TestAClockThatWasSetBack keeps nobody waiting for longer than a second.
func TestAClockThatWasSetBack(t *testing.T) {
	c := clocktest.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	h := changes.New(c)
	l := listen(t, h, "acme", changes.TopicOrders)
	h.Changed("acme", changes.TopicOrders)
	<-l.Changed
	c.Advance(-time.Hour)
	h.Changed("acme", changes.TopicOrders)
	if waits := c.Waits(); len(waits) != 2 || waits[1] != changes.Every {
		t.Errorf("waits %v", waits)
	}
}

// TestNothingIsStoredOfATenantThatNobodyLooksAt: its changes cost next to nothing again.
func TestNothingIsStoredOfATenantThatNobodyLooksAt(t *testing.T) {
	h := changes.New(clock.Real{})
	one, two := listen(t, h, "acme", changes.TopicOrders), listen(t, h, "acme", changes.TopicOrders)
	one.Stop()
	if got := h.Tenants(); got != 1 {
		t.Errorf("%d tenants while one listens", got)
	}
	two.Stop()
	if got := h.Tenants(); got != 0 {
		t.Errorf("%d tenants are kept", got)
	}
}

func TestClose(t *testing.T) {
	h := changes.New(clock.Real{})
	l := listen(t, h, "acme", changes.TopicOrders)
	h.Close()
	if _, open := <-l.Changed; open {
		t.Error("it is told something")
	}
	l.Stop()
	if _, err := h.Listen("acme", changes.TopicOrders); apierr.KindOf(err) != apierr.Unavailable {
		t.Errorf("listen: %v", err)
	}
	h.Changed("acme", changes.TopicOrders)
}

// TestManyAtOnce has the race detector look at everything at the same time.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := changes.New(clock.Real{})
		last := listen(t, h, "acme", changes.TopicOrders|changes.TopicRuns)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 200 {
					h.Changed("acme", changes.TopicOrders)
				}
			})
			all.Go(func() {
				for range 20 {
					if l, err := h.Listen("acme", changes.TopicOrders); err == nil {
						l.Stop()
					}
				}
			})
		}
		all.Wait()
		h.Changed("acme", changes.TopicRuns)
		time.Sleep(2 * changes.Every)
		if got := told(last); got != changes.TopicOrders|changes.TopicRuns {
			t.Errorf("in the end: %v", got.Names())
		}
	})
}

// BenchmarkChanged is what a commit pays.
func BenchmarkChanged(b *testing.B) {
	for _, listeners := range []int{0, 1, changes.MostPerTenant} {
		b.Run(fmt.Sprint(listeners), func(b *testing.B) {
			h := changes.New(clock.Real{})
			for range listeners {
				if _, err := h.Listen("acme", changes.TopicOrders); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				h.Changed("acme", changes.TopicOrders)
			}
		})
	}
}
