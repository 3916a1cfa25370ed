package sqlite

import (
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// failure makes an error of SQLite that can pass by itself [oms.Unavailable].
func failure(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff { // the rest of an extended code says where it happened
	case lib.SQLITE_FULL:
		return unavailable("the database's disk is full", err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return unavailable("the database is busy", err)
	case lib.SQLITE_IOERR, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_NOMEM, lib.SQLITE_PROTOCOL:
		return unavailable("the database cannot be used now", err)
	}
	return err
}

// unavailable is what the caller is told; the cause is kept for the log.
func unavailable(detail string, cause error) error {
	return fmt.Errorf("%w (%w)", oms.Errorf(oms.Unavailable, "%s", detail), cause)
}

// isDuplicate reports whether a row was refused since its key is taken.
func isDuplicate(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY)
}
