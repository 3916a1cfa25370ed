package core

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// search looks for a text in the values of documents, without regard to case. SQLite's LIKE
// would not do: it folds the letters of English only, and would find the names of fields as
// well. The zero text is found in every document.
type search struct {
	exact string // as it is looked for
	text  string // in lower case
	json  string // the same as it stands within a JSON text
}

// newSearch prepares a search. The text as JSON has no quotes around it, so that it can
// stand anywhere within a value.
func newSearch(text string) search {
	quoted, _ := jsontext.AppendQuote(nil, text) // what is not valid UTF-8 is in no document
	return search{text, strings.ToLower(text), strings.ToLower(string(quoted[1 : len(quoted)-1]))}
}

// isInDocument reports whether a document that is stored has the text in one of
// its values. To find that it stands nowhere in the JSON is an order of magnitude
// faster than to parse that.
func (s search) isInDocument(json string) (bool, error) {
	if s.text == "" {
		return true, nil
	}
	// Most documents end here. What is found may still be the name of a field, or across
	// two values.
	if !strings.Contains(strings.ToLower(json), s.json) {
		return false, nil
	}
	doc, err := schema.ParseStored([]byte(json))
	return err == nil && s.isIn(doc), err
}

// isATag reports whether a document that is stored has the text among its tags. That it
// stands nowhere in the JSON rules out most at once, as it does in isInDocument. A tag is
// compared as a whole, and with regard to case.
func (s search) isATag(json string) (bool, error) {
	if s.text == "" {
		return true, nil
	}
	if !strings.Contains(strings.ToLower(json), s.json) {
		return false, nil
	}
	doc, err := schema.ParseStored([]byte(json))
	if err != nil {
		return false, err
	}
	value, _ := doc.Get("tags")
	tags, _ := value.([]any)
	// A tag that is no text is none that anybody can look for.
	return slices.ContainsFunc(tags, func(tag any) bool { return tag == any(s.exact) }), nil
}

// isIn reports whether a value, or one within it, holds the text.
func (s search) isIn(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(strings.ToLower(v), s.text)
	case jsondoc.Number:
		return strings.Contains(strings.ToLower(string(v)), s.text)
	case []any:
		for _, e := range v {
			if s.isIn(e) {
				return true
			}
		}
	case *jsondoc.Object:
		for _, m := range v.Members() {
			if s.isIn(m.Value) {
				return true
			}
		}
	}
	return false
}
