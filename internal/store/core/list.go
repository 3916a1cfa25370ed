package core

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// list puts together the query of one page of a list.
type list struct {
	conditions []string
	args       []any
}

// listOf begins the list of a tenant's rows.
func listOf(tenant string) *list {
	return &list{[]string{"tenant = ?"}, []any{tenant}}
}

// and returns a list with the conditions of both.
func (l *list) and(more *list) *list {
	return &list{slices.Concat(l.conditions, more.conditions), slices.Concat(l.args, more.args)}
}

// sql is the conditions as they stand in a query.
func (l *list) sql() string { return strings.Join(l.conditions, " AND ") }

// where adds a condition.
func (l *list) where(condition string, args ...any) {
	l.conditions = append(l.conditions, condition)
	l.args = append(l.args, args...)
}

// equal adds a condition unless the value is empty.
func (l *list) equal(column, value string) {
	if value != "" {
		l.where(column+" = ?", value)
	}
}

// named is equal for a column of names, which are compared without regard to case.
// Hardly any holds letters beyond ASCII, which SQLite does not fold by itself.
func (l *list) named(column, value string) {
	if value != "" {
		name := fold(value)
		l.where("("+column+" = ? COLLATE NOCASE OR octet_length("+column+") > length("+column+") AND fold("+column+") = ?)", name, name)
	}
}

// indexed is equal for a column whose index leaves out the empty values:
// SQLite takes that index only if the condition says it needs none of them.
func (l *list) indexed(column, value string) {
	if value != "" {
		l.where(column+" = ? AND "+column+" <> ''", value)
	}
}

// between bounds a time: from <= column < to, either end open if zero.
func (l *list) between(column string, from, to time.Time) {
	if !from.IsZero() {
		l.where(column+" >= ?", micros(from))
	}
	if !to.IsZero() {
		l.where(column+" < ?", micros(to))
	}
}

// micros is how times are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// microsOrZero and fromMicrosOrZero are for times that need not be there.
func microsOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return micros(t)
}

func fromMicrosOrZero(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return fromMicros(n)
}

// countedDown answers one page of a list that is sorted by a number. The query
// takes the number it stays below and its limit after the other arguments.
func countedDown[T any](ctx context.Context, q queries, tenant string, p store.Page,
	scan func(Row) (T, error), key func(T) int64, text string, args ...any) (store.List[T], error) {
	return pageOf(ctx, q, tenant, store.Listing, p, func(row T) store.Cursor { return store.Cursor{At: key(row)} },
		func(ctx context.Context, p *page[T], after *store.Cursor) error {
			below := int64(math.MaxInt64)
			if after != nil {
				below = after.At
			}
			return p.read(ctx, q.q.Query, scan, text, append(args, below, p.wanted())...)
		})
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, query func(context.Context, func(Row) error, string, ...any) error,
	scan func(Row) (T, error), text string, args ...any) ([]T, error) {
	var out []T
	err := query(ctx, func(r Row) error {
		v, err := scan(r)
		out = append(out, v)
		return err
	}, text, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}
