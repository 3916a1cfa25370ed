package settings

// likeness is how much two holders must have in common to be taken for one
// another; each pass of pair asks for less.
type likeness int

const (
	unchanged   likeness = iota // all but their secrets
	sameAddress                 // who they are, and the address that they call
	sameIdentity
	leastLikeness = sameIdentity
)

// pair finds for each holder that was sent the stored one that it replaces,
// nil where it is new. No stored one is taken twice. Holders that were left as
// they are come first, so that moving, adding or removing others does not mix
// up secrets; the rest go by their order.
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
			if f := free[k]; len(f) > 0 {
				pairs[i], taken[f[0]] = &stored[f[0]], true
				free[k] = f[1:]
			}
		}
	}
	return pairs
}

type holderKey struct {
	place             place
	name, id, content string
}

func (h *holder) key(l likeness) holderKey {
	k := holderKey{place: h.place, name: fold(h.obj.Text("name"))}
	connector := h.isConnector()
	if id := h.obj.Text("connectorId"); connector && id != "" {
		k.name, k.id = "", fold(id)
	}
	switch l {
	case unchanged:
		k.content = h.withoutSecrets()
	case sameAddress:
		k.content = h.host()
		if k.content == "" && !connector {
			k.content = fold(h.obj.Text("connectorId")) + " " + fold(h.obj.Text("connector"))
		}
	}
	return k
}

func (h *holder) isConnector() bool { return h.place.list == "connectors" }

// withoutSecrets is the holder's JSON with the values of all secrets left out.
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
