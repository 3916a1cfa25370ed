package core

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/orderhook/orderhook/internal/oms"
)

// search looks for a text in the values of documents, without regard to case.
// SQLite's LIKE would not do: it folds the letters of English only, and would
// find the names of fields as well.
type search struct {
	text string // in lower case
	json string // the same as it stands within a JSON text
}

func newSearch(text string) search {
	quoted, _ := jsontext.AppendQuote(nil, text) // what is not valid UTF-8 is in no document
	return search{strings.ToLower(text), strings.ToLower(string(quoted[1 : len(quoted)-1]))}
}

// isInDocument reports whether a document that is stored has the text in one of
// its values. To find that it stands nowhere in the JSON is an order of magnitude
// faster than to parse that.
func (s search) isInDocument(json string) (bool, error) {
	if s.text == "" {
		return true, nil
	}
	if !strings.Contains(strings.ToLower(json), s.json) {
		return false, nil
	}
	doc, err := oms.ParseStored([]byte(json))
	return err == nil && s.isIn(doc), err
}

// isIn reports whether a value, or one within it, holds the text.
func (s search) isIn(v any) bool {
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
