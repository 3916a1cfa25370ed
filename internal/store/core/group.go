package core

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// A group is the deliveries of one subject's events to an endpoint that wants
// them in their order. Of those that are pending exactly one is due, the
// others have a due of 0: when it ends, the earliest of the others becomes due.
// So the due one is the earliest of all, unless an earlier one was sent again
// while it was pending: that one is the next.

// ordered reports whether an endpoint, nil for a deleted one, wants groups.
func ordered(e *oms.Endpoint) bool { return e != nil && e.Ordering == oms.OrderingSubject }

// staged is put in front of a group while the deliveries that were pending when
// an endpoint's ordering began are not all in their groups: what comes meanwhile
// waits, until it can be told what is before it. No kind of a subject begins so.
const staged = "+"

// groupOf returns the group of an event's delivery, "" if it has none: an event
// without a subject does not wait for another.
func groupOf(e *oms.Event, to *oms.Endpoint) string {
	if !ordered(to) || e.Subject.ID == "" {
		return ""
	}
	if to.Reordering != "" {
		return staged + subjectGroup(e)
	}
	return subjectGroup(e)
}

func subjectGroup(e *oms.Event) string {
	if e.Subject.Kind == oms.SubjectShipment { // orders number their shipments from 1
		return e.Subject.Kind + "/" + e.OrderID + "/" + e.Subject.ID
	}
	return e.Subject.Kind + "/" + e.Subject.ID
}

// groupOfRow is [groupOf] for a row of events, of an endpoint that wants groups.
const groupOfRow = `iif(subject_id = '', '', subject_kind || '/' || iif(subject_kind = 'shipment', order_id || '/', '') || subject_id)`

// busy holds where a group has a pending delivery.
const busy = `EXISTS (SELECT 1 FROM deliveries AS g WHERE g.tenant = ?1 AND g.endpoint = ?2 AND g.grp = ?3 AND g.grp <> '' AND g.status = 'p')`

// groupChange is a delivery of a group that the listener is to be told of, if
// the database found that it is due.
type groupChange struct {
	tenant string
	key    oms.DeliveryKey
	trial  bool
}

// dueInGroup reads what a statement returns that may have made a delivery of a
// group due: its event, and when.
func (d *draft) dueInGroup(tenant string, endpoint int64, trial bool) func(Row) error {
	return func(r Row) error {
		var event, due int64
		if err := r.Scan(&event, &due); err != nil || due == 0 {
			return err
		}
		d.groups = append(d.groups, groupChange{tenant, oms.DeliveryKey{Event: event, Endpoint: endpoint}, trial})
		return nil
	}
}

// tellOfGroups tells the listener which deliveries of groups became due.
func (s *Store) tellOfGroups(d *draft) {
	var due []store.Due
	for i, g := range d.groups {
		later := func(o groupChange) bool { return o.tenant == g.tenant && o.key == g.key }
		if slices.ContainsFunc(d.groups[i+1:], later) {
			continue
		}
		delivery, err := s.Delivery(context.Background(), g.tenant, g.key)
		switch {
		case oms.KindOf(err) == oms.NotFound, err == nil && delivery.Due.IsZero():
			continue // it is gone, or has ended by now
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

// insertInGroup stores a new delivery of an event: it is due if nothing of its
// group is pending, and waits else.
func (d *draft) insertInGroup(tenant string, e *oms.Event, new oms.Delivery) {
	due := `CASE WHEN ` + busy + ` THEN 0 ELSE ?6 END`
	if strings.HasPrefix(new.Group, staged) {
		due = `0 * ?6`
	}
	d.of(tenant).add(Change{Rows: 1, Into: func(r Row) error {
		var at int64
		if err := r.Scan(&at); err != nil || at == 0 {
			return err
		}
		d.batch.news.due = append(d.batch.news.due, store.Due{Tenant: tenant, Delivery: new, Event: e})
		return nil
	}, Text: `
		INSERT INTO deliveries (tenant, event, endpoint, status, attempts, max_attempts, due, grp, updated)
		VALUES (?1, ?4, ?2, 'p', 0, ?5, ` + due + `, ?3, ?7) RETURNING due`,
		Args: []any{tenant, new.Endpoint, new.Group, new.Event, new.MaxAttempts, micros(new.Due), micros(new.Updated)}})
}

// groupRef names a group.
type groupRef struct {
	tenant   string
	endpoint int64
	name     string
}

// released is a group of which another delivery becomes due, if none is any more.
type released struct {
	groupRef
	at time.Time
}

// release makes the earliest delivery of a group due, if none is: at the end of
// the write, for it may yet change others of the group.
func (d *draft) release(tenant string, endpoint int64, group string, at time.Time) {
	of := groupRef{tenant, endpoint, group}
	if group == "" || strings.HasPrefix(group, staged) || d.releases[of] {
		return
	}
	if d.releases == nil {
		d.releases = map[groupRef]bool{}
	}
	d.releases[of] = true
	d.released = append(d.released, released{of, at})
}

const release = `
	UPDATE deliveries SET due = ?4 WHERE tenant = ?1 AND endpoint = ?2 AND event = (
		SELECT event FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due = 0
		ORDER BY event LIMIT 1)
	AND NOT EXISTS (
		SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due > 0)`

// tryGroup has the delivery of a group that is due be tried at once: nobody waits
// an hour for what he sent by hand. It is another than what he sent if that waits.
func (d *draft) tryGroup(tenant string, endpoint int64, group string, trial bool) {
	if of := (groupRef{tenant, endpoint, group}); trial && !slices.Contains(d.tried, of) {
		d.tried = append(d.tried, of)
	}
}

// finishGroups decides what of the groups is due that the write has changed. Only
// the database knows it.
func (d *draft) finishGroups() {
	for _, g := range d.released {
		d.of(g.tenant).add(Change{Rows: AnyRows, Into: d.dueInGroup(g.tenant, g.endpoint, false),
			Text: release + ` RETURNING event, due`, Args: []any{g.tenant, g.endpoint, g.name, micros(g.at)}})
	}
	for _, g := range d.tried {
		d.of(g.tenant).add(Change{Rows: AnyRows, Into: d.dueInGroup(g.tenant, g.endpoint, true), Text: `
			UPDATE deliveries SET due = min(due, ?4) WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due > 0
			RETURNING event, due`, Args: []any{g.tenant, g.endpoint, g.name, micros(d.clock())}})
	}
}
