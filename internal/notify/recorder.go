package notify

import (
	"context"
	"errors"
	"maps"
	"slices"
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
	refused bool   // the target guard kept the request back
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
	mostHealth     = 200 // endpoints' health in one
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
				r.noteDirty()
				r.recordHealth()
				return
			}
			r.record(r.gather(first))
		case <-r.tick.C:
			r.recordHealth()
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
func (r *recorder) record(group []result) {
	health := changes{}
	now := r.d.clock.Now()
	for _, one := range group {
		r.take(health, one.lane, now, false)
	}
	err := r.write(group, health)
	if err == nil {
		for _, one := range group {
			one.lane.done(one.it, one.settled.Due)
		}
		return
	}
	r.giveBack(health)
	r.over = oms.KindOf(err) == oms.Unavailable
	r.recordOneByOne(group, err)
}

// recordHealth writes the health of lanes that have gone quiet since it
// changed, of a few at a time: others want to write, too.
func (r *recorder) recordHealth() {
	now := r.d.clock.Now()
	for quiet := slices.Collect(maps.Keys(r.dirty)); len(quiet) > 0 && !r.over; {
		some := quiet[:min(len(quiet), mostHealth)]
		quiet = quiet[len(some):]
		health := changes{}
		for _, l := range some {
			r.take(health, l, now, true)
		}
		if err := r.write(nil, health); err != nil {
			r.d.log.Warn("the health of endpoints cannot be recorded", "error", err)
			r.giveBack(health)
			return
		}
	}
}

// noteDirty finds the lanes whose health changed without an attempt since.
func (r *recorder) noteDirty() {
	for _, l := range r.d.allLanes() {
		l.mu.Lock()
		if l.health.dirty {
			r.dirty[l] = true
		}
		l.mu.Unlock()
	}
}

// changes is what lanes have to say about their endpoints' health.
type changes map[*lane]store.HealthChange

// take adds a lane's, if it is time for it or always.
func (r *recorder) take(health changes, l *lane, now time.Time, always bool) {
	if _, taken := health[l]; taken {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.health.take(now, always); ok {
		health[l] = c
		delete(r.dirty, l)
	} else if l.health.dirty {
		r.dirty[l] = true
	}
}

// giveBack undoes a take whose write failed.
func (r *recorder) giveBack(health changes) {
	for l, taken := range health {
		l.mu.Lock()
		l.health.giveBack(taken)
		l.mu.Unlock()
		r.dirty[l] = true
	}
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

// write is one transaction, tried again while the database is not available.
// At the end of the process it is tried but once more.
func (r *recorder) write(group []result, health changes) error {
	for wait := firstTryAgain; ; wait = min(2*wait, longestTryWait) {
		if r.over {
			return errOver
		}
		var off []turnedOff
		err := r.d.store.Write(context.Background(), func(tx store.Tx) (err error) {
			off, err = r.d.settle(tx, group, health)
			return err
		})
		if err == nil {
			r.d.tell(group, off)
			return nil
		}
		if oms.KindOf(err) != oms.Unavailable || r.d.ctx.Err() != nil {
			return err
		}
		r.d.log.Warn("attempts wait to be recorded", "attempts", len(group), "error", err)
		select {
		case <-time.After(wait):
		case <-r.d.ctx.Done():
		}
	}
}

// turnedOff is an endpoint that was turned off, and why.
type turnedOff struct{ tenant, endpoint, reason string }

// settle writes what came of attempts, and returns the endpoints that it turned
// off.
func (d *Dispatcher) settle(tx store.Tx, group []result, health changes) (off []turnedOff, err error) {
	settled := map[string][]store.Settlement{} // by tenant
	for i := range group {
		tenant := group[i].lane.key.tenant
		settled[tenant] = append(settled[tenant], group[i].settled)
	}
	for tenant, some := range settled {
		if err := tx.Settle(d.ctx, tenant, some...); err != nil {
			return nil, err
		}
	}
	for i := range group {
		if off, err = d.conclude(tx, &group[i], off); err != nil {
			return nil, err
		}
	}
	for l, change := range health {
		h, err := tx.AddHealth(d.ctx, l.key.tenant, l.key.endpoint, change)
		if err != nil {
			return nil, err
		}
		about := l.current()
		if about == nil || !d.hopeless(about.Endpoint, h, change.LastFailure) {
			continue
		}
		off, err = d.disable(tx, about, l.key.tenant, reasonFailing(h.Streak.Since), h.Streak.Since, change.LastFailure, off)
		if err != nil {
			return nil, err
		}
	}
	return off, nil
}

// conclude writes what an attempt means beyond its delivery, and adds to off the
// endpoint, if it is turned off.
func (d *Dispatcher) conclude(tx store.Tx, r *result, off []turnedOff) ([]turnedOff, error) {
	tenant := r.lane.key.tenant
	if r.settled.Attempt.Kind == oms.KindExport && r.settled.Status != oms.DeliveryPending {
		if err := d.concludeExport(tx, tenant, r); err != nil {
			return nil, err
		}
	}
	if r.settled.Status == oms.DeliveryFailed {
		if err := d.tellOfFailure(tx, tenant, r); err != nil {
			return nil, err
		}
	}
	if r.disable == "" {
		return off, nil
	}
	return d.disable(tx, r.target, tenant, r.disable, time.Time{}, r.settled.At, off)
}

// tellOfFailure adds the event of a delivery that was given up, for the
// endpoints that name its type: without any there is none. Nobody is told of a
// delivery that was canceled while the attempt was made, nor of one of such an
// event itself.
func (d *Dispatcher) tellOfFailure(tx store.Tx, tenant string, r *result) error {
	if r.event.Type == oms.TypeDeliveryFailed {
		return nil
	}
	subscriptions, err := tx.Subscriptions(d.ctx, tenant)
	if err != nil || !subscriptions.Named(oms.TypeDeliveryFailed) {
		return err
	}
	delivery, err := tx.Delivery(d.ctx, tenant, r.settled.Key)
	if oms.KindOf(err) == oms.NotFound || err == nil && delivery.Status != oms.DeliveryFailed {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.AddEvents(d.ctx, tenant, oms.DeliveryFailedEvent(delivery, r.settled.At))
}

var (
	errGone = errors.New("the endpoint is gone")
	errOver = errors.New("the process ends, and the database takes no writes")
)
