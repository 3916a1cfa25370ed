package core

import (
	"context"
	"math"

	"github.com/orderhook/orderhook/internal/store"
)

// eventScan is a list of events or deliveries, from the highest number of an event down.
// If its filter may pick few of many rows, the rows are read in steps. After a limited
// number of steps the page ends, with a cursor, even if it is not full: no page may take
// the database for long.
type eventScan struct {
	columns string
	from    string
	list
	// number is the column with the number of the event.
	number string
	sorted string
	// steps is one of the statements below. It is "" if no steps are needed: because all
	// rows are picked, or because an index has exactly these.
	steps string
	// other is a second source of rows of the same columns, which are sorted among those of
	// the first by the first two columns; nil: there is none.
	other *eventScan
}

// sql returns the query of the rows with a number below one and not below another;
// nil is no bound.
func (d eventScan) sql(below, floor *int64, limit int) (string, []any) {
	text, args := d.own(below, floor, limit)
	if d.other == nil {
		return text, args
	}
	more, moreArgs := d.other.own(below, floor, limit)
	text = `SELECT * FROM (` + text + `) AS own UNION ALL SELECT * FROM (` + more + `) AS other`
	if d.columns != countColumns {
		text += ` ORDER BY 1 DESC, 2 DESC`
	}
	return text + ` LIMIT ?`, append(append(args, moreArgs...), limit)
}

// own is sql without the other source. The bounds stand first: if there are two lower bounds,
// SQLite looks along an index from the first one, and deliveries that succeeded have `event > 0`
// among their conditions, from which on that would be all of them.
func (d eventScan) own(below, floor *int64, limit int) (string, []any) {
	bounds := &list{}
	if floor != nil {
		bounds.where(d.number+" >= ?", *floor)
	}
	if below != nil {
		bounds.where(d.number+" < ?", *below)
	}
	return bounds.and(&d.list).query(d.columns, d.from, d.sorted, limit)
}

// scanPage reads one page of the list.
func scanPage[T any](ctx context.Context, q queries, tenant string, like func(after *store.Cursor) eventScan, asked store.Page,
	scan func(Row) (T, error), cursor func(T) store.Cursor) (store.List[T], error) {
	return pageOf(ctx, q, tenant, store.Listing, asked, cursor, func(ctx context.Context, p *page[T], after *store.Cursor) error {
		return scanInto(ctx, q, tenant, like(after), p, after, scan)
	})
}

// countColumns is selected of rows that are only counted.
const countColumns = "1"

// countDown counts the rows of a list.
func countDown(ctx context.Context, q queries, tenant string, d eventScan) (store.Count, error) {
	if d.columns = countColumns; d.other != nil {
		d.other.columns = countColumns
	}
	return counted(ctx, q, tenant, store.Listing, func(ctx context.Context, p *page[struct{}]) error {
		return scanInto(ctx, q, tenant, d, p, nil, scanNothing)
	})
}

// scanInto fills a page.
func scanInto[T any](ctx context.Context, q queries, tenant string, d eventScan, p *page[T], after *store.Cursor, scan func(Row) (T, error)) error {
	var from *int64
	if after != nil {
		at := after.At + 1 // the row of the cursor is left out by a condition of its own
		from = &at
	}
	left := p.effort.rows
	stopped, ended, err := inSteps(&left, left, from, p,
		func(below *int64, rows int) (*int64, error) { return d.stepFloor(ctx, q.q, tenant, below, rows) },
		func(below, floor *int64) error {
			text, args := d.sql(below, floor, p.wanted())
			return p.read(ctx, q.q.QueryOnce, scan, text, args...)
		})
	if err == nil && !ended && !p.ended() {
		p.end(store.Cursor{At: *stopped, ID: "0"})
	}
	return err
}

// stepFloor returns the number that a step ends with, nil if it goes to the end.
func (d eventScan) stepFloor(ctx context.Context, q Engine, tenant string, below *int64, rows int) (floor *int64, err error) {
	if d.steps == "" {
		return nil, nil
	}
	first := int64(math.MaxInt64)
	if below != nil {
		first = *below
	}
	err = q.Query(ctx, func(r Row) error { return r.Scan(&floor) }, d.steps, tenant, first, rows-1)
	return floor, err
}

// The statements that find where a step ends. They read only an index: one that has all
// rows of a tenant, or all that failed for good, or all attempts at deliveries.
const (
	eventSteps    = `SELECT seq FROM events WHERE tenant = ? AND seq < ? ORDER BY seq DESC LIMIT 1 OFFSET ?`
	deliverySteps = `SELECT event FROM deliveries WHERE tenant = ? AND event < ? ORDER BY event DESC LIMIT 1 OFFSET ?`
	bothSteps     = `SELECT event FROM (
		SELECT * FROM (SELECT event FROM deliveries WHERE tenant = ?1 AND event < ?2 ORDER BY event DESC LIMIT ?3 + 1) AS pending UNION ALL
		SELECT * FROM (SELECT event FROM attempts INDEXED BY attempts_delivery WHERE tenant = ?1 AND event < ?2 AND event > 0 ORDER BY event DESC LIMIT ?3 + 1) AS attempted
		) AS all_of_them ORDER BY event DESC LIMIT 1 OFFSET ?3`
	deliveredSteps = `SELECT event FROM attempts INDEXED BY attempts_delivery WHERE tenant = ? AND event < ? AND event > 0 ORDER BY event DESC LIMIT 1 OFFSET ?`
	failureSteps   = `SELECT event FROM deliveries INDEXED BY deliveries_failures WHERE tenant = ? AND event < ? AND status = 'f' ORDER BY event DESC LIMIT 1 OFFSET ?`
)
