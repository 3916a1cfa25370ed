package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/spelling"
)

// failure turns an error of SQLite that may pass by itself into [apierr.Unavailable]: the
// API answers 503 then, and whoever asked may try again. Other errors stay as they are, and
// are errors of the program, or a damaged file.
func failure(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff { // the other bits of an extended code say where it happened
	case lib.SQLITE_FULL:
		return unavailable("the database's disk is full", err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return unavailable("the database is busy", err)
	case lib.SQLITE_IOERR, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_NOMEM, lib.SQLITE_PROTOCOL:
		return unavailable("the database cannot be used now", err)
	}
	return err
}

// stated adds to an error of the database the statement at which it failed. The text of a
// statement contains no data: that is in its arguments. So it may go into the log.
func stated(err error, text string) error {
	if _, ok := errors.AsType[*sqlite.Error](err); !ok {
		return err
	}
	return fmt.Errorf("%w, at %s", err, beginning(text))
}

// longestStatement is how many bytes of a statement an error contains.
const longestStatement = 120

// beginning returns the beginning of a statement, on one line.
func beginning(text string) string {
	return spelling.Clip(strings.Join(strings.Fields(text), " "), longestStatement)
}

// unavailable is an error whose text, detail, is what the caller of the API gets. The cause
// is only for the log: it may name files.
func unavailable(detail string, cause error) error {
	return fmt.Errorf("%w (%w)", apierr.Errorf(apierr.Unavailable, "%s", detail), cause)
}

// isDuplicate reports whether a row was refused because its key exists already.
func isDuplicate(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY)
}
