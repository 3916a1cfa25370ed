package settings

import (
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Names within a step's properties (docs/contract.md#settings); case makes no
// difference in them.
const (
	hostKey        = "Host"
	errorStatusKey = "ErrorStatus"
	headerGroup    = "RequestHeaders"
)

// stepProperties reads the properties that say something about the call; all
// others are the endpoint's own. Those travel in the body, as they are
// (docs/contract.md#requests).
func (p *parser) stepProperties(n node, st *Step) {
	seen, headers := names{}, headerList{names: names{}}
	for _, prop := range n.nodes("properties") {
		prop.warnUnread(propertyKind)
		prop.text("keyGroup")
		// The group alone makes a header of a property, whatever its key is.
		if isHeader(prop.obj) {
			headers.add(prop)
			warnHeader(prop, st)
			continue
		}
		key := prop.text("key")
		switch spelled(key, stepKind.properties) {
		case hostKey:
			seen.claim(prop, "key", hostKey)
			if st.Host = p.host(prop, "value"); !prop.obj.Has("value") {
				prop.wrong(prop.path("value"), "is needed")
			}
		case errorStatusKey:
			seen.claim(prop, "key", errorStatusKey)
			st.ErrorStatus = errorStatus(prop)
			p.noteMention(prop.path("value"), st.ErrorStatus)
		default:
			prop.text("value")
			prop.warnKey(key, stepKind)
			warnNoKey(prop, key)
			warnNoHeader(prop, key)
		}
	}
	st.RequestHeaders = headers.list
}

// errorStatus reads a status name, which is never blank: an order would enter
// it (docs/contract.md#settings).
func errorStatus(prop node) string {
	s, given := value[string](prop, "value", "text")
	name := strings.TrimSpace(s)
	if given && name == "" {
		prop.wrong(prop.path("value"), "must name a status, and is blank")
	}
	return name
}

// isHeader reports whether a property of a step is sent as a header.
func isHeader(property *jsondoc.Object) bool {
	return spelling.SameName(property.Text("keyGroup"), headerGroup)
}

// headerLike reports whether a group of properties looks as if it was to be that
// of headers, and is not.
func headerLike(group string) bool {
	return !spelling.SameName(group, headerGroup) && (strings.Contains(spelling.FoldName(group), "header") || meant(group, []string{headerGroup}) != "")
}

// ownKeys are fields so common as keys of an endpoint's own properties that they
// are not taken for misplaced ones.
var ownKeys = strings.Fields(`name displayName translateKey active properties username`)

// warnKey notes the key of a property that is like one that is read, or that is
// a field of the step or the connector itself.
func (n node) warnKey(key string, k kind) {
	// If the value is a URL, a name like Host is most likely meant to be that.
	plain := !strings.Contains(n.obj.Text("value"), "://")
	what := fmt.Sprint("key of ", k.name, plain)
	if why := n.verdict(what, spelling.FoldName(key), func() string { return unreadKey(key, plain, k) }); why != "" {
		n.warn(n.path("key"), "%s", why)
	}
}

// unreadKey says what looks wrong with a key that nobody reads; "" if nothing
// does. The value of a plain one is no URL. It never speaks of the value.
func unreadKey(key string, plain bool, k kind) string {
	like := meant(key, k.properties)
	switch {
	case isIn(key, ownKeys):
		return ""
	case isIn(key, k.read):
		return fmt.Sprintf("does nothing among the properties: %s is a field of %s itself", spelled(key, k.read), k.name)
	// Most likely it was to stand on the step itself.
	case limits(spelling.FoldName(key)):
		return "limits nothing: properties are sent, and not read"
	case like != "" && !(plain && len(key) <= len(hostKey)+1): // Cost may well be another word
		return "is not read" + like
	case meant(key, longKeys(k.read)) != "":
		return fmt.Sprintf("is not read%s It would be a field of %s itself", meant(key, longKeys(k.read)), k.name)
	}
	return otherKey(key, k)
}

// otherKey says where a key is read, if that is elsewhere.
func otherKey(key string, k kind) string {
	for _, other := range []kind{stepKind, connectorKind} {
		switch {
		case other.name == k.name:
		case isIn(key, other.properties):
			return "does nothing here: it is one of the properties of " + other.name
		case isIn(key, longKeys(other.read)), isIn(key, connectorSecrets):
			return "does nothing here: it is a field of " + other.name
		}
	}
	return ""
}

// longKeys leaves out names so short that many a word is like them.
func longKeys(fields []string) []string {
	var long []string
	for _, f := range fields {
		if len(f) > 9 {
			long = append(long, f)
		}
	}
	return long
}

// warnNoKey notes a property that says something under no key.
func warnNoKey(prop node, key string) {
	if v, _ := prop.obj.Get("value"); strings.TrimSpace(key) == "" && !isEmpty(v) {
		prop.warn(prop.path("key"), "is not given, so nothing reads this property")
	}
}

// warnNoHeader notes a property that looks as if it was to be a header. It is
// no secret then: it is shown, and sent in the body. The owner may well mean it so, and
// then only has to read the warning.
func warnNoHeader(prop node, key string) {
	for _, m := range prop.obj.Members() {
		if group, isText := m.Value.(string); isText && !propertyKind.known[spelling.Fold(m.Name)] && spelling.SameName(group, headerGroup) {
			prop.warn(prop.path(clip(m.Name)), "makes no header of this, and no secret; is keyGroup meant?")
		}
	}
	switch group := prop.obj.Text("keyGroup"); {
	case headerLike(group):
		prop.warn(prop.path("keyGroup"), "makes no header of this, and no secret; is %s meant?", headerGroup)
	case spelling.SameName(key, "Authorization"):
		prop.warn(prop.path("keyGroup"), "is not %s, so this is no header and no secret: it is shown, and sent in the body", headerGroup)
	}
}
