package core

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// Health implements [store.EventReader]. A part of it is stored, as the endpoint's attempts
// added it up. How many deliveries are pending or failed is counted when somebody asks, up
// to [store.MostCounted].
func (q queries) Health(ctx context.Context, tenant string, endpoint int64) (event.Health, error) {
	h, _, err := q.lastHealth(ctx, tenant, endpoint)
	if err != nil {
		return h, err
	}
	err = one(ctx, q.q, []any{&h.Pending, &h.Failed}, countDeliveries, tenant, endpoint, store.MostCounted+1)
	// One more is counted than is told, to know whether there are more.
	h.PendingCapped, h.FailedCapped = h.Pending > store.MostCounted, h.Failed > store.MostCounted
	h.Pending, h.Failed = min(h.Pending, store.MostCounted), min(h.Failed, store.MostCounted)
	return h, err
}

// countDeliveries counts in the indexes alone, and no further than up to a limit. What
// is pending is due, or waits in a group.
const countDeliveries = `SELECT
	(SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND due > 0 LIMIT ?3) AS due) +
	(SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND status = 'p' AND grp <> '' AND due = 0 LIMIT ?3) AS behind),
	(SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND status = 'f' LIMIT ?3) AS failed)`

// lastHealth returns the health as it was added up, without what is counted, and how often
// it was stored. The revision lets a write notice that another one has stored the health
// since. An endpoint that nothing was sent to yet has no row, and the revision 0.
func (q queries) lastHealth(ctx context.Context, tenant string, endpoint int64) (h event.Health, revision int64, err error) {
	var success, failure, since, lastFilterError, streak int64
	err = one(ctx, q.q, []any{&h.Succeeded, &success, &failure, &h.LastError, &h.Consecutive, &since,
		&h.FilterErrors, &lastFilterError, &h.LastFilterError.EventID, &h.LastFilterError.Why, &streak, &h.Streak.Deliveries, &h.Streak.Beginning, &revision}, `
		SELECT succeeded, last_success, last_failure, last_error, consecutive, failing_since,
			filter_errors, last_filter_error, last_filter_event, last_filter_why, streak_since, streak_deliveries, streak_beginning, revision
		FROM endpoint_health WHERE tenant = ? AND endpoint = ?`, tenant, endpoint)
	if errors.Is(err, sql.ErrNoRows) {
		return event.Health{}, 0, nil
	}
	h.LastSuccess, h.LastFailure, h.FailingSince = fromMicrosOrZero(success), fromMicrosOrZero(failure), fromMicrosOrZero(since)
	h.LastFilterError.At = fromMicrosOrZero(lastFilterError)
	h.Streak.Since = fromMicrosOrZero(streak)
	return h, revision, err
}

// StoredHealth implements [store.EventTx].
func (d *draft) StoredHealth(ctx context.Context, tenant string, endpoint int64) (event.Health, error) {
	h, _, err := d.lastHealth(ctx, tenant, endpoint)
	return h, err
}

// AddHealth implements [store.EventTx]. The completer of a tenant calls it every few
// seconds with the sum of what the attempts came to meanwhile: a change of this row for
// each attempt would be one more page to write.
func (d *draft) AddHealth(ctx context.Context, tenant string, endpoint int64, c store.HealthChange) (event.Health, error) {
	d.touch(tenant, changes.TopicEndpoints)
	was, revision, err := d.lastHealth(ctx, tenant, endpoint)
	if err != nil {
		return event.Health{}, err
	}
	// If another completer has stored it since, the revision is another one, and this is
	// decided again.
	h := c.On(was)
	d.of(tenant).changeOne(`
		INSERT INTO endpoint_health
			(tenant, endpoint, succeeded, last_success, last_failure, last_error, consecutive, failing_since,
			filter_errors, last_filter_error, last_filter_event, last_filter_why, streak_since, streak_deliveries, streak_beginning, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, endpoint) DO UPDATE SET succeeded = excluded.succeeded, last_success = excluded.last_success, last_failure = excluded.last_failure,
			last_error = excluded.last_error, consecutive = excluded.consecutive, failing_since = excluded.failing_since,
			filter_errors = excluded.filter_errors, last_filter_error = excluded.last_filter_error, last_filter_event = excluded.last_filter_event,
			last_filter_why = excluded.last_filter_why, streak_since = excluded.streak_since, streak_deliveries = excluded.streak_deliveries,
			streak_beginning = excluded.streak_beginning, revision = excluded.revision
		WHERE endpoint_health.revision = excluded.revision - 1`,
		tenant, endpoint, h.Succeeded, microsOrZero(h.LastSuccess), microsOrZero(h.LastFailure), h.LastError, h.Consecutive, microsOrZero(h.FailingSince),
		h.FilterErrors, microsOrZero(h.LastFilterError.At), h.LastFilterError.EventID, h.LastFilterError.Why,
		microsOrZero(h.Streak.Since), h.Streak.Deliveries, h.Streak.Beginning, revision+1)
	return h, nil
}

// forgetFailures has an endpoint begin anew that was turned on, or is somewhere
// else now: it is not turned off for what it failed at before.
func (d *draft) forgetFailures(tenant string, endpoint int64) {
	d.of(tenant).change(`
		UPDATE endpoint_health SET consecutive = 0, failing_since = 0, streak_since = 0, streak_deliveries = 0, streak_beginning = 0, revision = revision + 1
		WHERE tenant = ? AND endpoint = ?`, tenant, endpoint)
}
