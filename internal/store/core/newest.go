package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/store"
)

// newest is a list of rows that are sorted by a time and an id, from the newest to the
// oldest. Nearly always an index has the same order, so that nothing has to be sorted.
type newest struct {
	from     string // the table, and its index where SQLite might choose another
	time, id string // the columns
	along    *list  // the conditions that the index answers: every row that they pick is read
	rest     *list  // the other conditions: each row that was read is compared with them
	few      bool   // the index has only few rows: they are read without steps, whatever rest is
	// sorted is the table with an index that has another order, "" if there is none.
	// First the rows of the page are found and sorted by their keys, and only then their
	// other columns are read.
	sorted string
	// apart says that the index has another order than the list, and few rows.
	apart bool
}

// newestOf returns the list of the rows of a tenant in a table, by when they were
// created.
func newestOf(tenant, table string) *newest {
	return &newest{from: table, time: "created", id: "id", along: listOf(tenant), rest: &list{}}
}

// stretch is the part of a list behind one place and up to another, that one included. nil
// means no bound.
type stretch struct{ after, last *store.Cursor }

// sql returns the query for the rows of a stretch. The limit 0 means no limit.
func (n *newest) sql(columns string, s stretch, limit int) (string, []any) {
	l := n.along.and(n.rest)
	n.bound(l, s)
	if n.sorted != "" {
		rows, args := l.query("tenant, id", n.sorted, "+"+n.order(), limit)
		l = &list{[]string{`(tenant, id) IN (` + rows + `)`}, args}
		limit = 0
	}
	return l.query(columns, n.from, n.order(), limit)
}

// bound adds the conditions of a stretch.
func (n *newest) bound(l *list, s stretch) {
	if s.after != nil {
		l.where("("+n.time+", "+n.id+") < (?, ?)", s.after.At, s.after.ID)
	}
	if s.last != nil {
		l.where("("+n.time+", "+n.id+") >= (?, ?)", s.last.At, s.last.ID)
	}
}

// order is the order of the list. The id tells rows of the same time apart, so that no page
// misses one of them or shows it twice. The plus keeps PostgreSQL from the index that has
// this order: it is told to sort as little as it can, and would go along that one through
// all that a tenant has.
func (n *newest) order() string {
	order := n.time + ` DESC, ` + n.id + ` DESC`
	if n.apart {
		order = "+" + order
	}
	return order
}

// step returns the last row of the next step of so many rows, nil if there are fewer. It
// reads the index only, and not the table.
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

// fill fills a page. If the filter may pick few of many rows, it reads in steps, and ends
// the page after a limited number of rows.
func fill[T any](ctx context.Context, q queries, n *newest, p *page[T], after *store.Cursor, read func(stretch) error) error {
	if n.few || len(n.rest.conditions) == 0 {
		return read(stretch{after: after})
	}
	left := p.effort.rows
	stopped, ended, err := inSteps(&left, left, after, p,
		func(after *store.Cursor, rows int) (*store.Cursor, error) { return n.step(ctx, q.q, after, rows) },
		func(after, last *store.Cursor) error { return read(stretch{after, last}) })
	if err == nil && !ended && !p.ended() {
		p.end(*stopped)
	}
	return err
}

// countNewest counts the rows of a list.
func countNewest(ctx context.Context, q queries, tenant string, n *newest) (store.Count, error) {
	return counted(ctx, q, tenant, store.Listing, func(ctx context.Context, p *page[struct{}]) error { return n.count(ctx, q, p) })
}

// count counts the rows of the list into a page.
func (n *newest) count(ctx context.Context, q queries, p *page[struct{}]) error {
	return fill(ctx, q, n, p, nil, func(s stretch) error {
		text, args := n.sql("1", s, p.wanted())
		return p.read(ctx, q.q.QueryOnce, scanNothing, text, args...)
	})
}

// newestFirst returns one page of a list.
func newestFirst[T any](ctx context.Context, q queries, tenant string, n *newest, asked store.Page, rows paged[T]) (store.List[T], error) {
	return pageOf(ctx, q, tenant, store.Listing, asked, rows.cursor, func(ctx context.Context, p *page[T], after *store.Cursor) error {
		return fill(ctx, q, n, p, after, func(s stretch) error {
			text, args := n.sql(rows.columns, s, p.wanted())
			return p.read(ctx, q.q.QueryOnce, rows.scan, text, args...)
		})
	})
}
