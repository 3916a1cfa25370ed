package order

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// Change is one field that differs between two versions of a document. The history and the
// API have it. Values are those of the documents, not copies: nobody changes them.
type Change struct {
	Path   string `json:"path"`   // as orderForm.lineItems[L1].placedPrice; in a long list or text as in [Diff]
	Before any    `json:"before"` // nil where the field was absent
	After  any    `json:"after"`  // nil where the field is gone
	// Conflict marks a field that another writer set to Theirs while the step's
	// call was under way. After, the step's, stands (docs/contract.md#conflicts).
	Conflict bool `json:"-"`
	Theirs   any  `json:"theirs,omitempty"`
	// Cut says that a value was too long: it is a text then, the beginning of the
	// value or of its JSON, with … behind it.
	Cut bool `json:"cut,omitempty" doc:"A value was too long: it is a text, the beginning of the value or of its JSON, and ends with …. The order's versions have it whole"`
}

// MarshalJSON implements json.Marshaler. Before and After are written even where they are
// null: a reader must tell a field that was absent from a field that is not told.
func (c Change) MarshalJSON() ([]byte, error) {
	o := jsondoc.NewObject(jsondoc.Pair("path", c.Path), jsondoc.Pair("before", c.Before), jsondoc.Pair("after", c.After))
	if c.Conflict {
		o.Set("theirs", c.Theirs)
	}
	if c.Cut {
		o.Set("cut", true)
	}
	return o.JSON(), nil
}

// UnmarshalJSON implements json.Unmarshaler; numbers keep their text.
func (c *Change) UnmarshalJSON(data []byte) error {
	// The values are read by the parser of documents, which keeps the digits of numbers.
	var raw struct {
		Path                  string
		Before, After, Theirs jsontext.Value
		Cut                   bool
	}
	if err := json.Unmarshal(data, &raw, json.MatchCaseInsensitiveNames(true)); err != nil {
		return err
	}
	*c = Change{Path: raw.Path, Conflict: raw.Theirs != nil, Cut: raw.Cut}
	for _, f := range []struct {
		to   *any
		from jsontext.Value
	}{{&c.Before, raw.Before}, {&c.After, raw.After}, {&c.Theirs, raw.Theirs}} {
		if f.from == nil {
			continue
		}
		v, err := jsondoc.ParseValue(f.from, schema.Known)
		if err != nil {
			return jsondoc.ParseError(err, nil)
		}
		*f.to = v
	}
	return nil
}
