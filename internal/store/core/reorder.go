package core

import (
	"context"
	"math"
	"strconv"

	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// The stages of a reorder job, which applies another ordering of an endpoint to the
// deliveries that are pending. There may be a million of them, and to change them in one
// transaction held up all writers (docs/design.md#tried-and-dropped). So each step changes
// a limited number of rows in one write. A stage ends only in a write that finds nothing
// more to do: so what others stored meanwhile is not missed.
const (
	outOfGroups = iota // what was pending belongs to no group, and is due
	intoGroups         // it belongs to its group, of which the earliest is due
	fromStage          // so does what came meanwhile
)

// Reorder implements [store.EventTx]. It has the lock of all groups of the endpoint, so
// that no delivery joins or leaves one during a step.
func (d *draft) Reorder(ctx context.Context, tenant string, e *event.Endpoint, j *job.Job, limit int) (done bool, err error) {
	d.touch(tenant, changes.TopicDeliveries)
	if err := d.hasEndpoint(ctx, tenant, e); err != nil {
		return false, err
	}
	d.of(tenant).lock(tenant, "groups/"+strconv.FormatInt(e.No, 10))
	// The endpoint itself is changed in this write.
	if d.sets[tenant] != nil && ordered(e) {
		return d.nothingPending(ctx, tenant, e)
	}
	stages := [...]func(context.Context, string, *event.Endpoint, *job.Job, int) (int, error){
		outOfGroups: d.takeOutOfGroups, intoGroups: d.putIntoGroups, fromStage: d.takeFromStage}
	for left := limit; left > 0; j.Stage++ {
		n, err := stages[j.Stage](ctx, tenant, e, j, left)
		if err != nil {
			return false, err
		}
		j.Examined += int64(n)
		// The step has changed as many rows as it may, and the stage may have more.
		if left -= n; left == 0 {
			return false, nil // there may be more
		}
		// Without groups there is only the first stage.
		if j.Stage == fromStage || !ordered(e) {
			d.of(tenant).changeOne(nothingLeft, tenant, e.No, ordered(e))
			return true, nil
		}
		if n > 0 && j.Stage == outOfGroups {
			j.Stage++
			return false, nil // the next stage reads the rows again
		}
	}
	return false, nil
}

// nothingLeft changes nothing, but it counts as one changed row only if no delivery of an
// endpoint is in the stage, or, if the endpoint wants no groups, in any group. Otherwise
// the write is overtaken, and the last stage goes on.
const nothingLeft = `UPDATE endpoints SET no = no WHERE tenant = ?1 AND no = ?2 AND NOT EXISTS (
	SELECT 1 FROM deliveries INDEXED BY deliveries_group
	WHERE tenant = ?1 AND endpoint = ?2 AND grp <> '' AND status = 'p' AND (NOT ?3 OR grp >= '` + staged + `' AND grp < ','))`

// nothingPending reports whether nothing has to follow the ordering that this very write
// gives an endpoint: then no job is needed. If something has to follow it, the write does
// not begin with that: what others store until it is committed would be missed.
func (d *draft) nothingPending(ctx context.Context, tenant string, e *event.Endpoint) (bool, error) {
	const none = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND due > 0)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND status = 'p' AND grp <> '' AND due = 0)`
	found, err := collect(ctx, d.q.Query, scanNumber, none, tenant, e.No)
	if err != nil || len(found) == 0 {
		return false, err
	}
	d.of(tenant).check(none, tenant, e.No)
	// The check makes it true at the commit, too: whatever comes before that has the write
	// decided again.
	return true, nil
}

// takeOutOfGroups takes pending deliveries out of their groups: all of them or, if they
// will go into other groups, those up to an event. What waited in its group becomes due.
func (d *draft) takeOutOfGroups(ctx context.Context, tenant string, e *event.Endpoint, j *job.Job, limit int) (int, error) {
	// Deliveries of later events came after the new ordering, and have the prefix staged
	// already.
	last := j.Last
	if !ordered(e) {
		last = math.MaxInt64
	}
	events, err := collect(ctx, d.q.Query, scanNumber, `
		SELECT event FROM deliveries INDEXED BY deliveries_group
		WHERE tenant = ? AND endpoint = ? AND grp <> '' AND status = 'p' AND event <= ? LIMIT ?`, tenant, e.No, last, limit)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	d.of(tenant).change(`
		UPDATE deliveries SET grp = '', due = CASE WHEN due = 0 THEN ?3 ELSE due END
		WHERE tenant = ?1 AND endpoint = ?2 AND event {numbers ?4} AND status = 'p'`,
		tenant, e.No, micros(d.clock()), jsonNumbers(events))
	return len(events), nil
}

// scanNumber reads one number.
func scanNumber(r Row) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// ungrouped is a delivery that is due, or has the prefix staged.
type ungrouped struct {
	event, due int64
	group      string // the group that it belongs to; "" for none
	inGroup    bool   // it is in its group already
}

// selectUngrouped reads what is due, the longest due first, with the group that it belongs
// to.
const selectUngrouped = `
	SELECT event, due, grp <> '', ` + groupOfRow + `
	FROM deliveries INDEXED BY deliveries_due CROSS JOIN events ON events.seq = deliveries.event AND events.tenant = deliveries.tenant
	WHERE deliveries.tenant = ? AND endpoint = ? AND due > 0 AND (due, event) > (?, ?) ORDER BY due, event LIMIT ?`

// putIntoGroups puts due deliveries into their groups, the longest due first. The earliest
// one of each group stays due, and the others wait. The cursor of the job is the last one
// that was looked at. Deliveries that are retried or sent again meanwhile are due later, or
// get the prefix staged, so none is missed.
func (d *draft) putIntoGroups(ctx context.Context, tenant string, e *event.Endpoint, j *job.Job, limit int) (int, error) {
	after, err := store.Page{Cursor: j.Cursor}.After()
	if err != nil {
		return 0, err
	}
	at, event := int64(0), int64(0)
	if after != nil {
		at = after.At
		event, _ = strconv.ParseInt(after.ID, 10, 64)
	}
	rows, err := collect(ctx, d.q.Query, func(r Row) (u ungrouped, err error) {
		err = r.Scan(&u.event, &u.due, &u.inGroup, &u.group)
		return u, err
	}, selectUngrouped, tenant, e.No, at, event, limit)
	if err != nil {
		return 0, err
	}
	for _, u := range rows {
		if !u.inGroup && u.group != "" {
			// For each group only the earliest of what is due stays due, whatever was put
			// into it before.
			d.of(tenant).change(`UPDATE deliveries SET grp = ?4 WHERE tenant = ?1 AND endpoint = ?2 AND event = ?3 AND status = 'p' AND grp = ''`,
				tenant, e.No, u.event, u.group)
		}
		// The position goes with the changes, in the same write, so that a crash repeats no
		// row.
		j.Cursor = store.Cursor{At: u.due, ID: strconv.FormatInt(u.event, 10)}.String()
	}
	for _, group := range groupsOf(rows) {
		d.of(tenant).change(`
			UPDATE deliveries SET due = 0 WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due > 0 AND event > (
				SELECT min(event) FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND grp = ?3 AND grp <> '' AND status = 'p' AND due > 0)`,
			tenant, e.No, group)
	}
	return len(rows), nil
}

// groupsOf returns the groups of deliveries, each once.
func groupsOf(rows []ungrouped) (groups []string) {
	seen := map[string]bool{"": true}
	for _, u := range rows {
		if !seen[u.group] {
			seen[u.group] = true
			groups = append(groups, u.group)
		}
	}
	return groups
}

// selectStaged finds the deliveries with the prefix staged, by the range of texts that
// begin with it: a comma is the character behind the plus.
const selectStaged = `
	SELECT event, substr(grp, 2) FROM deliveries INDEXED BY deliveries_group
	WHERE tenant = ? AND endpoint = ? AND grp >= '` + staged + `' AND grp < ',' AND grp <> '' AND status = 'p'
	ORDER BY grp, due, event LIMIT ?`

// takeFromStage puts the deliveries that came meanwhile into their groups. If a delivery
// of a group is due, it stays due, even if its event is later: an attempt at it may be
// under way. Otherwise the earliest one becomes due.
func (d *draft) takeFromStage(ctx context.Context, tenant string, e *event.Endpoint, _ *job.Job, limit int) (int, error) {
	rows, err := collect(ctx, d.q.Query, func(r Row) (u ungrouped, err error) {
		err = r.Scan(&u.event, &u.group)
		return u, err
	}, selectStaged, tenant, e.No, limit)
	if err != nil {
		return 0, err
	}
	for _, u := range rows {
		d.of(tenant).change(`UPDATE deliveries SET grp = ?4, due = 0 WHERE tenant = ?1 AND endpoint = ?2 AND event = ?3 AND status = 'p' AND grp = ?5`,
			tenant, e.No, u.event, u.group, staged+u.group)
	}
	for _, group := range groupsOf(rows) {
		d.of(tenant).change(unblockNext, tenant, e.No, group, micros(d.clock()))
	}
	return len(rows), nil
}
