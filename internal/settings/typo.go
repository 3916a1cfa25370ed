package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// warnUnread notes members that nobody reads and that look as if somebody was to
// read them: a slip of the pen, or a field that stands at the wrong place. All
// others are the owner's own, and are stored. One that would limit something is an
// error: left unread, it would let run what it is there to keep from running. Nothing is
// removed by it.
func (n node) warnUnread(k kind) {
	for _, m := range n.obj.Members() {
		name := spelling.FoldName(m.Name)
		switch at := n.path(clip(m.Name)); {
		case k.known[spelling.Fold(m.Name)]: // with white space around it, it would not be found
		case k.limited && turnsOff(k, name, m.Value):
			n.wrong(at, "%s, and would turn it off%s", schema.NoField(k.name), activeMeant(k))
		case k.limited && limits(name):
			if !isEmpty(m.Value) {
				n.wrong(at, "%s, and would limit it%s", schema.NoField(k.name), meant(m.Name, k.read))
			}
		case m.Value != nil:
			if why := n.verdict("field of "+k.name, name, func() string { return unread(m.Name, k) }); why != "" {
				n.warn(at, "%s", why)
			}
		}
	}
}

// readsNothing reports whether the object has fields, and none that is read.
func (n node) readsNothing(k kind) bool {
	members := n.obj.Members()
	return len(members) > 0 && !slices.ContainsFunc(members, func(m jsondoc.Member) bool { return k.known[spelling.Fold(m.Name)] })
}

// unread says what looks wrong with a field that nobody reads; "" if nothing does. The
// likeliest slip comes first.
func unread(field string, k kind) string {
	if like := meant(field, k.read); like != "" {
		return "is not read" + like
	}
	// Under a name from elsewhere a secret would be shown to everybody who reads the
	// settings.
	if secret := spelled(elsewhere[spelling.FoldName(field)], k.read); secret != "" {
		return "is not read, and whoever reads the settings sees it; is " + secret + " meant?"
	}
	if key := spelled(field, k.properties); key != "" {
		return fmt.Sprintf(`is not read here: it belongs into properties, as {"key": "%s", "value": …}`, key)
	}
	for _, other := range kinds {
		switch {
		case other.name == k.name || isIn(field, common):
		case isIn(field, other.read):
			return "is not read here: it is a field of " + other.name
		case isIn(field, other.properties):
			return "is not read here: it is one of the properties of " + other.name
		}
	}
	return ""
}

// elsewhere is what other systems call the fields that hold secrets here. Under
// such a name a secret would be stored as it is.
var elsewhere = map[string]string{
	"headers": "customHeaders", "secret": "signingSecret", "signingkey": "signingSecret", "apikey": "token", "accesstoken": "bearerToken", "user": "username",
}

// limits reports whether a folded field looks as if it said where something is
// not to run. It is asked of names that nobody knows, and may be wrong about one.
func limits(field string) bool {
	return strings.Contains(field, "enabledfor") || strings.Contains(field, "disabledfor") ||
		strings.HasSuffix(field, "condition") || strings.HasSuffix(field, "conditions")
}

// turnsOff reports whether a folded field, which is not read, looks as if it said that something
// of a kind is not to run at all.
func turnsOff(k kind, field string, v any) bool {
	on, isFlag := v.(bool)
	switch strings.TrimPrefix(field, "is") {
	case "enabled":
		return isFlag && !on
	// A status, or an order type, may be active in a sense of its owner's.
	case "active":
		return isFlag && !on && (k.name == connectorKind.name || k.name == stepKind.name)
	case "disabled":
		return isFlag && on
	}
	return false
}

// activeMeant asks whether active is meant, of a kind that has it.
func activeMeant(k kind) string {
	if isIn("active", k.read) {
		return "; is active meant?"
	}
	return ""
}

// mostVerdicts bounds the names of one document that are compared with others: a
// hostile one has a million of them.
const mostVerdicts = 2000

// verdict is what check says of a name, which it is asked once for a document. The same
// name may stand in a document a thousand times, and to compare it with all others takes
// time.
func (f *findings) verdict(what, name string, check func() string) string {
	key := [2]string{what, name}
	why, checked := f.verdicts[key]
	if checked || len(f.verdicts) == mostVerdicts || len(name) > maxCompared {
		return why
	}
	if f.verdicts == nil {
		f.verdicts = map[[2]string]string{}
	}
	why = check()
	f.verdicts[key] = why
	return why
}

// isIn reports whether a list has a name, in any case.
func isIn(name string, list []string) bool { return spelled(name, list) != "" }

// spelled returns the name of the list that a name stands for, in any case; ""
// if there is none.
func spelled(name string, list []string) string {
	i := slices.IndexFunc(list, func(s string) bool { return spelling.SameName(s, name) })
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
	case *jsondoc.Object:
		return v.Len() == 0
	}
	return false
}
