package core

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/orderhook/orderhook/internal/oms"
)

// search looks for a text in the values of documents, without regard to case.
// SQLite's LIKE would not do: it folds the letters of English only, and would
// find the names of fields as well.
type search struct {
	text string // in lower case
	json []byte // the same as it stands within a JSON text
}

func newSearch(text string) search {
	quoted, _ := jsontext.AppendQuote(nil, text) // what is not valid UTF-8 is in no document
	return search{strings.ToLower(text), bytes.ToLower(quoted[1 : len(quoted)-1])}
}

// mayBeIn reports whether the text stands anywhere in a JSON text. It is an
// order of magnitude faster than to parse that.
func (s search) mayBeIn(doc []byte) bool {
	return len(s.json) == 0 || bytes.Contains(bytes.ToLower(doc), s.json)
}

// isIn reports whether a value, or one within it, holds the text.
func (s search) isIn(v any) bool {
	if s.text == "" {
		return true
	}
	switch v := v.(type) {
	case string:
		return strings.Contains(strings.ToLower(v), s.text)
	case oms.Number:
		return strings.Contains(strings.ToLower(string(v)), s.text)
	case []any:
		for _, e := range v {
			if s.isIn(e) {
				return true
			}
		}
	case *oms.Object:
		for _, m := range v.Members() {
			if s.isIn(m.Value) {
				return true
			}
		}
	}
	return false
}
