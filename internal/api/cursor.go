package api

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/orderhook/orderhook/internal/store"
)

// A cursor is that of the store, behind a mark of the list that gave it out. In another list
// it would name a place as well, mostly behind all that is there: the answer would be empty,
// and look like the end (docs/contract.md#calls-of-the-api). The store knows no such marks,
// because jobs and exports have its cursors in files, and each uses one for the same list.

// markBytes is how many characters of a cursor are the mark.
const markBytes = 8

// cursorMark returns the mark of the list of a path. The history of each order is a list of
// its own. A filter is none: with another one the list goes on at the same place.
func cursorMark(path string) string {
	hash := sha256.Sum256([]byte(path))
	return base64.RawURLEncoding.EncodeToString(hash[:])[:markBytes]
}

// isCursorOf reports whether the list of a path gave out a cursor.
func isCursorOf(path, cursor string) bool {
	return len(cursor) > markBytes && cursor[:markBytes] == cursorMark(path)
}

// marked returns a cursor of the store as the callers of the list of a path get it; "" stays.
func marked(path, cursor string) string {
	if cursor == "" {
		return ""
	}
	return cursorMark(path) + cursor
}

// unmarked returns the page that a caller asks for, whose cursor checkQuery has looked at.
func unmarked(p store.Page) store.Page {
	p.Cursor = p.Cursor[min(markBytes, len(p.Cursor)):]
	return p
}
