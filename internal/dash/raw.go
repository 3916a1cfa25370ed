package dash

import (
	"encoding/json"
	"time"
)

// object is a JSON object whose members may have any shape: orders and carts come as
// others write them, and a page shows what it can read of them.
type object map[string]json.RawMessage

// objectOf reads an object; what is none has no members.
func objectOf(raw json.RawMessage) (o object) {
	_ = json.Unmarshal(raw, &o) // then it is empty
	return o
}

// text is a text, or the digits of a number; "" is anything else.
func (o object) text(name string) string { return plainText(o[name]) }

// plainText is what a JSON text says, or the digits of a number; "" is anything else.
func plainText(raw json.RawMessage) (text string) {
	if len(raw) == 0 {
		return ""
	}
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return string(raw)
	}
	_ = json.Unmarshal(raw, &text) // of another shape it stays empty
	return text
}

// first is the first of these members that says something.
func (o object) first(names ...string) string {
	for _, name := range names {
		if text := o.text(name); text != "" {
			return text
		}
	}
	return ""
}

func (o object) object(name string) object { return objectOf(o[name]) }

// elements are those of a list, as they are; of anything else there are none.
func (o object) elements(name string) (all []json.RawMessage) {
	_ = json.Unmarshal(o[name], &all) // then there is nothing to show
	return all
}

// list is the first elements of a list that are objects, at most so many.
func (o object) list(name string, most int) (out []object) {
	for _, raw := range o.elements(name) {
		if element := objectOf(raw); element != nil {
			if len(out) == most {
				break
			}
			out = append(out, element)
		}
	}
	return out
}

// time is a time; the zero one is anything else.
func (o object) time(name string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, o.text(name))
	return t
}
