package core

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// draft is a write that is being decided. It implements [store.Tx]: what is read
// through it is what is committed, and what it depends on must still hold when the
// batch is committed; what is written through it is gathered in the batch. Only
// orders, endpoints and deliveries that the write itself changed are read as it
// left them.
//
// A draft is used by the goroutine of one caller of Write, for one try. A write that is
// decided again has a new draft: nothing that was read for the first try is used in the
// second.
type draft struct {
	queries
	batch Batch
	// The write was overtaken before. The first time a write assumes what nearly always
	// holds, as that an id is free, without asking; its checks find out if it was wrong.
	// The second time it asks, so that the caller gets an error that says what is wrong.
	again bool
	turn  *turn
	// asked says who asked for the write, and for what; nil: the server itself did.
	asked func() access.AuditEntry

	orders     map[key]*draftOrder
	sets       map[string]*endpointSet           // the new endpoints of tenants, by tenant
	seen       map[key]bool                      // the checks that were added already
	read       map[key]bool                      // what the write has read and not changed
	unused     []key                             // the Idempotency-Keys that it found unused
	events     map[key]bool                      // the ids of events that exist already, as far as the write knows
	stored     map[string]int64                  // the versions of settings that the write stores, by tenant
	assumed    map[string]int64                  // the versions of settings that it took for the newest, by tenant
	deliveries map[tenantDelivery]storedDelivery // the deliveries that the write has read and changed
	unblocked  []unblocked                       // the groups whose next delivery becomes due at the end of the write
	unblocks   map[groupRef]bool                 // the same groups, so that each is noted once
	tried      []groupRef                        // the groups whose due delivery is to be attempted now
	groups     []groupChange                     // the deliveries of groups that the database made due
	audited    *audited                          // nil: the write has no entry in the audit log
	numbered   []*event.Endpoint                 // those of the caller that got their numbers in this write
}

// trustsHeld reports whether the write may assume that what its caller has in memory is
// still what is stored. That is nearly always so. If another write came before, the turn
// or the commit finds it out.
func (d *draft) trustsHeld() bool { return !d.again && !d.turn.waited }

// key identifies a thing of a tenant: a turn, a check, or a row. Where several kinds of
// things share a map, the kind stands before the id, as in order/7.
type key struct{ tenant, id string }

// draftOrder is an order as the write read it, or as the write changed it.
type draftOrder struct {
	order *order.Order
	own   bool // the write has changed it
}

// mostTries is how often a write is decided before it fails. Writes of one order take
// turns, so a write is seldom overtaken twice.
const mostTries = 100

// Write implements [store.Store].
func (s *Store) Write(ctx context.Context, do func(tx store.Tx) error) error {
	return s.write(ctx, func(d *draft) error { return do(d) })
}

// write decides a write and commits it. If it was overtaken, it does both again.
func (s *Store) write(ctx context.Context, decide func(d *draft) error) error {
	ctx = store.Work.Mark(ctx) // a write does not wait for the connections of slow questions
	t := &turn{turns: &s.turns, ctx: ctx}
	defer t.end()
	for try := range mostTries {
		// The caller may have gone while another write had the turn.
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.closed.Load() {
			return ErrClosed
		}
		if try > 0 {
			if err := admission.Begin(ctx, 0); err != nil {
				return err
			}
		}
		d := &draft{again: try > 0, turn: t, asked: store.AuditedBy(ctx), batch: Batch{Leases: nodes.LeasesOf(ctx)}}
		d.queries = queries{q: &spoken{s.engine.Engine, s.engine.dialect, ctx}, shared: s.shared, own: d}
		err := call(decide, d)
		if err == nil {
			err = s.commit(ctx, d)
		} else if d.overtakenByTwin(ctx) || apierr.KindOf(err) != apierr.Unavailable && d.assumedWrongly(ctx) {
			err = ErrOvertaken
		}
		if err != nil {
			d.withdrawNumbers()
		}
		if !errors.Is(err, ErrOvertaken) {
			return err
		}
		// What is in memory may be why the write was overtaken.
		s.forget(d)
	}
	return apierr.Errorf(apierr.Unavailable, "others change the same again and again; try again")
}

