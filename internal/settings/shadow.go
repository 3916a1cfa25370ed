package settings

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Shadow is a step that is called beside a live one, with the same order, and whose answer is
// only compared (docs/contract.md#shadow-steps). It is no step of the workflow, and stands in
// no list of such: so nothing that becomes of an order can depend on it.
type Shadow struct {
	Step
	// ID is made of the names around the shadow and of its own: it stays the same in other
	// versions of the settings.
	ID string
	// Digest is made of what decides about an answer: how the shadow and its live step are
	// configured, and the hosts of their connectors. With another digest what was counted
	// before says nothing any more.
	Digest string
	// With is the place of the live step in the Steps of the status; -1: there is none, in
	// settings of an earlier version.
	With int
	// PromoteAfter is how often in a row it has to agree before it may take the place of the
	// live step.
	PromoteAfter int64

	at string // its path in the document
}

// Modes of a step.
const (
	modeLive   = "live"
	modeShadow = "shadow"
)

// Names of the fields of a shadow.
const (
	modeField         = "mode"
	compareWithField  = "compareWith"
	promoteAfterField = "promoteAfter"
)

// shadowFields are the fields that a live step has no use for.
var shadowFields = []string{modeField, compareWithField, promoteAfterField}

// Bounds of shadows. Each call of a live step leads to a call of each of its shadows.
const (
	defaultPromoteAfter = 100
	mostPromoteAfter    = 1_000_000
	mostShadows         = 5 // of one live step
)

// Label is what people know a step by: its displayName, or its key where it has none.
func (s *Step) Label() string { return cmp.Or(strings.TrimSpace(s.DisplayName), s.Name) }

// TwoWay reports whether a step waits for an answer: so one can be compared with it.
func (s *Step) TwoWay() bool { return s.Name == WebhookStep || s.Name == WebhookReturnStep }

// shadow is a step of a document that is a shadow, before its live step is known.
type shadow struct {
	node
	Shadow
	compareWith string
}

// shadow reads whether a step is a shadow, and what belongs to one. Live steps have no use for
// that: there it may be a slip.
func (p *parser) shadow(n node, st Step) (s shadow, is bool) {
	mode := n.text(modeField)
	s = shadow{n, Shadow{Step: st, With: -1, PromoteAfter: defaultPromoteAfter, at: n.at}, strings.TrimSpace(n.text(compareWithField))}
	if v, _ := n.obj.Get(promoteAfterField); v != nil {
		s.PromoteAfter = n.whole(promoteAfterField, mostPromoteAfter)
	}
	switch {
	case spelling.SameName(mode, modeShadow):
		if !st.TwoWay() && st.Name != "" {
			n.wrong(n.path(modeField), "is not for %s: only %s and %s wait for an answer that could be compared", clip(st.Name), WebhookStep, WebhookReturnStep)
		}
		return s, true
	case mode != "" && !spelling.SameName(mode, modeLive):
		n.wrong(n.path(modeField), "must be %s or %s", modeLive, modeShadow)
	}
	for _, field := range shadowFields[1:] {
		if v, _ := n.obj.Get(field); !isEmpty(v) {
			n.warn(n.path(field), `is read of a shadow alone; is "mode": "shadow" meant?`)
		}
	}
	return s, false
}

// shadows finds the live step of each shadow of a status. All steps must have been read: a
// shadow may stand before its live step.
func (p *parser) shadows(all []shadow, steps []Step) (out []Shadow) {
	labels, of := names{}, map[int]int{}
	for _, s := range all {
		s.With = s.compared(steps)
		labels.claim(s.node, "displayName", s.Label())
		if of[s.With]++; s.With >= 0 && of[s.With] > mostShadows {
			s.wrong(s.path(compareWithField), "a step may have %d shadows at most", mostShadows)
		}
		out = append(out, s.Shadow)
	}
	return out
}

