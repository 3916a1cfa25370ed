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
	// milliseconds.
	journalHold = 50
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
	db, err := sql.Open("sqlite", dsn(e.path, "synchronous(FULL)", fmt.Sprintf("busy_timeout(%d)", journalHold)))
	if err != nil {
		return false, err
	}
	// The pragma of the last statement is of its connection.
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	for try := 0; ; try++ {
		whole, err := checkpoint(ctx, db, "PASSIVE")
		if err != nil {
			return false, e.noticed(err)
		}
		if whole {
			break
		}
		if try == journalTries {
			return false, nil
		}
		if err := clock.Pause(ctx, clock.Real{}, tryPause); err != nil {
			return false, err
		}
	}
	done, err = checkpoint(ctx, db, "TRUNCATE")
	return done, e.noticed(err)
}

// checkpoint copies the log into the file, and reports whether all of it is there.
func checkpoint(ctx context.Context, db *sql.DB, mode string) (whole bool, err error) {
	// log and copied are in pages.
	var busy, log, copied int64
	text := "PRAGMA wal_checkpoint(" + mode + ")"
	err = db.QueryRowContext(ctx, text).Scan(&busy, &log, &copied)
	return busy == 0 && log == copied, failure(stated(err, text))
}
