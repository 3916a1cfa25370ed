package core

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// A group is the deliveries of the events of one subject to an endpoint that wants them
// in order. Among the pending deliveries of a group exactly one is due, and the due column
// of the others is 0. When that one ends, the earliest of the others becomes due. So the
// one that is due is the earliest of all. There is one exception: if an earlier delivery
// was sent again while another one was due, it comes next.

// ordered reports whether an endpoint wants groups. e is nil for a deleted endpoint.
func ordered(e *event.Endpoint) bool { return e != nil && e.Ordering == event.OrderingSubject }

// staged is a prefix of the group of a delivery that came while a reorder job puts older
// pending deliveries into their groups. Such a delivery waits until the job knows what is
// before it. No kind of a subject begins with the prefix, so it cannot be part of a name.
const staged = "+"

// groupOf returns the group of an event's delivery. It is "" if the delivery has none: an
// event without a subject does not wait for another.
func groupOf(e *event.Event, to *event.Endpoint) string {
	if !ordered(to) || e.Subject.ID == "" {
		return ""
	}
	if to.Reordering != "" {
		return staged + subjectGroup(e)
	}
	return subjectGroup(e)
}

func subjectGroup(e *event.Event) string {
	if e.Subject.Kind == event.SubjectShipment { // shipment ids are unique only within an order
		return e.Subject.Kind + "/" + e.OrderID + "/" + e.Subject.ID
	}
	return e.Subject.Kind + "/" + e.Subject.ID
}

// groupOfRow is [groupOf] for a row of events, of an endpoint that wants groups.
const groupOfRow = `CASE WHEN subject_id = '' THEN '' ELSE subject_kind || '/' || CASE WHEN subject_kind = 'shipment' THEN order_id || '/' ELSE '' END || subject_id END`

// busy is true if the group has a pending delivery.
const busy = `EXISTS (SELECT 1 FROM deliveries AS g WHERE g.tenant = ?1 AND g.endpoint = ?2 AND g.grp = ?3 AND g.grp <> '' AND g.status = 'p')`

// groupChange is a delivery of a group that became due in a write. The listener is told
// of it after the commit.
type groupChange struct {
	tenant string
	key    event.DeliveryKey
	trial  bool
}

// dueInGroup returns a function that reads the result of a statement which may have made
// a delivery of a group due: the event, and when it is due.
func (d *draft) dueInGroup(tenant string, endpoint int64, trial bool) func(Row) error {
	return func(r Row) error {
		var e, due int64
		if err := r.Scan(&e, &due); err != nil || due == 0 {
			return err
		}
		d.groups = append(d.groups, groupChange{tenant, event.DeliveryKey{Event: e, Endpoint: endpoint}, trial})
		return nil
	}
}

// tellOfGroups tells the listener which deliveries of groups became due. It reads each one,
// since the statement that made it due returned its key only. If one cannot be read, the
// listener is told to look into the table. It runs on the goroutine of the caller, after
// the commit.
func (s *Store) tellOfGroups(ctx context.Context, d *draft) {
	var due []store.Due
	for i, g := range d.groups {
		// If two statements made the same one due, the last one says whether it is a trial.
		later := func(o groupChange) bool { return o.tenant == g.tenant && o.key == g.key }
		if slices.ContainsFunc(d.groups[i+1:], later) {
			continue
		}
		delivery, err := s.Delivery(ctx, g.tenant, g.key)
		switch {
		case apierr.KindOf(err) == apierr.NotFound, err == nil && delivery.Due.IsZero():
			continue // it was removed, or has ended by now
		case err != nil:
			s.tell(func(l store.Listener) { l.Behind(g.tenant, g.key.Endpoint) })
			continue
		}
		due = append(due, store.Due{Tenant: g.tenant, Delivery: *delivery, Trial: g.trial})
	}
	if len(due) > 0 {
		s.tell(func(l store.Listener) { l.Due(due) })
	}
}

