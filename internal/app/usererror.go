package app

import (
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
)

// UserError is an error that whoever started orderhook can correct: in a flag, in a file,
// or by stopping the process that has the database. Its text is for that person, and is
// one line.
type UserError struct{ cause error }

func (m *UserError) Error() string { return m.cause.Error() }

// Unwrap returns the error behind it.
func (m *UserError) Unwrap() error { return m.cause }

// UserErrorf makes a [UserError], as fmt.Errorf makes an error.
func UserErrorf(format string, args ...any) error { return &UserError{fmt.Errorf(format, args...)} }

// doing adds to an error what the server was doing, unless it is a user error: the text of
// that says already what to correct. nil stays nil.
func doing(what string, err error) error {
	if err == nil || IsUserError(err) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// IsUserError reports whether the user can correct the error: it is a [UserError], or an
// error that the domain or the store has marked as caused by its caller.
func IsUserError(err error) bool {
	if _, ok := errors.AsType[*UserError](err); ok {
		return true
	}
	// These two are errors of the program, or of the database.
	kind := apierr.KindOf(err)
	return kind != apierr.Internal && kind != apierr.Unavailable
}