// compared returns the place of the live step that a shadow is compared with: the one of that
// displayName, or else of that key, or the only one there is. -1: there is none, or several,
// which is an error.
func (s *shadow) compared(steps []Step) int {
	name := s.compareWith
	var found, named []int
	for i := range steps {
		switch st := &steps[i]; {
		case !st.TwoWay():
		case name == "", spelling.SameName(strings.TrimSpace(st.DisplayName), name):
			found = append(found, i)
		case spelling.SameName(st.Name, name):
			named = append(named, i)
		}
	}
	if len(found) == 0 {
		found = named
	}
	at := s.path(compareWithField)
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1 && name == "":
		s.wrong(at, "is needed: the status has %d live steps that it could be compared with", len(found))
	case len(found) > 1:
		s.wrong(at, "is the name of %d live steps of the status; give them different displayNames", len(found))
	case name == "":
		s.wrong(at, "the status has no live step that it could be compared with")
	default:
		s.wrong(at, "the status has no live step %q that waits for an answer%s", clip(name), s.hint(labelsOf(steps), name))
	}
	return -1
}

// labelsOf returns the names by which steps can be meant.
func labelsOf(steps []Step) names {
	all := names{}
	for i := range steps {
		if steps[i].TwoWay() {
			all.add(steps[i].Label(), "")
		}
	}
	return all
}

// identify gives the shadows of all statuses their ids and digests.
func (s *Settings) identify() {
	s.eachStatus(func(orderType string, status *Status) {
		for i := range status.Shadows {
			sh := &status.Shadows[i]
			sh.ID = shadowID(orderType, status.Name, sh.Label())
			if sh.With >= 0 {
				sh.Digest = s.digest(sh, &status.Steps[sh.With])
			}
		}
	})
}

// eachStatus visits all statuses of orders, and those of returns, which are of no order type.
func (s *Settings) eachStatus(visit func(orderType string, status *Status)) {
	for i := range s.OrderTypes {
		for j := range s.OrderTypes[i].Statuses {
			visit(s.OrderTypes[i].Name, &s.OrderTypes[i].Statuses[j])
		}
	}
	for i := range s.ReturnStatuses {
		visit("", &s.ReturnStatuses[i])
	}
}

// TwoWaySteps returns the steps that are called and whose answers are taken, and the shadows,
// of all statuses; those that are not active apart.
func (s *Settings) TwoWaySteps() (live, shadows []*Step) {
	s.eachStatus(func(_ string, status *Status) {
		for i := range status.Steps {
			if st := &status.Steps[i]; st.Active && st.TwoWay() {
				live = append(live, st)
			}
		}
		for i := range status.Shadows {
			shadows = append(shadows, &status.Shadows[i].Step)
		}
	})
	return live, shadows
}

// idBytes is how many bytes of a hash make an id: enough that two shadows of one tenant never
// have the same.
const idBytes = 12

func shadowID(orderType, status, label string) string {
	h := sha256.New()
	for _, name := range []string{orderType, status, label} {
		fmt.Fprintf(h, "%q", spelling.FoldName(name))
	}
	return "shadow_" + hex.EncodeToString(h.Sum(nil)[:idBytes])
}

// digest is that of a shadow and its live step. Secrets are no part of it: with another one an
// endpoint answers the same. Nor is promoteAfter, which decides about no answer.
func (s *Settings) digest(sh *Shadow, with *Step) string {
	h := sha256.New()
	own := sh.Wire.Clone()
	own.Delete(promoteAfterField)
	for _, st := range []struct {
		step *Step
		wire *jsondoc.Object
	}{{&sh.Step, own}, {with, with.Wire}} {
		h.Write(st.wire.JSON())
		s.hashConnectors(h, st.step)
	}
	return hex.EncodeToString(h.Sum(nil)[:idBytes])
}

// hashConnectors adds all connectors that a step may call, as [Settings.Connector] finds them:
// which one it is depends on the market of an order.
func (s *Settings) hashConnectors(h hash.Hash, st *Step) {
	if st.ConnectorID == "" && st.Host != "" {
		return
	}
	for i := range s.Connectors {
		if c := &s.Connectors[i]; c.answersTo(st) {
			fmt.Fprintf(h, "%q%q", c.Host, append(append([]string{""}, c.EnabledForMarkets...), c.DisabledForMarkets...))
		}
	}
}

