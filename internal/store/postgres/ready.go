package postgres

import (
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/queue"
)

// Ping implements [core.Engine]. It is [apierr.Unavailable], with a text that says why, if
// the database does not answer, or takes no writes. It reads by a connection of its own
// class, so that no slow question delays the answer.
func (e *engine) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, queue.ProbeTime)
	defer cancel()
	var s schema
	// A database that a newer node has changed may not suit this one.
	err := e.Query(store.Check.Mark(ctx), func(r core.Row) error { return r.Scan(&s.number, &s.compatible) }, selectSchema)
	if err == nil {
		err = s.suits()
	}
	if err == nil {
		err = e.probe(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return apierr.Errorf(apierr.Unavailable, "the database has not answered for %s", queue.ProbeTime)
	}
	return err
}

// Figures implements [core.Engine]. The log and the disk are the server's, and not to be
// seen from here.
func (e *engine) Figures(ctx context.Context) (f store.Figures, err error) {
	e.writers.figures.Fill(&f, e.writers.queue.Len())
	f.LogBytes = -1
	err = e.Query(ctx, func(r core.Row) error { return r.Scan(&f.Bytes) }, `SELECT pg_database_size(current_database())`)
	return f, err
}

// probe has a mark be committed, unless a commit has succeeded recently. Its goroutine may
// outlive the call if the server hangs; it ends when the commit does.
func (e *engine) probe(ctx context.Context) error {
	if e.writers.figures.Fresh(queue.ProbeAfter) {
		return nil
	}
	answered := make(chan error, 1)
	go func() {
		answered <- e.Commit(ctx, &core.Batch{Changes: []core.Change{{Rows: core.AnyRows,
			Text: `INSERT INTO meta (name, value) VALUES ('ready', '') ON CONFLICT (name) DO UPDATE SET value = ''`}}})
	}()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done(): // it has begun, and hangs
		return ctx.Err()
	}
}
