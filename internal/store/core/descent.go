package core

import (
	"context"
	"database/sql"
	"math"
	"strings"

	"github.com/orderhook/orderhook/internal/store"
)

// descent is a list of events, or of deliveries, from the highest number of an
// event down. One whose filter picks few of many rows is read in steps, and its
// page ends, with a cursor and perhaps not full, once it was worked at enough.
type descent struct {
	columns string
	from    string
	list
	number string // the column
	sorted string
	steps  string // eventSteps, deliverySteps; "" if it is all rows, or an index has just these
}

// sql returns the query of the rows with a number of at least floor and, unless
// that is 0, below another.
func (d descent) sql(floor, below int64, limit int) (string, []any) {
	conditions, args := d.conditions[:len(d.conditions):len(d.conditions)], d.args[:len(d.args):len(d.args)]
	if floor > 0 {
		conditions, args = append(conditions, d.number+" >= ?"), append(args, floor)
	}
	if below > 0 {
		conditions, args = append(conditions, d.number+" < ?"), append(args, below)
	}
	return "SELECT " + d.columns + " FROM " + d.from + " WHERE " + strings.Join(conditions, " AND ") + " ORDER BY " + d.sorted + " LIMIT ?", append(args, limit)
}

// descend answers one page.
func descend[T any](ctx context.Context, q queries, tenant string, like func(after *store.Cursor) descent, asked store.Page,
	scan func(Row) (T, error), cursor func(T) store.Cursor) (store.List[T], error) {
	return pageOf(ctx, q, tenant, store.Listing, asked, cursor, func(ctx context.Context, p *page[T], after *store.Cursor) error {
		return descendInto(ctx, q, tenant, like(after), p, after, scan)
	})
}

// countDown counts a list.
func countDown(ctx context.Context, q queries, tenant string, d descent) (store.Count, error) {
	d.columns = "1"
	return counted(ctx, q, tenant, store.Listing, func(ctx context.Context, p *page[struct{}]) error {
		return descendInto(ctx, q, tenant, d, p, nil, scanNothing)
	})
}

// descendInto fills a page.
func descendInto[T any](ctx context.Context, q queries, tenant string, d descent, p *page[T], after *store.Cursor, scan func(Row) (T, error)) error {
	below := int64(0)
	if after != nil {
		below = after.At + 1 // the row of the cursor is left out by a condition of its own
	}
	for step, left := firstStep, p.effort.rows; ; step *= stepGrowth {
		step = min(step, left)
		floor, err := d.stepFloor(ctx, q.q, tenant, below, step)
		if err != nil {
			return err
		}
		text, args := d.sql(floor, below, p.wanted())
		if err := p.read(ctx, q.q.QueryOnce, scan, text, args...); err != nil || p.ended() || floor == 0 {
			return err
		}
		if below, left = floor, left-step; left <= 0 {
			p.end(store.Cursor{At: floor, ID: "0"})
			return nil
		}
	}
}

// stepFloor returns the number that a step ends with, 0 if it goes to the end.
func (d descent) stepFloor(ctx context.Context, q Engine, tenant string, below int64, rows int) (int64, error) {
	if d.steps == "" {
		return 0, nil
	}
	if below == 0 {
		below = math.MaxInt64
	}
	var floor sql.NullInt64
	err := q.Query(ctx, func(r Row) error { return r.Scan(&floor) }, d.steps, tenant, below, rows-1)
	return floor.Int64, err
}

// How to find where a step ends: they walk through an index that has all of a
// tenant's rows.
const (
	eventSteps    = `SELECT seq FROM events WHERE tenant = ? AND seq < ? ORDER BY seq DESC LIMIT 1 OFFSET ?`
	deliverySteps = `SELECT event FROM deliveries WHERE tenant = ? AND event < ? ORDER BY event DESC LIMIT 1 OFFSET ?`
)
