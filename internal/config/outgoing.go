package config

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
)

// Outgoing is the section of that name: which hosts are called. It is the operator's, as
// no tenant may widen it: settings and endpoints have nothing of the kind.
type Outgoing struct {
	AllowHosts []string // as in [outbound.Guard]
	Hosts      outbound.Hosts
	Tenants    map[string]outbound.Hosts // further limits, by tenant
}

var (
	hostLists     = []schema.ShapeField{{Name: "onlyHosts", Type: schema.ShapeTexts}, {Name: "denyHosts", Type: schema.ShapeTexts}}
	tenantShape   = &schema.Shape{Noun: "the limits of a tenant", Fields: hostLists}
	outgoingShape = &schema.Shape{Noun: "outgoing", Fields: append([]schema.ShapeField{{Name: "allowHosts", Type: schema.ShapeTexts},
		{Name: "tenants", Type: schema.ShapeObject}}, hostLists...)}
)

// outgoing reads the section of that name.
func outgoing(section *jsondoc.Object) (out Outgoing, err error) {
	const at = "outgoing."
	// A key that is misspelt is refused here: a limit without effect would look like one.
	r, err := read(section, outgoingShape, at)
	if err != nil {
		return out, err
	}
	if out.AllowHosts, err = patterns(r, at, "allowHosts"); err != nil {
		return out, err
	}
	if out.Hosts, err = hosts(r, at); err != nil {
		return out, err
	}
	// The limits above hold for each tenant, so one that is not named here has these alone.
	tenants := r.Object("tenants")
	if tenants == nil {
		return out, nil
	}
	out.Tenants = map[string]outbound.Hosts{}
	for _, m := range tenants.Members() {
		at := at + "tenants." + m.Name + "."
		section, ok := m.Value.(*jsondoc.Object)
		// The shape checks only that tenants is an object, and not what is in it.
		if !ok {
			return out, fmt.Errorf("outgoing.tenants.%s: must be an object", m.Name)
		}
		r, err := read(section, tenantShape, at)
		if err != nil {
			return out, err
		}
		if out.Tenants[m.Name], err = hosts(r, at); err != nil {
			return out, err
		}
	}
	return out, nil
}

// hosts reads the lists that limit what is called. An empty onlyHosts would let nothing be
// called, or anything: it is refused, as it may be meant either way.
func hosts(r *schema.ObjectReader, at string) (h outbound.Hosts, err error) {
	if h.Only, err = patterns(r, at, "onlyHosts"); err != nil {
		return h, err
	}
	if r.Has("onlyHosts") && len(h.Only) == 0 {
		return h, fmt.Errorf("%sonlyHosts: must have an entry; to have nothing called, write \"*\" into denyHosts", at)
	}
	// An empty denyHosts denies nothing, which nobody can misread.
	h.Deny, err = patterns(r, at, "denyHosts")
	return h, err
}

// patterns reads a list of hosts.
func patterns(r *schema.ObjectReader, at, key string) ([]string, error) {
	// A pattern that is malformed would match no host, so a denied host would be called.
	entries := r.Texts(key)
	for i, entry := range entries {
		if err := outbound.CheckPattern(entry); err != nil {
			return nil, fmt.Errorf("%s%s[%d]: %w", at, key, i, err)
		}
	}
	return entries, nil
}
