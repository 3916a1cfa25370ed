package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/store"
)

// newest is a list of rows that are sorted by a time and an id, the newest first.
type newest struct {
	from     string // the table, and its index where SQLite might choose another
	time, id string // the columns
	along    *list  // what the index answers: every row of it is looked at …
	rest     *list  // … as to this
	few      bool   // an index has only few rows: they are read at once, whatever rest is
	// sorted is the table with an index that has another order, "" if there is none:
	// the rows of the page are found and sorted before anything else is read of them.
	sorted string
}

// newestOf is the list of a tenant's rows of a table, by when they were created.
func newestOf(tenant, table string) *newest {
	return &newest{from: table, time: "created", id: "id", along: listOf(tenant), rest: &list{}}
}

// stretch is the rows behind one place of a list, and not behind another; nil is
// no bound.
type stretch struct{ after, last *store.Cursor }

// sql returns the query of the rows of a stretch; limit 0 is no limit.
func (n *newest) sql(columns string, s stretch, limit int) (string, []any) {
	l := n.along.and(n.rest)
	n.bound(l, s)
	where := ` WHERE ` + l.sql() + n.order()
	if limit > 0 {
		where += ` LIMIT ?`
		l.args = append(l.args, limit)
	}
	if n.sorted != "" {
		where = ` WHERE rowid IN (SELECT rowid FROM ` + n.sorted + where + `)` + n.order()
	}
	return `SELECT ` + columns + ` FROM ` + n.from + where, l.args
}

func (n *newest) bound(l *list, s stretch) {
	if s.after != nil {
		l.where("("+n.time+", "+n.id+") < (?, ?)", s.after.At, s.after.ID)
	}
	if s.last != nil {
		l.where("("+n.time+", "+n.id+") >= (?, ?)", s.last.At, s.last.ID)
	}
}

func (n *newest) order() string { return ` ORDER BY ` + n.time + ` DESC, ` + n.id + ` DESC` }

// step returns the last of so many rows along the index, nil if there are no more.
// The index answers it without the table.
func (n *newest) step(ctx context.Context, q Engine, after *store.Cursor, rows int) (*store.Cursor, error) {
	var last *store.Cursor
	index := newest{from: n.from, time: n.time, id: n.id, along: n.along, rest: &list{}}
	text, args := index.sql(n.time+", "+n.id, stretch{after: after}, 1)
	err := q.QueryOnce(ctx, func(r Row) error {
		last = &store.Cursor{}
		return r.Scan(&last.At, &last.ID)
	}, text+" OFFSET ?", append(args, rows-1)...)
	return last, err
}

// fill has a page filled. Where few of many rows may be picked, it is in steps,
// and the page ends once as many rows were looked at as may be for one.
func fill[T any](ctx context.Context, q queries, n *newest, p *page[T], after *store.Cursor, read func(stretch) error) error {
	if n.few || len(n.rest.conditions) == 0 {
		return read(stretch{after: after})
	}
	for step, left := firstStep, p.effort.rows; ; step *= stepGrowth {
		step = min(step, left)
		last, err := n.step(ctx, q.q, after, step)
		if err != nil {
			return err
		}
		if err := read(stretch{after, last}); err != nil || last == nil || p.ended() {
			return err
		}
		if after, left = last, left-step; left <= 0 {
			p.end(*last)
			return nil
		}
	}
}

// countNewest counts a list.
func countNewest(ctx context.Context, q queries, tenant string, n *newest) (store.Count, error) {
	return counted(ctx, q, tenant, store.Listing, func(ctx context.Context, p *page[struct{}]) error { return n.count(ctx, q, p) })
}

// count adds what is to be counted to a page.
func (n *newest) count(ctx context.Context, q queries, p *page[struct{}]) error {
	return fill(ctx, q, n, p, nil, func(s stretch) error {
		text, args := n.sql("1", s, p.wanted())
		return p.read(ctx, q.q.QueryOnce, scanNothing, text, args...)
	})
}

// newestFirst answers one page of a list.
func newestFirst[T any](ctx context.Context, q queries, tenant string, n *newest, asked store.Page, columns string,
	scan func(Row) (T, error), cursor func(T) store.Cursor) (store.List[T], error) {
	return pageOf(ctx, q, tenant, store.Listing, asked, cursor, func(ctx context.Context, p *page[T], after *store.Cursor) error {
		return fill(ctx, q, n, p, after, func(s stretch) error {
			text, args := n.sql(columns, s, p.wanted())
			return p.read(ctx, q.q.QueryOnce, scan, text, args...)
		})
	})
}
