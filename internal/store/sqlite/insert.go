package sqlite

import "strings"

// insertion is how rows get into a table, many with one statement: of a row
// more that is the smaller part of what a statement costs. A row that is there
// already stays as it is.
//
// Whatever else is wrong with a row fails the statement and leaves the rows
// before it, for the whole write is undone then; SQLite need not be ready to
// undo the statement alone.
type insertion struct {
	lean, whole statements
}

// statements is a statement for as many rows as its place in insertSizes says.
type statements [len(insertSizes)]string

// insertSizes is how many rows a statement can have.
var insertSizes = [...]int{64, 16, 4, 1}

// newInsertion names the columns of a table: those that most rows have a value
// for, and those that most rows leave to their default.
func newInsertion(table, often, seldom string) insertion {
	in := insertion{lean: newStatements(table, often), whole: newStatements(table, often)}
	if seldom != "" {
		in.whole = newStatements(table, often+", "+seldom)
	}
	return in
}

func newStatements(table, columns string) (s statements) {
	row := "(?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
	for i, size := range insertSizes {
		s[i] = "INSERT OR FAIL INTO " + table + " (" + columns + ") VALUES " + row + strings.Repeat(", "+row, size-1) + " ON CONFLICT DO NOTHING"
	}
	return s
}

// tuple is the values of a row; seldom is nil where all of them are defaults.
type tuple struct{ often, seldom []any }

// seldomSet returns the values of the columns that are seldom set, nil if each is
// its default: the empty text, or nil.
func seldomSet(values ...any) []any {
	for _, v := range values {
		if v != nil && v != "" {
			return values
		}
	}
	return nil
}

// insertAll inserts rows in their order and returns how many it did, the others
// being there already, and the id of the last.
func (q *txQuerier) insertAll(in *insertion, rows []tuple) (inserted, last int64, err error) {
	for len(rows) > 0 {
		alike := 1
		for alike < len(rows) && (rows[alike].seldom == nil) == (rows[0].seldom == nil) {
			alike++
		}
		texts := &in.whole
		if rows[0].seldom == nil {
			texts = &in.lean
		}
		for i, size := range insertSizes {
			for ; alike >= size; alike, rows = alike-size, rows[size:] {
				n, id, err := q.insertSome(texts[i], rows[:size])
				if err != nil {
					return 0, 0, err
				}
				inserted += n
				if n > 0 {
					last = id
				}
			}
		}
	}
	return inserted, last, nil
}

func (q *txQuerier) insertSome(text string, rows []tuple) (inserted, last int64, err error) {
	if q.broken != nil {
		return 0, 0, q.broken
	}
	args := make([]any, 0, len(rows)*(len(rows[0].often)+len(rows[0].seldom)))
	for _, row := range rows {
		args = append(append(args, row.often...), row.seldom...)
	}
	res, err := q.session.run(text, args...)
	if err != nil {
		return 0, 0, q.failure(err)
	}
	if inserted, err = res.RowsAffected(); err == nil {
		last, err = res.LastInsertId()
	}
	return inserted, last, err
}