// withdrawNumbers takes the numbers back that the write gave to new endpoints of its caller: one
// that has a number would be looked for when the write is decided again.
func (d *draft) withdrawNumbers() {
	for _, e := range d.numbered {
		e.No = 0
	}
}

// commit makes a draft durable. A draft that changes nothing is not committed: what it read
// was true when it was read, and what it assumed is looked at here. After the commit it
// tells the listener which deliveries of groups became due: only the database knows that.
func (s *Store) commit(ctx context.Context, d *draft) error {
	if len(d.batch.Changes) == 0 && d.batch.feedRemoved == nil && d.audited == nil {
		if d.assumedWrongly(ctx) {
			return ErrOvertaken
		}
		return nil
	}
	d.finish()
	if d.audited != nil {
		if err := d.finishAudit(); err != nil {
			return err
		}
	}
	admission.Pause(ctx)
	committed := trace.Child(ctx, "commit")
	err := s.engine.Commit(ctx, &d.batch)
	committed()
	if err != nil {
		return err
	}
	if len(d.groups) > 0 {
		s.tellOfGroups(context.WithoutCancel(ctx), d) // the write is committed, also if its caller is not there any more
	}
	return nil
}

// call runs the function that decides the write. If the function panics, the panic is
// returned as an error to its caller.
func call(decide func(*draft) error, d *draft) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return decide(d)
}

// finish adds what is known only at the end: which deliveries of groups become due, and
// the checks of what was read and not changed.
func (d *draft) finish() {
	if len(d.unblocked)+len(d.tried) > 0 {
		d.finishGroups()
	}
	for k, o := range d.orders {
		if o.own {
			d.of(k.tenant).lock(k.tenant, "order/"+k.id)
		} else {
			d.of(k.tenant).lockShared(k.tenant, "order/"+k.id)
			d.batch.check(checkOrder, k.tenant, k.id, o.order.Version, micros(o.order.Created))
		}
	}
	// What the database makes due is read while the changes are made.
	due := len(d.batch.effects.due)
	d.batch.undone = func() { d.batch.effects.due, d.groups = d.batch.effects.due[:due], nil }
}

// of returns the batch, and notes the tenant whose write it is: the write waits in the
// queue of that tenant. A write that is for several tenants, as the one that cancels the
// deliveries of deleted endpoints, does not use it, and waits in a queue of its own.
func (d *draft) of(tenant string) *Batch {
	if d.batch.Tenant == "" {
		d.batch.Tenant = tenant
	}
	return &d.batch
}

// touch notes that the write changes something of a tenant.
func (d *draft) touch(tenant string, what changes.Topics) { d.batch.effects.touch(tenant, what) }

// lockEvent keeps others from erasing or removing an event, or from sending it again.
func (d *draft) lockEvent(tenant string, seq int64) {
	d.of(tenant).lock(tenant, "event/"+strconv.FormatInt(seq, 10))
}

// checkOnce adds a check unless it was added before.
func (d *draft) checkOnce(name key, text string, args ...any) {
	if d.seen[name] {
		return
	}
	if d.seen == nil {
		d.seen = map[key]bool{}
	}
	d.seen[name] = true
	d.of(name.tenant).check(text, args...)
}

// reads takes the turn of a thing, and notes that the write depends on it. If the thing has
// another version when the write changes it, stale knows whose fault that is.
func (d *draft) reads(of key) error {
	if d.read == nil {
		d.read = map[key]bool{}
	}
	d.read[of] = true
	return d.turn.take(of)
}

// stale returns the error for a thing that has another version than expected. If this
// write has read the thing, it was overtaken. Else its caller has passed a wrong version.
func (d *draft) stale(of key, format string, args ...any) error {
	if d.read[of] {
		return ErrOvertaken
	}
	return apierr.Errorf(apierr.Stale, format, args...)
}
