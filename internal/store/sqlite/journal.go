package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

const (
	// journalTries is how often, and tryPause how long after each other, the log is copied
	// into the file without holding anybody up. Most readers end meanwhile.
	journalTries = 10
	tryPause     = 10 * time.Millisecond
	// journalHold is how long the writer is held up at most while the last readers end, in
	// milliseconds, and journalHolds how often in one call. A busy writer may come first each
	// time, and then it is not held up.
	journalHold  = 50
	journalHolds = 4
)

// EmptyJournal implements [core.Engine]. What was erased is overwritten in the file, and
// still stands in the log, which is written over only by what comes later. So the log is
// copied into the file and made empty.
//
// SQLite keeps the writer away while it makes the log empty, and waits for all who read what
// is in it. So first it copies without that (PASSIVE), which holds up nobody, and comes to
// its end unless somebody reads an older state, as a backup does for as long as it takes. Then
// there is nothing to be gained, and nobody has waited. Otherwise only what was written since
// is left to be copied, and the writer is held up for that moment
// (docs/design.md#what-is-erased-leaves-the-journal).
func (e *engine) EmptyJournal(ctx context.Context) (done bool, err error) {
	if err := e.opened.unchanged(); err != nil {
		return false, err
	}
	db, err := openEmptier(ctx, e.path)
	if err != nil {
		return false, e.noticed(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	holds := 0
	for range journalTries {
		whole, err := checkpoint(ctx, db, "PASSIVE")
		if err == nil && whole {
			holds++
			done, err = checkpoint(ctx, db, "TRUNCATE")
		}
		if err != nil || done || holds == journalHolds {
			return done, e.noticed(err)
		}
		if err := clock.Pause(ctx, clock.Real{}, tryPause); err != nil {
			return false, err
		}
	}
	return false, nil
}

// openEmptier opens the connection that empties the journal. It syncs as the writer does. Its
// patience is shorter than that of others, and is set by a statement of its own: if there are
// two in the name of a database, the driver takes either.
func openEmptier(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "synchronous(FULL)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // which the statement is for
	text := fmt.Sprint("PRAGMA busy_timeout = ", journalHold)
	if _, err := db.ExecContext(ctx, text); err != nil {
		return nil, errors.Join(failure(stated(err, text)), db.Close())
	}
	return db, nil
}

// checkpoint copies the log into the file, and reports whether all of it is there.
func checkpoint(ctx context.Context, db *sql.DB, mode string) (whole bool, err error) {
	// log and copied are in pages.
	var busy, log, copied int64
	text := "PRAGMA wal_checkpoint(" + mode + ")"
	err = db.QueryRowContext(ctx, text).Scan(&busy, &log, &copied)
	return busy == 0 && log == copied, failure(stated(err, text))
}
