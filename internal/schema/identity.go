package schema

import (
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// ElementNames names the elements of a list as the paths of changes do: by their keys,
// where each has some of its own, else by their position. By its keys an element has the
// same name in each version, whatever comes and goes around it.
func (f Field) ElementNames(list []any) []string {
	if f.Labels != nil {
		f.Keys = f.Labels
	}
	_, keyed := f.ByIdentity(list)
	names := make([]string, len(list))
	for i, e := range list {
		if keyed && len(f.Keys) > 0 {
			names[i] = "[" + ElementName(f.Identity(e)) + "]"
		} else {
			names[i] = fmt.Sprintf("[#%d]", i)
		}
	}
	return names
}

// Shared returns the identities of a list's elements that the other list has. If they stand
// in another order on either side, something was moved.
func (f Field) Shared(list []any, other map[string]*jsondoc.Object) []string {
	var ids []string
	for _, e := range list {
		if id := f.Identity(e); other[id] != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// ByIdentity returns the elements of a list by what identifies them, and whether
// every one has such a thing of its own. A list in which that is not so cannot be compared
// element by element.
func (f Field) ByIdentity(list []any) (map[string]*jsondoc.Object, bool) {
	m := make(map[string]*jsondoc.Object, len(list))
	for _, e := range list {
		id := f.Identity(e)
		if id == "" || m[id] != nil {
			return nil, false
		}
		m[id] = e.(*jsondoc.Object)
	}
	return m, true
}

// ElementName is an identity as a path shows it: its keys with commas between. A long one
// is cut, as in any path.
func ElementName(id string) string {
	return jsondoc.CutStep(strings.ReplaceAll(strings.TrimRight(id, "\x00"), "\x00", ","))
}

// Identity is what two elements of a list have in common that are the same one:
// the values of the list's keys. "" is no identity. The first key has to be there; the
// others only tell apart what has the same one.
func (f Field) Identity(e any) string {
	o, ok := e.(*jsondoc.Object)
	if !ok || len(f.Keys) == 0 {
		return ""
	}
	id := KeyText(o, f.Keys[0])
	if strings.TrimSpace(id) == "" || f.zeroIsNone && id == "0" {
		return ""
	}
	for _, k := range f.Keys[1:] {
		id += "\x00" + KeyText(o, k)
	}
	return id
}

// KeyText is the value of one key field; absent, null and "" are alike. A key may come as a
// number in one document and as text in another.
func KeyText(o *jsondoc.Object, key string) string {
	v, _ := o.Get(key)
	switch v := v.(type) {
	case string:
		return v
	case jsondoc.Number:
		return string(v)
	}
	return ""
}
