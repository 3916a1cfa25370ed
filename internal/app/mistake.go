package app

import (
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
)

// Mistake is an error that whoever started orderhook can put right: a flag, a
// file, a database that is in use. Its text is for them, and is one line.
type Mistake struct{ cause error }

func (m *Mistake) Error() string { return m.cause.Error() }

// Unwrap returns what the mistake was found by.
func (m *Mistake) Unwrap() error { return m.cause }

// Mistakef makes a [Mistake] as fmt.Errorf makes an error.
func Mistakef(format string, args ...any) error { return &Mistake{fmt.Errorf(format, args...)} }

// IsMistake reports whether err is the user's to put right: a [Mistake], or an
// error that the domain or the store says the caller caused.
func IsMistake(err error) bool {
	if _, ok := errors.AsType[*Mistake](err); ok {
		return true
	}
	kind := oms.KindOf(err)
	return kind != oms.Internal && kind != oms.Unavailable
}
