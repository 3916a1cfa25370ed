package core

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/store"
)

// page is a page of a list while it is read. It ends, with a cursor, when it has as many
// rows as were asked for, or as many bytes as a page may have, or when the work for one
// page is used up.
//
// One goroutine uses it, for one call. What bounds the work is not only what is found but
// also what was looked through, so that no filter takes the database for seconds
// (docs/design.md#lists-and-pages).
type page[T any] struct {
	// How many rows, and how many bytes, the page has at most.
	size, most int
	effort     effort
	now        func() time.Time
	until      time.Time // when the page has had its time
	cursor     func(T) store.Cursor

	rows  []T
	bytes int
	next  *store.Cursor // where the next page continues; nil: there is no next page, or this one has not ended
}

// paged says how the rows of a list are read: which columns, by what they become items, and
// where a page continues that ends with an item.
type paged[T any] struct {
	columns string
	scan    func(Row) (T, error)
	cursor  func(T) store.Cursor
}

// pageOf returns a page. fill reads its rows, from the cursor on, until there are no more
// or the page has ended. For a caller of the API it waits for its turn, and uses a
// connection of the given class. A task of the API gives up its slot for large documents
// meanwhile.
func pageOf[T any](ctx context.Context, q queries, tenant string, class store.Class, asked store.Page, cursor func(T) store.Cursor,
	fill func(ctx context.Context, p *page[T], after *store.Cursor) error) (store.List[T], error) {
	after, err := asked.After()
	if err != nil {
		return store.List[T]{}, err
	}
	admission.Pause(ctx)
	ctx, leave, err := q.enter(ctx, tenant, class)
	if err != nil {
		return store.List[T]{}, err
	}
	defer leave()
	if class == store.Search { // looks into many documents
		if err := admission.Begin(ctx, admission.Large); err != nil {
			return store.List[T]{}, err
		}
	}
	p := &page[T]{size: asked.Size(), most: asked.MostBytes(), effort: q.effort, now: q.clock, until: q.clock().Add(q.effort.time), cursor: cursor}
	if err := fill(ctx, p, after); err != nil {
		return store.List[T]{}, err
	}
	list := store.List[T]{Items: p.rows, Bytes: p.bytes}
	if p.next != nil {
		list.NextCursor = p.next.String()
	}
	return list, nil
}

// counted counts what fill would read into pages, up to [store.MostCounted], and only as
// far as the work for one page allows. If it stopped before the end, the count says so.
func counted[T any](ctx context.Context, q queries, tenant string, class store.Class,
	fill func(ctx context.Context, p *page[T]) error) (store.Count, error) {
	ctx, leave, err := q.enter(ctx, tenant, class)
	if err != nil {
		return store.Count{}, err
	}
	defer leave()
	if class == store.Search { // looks into many documents
		if err := admission.Begin(ctx, admission.Large); err != nil {
			return store.Count{}, err
		}
	}
	p := &page[T]{size: store.MostCounted, most: math.MaxInt, effort: q.countEffort, now: q.clock, until: q.clock().Add(q.countEffort.time), cursor: func(T) store.Cursor { return store.Cursor{} }}
	err = fill(ctx, p)
	return store.Count{N: len(p.rows), Capped: p.ended()}, err
}

// scanNothing reads a row of which only its existence counts.
func scanNothing(Row) (struct{}, error) { return struct{}{}, nil }

// ended implements [progress]. The page has ended once it has a place to continue at; a
// list that came to its end has none.
func (p *page[T]) ended() bool { return p.next != nil }

// late implements [progress]. An eighth of the work is done whatever the time is, so that
// each page gets on, and that a short list is one page on a busy machine, too.
func (p *page[T]) late(left, of int) bool {
	return left <= of-of/8 && p.now().After(p.until)
}

// end ends the page: the next one begins behind a place, which need not be that of a row
// which the page has.
func (p *page[T]) end(at store.Cursor) { p.next = &at }

// wanted returns how many rows to ask for. It is one more than the page takes: if that
// one comes, there is a next page.
func (p *page[T]) wanted() int { return p.size + 1 - len(p.rows) }

// add adds a row of so many bytes. It returns errEnough once the page has ended. The row
// that reaches the number of bytes is still added, so that each page gets on.
func (p *page[T]) add(row T, bytes int) error {
	if len(p.rows) == p.size {
		p.end(p.cursor(p.rows[p.size-1]))
		return errEnough
	}
	p.rows = append(p.rows, row)
	if p.bytes += bytes; p.bytes >= p.most {
		p.end(p.cursor(row))
		return errEnough
	}
	return nil
}

// read adds the rows of a query, which is asked by one of the methods of an [Engine].
func (p *page[T]) read(ctx context.Context, query func(context.Context, func(Row) error, string, ...any) error,
	scan func(Row) (T, error), text string, args ...any) error {
	r := &weighedRow{}
	return query(ctx, func(row Row) error {
		r.Row, r.bytes = row, 0
		v, err := scan(r)
		if err != nil {
			return err
		}
		return p.add(v, r.bytes)
	}, text, args...)
}

// weighedRow counts the bytes that are read of a row, which is about what the row takes in
// the memory of the process.
type weighedRow struct {
	Row
	bytes int
}

// weigh counts bytes that a row takes in addition to what was read of it. A document that
// is stored compressed is larger in memory.
func weigh(r Row, more int) {
	if w, is := r.(*weighedRow); is {
		w.bytes += more
	}
}

// rowBytes is what the numbers of a row, and its structure in memory, are counted as.
const rowBytes = 64

// Scan implements [Row].
func (r *weighedRow) Scan(into ...any) error {
	err := r.Row.Scan(into...)
	r.bytes += rowBytes
	for _, v := range into {
		switch v := v.(type) {
		case *string:
			r.bytes += len(*v)
		case *[]byte:
			r.bytes += len(*v)
		case *sql.NullString:
			r.bytes += len(v.String)
		}
	}
	return err
}

// converted returns a list with each item converted.
func converted[S, T any](l store.List[S], err error, to func(S) T) (store.List[T], error) {
	out := store.List[T]{Bytes: l.Bytes, NextCursor: l.NextCursor}
	for _, item := range l.Items {
		out.Items = append(out.Items, to(item))
	}
	return out, err
}