// insertInGroup stores a new delivery of an event. It is due if no other delivery of its
// group is pending; else it waits.
func (d *draft) insertInGroup(tenant string, e *event.Event, new event.Delivery) {
	d.lockGroup(tenant, new.Endpoint, new.Group)
	due := `CASE WHEN ` + busy + ` THEN 0 ELSE CAST(?6 AS bigint) END`
	if strings.HasPrefix(new.Group, staged) {
		due = `0 * CAST(?6 AS bigint)`
	}
	d.of(tenant).add(Change{Rows: 1, Into: func(r Row) error {
		var at int64
		if err := r.Scan(&at); err != nil || at == 0 {
			return err
		}
		d.batch.effects.due = append(d.batch.effects.due, store.Due{Tenant: tenant, Delivery: new, Event: e})
		return nil
	}, Text: `
		INSERT INTO deliveries (tenant, event, endpoint, status, attempts, max_attempts, due, grp, updated)
		VALUES (?1, ?4, ?2, 'p', 0, ?5, ` + due + `, ?3, ?7) RETURNING due`,
		Args: []any{tenant, new.Endpoint, new.Group, new.Event, new.MaxAttempts, micros(new.Due), micros(new.Updated)}})
}

// lockGroup keeps others from changing a group, and a reorder job from changing all
// groups of the endpoint.
func (d *draft) lockGroup(tenant string, endpoint int64, group string) {
	no := strconv.FormatInt(endpoint, 10)
	d.of(tenant).lockShared(tenant, "groups/"+no)
	d.of(tenant).lock(tenant, "group/"+no+"/"+strings.TrimPrefix(group, staged))
}

// groupRef names a group.
type groupRef struct {
	tenant   string
	endpoint int64
	name     string
}

// unblocked is a group whose next delivery becomes due at the end of the write, if no
// other one is due then.
type unblocked struct {
	groupRef
	at time.Time
}

// unblock makes the earliest waiting delivery of a group due, if no other one is. It is
// done at the end of the write, because the write may still change other deliveries of
// the group.
func (d *draft) unblock(tenant string, endpoint int64, group string, at time.Time) {
	of := groupRef{tenant, endpoint, group}
	if group == "" || strings.HasPrefix(group, staged) || d.unblocks[of] {
		return
	}
	if d.unblocks == nil {
		d.unblocks = map[groupRef]bool{}
	}
	d.unblocks[of] = true
	d.lockGroup(tenant, endpoint, group)
	d.unblocked = append(d.unblocked, unblocked{of, at})
}

// unblockNext makes the earliest delivery of a group that waits due, unless another one of
// the group is due already.
const unblockNext = `
	UPDATE deliveries SET due = ?4 WHERE tenant = ?1 AND endpoint = ?2 AND event = (
		SELECT event FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due = 0
		ORDER BY event LIMIT 1)
	AND NOT EXISTS (
		SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due > 0)`

// tryGroup makes the due delivery of a group due now: if somebody sends a delivery again
// by hand, he must not wait an hour for a retry that is before it.
func (d *draft) tryGroup(tenant string, endpoint int64, group string, trial bool) {
	if of := (groupRef{tenant, endpoint, group}); trial && !slices.Contains(d.tried, of) {
		d.tried = append(d.tried, of)
		d.lockGroup(tenant, endpoint, group)
	}
}

// finishGroups adds the statements that decide which deliveries of the changed groups
// become due. The database decides it, because only there all deliveries of a group are
// known.
func (d *draft) finishGroups() {
	for _, g := range d.unblocked {
		d.of(g.tenant).add(Change{Rows: AnyRows, Into: d.dueInGroup(g.tenant, g.endpoint, false),
			Text: unblockNext + ` RETURNING event, due`, Args: []any{g.tenant, g.endpoint, g.name, micros(g.at)}})
	}
	for _, g := range d.tried {
		d.of(g.tenant).add(Change{Rows: AnyRows, Into: d.dueInGroup(g.tenant, g.endpoint, true), Text: `
			UPDATE deliveries SET due = CASE WHEN due < ?4 THEN due ELSE ?4 END WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due > 0
			RETURNING event, due`, Args: []any{g.tenant, g.endpoint, g.name, micros(d.clock())}})
	}
}
