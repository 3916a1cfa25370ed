// Package core is the whole of what is kept but for the database itself: it
// implements [store.Store] on an [Engine], which runs statements.
//
// A question is one method on [queries]. A write is decided on the goroutine of
// whoever writes, against what is committed (draft.go). The result is a value
// (batch.go): rows, and what must still hold. The engine checks that and writes
// the rows; where something does not hold any more, it is decided again.
package core

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// Store is an open database. It implements [store.Store].
type Store struct {
	queries
	engine   Engine
	turns    turns
	indexing indexing
	closed   atomic.Bool
}

var _ store.Store = (*Store)(nil)

// Options say how a database is worked with. All are needed.
type Options struct {
	Sealer *secret.Sealer // seals the secrets in the database
	Clock  func() time.Time
	Log    *slog.Logger // is told when a listener panics, and of secrets that do not open
}

// New returns the store that is kept in a database. The engine calls
// [Store.Committed] after each commit.
func New(e Engine, o Options) *Store {
	shared := &shared{sealer: o.Sealer, clock: o.Clock, log: o.Log, settings: newSettingsCache(), effort: defaultEffort, countEffort: defaultCountEffort, gates: newGates()}
	s := &Store{queries: queries{q: e, shared: shared}, engine: e, indexing: indexing{due: map[string]int64{}}}
	shared.opener = secret.NewOpener(o.Sealer, s.findSecret, o.Log)
	return s
}

// queries asks everything that can be asked.
type queries struct {
	q Engine
	*shared
	own *draft // the write that asks; nil outside of one
}

// shared is what all who ask and write have in common.
type shared struct {
	sealer   *secret.Sealer
	opener   *secret.Opener
	clock    func() time.Time
	log      *slog.Logger
	settings *settingsCache
	// endpoints is an endpointSet of each tenant that was asked for, as
	// committed last. It holds what the lanes hold too.
	endpoints   sync.Map
	unopened    sync.Map              // endpoints that the log was told of, by their [numbered]
	listener    store.Listener        // nil: nobody
	watcher     store.Watcher         // nil: nobody
	effort      effort                // for a page
	gates       map[store.Class]*gate // of what callers have to wait for
	countEffort effort
}

// Ping implements [store.Store].
func (s *Store) Ping(ctx context.Context) error { return s.engine.Ping(ctx) }

// Close implements [store.Store]. It must be called once.
func (s *Store) Close() error {
	s.closed.Store(true)
	return s.engine.Close()
}
