package receiver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// eachDialect runs a test on a database of each kind.
func eachDialect(t *testing.T, test func(t *testing.T, dialect Dialect, connector driver.Connector)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		dsn := "file:" + filepath.Join(t.TempDir(), "receiver.db") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"
		test(t, SQLite, opener{&sqlite.Driver{}, dsn})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		config, err := pgx.ParseConfig(pgtest.Empty(t))
		if err != nil {
			t.Fatal(err)
		}
		test(t, PostgreSQL, stdlib.GetConnector(*config))
	})
}

// openStore opens a database, and its Store.
func openStore(t *testing.T, dialect Dialect, connector driver.Connector) (*sql.DB, *SQLStore) {
	t.Helper()
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	s, err := NewSQLStore(t.Context(), db, dialect)
	if err != nil {
		t.Fatal(err)
	}
	return db, s
}

// inSQL is what a program with an SQLStore leaves behind.
type inSQL struct {
	*SQLStore
	t  *testing.T
	db *sql.DB // without faults
}

func (s *inSQL) effect(ctx context.Context, n int) error {
	_, err := Tx(ctx).ExecContext(ctx, s.text(`INSERT INTO effects (at, n) SELECT coalesce(max(at), 0) + 1, CAST(? AS INTEGER) FROM effects`), n)
	return err
}

func (s *inSQL) effects() (all []int) {
	rows, err := s.db.QueryContext(s.t.Context(), `SELECT n FROM effects ORDER BY at`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// TestEachEventHasItsEffectOnceInSQL is the model on real databases.
func TestEachEventHasItsEffectOnceInSQL(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialect Dialect, connector driver.Connector) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		l := &luck{rand.New(rand.NewPCG(seed, 0)), map[string]int{}}
		db, _ := openStore(t, dialect, connector)
		if _, err := db.ExecContext(t.Context(), `CREATE TABLE effects (at INTEGER PRIMARY KEY, n INTEGER NOT NULL)`); err != nil {
			t.Fatal(err)
		}
		faults := sql.OpenDB(faulty{connector, l})
		t.Cleanup(func() { _ = faults.Close() })
		d := &inSQL{&SQLStore{db: faults, dialect: dialect, writing: make(chan struct{}, 1)}, t, db}
		runModel(t, d, l, 200)
		checkEffects(t, d, 200)
		if l.killedAt["before the commit"] == 0 || l.killedAt["after the commit"] == 0 {
			t.Errorf("killed %v", l.killedAt)
		}
	})
}

// TestAStoreDoesAMarkOnce: of many who come with one mark at the same time one does it, and
// all get what that came to.
func TestAStoreDoesAMarkOnce(t *testing.T) {
	once := func(t *testing.T, stores ...Store) {
		var done atomic.Int32
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				result, _, err := stores[i%len(stores)].Once(t.Context(), Mark{Name: "n", Key: "k"}, func(context.Context) ([]byte, error) {
					done.Add(1)
					return []byte("the answer"), nil
				})
				if err != nil || string(result) != "the answer" {
					t.Errorf("%q, %v", result, err)
				}
			})
		}
		all.Wait()
		if done.Load() != 1 {
			t.Errorf("done %d times", done.Load())
		}
	}
	t.Run("Memory", func(t *testing.T) { once(t, NewMemory(10)) })
	eachDialect(t, func(t *testing.T, dialect Dialect, connector driver.Connector) {
		_, one := openStore(t, dialect, connector)
		_, other := openStore(t, dialect, connector) // as of another program
		once(t, one, other)
	})
}

// TestWhatAStorePromises goes through the promises of Store, one by one.
func TestWhatAStorePromises(t *testing.T) {
	t.Run("Memory", func(t *testing.T) { promises(t, NewMemory(10)) })
	eachDialect(t, func(t *testing.T, dialect Dialect, connector driver.Connector) {
		_, s := openStore(t, dialect, connector)
		promises(t, s)
		if n, err := s.Forget(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("forgot %d, %v", n, err)
		}
		if n, err := s.Forget(t.Context(), -time.Hour); n != 3 || err != nil {
			t.Errorf("forgot %d, %v", n, err)
		}
	})
}

