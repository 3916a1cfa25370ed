package core

import (
	"context"
	"math"
	"strconv"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// The stages of a reorder job. All of them change a bounded number of rows in one
// write. It is done in a write that leaves nothing more to do: what others stored
// since it was read is not missed.
const (
	outOfGroups = iota // what was pending belongs to no group, and is due
	intoGroups         // it belongs to its group, of which the earliest is due
	fromStage          // so does what came meanwhile
)

// Reorder implements [store.EventTx].
func (d *draft) Reorder(ctx context.Context, tenant string, e *oms.Endpoint, j *oms.Job, limit int) (done bool, err error) {
	d.touch(tenant, oms.TopicDeliveries)
	if err := d.hasEndpoint(ctx, tenant, e); err != nil {
		return false, err
	}
	if d.sets[tenant] != nil && ordered(e) {
		return d.nothingPending(ctx, tenant, e)
	}
	stages := [...]func(context.Context, string, *oms.Endpoint, *oms.Job, int) (int, error){
		outOfGroups: d.takeOutOfGroups, intoGroups: d.putIntoGroups, fromStage: d.takeFromStage}
	for left := limit; left > 0; j.Stage++ {
		n, err := stages[j.Stage](ctx, tenant, e, j, left)
		if err != nil {
			return false, err
		}
		j.Examined += int64(n)
		if left -= n; left == 0 {
			return false, nil // there may be more of it
		}
		if j.Stage == fromStage || !ordered(e) {
			d.of(tenant).changeOne(nothingLeft, tenant, e.No, ordered(e))
			return true, nil
		}
		if n > 0 && j.Stage == outOfGroups {
			j.Stage++
			return false, nil // what follows has to be read anew
		}
	}
	return false, nil
}

// nothingLeft changes nothing, but only if no delivery of an endpoint is in the
// stage, or, without groups, in any of them.
const nothingLeft = `UPDATE endpoints SET no = no WHERE tenant = ?1 AND no = ?2 AND NOT EXISTS (
	SELECT 1 FROM deliveries INDEXED BY deliveries_group
	WHERE tenant = ?1 AND endpoint = ?2 AND grp <> '' AND status = 'p' AND (NOT ?3 OR grp >= '` + staged + `' AND grp < ','))`

// nothingPending reports whether nothing has to follow the ordering of an endpoint
// that this very write gives it. If something has to, the write does not begin with
// it: what is stored until it is committed would be missed.
func (d *draft) nothingPending(ctx context.Context, tenant string, e *oms.Endpoint) (bool, error) {
	const none = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND due > 0)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE tenant = ?1 AND endpoint = ?2 AND status = 'p' AND grp <> '' AND due = 0)`
	found, err := collect(ctx, d.q.Query, scanNumber, none, tenant, e.No)
	if err != nil || len(found) == 0 {
		return false, err
	}
	d.of(tenant).check(none, tenant, e.No)
	return true, nil
}

// takeOutOfGroups takes what is pending out of its groups: all of it, or, where
// it is to go into others, what was there up to an event.
func (d *draft) takeOutOfGroups(ctx context.Context, tenant string, e *oms.Endpoint, j *oms.Job, limit int) (int, error) {
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
		UPDATE deliveries SET grp = '', due = iif(due = 0, ?3, due)
		WHERE tenant = ?1 AND endpoint = ?2 AND event IN (SELECT value FROM json_each(?4)) AND status = 'p'`,
		tenant, e.No, micros(d.clock()), jsonNumbers(events))
	return len(events), nil
}

func scanNumber(r Row) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// ungrouped is a delivery that is due, or in the stage.
type ungrouped struct {
	event, due int64
	group      string // that it belongs to; "" for none
	inGroup    bool   // already
}

const selectUngrouped = `
	SELECT event, due, grp <> '', ` + groupOfRow + `
	FROM deliveries INDEXED BY deliveries_due CROSS JOIN events ON events.seq = deliveries.event
	WHERE deliveries.tenant = ? AND endpoint = ? AND due > 0 AND (due, event) > (?, ?) ORDER BY due, event LIMIT ?`

// putIntoGroups goes through what is due, the longest first, and puts it into its
// groups, of which the earliest stays due. What is retried, or sent again,
// meanwhile comes later, or into the stage; so nothing is missed.
func (d *draft) putIntoGroups(ctx context.Context, tenant string, e *oms.Endpoint, j *oms.Job, limit int) (int, error) {
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
			d.of(tenant).change(`UPDATE deliveries SET grp = ?4 WHERE tenant = ?1 AND endpoint = ?2 AND event = ?3 AND status = 'p' AND grp = ''`,
				tenant, e.No, u.event, u.group)
		}
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

// selectStaged finds what is in the stage: a comma is the character behind the plus.
const selectStaged = `
	SELECT event, substr(grp, 2) FROM deliveries INDEXED BY deliveries_group
	WHERE tenant = ? AND endpoint = ? AND grp >= '` + staged + `' AND grp < ',' AND grp <> '' AND status = 'p'
	ORDER BY grp, due, event LIMIT ?`

// takeFromStage takes what came meanwhile into its groups. If one of a group is
// due it stays so, whatever its event is: it may be under way. Else the earliest
// becomes due.
func (d *draft) takeFromStage(ctx context.Context, tenant string, e *oms.Endpoint, _ *oms.Job, limit int) (int, error) {
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
		d.of(tenant).change(release, tenant, e.No, group, micros(d.clock()))
	}
	return len(rows), nil
}
