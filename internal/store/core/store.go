// Package core is the store without the database engine: it implements [store.Store] on
// an [Engine], which runs statements.
//
// A question is one method on [queries]. A write is decided on the goroutine of its
// caller, against what is committed (draft.go). The result is a value (batch.go): the
// rows, and the checks that must still hold. The engine makes the checks and writes the
// rows. If a check does not hold any more, the write is decided again.
//
// The package knows SQL and no database driver: what the databases write in different ways
// is in the [Dialect] of the engine. Several goroutines may use a [Store] at the same time.
// Start reading at [Store.Write].
package core

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// Store is an open database. It implements [store.Store].
type Store struct {
	// The questions are embedded, so that they can be asked outside of a write, too.
	queries
	engine *spoken
	// turns has the writers of one order, or of one tenant's endpoints, wait for each
	// other.
	turns    turns
	indexing indexing
	// erased is set while the journal of the database may hold what was erased. It is set at
	// the start, too: the process before this one may have died between the two.
	erased atomic.Bool
	// closed is set by Close. From then on no write is decided; the engine refuses what is
	// asked.
	closed atomic.Bool
}

var _ store.Store = (*Store)(nil)

// Options of a store. All are required.
type Options struct {
	Sealer *secret.Sealer // seals the secrets in the database
	Clock  func() time.Time
	Log    *slog.Logger // gets the panics of a listener, and the secrets that cannot be opened
}

// New returns the store of a database. The engine must call [Store.Committed] after each
// commit.
func New(e Engine, o Options) *Store {
	engine := &spoken{Engine: e, dialect: e.Dialect()}
	shared := &shared{sealer: o.Sealer, clock: o.Clock, log: o.Log, settings: newSettingsCache(), effort: defaultEffort, countEffort: defaultCountEffort, gates: newGates()}
	s := &Store{queries: queries{q: engine, shared: shared}, engine: engine, indexing: newIndexing()}
	s.erased.Store(true)
	shared.opener = secret.NewOpener(o.Sealer, s.findSecret, o.Log)
	return s
}

// queries has all questions, within a write and outside of one.
type queries struct {
	q Engine
	*shared
	own *draft // the write that asks; nil outside of a write
}

// shared is what all questions and writes have in common.
type shared struct {
	sealer   *secret.Sealer
	lateness lateness
	due      dueBounds
	feeds    feedWaiters
	opener   *secret.Opener
	clock    func() time.Time
	log      *slog.Logger
	settings *settingsCache
	// endpoints has, for each tenant that was asked for, the endpointSet of the last
	// commit. The endpoint queues use the same endpoints.
	endpoints   sync.Map
	anew        atomic.Int64          // how often the endpoints in memory were forgotten, since other nodes may have changed any
	unopened    sync.Map              // the endpoints that could not be opened and were logged, by their [numbered]
	listener    store.Listener        // nil: nobody
	watcher     store.Watcher         // nil: nobody
	teller      func(...nodes.News)   // tells other nodes; nil: there are none
	effort      effort                // the most work for one page
	gates       map[store.Class]*gate // the gates at which questions of callers may have to wait
	countEffort effort
}

// Ping implements [store.Store].
func (s *Store) Ping(ctx context.Context) error { return s.engine.Ping(ctx) }

// Close implements [store.Store]. It must be called once.
func (s *Store) Close() error {
	s.closed.Store(true)
	return s.engine.Close()
}
