package core

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// Waiting implements [store.Reader]. It counts no further than [store.MostCounted]: the
// dashboard and the metrics ask it often.
func (q queries) Waiting(ctx context.Context, tenant string) (w store.Waiting, err error) {
	if w.Deliveries, err = q.DeliveryCount(ctx, tenant, store.DeliveryFilter{Status: event.DeliveryPending}); err != nil {
		return w, err
	}
	if w.OldestDelivery, err = q.oldestPending(ctx, tenant); err != nil {
		return w, err
	}
	// Running and waiting runs have an index by their status.
	for _, one := range []struct {
		status run.RunStatus
		runs   *store.WaitingRuns
	}{{run.RunRunning, &w.Running}, {run.RunWaiting, &w.Waiting}} {
		if one.runs.Count, err = q.RunCount(ctx, tenant, store.RunFilter{Status: one.status}); err != nil {
			return w, err
		}
		if one.runs.Oldest, err = q.oldestRun(ctx, tenant, one.status); err != nil {
			return w, err
		}
	}
	return w, nil
}

// oldestPending returns when the earliest event happened of the deliveries that are counted
// as pending; zero if there are none. If more are pending than are counted, an earlier one
// may be missed. An index of pending deliveries by their events would cost each delivery
// more than the exact answer is worth.
func (q queries) oldestPending(ctx context.Context, tenant string) (time.Time, error) {
	return q.timeOr(ctx, `SELECT at FROM events WHERE tenant = ?1 AND seq = (SELECT min(event) FROM (
		SELECT * FROM (SELECT event FROM deliveries INDEXED BY deliveries_due WHERE tenant = ?1 AND due > 0 LIMIT ?2) AS due UNION ALL
		SELECT * FROM (SELECT event FROM deliveries INDEXED BY deliveries_group WHERE tenant = ?1 AND status = 'p' AND grp <> '' AND due = 0 LIMIT ?2) AS behind) AS pending)`,
		tenant, store.MostCounted)
}

// oldestRun returns when the oldest run of a status was created that has not ended; zero if
// there is none. An index holds just these runs, in that order.
func (q queries) oldestRun(ctx context.Context, tenant string, status run.RunStatus) (time.Time, error) {
	return q.timeOr(ctx, `SELECT created FROM runs INDEXED BY runs_open WHERE tenant = ? AND status = ? AND ended = 0 ORDER BY created, id LIMIT 1`, tenant, string(status))
}

// timeOr returns the one time that a query finds, zero if it finds none.
func (q queries) timeOr(ctx context.Context, text string, args ...any) (time.Time, error) {
	var at int64
	err := one(ctx, q.q, []any{&at}, text, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMicrosOrZero(at), err
}

// EndpointsInTrouble implements [store.EventReader]. Which endpoints were turned off is
// known in memory. Which ones fail, an index knows; it may still name some that were
// deleted or turned off, which are left out.
func (q queries) EndpointsInTrouble(ctx context.Context, tenant string, most int) (found []*event.Endpoint, count store.Count, err error) {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return nil, count, err
	}
	add := func(e *event.Endpoint) {
		// All are counted, and the first of them are returned.
		if count.N++; len(found) < most {
			found = append(found, e)
		}
	}
	// An endpoint that orderhook turned off says why; one that its owner turned off does
	// not.
	for _, e := range set.byNo {
		if e != nil && e.Disabled != "" {
			add(e)
		}
	}
	err = q.q.Query(ctx, func(r Row) error {
		var no int64
		if err := r.Scan(&no); err != nil {
			return err
		}
		switch e := set.get(no); {
		case count.N >= store.MostCounted:
			count.Capped = true
			return errEnough
		case e != nil && e.Enabled:
			add(e)
		}
		return nil
	}, `SELECT endpoint FROM endpoint_health INDEXED BY endpoint_health_failing WHERE tenant = ? AND consecutive >= 3 ORDER BY failing_since, endpoint LIMIT ?`,
		tenant, 2*store.MostCounted)
	return found, count, err
}

// Recent implements [store.EventReader]. It goes along the index of the attempts at one
// endpoint.
func (q queries) Recent(ctx context.Context, tenant string, endpoint int64, most int) ([]store.RecentAttempt, error) {
	return collect(ctx, q.q.Query, func(r Row) (a store.RecentAttempt, err error) {
		var seq int64
		var id sql.NullString
		err = r.Scan(&seq, &id, &a.DurationMs, &a.Status, &a.Outcome)
		a.ID, a.StartedAt = attemptID(seq, id), ids.NumberTime(seq)
		return a, err
	}, `SELECT seq, id, duration_ms, status, outcome FROM attempts INDEXED BY attempts_endpoint
		WHERE tenant = ? AND endpoint = ? AND endpoint > 0 ORDER BY seq DESC LIMIT ?`, tenant, endpoint, most)
}