func promises(t *testing.T, s Store) {
	ctx := t.Context()
	done := func(context.Context) ([]byte, error) { return []byte("x"), nil }
	never := func(context.Context) ([]byte, error) { t.Error("it was done"); return nil, nil }
	check := func(what string, m Mark, do func(context.Context) ([]byte, error), wantRepeated bool, wantErr error) {
		t.Helper()
		result, repeated, err := s.Once(ctx, m, do)
		if repeated != wantRepeated || !errors.Is(err, wantErr) || err == nil && m.Key != "" && string(result) != "x" {
			t.Errorf("%s: %q, %t, %v", what, result, repeated, err)
		}
	}
	check("fails", Mark{Name: "a", Key: "1", To: "p1"}, func(context.Context) ([]byte, error) { return nil, errFault }, false, errFault)
	if is, err := s.Done(ctx, "a", "1"); is || err != nil {
		t.Errorf("what failed is done: %t, %v", is, err)
	}
	if at, err := s.Position(ctx, "a"); at != "" || err != nil {
		t.Errorf("what failed has moved the position to %q, %v", at, err)
	}
	check("succeeds", Mark{Name: "a", Key: "1", To: "p1"}, done, false, nil)
	check("again", Mark{Name: "a", Key: "1"}, never, true, nil)
	check("another name", Mark{Name: "b", Key: "1"}, done, false, nil)
	check("from elsewhere", Mark{Name: "a", Key: "2", From: "p0", To: "p2"}, never, false, ErrMoved)
	check("from the beginning", Mark{Name: "a", Key: "2", To: "p2"}, never, false, ErrMoved)
	check("from there", Mark{Name: "a", Key: "2", From: "p1", To: "p2"}, done, false, nil)
	check("a repeat moves, too", Mark{Name: "a", Key: "1", From: "p2", To: "p3"}, never, true, nil)
	for _, name := range []string{"a", "b"} {
		if at, err := s.Position(ctx, name); at != map[string]string{"a": "p3"}[name] || err != nil {
			t.Errorf("the position of %s is %q, %v", name, at, err)
		}
	}
	if is, err := s.Done(ctx, "a", "2"); !is || err != nil {
		t.Errorf("what was done is not: %t, %v", is, err)
	}
	count := 0
	for range 2 {
		check("without a key", Mark{Name: "a"}, func(context.Context) ([]byte, error) { count++; return nil, nil }, false, nil)
	}
	if count != 2 {
		t.Errorf("without a key it was done %d times", count)
	}
}

func TestAMemoryForgetsTheOldest(t *testing.T) {
	m := NewMemory(2)
	for _, key := range []string{"1", "2", "3"} {
		if _, _, err := m.Once(t.Context(), Mark{Name: "n", Key: key}, func(context.Context) ([]byte, error) { return nil, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]bool{"1": false, "2": true, "3": true} {
		if is, _ := m.Done(t.Context(), "n", key); is != want {
			t.Errorf("%s: %t", key, is)
		}
	}
}

// TestAPanicLeavesAMarkFree: whoever waits for the same mark does it.
func TestAPanicLeavesAMarkFree(t *testing.T) {
	m := NewMemory(2)
	lived(func() {
		_, _, _ = m.Once(t.Context(), Mark{Name: "n", Key: "k"}, func(context.Context) ([]byte, error) { panic(killed{}) })
	})
	if _, repeated, err := m.Once(t.Context(), Mark{Name: "n", Key: "k"}, func(context.Context) ([]byte, error) { return nil, nil }); repeated || err != nil {
		t.Errorf("%t, %v", repeated, err)
	}
}
