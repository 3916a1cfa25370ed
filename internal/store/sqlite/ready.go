package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

const (
	// leastFree is how many bytes the disk must have left: the log alone takes 64 MiB
	// under load.
	leastFree = 128 << 20
	// probeAfter is how old the last commit may be before a question whether the
	// database is ready has one made, which shows what no reading does.
	probeAfter = 10 * time.Second
	// probeTime is how long that commit may take.
	probeTime = 2 * time.Second
)

// condition is what is known of the file beyond what a question can tell.
type condition struct {
	opened  os.FileInfo // the file that was opened
	corrupt atomic.Bool // SQLite said so
	free    func(dir string) (int64, error)
}

// Ping implements [core.Engine]. It is [oms.Unavailable], with a text that says why,
// if the file is damaged, not the one that was opened, or takes no writes, or the
// disk is almost full.
func (e *engine) Ping(ctx context.Context) error {
	var version int64
	if err := e.Query(store.Check.Mark(ctx), func(r core.Row) error { return r.Scan(&version) }, selectSchemaVersion); err != nil {
		return e.noticed(err)
	}
	if err := checkNotNewer(e.path, version); err != nil {
		return err
	}
	if e.corrupt.Load() {
		return oms.Errorf(oms.Unavailable, "the database file is damaged")
	}
	now, err := os.Stat(e.path)
	if err != nil || !os.SameFile(now, e.opened) {
		return fmt.Errorf("%w (%w)", oms.Errorf(oms.Unavailable, "the database file was removed or replaced while it was open"), errors.Join(err))
	}
	free, err := e.free(filepath.Dir(e.path))
	if err == nil && free < leastFree {
		return oms.Errorf(oms.Unavailable, "the database's disk has %d MiB left", free>>20)
	}
	return e.probe(ctx)
}

// probe has something be committed, unless something was of late.
func (e *engine) probe(ctx context.Context) error {
	f := e.writer.Figures()
	if f.LastError == "" && time.Since(f.LastCommit) < probeAfter {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		answered <- e.Commit(ctx, &core.Batch{Changes: []core.Change{{Rows: core.AnyRows,
			Text: `INSERT INTO meta (name, value) VALUES ('ready', x'') ON CONFLICT DO UPDATE SET value = randomblob(8)`}}})
	}()
	select {
	case err := <-answered:
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		return e.noticed(err)
	case <-ctx.Done(): // it has begun, and hangs
	}
	return oms.Errorf(oms.Unavailable, "the database has committed nothing for %s", probeTime)
}

// noticed remembers that the database is damaged, if an error says so.
func (e *engine) noticed(err error) error {
	if isCorrupt(err) {
		e.corrupt.Store(true)
		return fmt.Errorf("%w (%w)", oms.Errorf(oms.Unavailable, "the database file is damaged"), err)
	}
	return err
}

func isCorrupt(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == lib.SQLITE_CORRUPT || e.Code() == lib.SQLITE_NOTADB)
}

// freeBytes returns how much room a directory's disk has for who is not root.
func freeBytes(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
