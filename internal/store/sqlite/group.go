package sqlite

import (
	"context"
	"database/sql"
	"errors"
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

func (t *tx) insertInGroup(tenant string, d *oms.Delivery) error {
	if err := t.waitInGroup(tenant, d); err != nil {
		return err
	}
	_, err := t.w.exec(`
		INSERT INTO deliveries (tenant, event, endpoint, status, attempts, max_attempts, due, grp, updated)
		VALUES (?, ?, ?, 'p', 0, ?, ?, ?, ?)`,
		tenant, d.Event, d.Endpoint, d.MaxAttempts, microsOrZero(d.Due), d.Group, micros(d.Updated))
	return err
}

// waitInGroup has a delivery that becomes pending wait if others of its group are.
func (t *tx) waitInGroup(tenant string, d *oms.Delivery) error {
	if d.Group == "" {
		return nil
	}
	if strings.HasPrefix(d.Group, staged) {
		d.Due = time.Time{}
		return nil
	}
	var busy bool
	err := one(context.Background(), t.q, []any{&busy}, `
		SELECT EXISTS (SELECT 1 FROM deliveries WHERE tenant = ? AND endpoint = ? AND grp = ? AND grp <> '' AND status = 'p')`,
		tenant, d.Endpoint, d.Group)
	if busy {
		d.Due = time.Time{}
	}
	return err
}

// changeInGroup runs a change of one delivery of an endpoint, and reports
// whether there was one to change. If it ended it, the next of its group becomes
// due.
func (t *tx) changeInGroup(ctx context.Context, tenant string, endpoint int64, at time.Time, change string, args ...any) (bool, error) {
	var group, status string
	err := one(ctx, t.q, []any{&group, &status}, change+` RETURNING grp, status`, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil || group == "" || strings.HasPrefix(group, staged) || status == letter(oms.DeliveryPending) {
		return err == nil, err
	}
	return true, t.release(ctx, tenant, endpoint, group, at)
}

// release makes the earliest delivery of a group due, if none is.
func (t *tx) release(ctx context.Context, tenant string, endpoint int64, group string, at time.Time) error {
	var event int64
	err := one(ctx, t.q, []any{&event}, `
		UPDATE deliveries SET due = ?4 WHERE tenant = ?1 AND endpoint = ?2 AND event = (
			SELECT event FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due = 0
			ORDER BY event LIMIT 1)
		AND NOT EXISTS (
			SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due > 0)
		RETURNING event`, tenant, endpoint, group, micros(at))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := t.Delivery(ctx, tenant, oms.DeliveryKey{Event: event, Endpoint: endpoint})
	if err != nil {
		return err
	}
	t.w.changes.due = append(t.w.changes.due, store.Due{Tenant: tenant, Delivery: *d})
	return nil
}
