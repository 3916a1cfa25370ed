package core

import (
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// Engine is the database below the store. It runs statements and decides nothing.
type Engine interface {
	// Query calls each for every row of a question about what is committed. The statement
	// stays prepared for the next time. each may return errEnough, to leave out the other
	// rows.
	Query(ctx context.Context, each func(Row) error, text string, args ...any) error
	// QueryOnce is Query for a statement whose text was made for this one time.
	QueryOnce(ctx context.Context, each func(Row) error, text string, args ...any) error
	// Commit makes a batch durable, all of it or nothing. It returns [ErrOvertaken] if
	// one of the checks of the batch does not hold. If ctx ends before the batch has
	// begun, nothing is written; after that, Commit waits and returns the result.
	Commit(ctx context.Context, b *Batch) error
	// Numbers returns the first of n consecutive numbers that nobody else gets. They are
	// larger than all numbers that this process got before.
	Numbers(ctx context.Context, n int) (first int64, err error)
	// AwaitOthers waits until all transactions are over that are under way now, so that what
	// they have written can be read. It returns false if one of them takes long.
	AwaitOthers(ctx context.Context) (bool, error)
	// EmptyJournal has the files of the database hold what it has now, and nothing of before,
	// as far as that is the engine's to do. It returns false if somebody who reads keeps it
	// from that, and then it can be called again.
	EmptyJournal(ctx context.Context) (done bool, err error)
	// Dialect is how the database writes what others write in another way.
	Dialect() *Dialect
	// Figures says what the writer and the files of the database are doing; it leaves out
	// what can be asked of the tables.
	Figures(ctx context.Context) (store.Figures, error)
	// Ping reports whether the database answers and its schema is the right one.
	Ping(ctx context.Context) error
	// Close ends the waiting commits first, and then everything else.
	Close() error
}

// Row is the row of a query that is being read.
type Row interface{ Scan(into ...any) error }

// errEnough ends the reading of rows. It is not an error.
var errEnough = errors.New("no more rows are needed")

// EachRow calls each for every row, until there are no more or each returns errEnough.
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

// ErrOvertaken is returned by an engine for a batch whose checks do not hold any more.
// The write has to be decided again.
var ErrOvertaken = errors.New("what the write was decided on has changed")

// ErrClosed is returned for everything that is asked after Close.
var ErrClosed = apierr.Errorf(apierr.Unavailable, "orderhook is shutting down")

// Batch is a write as a value: the checks that must still hold, and the rows to change. A
// draft makes it on the goroutine of the caller. So the goroutines that write, of which an
// engine has one or two, only have to check and to write, and nobody waits for them while a
// write is decided (docs/design.md#a-write-is-a-value).
type Batch struct {
	// Tenant is the tenant of the write: the engine takes the tenants in turn.
	Tenant string
	// Locks are the things that nobody else may change until the batch is durable. If a
	// lock is not shared, nobody else may depend on its thing meanwhile, either. An engine
	// that commits one batch at a time needs none of them.
	Locks []Lock
	// Leases are those that the write is made by, each once. An engine that several nodes
	// use checks first that all of them still hold, and returns [nodes.ErrLost] if not.
	Leases []nodes.Lease
	// Checks must all hold before anything is changed. An engine that finds one that does
	// not hold writes nothing of the batch, and returns [ErrOvertaken].
	Checks []Check
	// Changes are made in this order.
	Changes []Change
	// Alike is a text that batches have in common which have the same locks and checks, and
	// inserts into the same tables in the same order and nothing else: no leases, and no calls.
	// The engine may run such as one. It is "" for all others.
	Alike string
	// Calls is what the batch adds to the counts of calls. An engine adds up those of all
	// batches that it commits together ([CountCalls]).
	Calls []CallCount
	// Size is about how many bytes the batch writes.
	Size int

	undone      func()       // nil: nothing is to be dropped
	feed        []feedWrite  // what endpoints are given, which has its place once it is committed ([Feeds])
	feedRemoved *feedRemoval // nil: nothing is removed of a feed
	effects     effects      // what the listener is told once the batch is durable
}

// Undone drops what the changes have read. An engine calls it for a batch whose changes it has
// undone, before it makes them again.
func (b *Batch) Undone() {
	if b.undone != nil {
		b.undone()
	}
}

// Lock names something of a tenant that a batch is about.
type Lock struct {
	Tenant, Name string
	Shared       bool // with others that change it as little
}

// lock adds a lock that is not shared. It goes for one of the same thing that is.
func (b *Batch) lock(tenant, name string) {
	for i := range b.Locks {
		if l := &b.Locks[i]; l.Tenant == tenant && l.Name == name {
			l.Shared = false
			return
		}
	}
	b.Locks = append(b.Locks, Lock{Tenant: tenant, Name: name})
}

// lockShared adds a lock that is shared, unless the batch locks the thing already.
func (b *Batch) lockShared(tenant, name string) {
	for i := range b.Locks {
		if l := &b.Locks[i]; l.Tenant == tenant && l.Name == name {
			return
		}
	}
	b.Locks = append(b.Locks, Lock{tenant, name, true})
}

// Check is a question that must be answered with a row.
type Check struct {
	Text string
	Args []any
}

// AnyRows is the Rows of a change that may change any number of rows, or none.
const AnyRows = -1

// Change is a statement, or, if it has an Insertion, rows for a table.
type Change struct {
	Text string
	Args []any
	// Rows is how many rows the change must change. If it changes another number, the
	// batch is overtaken.
	Rows int64
	// Into reads each row that the statement returns; nil if it returns none. If the change is
	// made again, so is this ([Batch.Undone]).
	Into func(Row) error

	Insertion *Insertion
	Values    []Tuple // one tuple for each row; all rows must be new
}

// Insertion is a table, and the columns of the rows that are added to it.
type Insertion struct {
	Table string
	Often []string // the columns that most rows have a value for
	Rare  []string // the columns that have their default in most rows
}

// Tuple is the values of a row. Rare is nil if all of those columns have their default.
type Tuple struct{ Often, Rare []any }

// rareSet returns the values of the rare columns. It returns nil if all of them are the
// default, which is the empty text or nil.
func rareSet(values ...any) []any {
	for _, v := range values {
		if v != nil && v != "" {
			return values
		}
	}
	return nil
}

// check adds a query that must return a row.
func (b *Batch) check(text string, args ...any) {
	b.Checks = append(b.Checks, Check{text, args})
}

// change adds a statement that may change any number of rows.
func (b *Batch) change(text string, args ...any) {
	b.add(Change{Text: text, Args: args, Rows: AnyRows})
}

// changeOne adds a statement that must change exactly one row.
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

// sizeOf returns about how many bytes the values take.
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
