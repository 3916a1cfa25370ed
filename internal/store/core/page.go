package core

import (
	"context"
	"database/sql"
	"math"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/store"
)

// page is a page of a list that is being read. It ends, with a cursor, once it
// has as many rows as were asked for, or as many bytes as it may have, or once it
// was worked at enough.
type page[T any] struct {
	size, most int
	effort     effort
	cursor     func(T) store.Cursor

	rows  []T
	bytes int
	next  *store.Cursor // where the page behind it goes on; nil: there is none, or the page has not ended
}

// pageOf answers a page. fill reads its rows, the first of them behind a cursor,
// until there are no more or the page has ended. For a caller of the API it does
// so on a connection of the class that is given.
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
	p := &page[T]{size: asked.Size(), most: asked.MostBytes(), effort: q.effort, cursor: cursor}
	if err := fill(ctx, p, after); err != nil {
		return store.List[T]{}, err
	}
	list := store.List[T]{Items: p.rows, Bytes: p.bytes}
	if p.next != nil {
		list.NextCursor = p.next.String()
	}
	return list, nil
}

// counted counts what fill would read into pages, up to [store.MostCounted], and as
// far as that can be found out quickly.
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
	p := &page[T]{size: store.MostCounted, most: math.MaxInt, effort: q.countEffort, cursor: func(T) store.Cursor { return store.Cursor{} }}
	err = fill(ctx, p)
	return store.Count{N: len(p.rows), Capped: p.ended()}, err
}

// scanNothing reads a row of which it only counts that it is there.
func scanNothing(Row) (struct{}, error) { return struct{}{}, nil }

// ended reports whether the page takes no more.
func (p *page[T]) ended() bool { return p.next != nil }

// end ends the page: the next one begins behind a place.
func (p *page[T]) end(at store.Cursor) { p.next = &at }

// wanted is how many rows to ask for: one more than the page takes says that
// there is another page.
func (p *page[T]) wanted() int { return p.size + 1 - len(p.rows) }

// add adds a row of so many bytes. It is errEnough once the page has ended.
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

// weighedRow counts the bytes that are read of a row.
type weighedRow struct {
	Row
	bytes int
}

// weigh counts bytes that a row takes beyond what was read of it.
func weigh(r Row, more int) {
	if w, is := r.(*weighedRow); is {
		w.bytes += more
	}
}

// rowBytes is what the numbers of a row, and what holds them, are taken for.
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

// converted is a list of what each item of another becomes.
func converted[S, T any](l store.List[S], err error, to func(S) T) (store.List[T], error) {
	out := store.List[T]{Bytes: l.Bytes, NextCursor: l.NextCursor}
	for _, item := range l.Items {
		out.Items = append(out.Items, to(item))
	}
	return out, err
}
