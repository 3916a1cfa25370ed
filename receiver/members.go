package receiver

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Members are fields of an object that its type does not have, byte for byte as they came:
// your own fields, and known ones of another shape than the type's.
//
// The requests of steps have each name with its first letter raised, at every depth, so a
// field that is stored as color comes as Color. Get, Set and Delete find it by either.
type Members map[string]json.RawMessage

// Get returns a member: the one of exactly this name, else the first that differs from it in
// case alone; nil for none.
func (m Members) Get(name string) json.RawMessage { return m[m.spelling(name)] }

// Decode reads a member into a variable, and reports whether it is there.
func (m Members) Decode(name string, into any) (bool, error) {
	raw := m.Get(name)
	if raw == nil {
		return false, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return true, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

// Set sets a member, in the spelling that it has already. The map is made where there is none.
func (m *Members) Set(name string, value any) error {
	raw, err := marshal(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if *m == nil {
		*m = Members{}
	}
	(*m)[m.spelling(name)] = raw
	return nil
}

// Delete removes a member.
func (m Members) Delete(name string) { delete(m, m.spelling(name)) }

// spelling returns the name that a member has, or the given one where there is none.
func (m Members) spelling(name string) string {
	if _, exact := m[name]; exact {
		return name
	}
	for _, other := range m.names() {
		if strings.EqualFold(other, name) {
			return other
		}
	}
	return name
}

// spelledAs returns the members under the names that others have for them: whoever writes
// color into a map that came with Color means that one.
func (m Members) spelledAs(others Members) Members {
	out := make(Members, len(m))
	for name, value := range m {
		if spelling := others.spelling(name); m[spelling] == nil {
			name = spelling
		}
		out[name] = value
	}
	return out
}

// names are those of all members, sorted: what is made of them is the same each time.
func (m Members) names() []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
