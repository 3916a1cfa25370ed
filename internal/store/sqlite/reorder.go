package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strconv"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// The stages of a reorder job. All of them look at a bounded number of rows in
// one transaction, for all who write wait for it.
const (
	outOfGroups = iota // what was pending belongs to no group, and is due
	intoGroups         // it belongs to its group, of which the earliest is due
	fromStage          // so does what came meanwhile
)

// Reorder implements [store.EventTx].
func (t *tx) Reorder(ctx context.Context, tenant string, e *oms.Endpoint, j *oms.Job, limit int) (done bool, err error) {
	if err := t.hasEndpoint(ctx, tenant, e); err != nil {
		return false, err
	}
	for left := limit; left > 0; {
		n := 0
		switch j.Stage {
		case outOfGroups:
			n, err = t.takeOutOfGroups(tenant, e, j.Last, left)
		case intoGroups:
			n, err = t.putIntoGroups(ctx, tenant, e, j, left)
		case fromStage:
			n, err = t.takeFromStage(ctx, tenant, e, left)
		}
		if err != nil {
			return false, err
		}
		j.Examined += int64(n)
		if n == left {
			return false, nil // there may be more of it
		}
		if left -= n; j.Stage == fromStage || !ordered(e) {
			return true, nil
		}
		j.Stage++
	}
	return false, nil
}

// takeOutSome has pending deliveries be due that belong to a group. Left to
// itself SQLite goes through all deliveries there are.
const takeOutSome = `
	UPDATE deliveries SET grp = '', due = iif(due = 0, ?1, due) WHERE tenant = ?2 AND endpoint = ?3 AND event IN (
		SELECT event FROM deliveries INDEXED BY deliveries_group
		WHERE tenant = ?2 AND endpoint = ?3 AND grp <> '' AND status = 'p' AND event <= ?4 LIMIT ?5)`

// takeOutOfGroups takes what is pending out of its groups: all of it, or, where
// it is to go into others, what was there up to an event.
func (t *tx) takeOutOfGroups(tenant string, e *oms.Endpoint, last int64, limit int) (int, error) {
	if !ordered(e) {
		last = math.MaxInt64
	}
	n, err := t.w.exec(takeOutSome, micros(t.clock()), tenant, e.No, last, limit)
	return int(n), err
}

// ungrouped is a delivery that is due.
type ungrouped struct {
	event, due int64
	group      string // that it belongs to; "" for none
	inGroup    bool   // already
}

const selectUngrouped = `
	SELECT event, due, grp <> '', ` + groupOfRow + `
	FROM deliveries INDEXED BY deliveries_due CROSS JOIN events ON events.seq = deliveries.event
	WHERE deliveries.tenant = ? AND endpoint = ? AND due > 0 AND (due, event) > (?, ?) ORDER BY due, event LIMIT ?`

// putIntoGroups goes through what is due, the longest first. What is retried, or
// sent again, meanwhile comes later, or into the stage; so nothing is missed.
func (t *tx) putIntoGroups(ctx context.Context, tenant string, e *oms.Endpoint, j *oms.Job, limit int) (int, error) {
	after, err := store.Page{Cursor: j.Cursor}.After()
	if err != nil {
		return 0, err
	}
	at, event := int64(0), int64(0)
	if after != nil {
		at = after.At
		event, _ = strconv.ParseInt(after.ID, 10, 64)
	}
	rows, err := collect(ctx, t.q.query, func(r row) (u ungrouped, err error) {
		err = r.Scan(&u.event, &u.due, &u.inGroup, &u.group)
		return u, err
	}, selectUngrouped, tenant, e.No, at, event, limit)
	for _, u := range rows {
		if err == nil && !u.inGroup && u.group != "" {
			err = t.putIntoGroup(ctx, tenant, e.No, u)
		}
		j.Cursor = store.Cursor{At: u.due, ID: strconv.FormatInt(u.event, 10)}.String()
	}
	return len(rows), err
}

// putIntoGroup puts a delivery into its group, of which the earliest stays due.
func (t *tx) putIntoGroup(ctx context.Context, tenant string, endpoint int64, u ungrouped) error {
	var first int64
	err := one(ctx, t.q, []any{&first}, selectDueOfGroup, tenant, endpoint, u.group)
	due := u.due
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case first < u.event:
		due = 0
	default:
		if err := t.regroup(tenant, endpoint, first, 0, u.group); err != nil {
			return err
		}
	}
	return t.regroup(tenant, endpoint, u.event, due, u.group)
}

// selectDueOfGroup finds the one of a group that is due.
const selectDueOfGroup = `SELECT event FROM deliveries WHERE tenant = ? AND endpoint = ? AND grp = ? AND grp <> '' AND status = 'p' AND due > 0`

func (t *tx) regroup(tenant string, endpoint, event, due int64, group string) error {
	_, err := t.w.exec(`UPDATE deliveries SET grp = ?, due = ? WHERE tenant = ? AND event = ? AND endpoint = ?`, group, due, tenant, event, endpoint)
	return err
}

// selectStaged finds what is in the stage: a comma is the character behind the plus.
const selectStaged = `
	SELECT event, substr(grp, 2) FROM deliveries INDEXED BY deliveries_group
	WHERE tenant = ? AND endpoint = ? AND grp >= '` + staged + `' AND grp < ',' AND grp <> '' AND status = 'p'
	ORDER BY grp, due, event LIMIT ?`

// takeFromStage takes what came meanwhile into its groups, of one the earliest first.
func (t *tx) takeFromStage(ctx context.Context, tenant string, e *oms.Endpoint, limit int) (int, error) {
	now := micros(t.clock())
	rows, err := collect(ctx, t.q.query, func(r row) (u ungrouped, err error) {
		err = r.Scan(&u.event, &u.group)
		return u, err
	}, selectStaged, tenant, e.No, limit)
	for _, u := range rows {
		if err != nil {
			break
		}
		u.due = now
		var first int64
		switch err = one(ctx, t.q, []any{&first}, selectDueOfGroup, tenant, e.No, u.group); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return 0, err
		default: // whatever its event is: it may be under way
			u.due = 0
		}
		err = t.regroup(tenant, e.No, u.event, u.due, u.group)
	}
	return len(rows), err
}