// ShadowsOf returns the active shadows of a live step of the status.
func (s *Status) ShadowsOf(step int) (all []*Shadow) {
	for i := range s.Shadows {
		if sh := &s.Shadows[i]; sh.With == step && sh.Active {
			all = append(all, sh)
		}
	}
	return all
}

// PlacedShadow is a shadow with what is around it.
type PlacedShadow struct {
	*Shadow
	OrderType string // "": it is of a return's status
	Status    string
	Live      *Step // nil: as With of [Shadow] says

	of *Status
}

// Shadows returns all shadows of the settings, in their order.
func (s *Settings) Shadows() (all []PlacedShadow) {
	s.eachStatus(func(orderType string, status *Status) {
		for i := range status.Shadows {
			placed := PlacedShadow{Shadow: &status.Shadows[i], OrderType: orderType, Status: status.Name, of: status}
			if placed.With >= 0 {
				placed.Live = &status.Steps[placed.With]
			}
			all = append(all, placed)
		}
	})
	return all
}

// Shadow returns the shadow of an id; nil: there is none.
func (s *Settings) Shadow(id string) *PlacedShadow {
	for _, sh := range s.Shadows() {
		if sh.ID == id {
			return &sh
		}
	}
	return nil
}

// Promoted returns the document of the settings in which a shadow and its live step have
// changed places. The live step stays as a shadow that is not active: nothing calls it any
// more, but its configuration and its secrets are still there, and it can be promoted back.
// Other shadows of it are compared with the promoted one, which is active from now on. It is [apierr.NotFound] if there is
// no such shadow.
func (s *Settings) Promoted(id string) (*jsondoc.Object, error) {
	sh := s.Shadow(id)
	if sh == nil || sh.Live == nil {
		return nil, apierr.Errorf(apierr.NotFound, "no shadow step %q", id)
	}
	doc := s.Document()
	steps := stepsAround(doc, sh.at)
	var live, shadows []int // the places of each in the document's list
	for i, e := range steps {
		switch st, ok := e.(*jsondoc.Object); {
		case !ok: // settings of an earlier version may have such; nothing reads it
		case spelling.SameName(st.Text(modeField), modeShadow):
			shadows = append(shadows, i)
		default:
			live = append(live, i)
		}
	}
	// These are the lists of the status again, with the places of their objects.
	for i := range sh.of.Shadows {
		other := &sh.of.Shadows[i]
		st, _ := steps[shadows[i]].(*jsondoc.Object)
		if other.With != sh.With {
			continue
		}
		if other.ID != sh.ID {
			st.Set(compareWithField, sh.Label())
			continue
		}
		was, _ := steps[live[sh.With]].(*jsondoc.Object)
		demote(was, sh)
		for _, field := range append([]string{"active"}, shadowFields...) {
			st.Delete(field)
		}
		steps[live[sh.With]], steps[shadows[i]] = st, was
	}
	return doc, nil
}

// demote makes of the object of a live step that of a shadow which is not called.
func demote(live *jsondoc.Object, promoted *PlacedShadow) {
	live.Set("active", false)
	live.Set(modeField, modeShadow)
	live.Set(compareWithField, promoted.Label())
	live.Set(promoteAfterField, jsondoc.Number(strconv.FormatInt(promoted.PromoteAfter, 10)))
}

// stepsAround returns the list of steps that a step stands in, by the path of the step. What
// is set in it is set in the document.
func stepsAround(doc *jsondoc.Object, at string) []any {
	var orderType, status, step int
	if n, _ := fmt.Sscanf(at, "orderTypes[%d].orderStatuses[%d].workflowSteps[%d]", &orderType, &status, &step); n == 3 {
		t, _ := doc.List("orderTypes")[orderType].(*jsondoc.Object)
		st, _ := t.List("orderStatuses")[status].(*jsondoc.Object)
		return st.List("workflowSteps")
	}
	fmt.Sscanf(at, "returnStatuses[%d].workflowSteps[%d]", &status, &step)
	st, _ := doc.List("returnStatuses")[status].(*jsondoc.Object)
	return st.List("workflowSteps")
}
