package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store/core"
)

// ErrNoKey is the error of [Open] without an encryption key.
var ErrNoKey = errors.New("a PostgreSQL database needs an encryption key: give --encryption-key-file, or ORDERHOOK_ENCRYPTION_KEY, the same to each node")

// The codes of errors that something is done about. PostgreSQL's documentation lists all of
// them.
const (
	uniqueViolation     = "23505"
	serializationFailed = "40001"
	deadlock            = "40P01"
	lockTimeout         = "55P03"
	readOnly            = "25006"
	tooLong             = "54000"
	noStatement         = "26000"
	statementExists     = "42P05"
)

// errReadOnly is in the error of a connection that was refused since its server takes no writes.
var errReadOnly = errors.New("the server takes no writes")

// takesNoWrites reports whether an error says that the server takes no writes. A connection
// that has had it is of no use any more, whatever the server is by now: how a connection
// begins stays with it.
func takesNoWrites(err error) bool { return code(err) == readOnly || errors.Is(err, errReadOnly) }

// code returns the code that the server gave an error; "" if the error is not the server's.
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// isDuplicate reports whether a row was refused since its key is taken. The batch was
// overtaken then.
func isDuplicate(err error) bool { return code(err) == uniqueViolation }

// mayPass reports whether the same transaction may well succeed at once.
func mayPass(err error) bool { return code(err) == serializationFailed || code(err) == deadlock }

// isLost reports whether the connection is of no use any more: it broke, or the server
// ended it. If no connection could be made at all, none was lost. The end of a context is
// not a loss, either.
func isLost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false // there was none
	}
	// 57P is the server ending connections, as at its shutdown; 08 is trouble with the
	// connection itself.
	if c := code(err); c != "" {
		return strings.HasPrefix(c, "57P") || strings.HasPrefix(c, "08")
	}
	// Not every broken connection shows as an error of one type.
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

// failure makes an error of the server, or of the way to it, that can pass by itself
// [apierr.Unavailable]: the API answers 503 then. Some errors say what the operator has to
// change; these get a text that does so. Others stay as they are.
func failure(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, core.ErrOvertaken) {
		return err
	}
	if takesNoWrites(err) {
		return unavailable("the database takes no writes: it is a replica, or was made to read only", err)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || isLost(err) {
		return unavailable("the database cannot be reached now", err)
	}
	switch c := code(err); {
	case c == lockTimeout, mayPass(err):
		return unavailable("the database is busy", err)
	case c == tooLong:
		return fmt.Errorf("%w (%w)", apierr.Errorf(apierr.Invalid, "a text that things are found by is too long for the database to look up: it takes up to 2,700 bytes"), err)
	// A pooler has given the statement to a connection on which it was not prepared.
	case c == noStatement, c == statementExists:
		return unavailable("the database is behind a pooler that has no prepared statements: its URL needs default_query_exec_mode=cache_describe", err)
	case strings.HasPrefix(c, "53"): // no memory, no disk, no connections
		return unavailable("the database has run out of something that it needs", err)
	}
	return err
}

// unavailable is what the caller is told; the cause is kept for the log.
func unavailable(detail string, cause error) error {
	return fmt.Errorf("%w (%w)", apierr.Errorf(apierr.Unavailable, "%s", detail), cause)
}
