package settings

import (
	"maps"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

// origins is a set of origins.
type origins map[string]bool

func (o origins) within(other origins) bool {
	for e := range o {
		if !other[e] {
			return false
		}
	}
	return true
}

func (o origins) list() []string { return slices.Sorted(maps.Keys(o)) }

// routes says to which origins the secrets of a document's connectors and
// steps can travel.
type routes struct {
	byID, byName map[string]origins // of connectors
	// diverted are the origins of steps that have a Host of their own and take
	// a connector's credentials there, by the connector's id.
	diverted map[string]origins
}

func findRoutes(all []holder) routes {
	r := routes{map[string]origins{}, map[string]origins{}, map[string]origins{}}
	for i := range all {
		h := &all[i]
		host := h.host()
		if host == "" {
			continue
		}
		id := fold(h.obj.Text("connectorId"))
		if !h.isConnector() {
			add(r.diverted, id, host)
			continue
		}
		add(r.byID, id, host)
		add(r.byName, fold(h.obj.Text("name")), host)
	}
	return r
}

func add(m map[string]origins, key, host string) {
	if m[key] == nil {
		m[key] = origins{}
	}
	m[key][oms.URLOrigin(host)] = true
}

// of returns the origins that the holder's secrets go to. A step without a
// Host sends its headers to the connector it selects; which one that is can
// depend on the market, so each that it names counts.
func (r routes) of(h *holder) origins {
	id := fold(h.obj.Text("connectorId"))
	host := h.host()
	switch {
	case h.isConnector():
		out := origins{}
		if host != "" {
			out[oms.URLOrigin(host)] = true
		}
		if id != "" {
			maps.Copy(out, r.diverted[id])
		}
		return out
	case host != "":
		return origins{oms.URLOrigin(host): true}
	case id != "":
		return r.byID[id]
	}
	return r.byName[fold(h.obj.Text("connector"))]
}

// host is the connector's host or the step's own, "" where there is none.
func (h *holder) host() string {
	if in, field := h.hostIn(); in != nil {
		return in.Text(field)
	}
	return ""
}

// hostIn is where the host stands; nil: there is none.
func (h *holder) hostIn() (in *oms.Object, field string) {
	if h.isConnector() {
		return h.obj, "host"
	}
	for _, prop := range h.obj.Objects("properties") {
		if !isHeader(prop) && same(prop.Text("key"), hostKey) {
			return prop, "value"
		}
	}
	return nil, ""
}
