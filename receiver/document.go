package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// The types of documents (Order and what is in it) are structs whose fields are named as the
// documents' are, but for ID and URL, with Members beside them for everything else. What
// encoding/json makes of such a struct would lose that, so each has methods that call the
// two functions below.

// field is a field of a document's type.
type field struct {
	index int
	name  string // in the document
	// keys tells how a list of objects is patched: the names of the fields that tell its
	// elements apart, or "errors" for the list of errors; none: it is replaced.
	keys []string
}

// plan is how a document's type is read and written. It is made once for each type.
type plan struct {
	fields []field
	byName map[string]int // of fields, by the name in lower case
	other  int            // the index of its Members
}

var plans sync.Map // of *plan, by reflect.Type

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{byName: map[string]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type == reflect.TypeFor[Members]() {
			p.other = i
			continue
		}
		var keys []string
		if tag := f.Tag.Get("key"); tag != "" {
			keys = strings.Split(tag, ",")
		}
		name := documentName(f.Name)
		p.byName[strings.ToLower(name)] = len(p.fields)
		p.fields = append(p.fields, field{i, name, keys})
	}
	stored, _ := plans.LoadOrStore(t, p)
	return stored.(*plan)
}

// documentName is the name that a field has in documents: CustomerID is customerId.
func documentName(name string) string {
	switch name {
	case "ID", "URL":
		return strings.ToLower(name)
	}
	for _, initialism := range [][2]string{{"IDs", "Ids"}, {"ID", "Id"}, {"URL", "Url"}} {
		if begin, ok := strings.CutSuffix(name, initialism[0]); ok {
			name = begin + initialism[1]
			break
		}
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// decodeObject fills a document's type from JSON. Names are read in any letter case. A field
// whose value has another shape than the type's is no error, since orders come in as other
// systems write them: it is among the Members.
func decodeObject(data []byte, into any) error {
	var members Members
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	v := reflect.ValueOf(into).Elem()
	v.SetZero()
	p := planOf(v.Type())
	var other Members
	for _, name := range members.names() {
		raw := members[name]
		i, known := p.byName[strings.ToLower(name)]
		if known && string(raw) == "null" {
			continue
		}
		if known {
			if f := v.Field(p.fields[i].index); f.IsZero() {
				if json.Unmarshal(raw, f.Addr().Interface()) == nil {
					continue
				}
				f.SetZero() // it may be half read
			}
		}
		if other == nil {
			other = Members{}
		}
		other[name] = raw
	}
	v.Field(p.other).Set(reflect.ValueOf(other))
	return nil
}

// encodeObject writes a document: the fields that have something in them, in the order of
// the type, then the Members.
func encodeObject(v reflect.Value) ([]byte, error) {
	p := planOf(v.Type())
	out := object{}
	for _, f := range p.fields {
		if value := v.Field(f.index); !value.IsZero() {
			if err := out.set(f.name, value.Interface()); err != nil {
				return nil, err
			}
		}
	}
	other := v.Field(p.other).Interface().(Members)
	for _, name := range other.names() {
		if i, known := p.byName[strings.ToLower(name)]; known && !v.Field(p.fields[i].index).IsZero() {
			continue // somebody has set the field since
		}
		if err := out.set(name, other[name]); err != nil {
			return nil, err
		}
	}
	return out.encoded(), nil
}

// object is JSON that is being written, member by member.
type object struct{ text bytes.Buffer }

func (o *object) set(name string, value any) error {
	text, err := marshal(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	quoted, err := marshal(name)
	if err != nil {
		return err
	}
	if o.text.Len() > 0 {
		o.text.WriteByte(',')
	}
	o.text.Write(quoted)
	o.text.WriteByte(':')
	o.text.Write(text)
	return nil
}

func (o *object) encoded() []byte { return fmt.Appendf(nil, "{%s}", o.text.Bytes()) }

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}
