package settings

import (
	"maps"
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/weburl"
)

// origins is a set of origins.
type origins map[string]bool

// within reports whether all of them are among others.
func (o origins) within(other origins) bool {
	for e := range o {
		if !other[e] {
			return false
		}
	}
	return true
}

// list returns them sorted, so that equal sets are stored alike.
func (o origins) list() []string { return slices.Sorted(maps.Keys(o)) }

// routes says to which origins the secrets of a document's connectors and
// steps can travel. They are found in the document itself, since secrets have to be kept in
// one that is not valid, too.
type routes struct {
	byID, byName map[string]origins // of connectors
	// diverted are the origins of steps that have a Host of their own and take
	// a connector's credentials there, by the connector's id.
	diverted map[string]origins
}

// findRoutes looks at each connector and step once.
func findRoutes(all []holder) routes {
	r := routes{map[string]origins{}, map[string]origins{}, map[string]origins{}}
	for i := range all {
		h := &all[i]
		host := h.host()
		if host == "" {
			continue
		}
		id := spelling.FoldName(h.obj.Text("connectorId"))
		if !h.isConnector() {
			// A step without a connectorId takes no credentials to its Host. It stands
			// under "", for which nobody asks.
			add(r.diverted, id, host)
			continue
		}
		add(r.byID, id, host)
		add(r.byName, spelling.FoldName(h.obj.Text("name")), host)
	}
	return r
}

// add notes that what has this key goes to the origin of a host.
func add(m map[string]origins, key, host string) {
	if m[key] == nil {
		m[key] = origins{}
	}
	m[key][weburl.URLOrigin(host)] = true
}

// of returns the origins that the holder's secrets go to. A step without a
// Host sends its headers to the connector it selects; which one that is can
// depend on the market, so each that it names counts. A secret may go to these, and to no
// other, for as long as it is stored.
func (r routes) of(h *holder) origins {
	id := spelling.FoldName(h.obj.Text("connectorId"))
	host := h.host()
	switch {
	case h.isConnector():
		out := origins{}
		if host != "" {
			out[weburl.URLOrigin(host)] = true
		}
		if id != "" {
			maps.Copy(out, r.diverted[id])
		}
		return out
	case host != "":
		return origins{weburl.URLOrigin(host): true}
	case id != "":
		return r.byID[id]
	}
	return r.byName[spelling.FoldName(h.obj.Text("connector"))]
}

// host is the connector's host or the step's own, "" where there is none.
func (h *holder) host() string {
	if in, field := h.hostIn(); in != nil {
		return in.Text(field)
	}
	return ""
}

// hostIn is where the host stands; nil: there is none. A property that is a header is none,
// whatever its key says.
func (h *holder) hostIn() (in *jsondoc.Object, field string) {
	if h.isConnector() {
		return h.obj, "host"
	}
	for _, prop := range h.obj.Objects("properties") {
		if !isHeader(prop) && spelling.SameName(prop.Text("key"), hostKey) {
			return prop, "value"
		}
	}
	return nil, ""
}
