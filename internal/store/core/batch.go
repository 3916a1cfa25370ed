package core

import (
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/oms"
)

// Engine is the database that everything is kept in. It runs statements and
// decides nothing.
type Engine interface {
	// Query calls each for every row of a question about what is committed. The
	// statement is kept prepared. each may return errEnough to leave the rest.
	Query(ctx context.Context, each func(Row) error, text string, args ...any) error
	// QueryOnce is Query for a text that was put together for this one time.
	QueryOnce(ctx context.Context, each func(Row) error, text string, args ...any) error
	// Commit makes a batch durable, all of it or nothing. It is [ErrOvertaken] if
	// something does not hold that the batch was decided on. If ctx ends before
	// the batch was begun, nothing is written; from then on the answer says what
	// became of it.
	Commit(ctx context.Context, b *Batch) error
	// Numbers returns the first of n numbers in a row that nobody else gets. They
	// are larger than all that this process got before.
	Numbers(ctx context.Context, n int) (first int64, err error)
	// Ping reports whether the database answers and its schema is the right one.
	Ping(ctx context.Context) error
	// Close ends the commits that wait, then everything else.
	Close() error
}

// Row is the row of a query that is being read.
type Row interface{ Scan(into ...any) error }

// errEnough ends the reading of rows without being an error.
var errEnough = errors.New("no more rows are needed")

// EachRow calls each for every row, until there are no more or each has enough.
func EachRow(rows interface {
	Row
	Next() bool
	Err() error
	Close() error
}, each func(Row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			if err == errEnough {
				return nil
			}
			return err
		}
	}
	return rows.Err()
}

// ErrOvertaken is the answer of an engine to a batch that was decided on what
// does not hold any more. It has to be decided again.
var ErrOvertaken = errors.New("what the write was decided on has changed")

// ErrClosed answers whatever comes after Close.
var ErrClosed = oms.Errorf(oms.Unavailable, "orderhook is shutting down")

// Batch is a write as a value: what must still hold, and the rows to change.
// It is made on the goroutine of whoever writes; the engine only checks and
// writes.
type Batch struct {
	// Tenant is whose write it is: the engine takes tenants in turn.
	Tenant string
	// Checks must all hold before anything is changed.
	Checks []Check
	// Changes are made in their order.
	Changes []Change
	// Alike is a text that batches have in common which have the same checks, and
	// inserts into the same tables in the same order and nothing else. The engine
	// may run such as one. It is "" for all others.
	Alike string
	// Size is about how many bytes are written.
	Size int

	news news // for the listener, once the batch is durable
}

// Check is a question that must be answered with a row.
type Check struct {
	Text string
	Args []any
}

// AnyRows is for a change that may be one of any number of rows, or of none.
const AnyRows = -1

// Change is a statement, or, if it has an Insertion, rows for a table.
type Change struct {
	Text string
	Args []any
	// Rows is how many rows it has to change. If it changes another number, the
	// batch is overtaken.
	Rows int64
	// Into reads each row that the statement returns; nil if it returns none.
	Into func(Row) error

	Insertion *Insertion
	Values    []Tuple // one row each; all of them must be new
}

// Insertion is the columns of a table that rows are added to.
type Insertion struct {
	Table string
	Often []string // columns that most rows have a value for
	Rare  []string // columns that most rows leave to their default
}

// Tuple is the values of a row. Rare is nil where all of them are defaults.
type Tuple struct{ Often, Rare []any }

// rareSet returns the values of the columns that are seldom set, nil if each is
// its default: the empty text, or nil.
func rareSet(values ...any) []any {
	for _, v := range values {
		if v != nil && v != "" {
			return values
		}
	}
	return nil
}

// check adds a question that must be answered with a row.
func (b *Batch) check(text string, args ...any) {
	b.Checks = append(b.Checks, Check{text, args})
}

// change adds a statement that may change any number of rows.
func (b *Batch) change(text string, args ...any) {
	b.add(Change{Text: text, Args: args, Rows: AnyRows})
}

// changeOne adds a statement that has to change one row.
func (b *Batch) changeOne(text string, args ...any) {
	b.add(Change{Text: text, Args: args, Rows: 1})
}

// insert adds rows, all of which must be new.
func (b *Batch) insert(in *Insertion, rows ...Tuple) {
	if len(rows) > 0 {
		b.add(Change{Insertion: in, Values: rows})
	}
}

func (b *Batch) add(c Change) {
	b.Size += sizeOf(c.Args)
	for i := range c.Values {
		b.Size += sizeOf(c.Values[i].Often) + sizeOf(c.Values[i].Rare)
	}
	b.Changes = append(b.Changes, c)
}

// sizeOf is about how many bytes values take.
func sizeOf(values []any) int {
	n := 8 * len(values)
	for _, v := range values {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}
