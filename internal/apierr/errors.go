package apierr

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of error an [Error] is; the API has one table from
// kinds to HTTP statuses.
type Kind int

// The kinds of error.
const (
	Internal     Kind = iota // nothing the caller did
	Malformed                // not JSON at all
	Invalid                  // understood, and wrong
	Unauthorized             // no key, or none that is known
	Forbidden                // a key whose role does not reach
	NotFound                 // no such thing, or another tenant's
	Conflict                 // it is there already, or is not in a state for this
	Stale                    // If-Match names another version
	TooLarge                 // over a size limit
	Unavailable              // the database cannot take it now; the same call may go through later
	TooMany                  // over a limit of how often; the same call may go through later
)

// Error is an error that may be shown to the caller as it is: it holds no
// secret and nothing of the inside.
type Error struct {
	Kind   Kind
	Detail string
	Fields []FieldError
	// RetryAfter is how long it takes until the same call may go through; 0:
	// nobody knows.
	RetryAfter time.Duration
}

// FieldError is one error and where it stands, as `orderForm.lineItems[0].quantity`.
type FieldError struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

// Errorf makes an [Error] of a kind, with no fields.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Wrong makes an [Invalid] error that names one place.
func Wrong(location, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Detail: "the request is not valid",
		Fields: []FieldError{{Location: location, Message: fmt.Sprintf(format, args...)}}}
}

// Error implements error: the fields if there are any, else the detail.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Detail
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = strings.TrimPrefix(f.Location+": "+f.Message, ": ")
	}
	return strings.Join(parts, "; ")
}

// KindOf returns the kind of err, [Internal] if it is no [Error].
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
