package settings

import (
	"maps"
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
)

// destroyed is what a warning says of a place whose secret is gone.
const destroyed = "the secret was destroyed when its connector, step or header was removed from the settings, or went to another " +
	"scheme, host or port; give it again: until then no call is made that needs it"

// SecretIDs returns the ids of the stored secrets that the settings refer to. The store
// finds out which of them are destroyed.
func (s *Settings) SecretIDs() (ids []string) {
	for _, sec := range secretsOf(s.doc) {
		if v := sec.value(); v.ID() != "" && !v.IsDestroyed() {
			ids = append(ids, v.ID())
		}
	}
	return ids
}

// forget has a document say which of the secrets that it refers to are destroyed. It
// changes the document in place.
func forget(doc *jsondoc.Object, ids []string) {
	if len(ids) == 0 {
		return
	}
	gone := make(map[string]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	for _, sec := range secretsOf(doc) {
		if gone[sec.value().ID()] {
			sec.in.Set(sec.field, secret.Destroyed())
		}
	}
}

// Removal is a place of secrets that the next version of the settings has no more,
// or from which it leads elsewhere. What was given for it before is to be destroyed.
type Removal struct {
	Place string
	goes  origins // where the secrets of the place go from then on
}

// Destroys reports whether a secret of the place that may go to some origins is to
// be destroyed, provided that the next version does not refer to it: none of them is
// left, or the place is gone. As long as one of its origins is left, a call may still need
// it.
func (r Removal) Destroys(may []string) bool {
	return !slices.ContainsFunc(may, func(origin string) bool { return r.goes[origin] })
}

// Removals compares settings with those that come next. Where secrets are no more, or go
// elsewhere, what was given for them before is of no use to anybody.
func (s *Settings) Removals(next *Settings) (all []Removal) {
	was, is := s.secretPlaces(), next.secretPlaces()
	for _, place := range slices.Sorted(maps.Keys(was)) {
		before, after := was[place], is[place]
		switch {
		// If one of several steps of a name is gone, nobody can tell which of the secrets
		// was its own.
		case after == nil || after.secrets < before.secrets:
			all = append(all, Removal{Place: place})
		case !maps.Equal(before.goes, after.goes):
			all = append(all, Removal{place, after.goes})
		}
	}
	return all
}

// placed is what stands at a place.
type placed struct {
	secrets int // more than one where a status has several steps of one name
	goes    origins
}

// secretPlaces returns each place that has a secret. Of several steps of one name
// nobody can tell later which one a secret was given for: they are one place. The next
// version is compared with it.
func (s *Settings) secretPlaces() map[string]*placed {
	places := map[string]*placed{}
	all := holders(s.doc)
	goes := findRoutes(all)
	for i := range all {
		for _, sec := range all[i].secrets {
			if sec.value().IsZero() {
				continue
			}
			name := all[i].placeOf(sec)
			if places[name] == nil {
				places[name] = &placed{goes: origins{}}
			}
			places[name].secrets++
			maps.Copy(places[name].goes, goes.of(&all[i]))
		}
	}
	return places
}
