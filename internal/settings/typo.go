package settings

import (
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// warnUnread notes members that nobody reads and that look as if somebody was to
// read them: a slip of the pen, or a field that stands at the wrong place. All
// others are the owner's own, and are kept. One that would limit something is a
// mistake: left unread, it would let run what it is there to keep from running.
func (n node) warnUnread(k kind) {
	for _, m := range n.obj.Members() {
		switch at := n.path(clip(m.Name)); {
		case k.has(m.Name):
		case k.limited && limits(m.Name) && !isEmpty(m.Value):
			n.wrong(at, "would limit %s, and is not known here%s", k.name, meant(m.Name, k.read))
		case len(m.Name) > maxCompared:
		case oms.Nearest(m.Name, k.read) != "":
			n.warn(at, "is not read%s", meant(m.Name, k.read))
		case isIn(m.Name, k.properties):
			n.warn(at, `is not read here: it belongs into properties, as {"key": "%s", "value": …}`, spelling(m.Name, k.properties))
		case m.Value != nil:
			n.warnElsewhere(at, m.Name, k)
		}
	}
}

// warnElsewhere notes a field that is read of another kind of object.
func (n node) warnElsewhere(at, field string, k kind) {
	for _, other := range kinds {
		if other.name == k.name || isIn(field, common) {
			continue
		}
		if isIn(field, other.read) {
			n.warn(at, "is not read here: it is a field of %s", other.name)
			return
		}
		if isIn(field, other.properties) {
			n.warn(at, "is not read here: it is one of the properties of %s", other.name)
			return
		}
	}
}

// limits reports whether a field looks as if it said where something is not to run.
func limits(field string) bool {
	f := fold(field)
	return strings.HasPrefix(f, "enabledfor") || strings.HasPrefix(f, "disabledfor") || strings.HasSuffix(f, "condition") || strings.HasSuffix(f, "conditions")
}

func isIn(name string, list []string) bool { return spelling(name, list) != "" }

// spelling returns the name of the list that a name stands for, in any case; ""
// if there is none.
func spelling(name string, list []string) string {
	i := slices.IndexFunc(list, func(s string) bool { return same(s, name) })
	if i < 0 {
		return ""
	}
	return list[i]
}

// isEmpty reports whether a value says nothing, as fields do that .NET writes
// out although nobody has set them.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case *oms.Object:
		return v.Len() == 0
	}
	return false
}
