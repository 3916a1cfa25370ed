package core

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// draft is a write that is being decided. It implements [store.Tx]: what is read
// through it is what is committed, and what it rests on must still hold when the
// batch is committed; what is written through it is gathered in the batch. Only
// orders, endpoints and deliveries that the write itself changed are read as it
// left them.
type draft struct {
	queries
	batch Batch
	again bool // it was overtaken before: what hardly ever is in the way is looked up now
	turn  *turn
	asked func() oms.AuditEntry // who asks for the write, and for what; nil: nobody does

	orders     map[key]*draftOrder
	sets       map[string]*endpointSet           // of tenants whose endpoints the write changes
	seen       map[key]bool                      // which checks were added already
	read       map[key]bool                      // what else the write has read
	unused     []key                             // Idempotency-Keys that it found unused
	events     map[key]bool                      // ids of events that are taken, as far as the write knows
	stored     map[string]int64                  // the versions of settings that the write stores, by tenant
	deliveries map[tenantDelivery]storedDelivery // those that the write changed after it had read them
	released   []released                        // groups that are to be looked at in the end
	releases   map[groupRef]bool                 // those, each once
	tried      []groupRef                        // groups of which what is due is to be tried at once
	groups     []groupChange                     // what of groups the listener is told of
	audited    *audited                          // nil: the audit log does not tell of the write
}

// trustsHeld reports whether what the caller holds is taken for what is stored.
// It nearly always is; where another write came before, its turn or the commit
// says so.
func (d *draft) trustsHeld() bool { return !d.again && !d.turn.waited }

// key is the name of something of a tenant.
type key struct{ tenant, id string }

// draftOrder is an order as the write found it, or left it.
type draftOrder struct {
	order *oms.Order
	own   bool // the write changed it
}

// mostTries bounds how often a write is decided again. Those of one order take
// turns, so that one is hardly ever overtaken twice.
const mostTries = 100

// Write implements [store.Store].
func (s *Store) Write(ctx context.Context, do func(tx store.Tx) error) error {
	return s.write(ctx, func(d *draft) error { return do(d) })
}

// write decides, commits, and decides again where the decision was overtaken.
func (s *Store) write(ctx context.Context, decide func(d *draft) error) error {
	ctx = store.Work.Mark(ctx) // whoever writes does not wait for those who ask
	t := &turn{turns: &s.turns, ctx: ctx}
	defer t.end()
	for try := range mostTries {
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
		d := s.draft(ctx, t, try > 0)
		err := call(decide, d)
		if err == nil {
			err = s.commit(ctx, d)
		} else if d.overtakenByTwin(ctx) {
			err = ErrOvertaken
		}
		if !errors.Is(err, ErrOvertaken) {
			return err
		}
		s.forget(d)
	}
	return oms.Errorf(oms.Unavailable, "others change the same again and again; try again")
}

func (s *Store) draft(ctx context.Context, t *turn, again bool) *draft {
	d := &draft{again: again, turn: t, asked: store.AuditedBy(ctx)}
	d.queries = queries{q: reads{s.engine, ctx}, shared: s.shared, own: d}
	return d
}

// reads is an engine that is asked for as long as a write goes on, whatever the
// contexts are that its methods are called with: those of the store are handed
// around, and the one that counts is that of Write.
type reads struct {
	Engine
	ctx context.Context
}

func (r reads) Query(_ context.Context, each func(Row) error, text string, args ...any) error {
	return r.Engine.Query(r.ctx, each, text, args...)
}

func (r reads) QueryOnce(_ context.Context, each func(Row) error, text string, args ...any) error {
	return r.Engine.QueryOnce(r.ctx, each, text, args...)
}

// commit makes a draft durable, and tells the listener of what became due by it
// in groups: which it is, only the database knew.
func (s *Store) commit(ctx context.Context, d *draft) error {
	if len(d.batch.Changes) == 0 {
		return nil
	}
	d.finish()
	if err := d.finishAudit(); err != nil {
		return err
	}
	admission.Pause(ctx)
	if err := s.engine.Commit(ctx, &d.batch); err != nil {
		return err
	}
	s.tellOfGroups(d)
	return nil
}

// call runs a decision; its panic is an error of its caller.
func call(decide func(*draft) error, d *draft) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return decide(d)
}

// finish adds what can be said at the end alone: what of the groups becomes due,
// and the checks of what was read and not changed.
func (d *draft) finish() {
	d.finishGroups()
	for k, o := range d.orders {
		if !o.own {
			d.batch.check(checkOrder, k.tenant, k.id, o.order.Version, micros(o.order.Created))
		}
	}
}

// of names the tenant whose write it is.
func (d *draft) of(tenant string) *Batch {
	if d.batch.Tenant == "" {
		d.batch.Tenant = tenant
	}
	return &d.batch
}

// touch notes that the write changes something of a tenant.
func (d *draft) touch(tenant string, what oms.Topics) { d.batch.news.touch(tenant, what) }

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

// reads takes the turn of a thing and notes that the write rests on it.
func (d *draft) reads(of key) error {
	if d.read == nil {
		d.read = map[key]bool{}
	}
	d.read[of] = true
	return d.turn.take(of)
}

// readsSettings notes that the write rests on a tenant's settings, if it should
// replace them. Nobody waits for others who read them.
func (d *draft) readsSettings(tenant string) {
	if d.read == nil {
		d.read = map[key]bool{}
	}
	d.read[key{tenant, "settings"}] = true
}

// stale is the error of a write of something that is of another version. If the
// write has read it, it was overtaken; else it was given a version that is wrong.
func (d *draft) stale(of key, format string, args ...any) error {
	if d.read[of] {
		return ErrOvertaken
	}
	return oms.Errorf(oms.Stale, format, args...)
}
