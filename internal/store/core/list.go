package core

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// list puts together the query of one page of a list. Conditions and arguments stay in the
// order in which they were added, because the parameters have no numbers.
type list struct {
	conditions []string
	args       []any
}

// listOf begins the list of a tenant's rows.
func listOf(tenant string) *list {
	return &list{[]string{"tenant = ?"}, []any{tenant}}
}

// and returns a list with the conditions of both. Neither of the two is changed.
func (l *list) and(more *list) *list {
	return &list{slices.Concat(l.conditions, more.conditions), slices.Concat(l.args, more.args)}
}

// sql is the conditions as they stand in a query.
func (l *list) sql() string { return strings.Join(l.conditions, " AND ") }

// query returns the statement that reads what the conditions pick. order "" means no order,
// and the limit 0 means all rows. All lists are asked by it.
func (l *list) query(columns, from, order string, limit int) (string, []any) {
	text, args := `SELECT `+columns+` FROM `+from+` WHERE `+l.sql(), slices.Clip(l.args)
	if order != "" {
		text += ` ORDER BY ` + order
	}
	if limit > 0 {
		text, args = text+` LIMIT ?`, append(args, limit)
	}
	return text, args
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

// named is equal for a column of names, which are compared without regard to case. The
// piece takes the folded name twice: SQLite compares plain ASCII in a cheaper way. A name
// that is blank picks nothing, and not the rows that have none.
func (l *list) named(column, value string) {
	if value != "" {
		name := fold(value)
		l.where("{named "+column+" ? ?} AND "+column+" <> ''", name, name)
	}
}

// folded is named for a column that has the names folded.
func (l *list) folded(column, value string) {
	if value != "" {
		l.where(column+" = ? AND "+column+" <> ''", fold(value))
	}
}

// indexed is equal for a column whose index leaves out the empty values:
// SQLite takes that index only if the condition says it needs none of them.
func (l *list) indexed(column, value string) {
	if value != "" {
		l.where("{same "+column+" ?} AND "+column+" <> ''", value)
	}
}

// indexedFolded is folded for such a column.
func (l *list) indexedFolded(column, value string) {
	if value != "" {
		l.where("{same "+column+" ?} AND "+column+" <> ''", fold(value))
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

// micros is how times are stored: as Unix microseconds, which both databases compare as
// numbers.
func micros(t time.Time) int64 { return t.UnixMicro() }

// fromMicros is the reverse of micros, in UTC.
func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// microsOrZero and fromMicrosOrZero are for times that need not be there: the zero time is
// stored as 0.
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

// collect reads all rows of a query into memory: it is for queries that have a limit. After
// an error it returns no rows.
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
