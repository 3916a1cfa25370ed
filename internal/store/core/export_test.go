package core

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// What tests of this package as a whole, on a real database, look into.

const (
	YoungDocs  = youngDocs
	MostChunks = mostChunks
)

var ErrEnough = errEnough

// SetEffort bounds the work for one page.
func (s *Store) SetEffort(rows, bodies int) {
	s.effort = effort{rows: rows, bodies: bodies, documents: defaultEffort.documents, time: time.Hour}
}

// SetTime bounds the time for one page and for one count.
func (s *Store) SetTime(most time.Duration) { s.effort.time, s.countEffort.time = most, most }

// SetCountEffort bounds the work for one count.
func (s *Store) SetCountEffort(rows int) {
	s.countEffort = effort{rows: rows, bodies: rows, documents: rows, time: time.Hour}
}

// SetSearch bounds the bytes of documents that are looked through for one page,
// and how long a search waits for others.
func (s *Store) SetSearch(documents int, wait time.Duration) {
	s.effort.documents, s.effort.time, s.gates[store.Search].wait = documents, time.Hour, wait
}

// Enter takes places at a gate, until leave is called.
func (s *Store) Enter(t testing.TB, class store.Class, places int) (leave func()) {
	for range places {
		if err := s.gates[class].enter(context.Background(), "others"); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for range places {
			s.gates[class].leave()
		}
	}
}

// Ask asks the database something.
func (s *Store) Ask(each func(Row) error, text string, args ...any) error {
	return s.engine.QueryOnce(context.Background(), each, text, args...)
}

// Change changes something in the database by itself.
func (s *Store) Change(text string, args ...any) error {
	b := &Batch{}
	b.change(text, args...)
	return s.engine.Commit(context.Background(), b)
}

// Returned is Change for a statement that returns a row.
func (s *Store) Returned(text string, into ...any) error {
	b := &Batch{}
	b.add(Change{Text: text, Rows: 1, Into: func(r Row) error { return r.Scan(into...) }})
	return s.engine.Commit(context.Background(), b)
}

// CompleteRead is Complete for a write that was overtaken: each delivery is read first.
func (s *Store) CompleteRead(ctx context.Context, tenant string, list ...store.Completion) error {
	return s.write(ctx, func(d *draft) error {
		d.again = true
		_, err := d.CompleteDeliveries(ctx, tenant, list...)
		return err
	})
}

// Committing returns a store of the same database that tells of each batch.
func (s *Store) Committing(tell func(*Batch)) *Store {
	return s.on(telling{s.engine.Engine, tell})
}

// on returns a store of the same database on another engine.
func (s *Store) on(e Engine) *Store {
	engine := &spoken{Engine: e, dialect: s.engine.dialect}
	return &Store{queries: queries{q: engine, shared: s.shared}, engine: engine, indexing: newIndexing()}
}

type telling struct {
	Engine
	tell func(*Batch)
}

func (e telling) Commit(ctx context.Context, b *Batch) error {
	e.tell(b)
	return e.Engine.Commit(ctx, b)
}

// Noted returns a store of the same database that notes each statement of a
// question or a write.
func (s *Store) Noted(note func(text string, args []any)) *Store {
	return s.on(noting{s.engine.Engine, note})
}

type noting struct {
	Engine
	note func(text string, args []any)
}

func (n noting) Query(ctx context.Context, each func(Row) error, text string, args ...any) error {
	n.note(text, args)
	return n.Engine.Query(ctx, each, text, args...)
}

func (n noting) QueryOnce(ctx context.Context, each func(Row) error, text string, args ...any) error {
	n.note(text, args)
	return n.Engine.QueryOnce(ctx, each, text, args...)
}

func (n noting) Commit(ctx context.Context, b *Batch) error {
	for _, c := range b.Checks {
		n.note(c.Text, c.Args)
	}
	for _, c := range b.Changes {
		if c.Insertion == nil {
			n.note(c.Text, c.Args)
		}
	}
	return n.Engine.Commit(ctx, b)
}

// Unread returns a store of the same database whose questions fail that fail picks,
// once something was committed.
func (s *Store) Unread(fail func(text string) error) *Store {
	return s.on(&failing{Engine: s.engine.Engine, fail: fail})
}

type failing struct {
	Engine
	fail      func(text string) error
	committed bool
}

func (f *failing) Query(ctx context.Context, each func(Row) error, text string, args ...any) error {
	if f.committed {
		if err := f.fail(text); err != nil {
			return err
		}
	}
	return f.Engine.Query(ctx, each, text, args...)
}

func (f *failing) Commit(ctx context.Context, b *Batch) error {
	err := f.Engine.Commit(ctx, b)
	f.committed = err == nil
	return err
}

// Segments says which segments there are: y(oung), b(are), v(oid), and how many
// attempts they are of.
func (s *Store) Segments() (all string, err error) {
	rows, err := collect(context.Background(), s.engine.Query, scanSegment, `SELECT `+segmentColumns+` FROM body_segments ORDER BY first, id`)
	for _, g := range rows {
		mark := map[string]string{segmentReady: "", segmentBare: "b", segmentVoid: "v"}[g.state]
		if g.young {
			mark += "y"
		}
		if g.header.Blocks() > 0 && g.header.Stale() {
			mark += "stale"
		}
		n := 0
		if err == nil {
			err = s.Ask(func(r Row) error { return r.Scan(&n) }, `SELECT count(*) FROM attempts WHERE seq BETWEEN ? AND ?`, g.first, g.last)
		}
		all += fmt.Sprintf("%s%d ", mark, n)
	}
	return all, err
}

// What documents are stored by.
const PackFrom = packFrom

var Packed, Unpacked = packed, unpack

// JSONSize tells how large a stored document is.
func JSONSize(stored string) int { return jsonSize([]byte(stored)) }

// Dialect is that of the database.
func (s *Store) Dialect() *Dialect { return s.engine.Dialect() }
