package jsondoc

import (
	"unicode"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/spelling"
)

// Names are field names that are known to a reader. The nil *Names knows none. They never
// change once they are made, so all readers share them.
type Names struct {
	spellings map[string]string // of each name, as it is spelled or folded
}

// NewNames returns the names that a reader is to know. When two differ in case alone,
// the last one counts. Package schema makes those of all its models.
func NewNames(all []string) *Names {
	n := &Names{make(map[string]string, 2*len(all))}
	for _, name := range all {
		n.spellings[spelling.Fold(name)] = name
	}
	for _, name := range all { // the usual case costs one look-up and no new string
		n.spellings[name] = n.spellings[spelling.Fold(name)]
	}
	return n
}

// Camel returns the camelCase spelling of a field name that came in in any case. A
// known name gets its own spelling. In any other, a leading run of capitals is lowered,
// as .NET's JSON does it: CustomField becomes customField, SKU sku, URLPath urlPath.
func (n *Names) Camel(name string) string {
	if n != nil {
		if k, ok := n.spellings[name]; ok {
			return k
		}
		if k, ok := n.spellings[spelling.Fold(name)]; ok {
			return k
		}
	}
	// The run ends before a capital that a small letter follows.
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) {
			break
		}
		if i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}

// Raised is a field's name on the wire of the steps: with its first letter in
// upper case (docs/contract.md#names). A name that begins with anything but a letter stays
// as it is.
func Raised(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if up := unicode.ToUpper(r); up != r && r != utf8.RuneError {
		return string(up) + name[size:]
	}
	return name
}

// unraised is the name with its first letter in lower case, of which [Raised] made
// the given one.
func unraised(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if low := unicode.ToLower(r); low != r && r != utf8.RuneError {
		return string(low) + name[size:]
	}
	return name
}

// Lowered is how a field that an answer brings is stored: with its first letter
// in lower case, unless the second is in upper case, as in EUR. So OrderNotes becomes
// orderNotes, and a currency stays a currency.
func Lowered(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	second, _ := utf8.DecodeRuneInString(name[size:])
	if low := unicode.ToLower(r); low != r && r != utf8.RuneError && !unicode.IsUpper(second) {
		return string(low) + name[size:]
	}
	return name
}

// Respelled returns a value of an answer with the names that it is stored under:
// those of the value that it replaces, where that has them. The elements of a
// list take after the one at their place, or the last. Lists and objects within it are
// copied.
func Respelled(v, like any) any { return new(slabs).respelled(v, like) }

// respelled is [Respelled] within the slabs of one document.
func (s *slabs) respelled(v, like any) any {
	switch v := v.(type) {
	case *Object:
		was, _ := like.(*Object)
		out := s.object()
		out.members = s.members.take(v.Len())[:0]
		for _, m := range v.Members() {
			name, value := Lowered(m.Name), any(nil)
			if i := was.Counterpart(m.Name, v); i >= 0 {
				name, value = was.members[i].Name, was.members[i].Value
			}
			if out.FindExact(name) >= 0 { // both Name and name came
				name = m.Name
			}
			out.Put(name, s.respelled(m.Value, value))
		}
		return out
	case []any:
		was, _ := like.([]any)
		out := s.values.take(len(v))
		for i, e := range v {
			var value any
			if len(was) > 0 {
				// The elements of a list are mostly spelled alike.
				value = was[min(i, len(was)-1)]
			}
			out[i] = s.respelled(e, value)
		}
		return out
	}
	return v
}
