package dash

import (
	"bytes"
	"encoding/json"
)

const (
	// mostCompared is how long two versions of an order may be together, in bytes, to be
	// parsed as they are. Longer ones take tenths of a second and much memory, and almost
	// all of them is the same in both.
	mostCompared = 512 << 10
	// longList is how long a list has to be, in bytes, to be shown as a difference without
	// the elements that are the same.
	longList = 32 << 10
)

// withoutEqual returns two documents without most of what both have: members of objects, and
// elements of long lists, whose texts are the same. What is left differs in the same places,
// since an element that is left is whole, with the keys that it is known by, and has moved
// against the others if it had before.
//
// It works on the texts. Two members whose texts differ may still be equal, as 1.0 and 1;
// they stay, and the comparison behind it sees that.
func withoutEqual(a, b json.RawMessage) (json.RawMessage, json.RawMessage) {
	if left, right, ok := unequalMembers(a, b); ok {
		return left, right
	}
	return unequalElements(a, b)
}

// rawMember is a member of an object. The value is a part of the document's own bytes,
// and no copy.
type rawMember struct {
	name  string
	value []byte // its text
}

// rawMembers are the members of an object; false where it is none. The document is one
// that the API has sent, so it is valid; what is not is left to the comparison behind.
func rawMembers(raw []byte) (out []rawMember, ok bool) {
	in := decoder(raw)
	if in.PeekKind() != '{' {
		return nil, false
	}
	_, _ = in.ReadToken()
	for in.PeekKind() == '"' {
		name, err := in.ReadToken()
		if err != nil {
			return nil, false
		}
		m := rawMember{name: name.String()}
		if m.value, err = in.ReadValue(); err != nil {
			return nil, false
		}
		end := in.InputOffset()
		m.value = raw[end-int64(len(m.value)) : end]
		out = append(out, m)
	}
	return out, in.PeekKind() == '}'
}

// unequalMembers is withoutEqual of two objects; false where they are none. A member that
// is in one of the two alone stays. One that is in both and differs is looked into, so
// that a large part of an order loses most of itself, too.
func unequalMembers(a, b []byte) (left, right json.RawMessage, ok bool) {
	was, ok := rawMembers(a)
	if !ok {
		return nil, nil, false
	}
	is, ok := rawMembers(b)
	if !ok {
		return nil, nil, false
	}
	// The members of the second object are found by their names; their order makes no
	// difference.
	values := map[string][]byte{}
	for _, m := range is {
		values[m.name] = m.value
	}
	replaced, same := map[string][]byte{}, map[string]bool{}
	for i, m := range was {
		other, found := values[m.name]
		switch {
		case found && bytes.Equal(m.value, other):
			same[m.name] = true
		case found:
			was[i].value, replaced[m.name] = withoutEqual(m.value, other)
		}
	}
	// Both sides get the shortened text of a member that differs.
	for i, m := range is {
		if text, ok := replaced[m.name]; ok {
			is[i].value = text
		}
	}
	return rawObject(was, same), rawObject(is, same), true
}

// rawObject puts an object together again, without some of its members.
func rawObject(members []rawMember, leftOut map[string]bool) json.RawMessage {
	out := []byte{'{'}
	for _, m := range members {
		if leftOut[m.name] {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		name, _ := json.Marshal(m.name)
		out = append(append(append(out, name...), ':'), m.value...)
	}
	return append(out, '}')
}

// rawElements are the elements of a list; false where it is none, or is short. A short
// one is shown whole, since its other elements help to understand the difference.
func rawElements(raw []byte) (out [][]byte, ok bool) {
	in := decoder(raw)
	if len(raw) < longList || in.PeekKind() != '[' {
		return nil, false
	}
	_, _ = in.ReadToken()
	for in.PeekKind() != ']' {
		value, err := in.ReadValue()
		if err != nil {
			return nil, false
		}
		end := in.InputOffset()
		out = append(out, raw[end-int64(len(value)):end])
	}
	return out, true
}

// unequalElements is withoutEqual of two values that are not both objects. It leaves out what
// two long lists have in common at the beginning and at the end. Of what is between, where it
// has the same length in both, it keeps the first of each run of elements that are the same at
// the same place: what has moved from before the run to behind it has moved against that one.
func unequalElements(a, b []byte) (json.RawMessage, json.RawMessage) {
	was, ok := rawElements(a)
	if !ok {
		return a, b
	}
	is, ok := rawElements(b)
	if !ok {
		return a, b
	}
	for len(was) > 0 && len(is) > 0 && bytes.Equal(was[0], is[0]) {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && bytes.Equal(was[len(was)-1], is[len(is)-1]) {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	if len(was) == len(is) {
		var left, right [][]byte
		inRun := false
		for i := range was {
			if same := bytes.Equal(was[i], is[i]); !same || !inRun {
				left, right, inRun = append(left, was[i]), append(right, is[i]), same
			}
		}
		was, is = left, right
	}
	return rawList(was), rawList(is)
}

// rawList puts a list together again.
func rawList(elements [][]byte) json.RawMessage {
	return append(append([]byte{'['}, bytes.Join(elements, []byte{','})...), ']')
}
