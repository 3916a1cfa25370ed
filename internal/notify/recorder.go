package notify

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// result is an attempt that was made, to be recorded.
type result struct {
	lane    *lane
	target  *target
	it      item
	event   *oms.Event
	settled store.Settlement
	disable string // why the endpoint is to be turned off with it; "": it is not
}

// recorder makes attempts durable: all that wait in one transaction. While the
// database takes no writes, it tries again; the workers wait for it then.
type recorder struct {
	d       *Dispatcher
	results chan result
	ended   chan struct{}
	tick    *time.Ticker // for the health of lanes that have gone quiet
	dirty   map[*lane]bool
	over    bool // the process ends, and the database takes nothing
}

const (
	mostRecorded   = 512 // results in one transaction
	recorderRoom   = 1024
	firstTryAgain  = 50 * time.Millisecond
	longestTryWait = 2 * time.Second
)

func newRecorder(d *Dispatcher) *recorder {
	return &recorder{d: d, results: make(chan result, recorderRoom), ended: make(chan struct{}), dirty: map[*lane]bool{}}
}

func (r *recorder) start() {
	r.tick = time.NewTicker(healthEvery)
	go r.loop()
}

// stop records what is left and ends. No result may come any more.
func (r *recorder) stop() {
	close(r.results)
	<-r.ended
	r.tick.Stop()
}

func (r *recorder) loop() {
	defer close(r.ended)
	for {
		select {
		case first, open := <-r.results:
			if !open {
				r.record(nil, true)
				return
			}
			r.record(r.gather(first), false)
		case <-r.tick.C:
			r.record(nil, true)
		}
	}
}

// gather adds to a result those that wait behind it.
func (r *recorder) gather(first result) []result {
	group := []result{first}
	for len(group) < mostRecorded {
		select {
		case next, open := <-r.results:
			if !open {
				return group
			}
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// record writes a group, until it is written or cannot be.
func (r *recorder) record(group []result, allHealth bool) {
	for _, one := range group {
		r.dirty[one.lane] = true
	}
	health := r.takeHealth(allHealth)
	if len(group)+len(health) == 0 {
		return
	}
	err := r.write(group, health)
	if err == nil {
		for _, one := range group {
			one.lane.done(one.it, one.settled.Due)
		}
		return
	}
	for l, taken := range health {
		l.giveBackHealth(taken)
		r.dirty[l] = true
	}
	r.over = oms.KindOf(err) == oms.Unavailable
	r.recordOneByOne(group, err)
}

// recordOneByOne is for a group that could not be written: one of it, or the
// health that went with it, is to blame. What cannot be recorded is attempted
// again.
func (r *recorder) recordOneByOne(group []result, err error) {
	for _, one := range group {
		if !r.over {
			err = r.write([]result{one}, nil)
		}
		if err == nil {
			one.lane.done(one.it, one.settled.Due)
			continue
		}
		r.d.log.Error("an attempt cannot be recorded", "tenant", one.lane.key.tenant, "event", one.it.Delivery.EventID, "error", err)
		one.lane.release(one.it, r.d.clock.Now().Add(lookAgain))
	}
}

func (r *recorder) takeHealth(always bool) map[*lane]store.HealthChange {
	taken := map[*lane]store.HealthChange{}
	now := r.d.clock.Now()
	for l := range r.dirty {
		if c, ok := l.takeHealth(now, always); ok {
			taken[l] = c
			delete(r.dirty, l)
		}
	}
	return taken
}

func (l *lane) takeHealth(now time.Time, always bool) (store.HealthChange, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health.take(now, always)
}

func (l *lane) giveBackHealth(taken store.HealthChange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.health.giveBack(taken)
}

// write is one transaction, tried again while the database is not available.
// At the end of the process it is tried but once more.
func (r *recorder) write(group []result, health map[*lane]store.HealthChange) error {
	for wait := firstTryAgain; ; wait = min(2*wait, longestTryWait) {
		if r.over {
			return errOver
		}
		err := r.d.store.Write(context.Background(), func(tx store.Tx) error { return r.d.settle(tx, group, health) })
		if err == nil || oms.KindOf(err) != oms.Unavailable || r.d.ctx.Err() != nil {
			return err
		}
		r.d.log.Warn("attempts wait to be recorded", "attempts", len(group), "error", err)
		select {
		case <-time.After(wait):
		case <-r.d.ctx.Done():
		}
	}
}

// settle writes what came of attempts.
func (d *Dispatcher) settle(tx store.Tx, group []result, health map[*lane]store.HealthChange) error {
	for i := range group {
		if err := d.settleOne(tx, &group[i]); err != nil {
			return err
		}
	}
	for l, change := range health {
		h, err := tx.AddHealth(d.ctx, l.key.tenant, l.key.endpoint, change)
		if err != nil {
			return err
		}
		about := l.current()
		if h.Consecutive == 0 || about == nil || change.LastFailure.Sub(h.FailingSince) < d.disableAfter {
			continue
		}
		if err := d.disable(tx, about, l.key.tenant, reasonFailing(h.FailingSince), h.FailingSince, change.LastFailure); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dispatcher) settleOne(tx store.Tx, r *result) error {
	tenant := r.lane.key.tenant
	if err := tx.Settle(d.ctx, tenant, r.settled); err != nil {
		return err
	}
	if r.settled.Attempt.Kind == oms.KindExport && r.settled.Status != oms.DeliveryPending {
		if err := d.logExport(tx, tenant, r); err != nil {
			return err
		}
	}
	if r.disable == "" {
		return nil
	}
	return d.disable(tx, r.target, tenant, r.disable, time.Time{}, r.settled.At)
}

// logExport adds the export log item to the order's history (CONTRACT.md,
// "Export Order"). An order that is gone has none.
func (d *Dispatcher) logExport(tx store.Tx, tenant string, r *result) error {
	_, err := tx.Order(d.ctx, tenant, r.event.OrderID)
	if oms.KindOf(err) == oms.NotFound {
		return nil
	}
	if err == nil {
		last := *r.settled.Attempt
		last.CallID = r.it.Delivery.ID()
		err = tx.AddHistory(d.ctx, tenant, r.event.OrderID, oms.ExportHistory(r.event, &last, r.settled.At))
	}
	return err
}

var (
	errGone = errors.New("the endpoint is gone")
	errOver = errors.New("the process ends, and the database takes no writes")
)
