package settings

import "github.com/orderhook/orderhook/internal/spelling"

// likeness is how much two holders must have in common to be taken for one
// another; each pass of pair asks for less.
type likeness int

// Each asks for less than the one before.
const (
	unchanged   likeness = iota // all but their secrets
	sameAddress                 // who they are, and the address that they call
	sameIdentity
	leastLikeness = sameIdentity
)

// pair finds for each holder that was sent the stored one that it replaces,
// nil where it is new. No stored one is taken twice. Holders that were left as
// they are come first, so that moving, adding or removing others does not mix
// up secrets; the rest go by their order. If a pair is wrong all the same, no secret goes
// astray: the callers check where it would go. Each pass is linear, so a document with many
// connectors costs no more than that.
func pair(sent, stored []holder) []*holder {
	pairs := make([]*holder, len(sent))
	taken := make([]bool, len(stored))
	for l := unchanged; l <= leastLikeness; l++ {
		free := map[holderKey][]int{}
		for i := range stored {
			if !taken[i] {
				k := stored[i].key(l)
				free[k] = append(free[k], i)
			}
		}
		for i := range sent {
			if pairs[i] != nil {
				continue
			}
			k := sent[i].key(l)
			// The first that is free: those that are alike are paired in their order.
			if f := free[k]; len(f) > 0 {
				pairs[i], taken[f[0]] = &stored[f[0]], true
				free[k] = f[1:]
			}
		}
	}
	return pairs
}

// holderKey is what holders are compared by in one pass.
type holderKey struct {
	place             place
	name, id, content string
}

// key is what a holder is known by in a pass. A connector with an id is known by that,
// whatever its name is; a step by its place and its name.
func (h *holder) key(l likeness) holderKey {
	k := holderKey{place: h.place, name: spelling.FoldName(h.obj.Text("name"))}
	connector := h.isConnector()
	// A connector that is called otherwise and keeps its id is the same one.
	if id := h.obj.Text("connectorId"); connector && id != "" {
		k.name, k.id = "", spelling.FoldName(id)
	}
	switch l {
	case unchanged:
		k.content = h.withoutSecrets()
	case sameAddress:
		k.content = h.host()
		// A step without a Host is known by the connector that it names.
		if k.content == "" && !connector {
			k.content = spelling.FoldName(h.obj.Text("connectorId")) + " " + spelling.FoldName(h.obj.Text("connector"))
		}
	}
	return k
}

// isConnector tells connectors from steps.
func (h *holder) isConnector() bool { return h.place.list == "connectors" }

// withoutSecrets is the holder's JSON with the values of all secrets left out. Two that are
// equal in it differ in secrets alone.
func (h *holder) withoutSecrets() string {
	o := h.obj.Clone()
	secrets := secretsOfStep(o, "")
	if h.isConnector() {
		secrets = secretsOfConnector(o, "")
	}
	for _, sec := range secrets {
		sec.in.Delete(sec.field)
	}
	return string(o.JSON())
}
