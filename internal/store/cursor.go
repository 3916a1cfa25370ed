package store

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
)

// Cursor is where a page ended: the sort key of its last row. Callers get it
// as text they need not understand.
type Cursor struct {
	At int64  // a time in Unix microseconds, or a number that counts up
	ID string // tells rows of the same At apart; "" where there are none
}

// String returns the cursor as callers get it.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.At, 10) + "." + c.ID))
}

// After returns the row that the page follows, nil if it is the first page.
// A cursor that no list gave out is [apierr.Invalid].
func (p Page) After() (*Cursor, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	at, id, found := strings.Cut(string(text), ".")
	n, numErr := strconv.ParseInt(at, 10, 64)
	if err != nil || numErr != nil || !found {
		return nil, apierr.Wrong("query.cursor", "is not a cursor that a list gave out")
	}
	return &Cursor{At: n, ID: id}, nil
}

// Size returns how many items the page holds at most: the limit within its bounds.
func (p Page) Size() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// MostBytes is how many bytes the items of a page may come to.
func (p Page) MostBytes() int {
	if p.Bytes <= 0 {
		return PageBytes
	}
	return min(p.Bytes, PageBytes)
}
