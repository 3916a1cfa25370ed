// Package secret is what everything but internal/outbound knows of a secret: that
// there is one, and where it is stored. Its text is sealed for one tenant, one
// place and the origins that it was given for, and comes out of [Opener.Reveal]
// alone, which only the package that makes the requests calls (internal/rules).
package secret

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Mask is shown in place of a secret, and stands for the stored one when it is
// sent back (docs/contract.md#secrets).
const Mask = "***"

// prefix begins the ids of stored secrets.
const prefix = "sec_"

// Value is a secret: one that is stored, which it refers to, or one that was just
// given and is not stored yet. No way of printing it shows the text. The zero
// value is no secret.
type Value struct {
	id, place string // of one that is stored
	text      string // of one that is not
}

// New returns a secret that was just given. The text "" is none.
func New(text string) Value { return Value{text: text} }

// Stored refers to a stored secret, which opens for that place alone.
func Stored(id, place string) Value { return Value{id: id, place: place} }

// destroyed is the id of no secret: it stands where there was one.
const destroyed = "destroyed"

// Destroyed stands in the place of a secret that is not stored any more. It is stored
// as others are, and does not open ([ErrGone]).
func Destroyed() Value { return Value{id: destroyed} }

// IsDestroyed reports whether there was a secret, of which nothing is left.
func (v Value) IsDestroyed() bool { return v.id == destroyed }

// At returns the reference for a place, which is where it was found.
func (v Value) At(place string) Value {
	if v.id != "" {
		v.place = place
	}
	return v
}

// IsZero reports whether there is no secret.
func (v Value) IsZero() bool { return v == Value{} }

// ID is the id of a stored secret, "" of one that is not stored.
func (v Value) ID() string { return v.id }

// Place is where a stored secret belongs, as `endpoints/ep_1/signingKey`.
func (v Value) Place() string { return v.place }

// Unsealed returns the text of a secret that is not stored yet, "" of all others.
// Like [Opener.Reveal] it is for internal/outbound alone, which checks what was given.
func (v Value) Unsealed() string { return v.text }

// String returns *** in place of the secret, "" where there is none.
func (v Value) String() string {
	if v.IsZero() {
		return ""
	}
	return Mask
}

// Format implements fmt.Formatter, so that no verb shows the text.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.String())) }

// MarshalText returns the reference. What is not stored has none, which is an
// error: nobody is to take its text for one.
func (v Value) MarshalText() ([]byte, error) {
	if v.text != "" {
		return nil, errors.New("a secret that is not stored has no reference")
	}
	return []byte(v.id), nil
}

// UnmarshalText reads a reference; the place is to be given by [Value.At].
func (v *Value) UnmarshalText(text []byte) error {
	*v = Value{id: string(text)}
	return nil
}

// newID returns the id of a secret that is about to be stored.
func newID() string {
	u := uuid.Must(uuid.NewV7())
	return prefix + hex.EncodeToString(u[:])
}
