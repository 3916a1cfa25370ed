package core

import (
	"context"
	"math"
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

// newestFirst ends the query: the rows behind the cursor, sorted by a column
// and the id, at most limit of them or, if that is 0, all. It returns the query.
func (l *list) newestFirst(selected, column string, after *store.Cursor, limit int) (string, []any) {
	return l.newestFirstBy(selected, column, "id", after, limit)
}

// newestFirstBy is newestFirst for rows whose id has another name.
func (l *list) newestFirstBy(selected, column, id string, after *store.Cursor, limit int) (string, []any) {
	if after != nil {
		l.where("("+column+", "+id+") < (?, ?)", after.At, after.ID)
	}
	text := selected + " WHERE " + strings.Join(l.conditions, " AND ") + " ORDER BY " + column + " DESC, " + id + " DESC"
	if limit > 0 {
		text += " LIMIT ?"
		l.args = append(l.args, limit)
	}
	return text, l.args
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

// newestFirst answers one page of a list that is sorted by a time and the id.
func newestFirst[T any](ctx context.Context, q Engine, l *list, p store.Page, selected, column string,
	scan func(Row) (T, error), key func(T) store.Cursor) (store.List[T], error) {
	after, err := p.After()
	if err != nil {
		return store.List[T]{}, err
	}
	text, args := l.newestFirst(selected, column, after, p.Size()+1)
	rows, err := collect(ctx, q.QueryOnce, scan, text, args...)
	return store.Cut(p, rows, key), err
}

// countedDown answers one page of a list that is sorted by a number. The query
// takes the number it stays below and its limit after the other arguments.
func countedDown[T any](ctx context.Context, q Engine, p store.Page,
	scan func(Row) (T, error), key func(T) int64, text string, args ...any) (store.List[T], error) {
	below := int64(math.MaxInt64)
	after, err := p.After()
	if err != nil {
		return store.List[T]{}, err
	}
	if after != nil {
		below = after.At
	}
	rows, err := collect(ctx, q.Query, scan, text, append(args, below, p.Size()+1)...)
	return store.Cut(p, rows, func(row T) store.Cursor { return store.Cursor{At: key(row)} }), err
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
