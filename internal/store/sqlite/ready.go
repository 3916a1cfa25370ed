package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/queue"
)

// leastFree is how many bytes must be free on the disk: under load, the log alone takes
// 64 MiB.
const leastFree = 128 << 20

// condition is what is known about the file, in addition to what a query can tell.
// Questions and writes on all goroutines note it; Ping reads it.
type condition struct {
	opened  files
	corrupt atomic.Bool // SQLite has reported that the file is damaged
	free    func(dir string) (int64, error)
}

// Ping implements [core.Engine]. It returns [apierr.Unavailable], with the reason, in these
// cases: the file is damaged; it is not the one that was opened; it takes no writes; the
// disk is almost full. A load balancer asks it by way of /readyz, so it must answer soon,
// whatever the file does: it reads by a connection of its own class, and gives its commit
// [queue.ProbeTime].
func (e *engine) Ping(ctx context.Context) error {
	if err := e.opened.unchanged(); err != nil { // first: it is the reason for other errors
		return err
	}
	var version int64
	if err := e.Query(store.Check.Mark(ctx), func(r core.Row) error { return r.Scan(&version) }, selectSchemaVersion); err != nil {
		return e.noticed(err)
	}
	if err := checkNotNewer(e.path, version); err != nil {
		return err
	}
	if e.corrupt.Load() {
		return apierr.Errorf(apierr.Unavailable, "the database file is damaged")
	}
	free, err := e.free(filepath.Dir(e.path))
	if err == nil && free < leastFree {
		return apierr.Errorf(apierr.Unavailable, "the database's disk has %d MiB left", free>>20)
	}
	return e.probe(ctx)
}

// files are the database file, its log and the index of that, as they were opened. The
// identity of a file is compared, and not its name: a file that was moved away and one that
// took its place have the same name.
type files struct {
	path   string
	opened [len(openEndings)]os.FileInfo
}

// openEndings are the endings of the files of an open database.
var openEndings = [...]string{"", "-wal", "-shm"}

func openedFiles(path string) (f files, err error) {
	f.path = path
	for i, ending := range openEndings {
		if f.opened[i], err = os.Stat(path + ending); err != nil {
			return f, fmt.Errorf("the database cannot be looked at: %w", err)
		}
	}
	return f, nil
}

// unchanged returns [apierr.Unavailable] if one of the files was removed or replaced: what
// is written then is in no file that anybody finds again. Without the index of the log,
// another process would make one of its own, and the two would write over each other. It takes
// three calls of stat, and is made before and after each commit
// (docs/design.md#backup-and-restore).
func (f files) unchanged() error {
	for i, ending := range openEndings {
		now, err := os.Stat(f.path + ending)
		if err == nil && os.SameFile(now, f.opened[i]) {
			continue
		}
		changed := apierr.Errorf(apierr.Unavailable, "%s was removed or replaced while the database was open", filepath.Base(f.path)+ending)
		if err != nil {
			return fmt.Errorf("%w (%w)", changed, err)
		}
		return changed
	}
	return nil
}

// probe makes a commit that changes nothing but a mark, unless a commit has succeeded
// recently. Its goroutine may outlive the call if the disk hangs; it ends when the commit
// does.
func (e *engine) probe(ctx context.Context) error {
	if e.writer.figures.Fresh(queue.ProbeAfter) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queue.ProbeTime)
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
	case <-ctx.Done(): // the commit has begun, and hangs
	}
	return apierr.Errorf(apierr.Unavailable, "the database has committed nothing for %s", queue.ProbeTime)
}

// noticed remembers that the database is damaged, if an error says so. That does not pass:
// it is remembered until the process ends, and Ping says so from then on.
func (e *engine) noticed(err error) error {
	if isCorrupt(err) {
		e.corrupt.Store(true)
		return fmt.Errorf("%w (%w)", apierr.Errorf(apierr.Unavailable, "the database file is damaged"), err)
	}
	return err
}

// isCorrupt reports whether an error says that the file is damaged, or is no database any
// more.
func isCorrupt(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == lib.SQLITE_CORRUPT || e.Code() == lib.SQLITE_NOTADB)
}

// freeBytes returns how many bytes are free on the disk of a directory, for users other
// than root.
func freeBytes(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
