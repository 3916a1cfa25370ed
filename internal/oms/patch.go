package oms

import (
	"fmt"
	"slices"
	"strings"
)

// PatchRules say what a patch of one origin may touch. The merge itself is the
// same for all (CONTRACT.md, "Patch").
type PatchRules struct {
	// allowed holds the top-level fields that may change; nil allows all but
	// the fixed ones. What a step's patch changes beyond them is left unapplied.
	allowed map[string]bool
	// alias gives fields that this patch spells otherwise their own name.
	alias map[string]string
	// answer says that an endpoint wrote the patch, by a model of its own: names
	// may come in another case, and fields that it does not know filled in.
	answer bool
}

// The rules of the three origins of a patch (order-workflow-step.txt and
// return-workflow-step.txt, "OrderPatch fields"; CONTRACT.md, "Patch").
var (
	APIPatch       = &PatchRules{}
	OrderStepPatch = &PatchRules{answer: true, allowed: names(`
		status orderType tags properties storeId customerEmail customerPhone customerName billingAddress orderForm
		followUpDate assets externalIds orderNotes publicOrderNotes errors orderOrigin relatedOrders salesPersonId
		salesPersonName isReadOnly isNotificationsDisabled`)}
	ReturnStepPatch = &PatchRules{
		answer:  true,
		allowed: names(`status orderType tags properties followUpDate assets orderOrigin errors customerName`),
		alias:   map[string]string{"origin": "orderOrigin", "name": "customerName"},
	}
)

// fixedFields never change by a patch (API.md, "Versions").
var fixedFields = []string{"id", "version", "created"}

func names(list string) map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		m[name] = true
	}
	return m
}

// Sent is what the author of a patch had before it: the order that the call
// sent, and what the call was for.
type Sent struct {
	Doc   *Object
	Scope StepScope
}

// Patched is what a patch made of a document.
type Patched struct {
	Doc     *Object  // a new document; the patched one is as it was
	Changes []Change // all that differs, as of [Diff], recomputed totals included
	// Set is the [Differences] that the patch itself made, totals left out: what
	// can conflict with another writer's.
	Set []Change
	// Removed is what the patch changed of elements that somebody had removed
	// meanwhile. They stay removed.
	Removed []Change
	// NotApplied names the fields that the rules do not let this patch touch.
	NotApplied []string
	Warnings   []Warning
	// Unfit names what orderhook does not compute, such as taxes, and what no
	// longer fits the totals that were recomputed.
	Unfit []string
}

// Apply returns doc with a patch applied whose author knew doc as it is.
func (r *PatchRules) Apply(doc, patch *Object) (Patched, error) {
	return r.ApplySince(doc, Sent{Doc: doc}, patch)
}

// ApplySince returns doc with the patch applied, after which line prices and
// totals are recomputed where they must be. doc itself does not change.
//
// A value that is as it was sent is no change, whatever became of it since: who
// hands back what it got changes nothing (CONTRACT.md, "Patch"). The error is
// [Invalid] and names the field.
func (r *PatchRules) ApplySince(doc *Object, sent Sent, patch *Object) (Patched, error) {
	m := &merger{answer: r.answer, forced: newForced(patch, r.alias), same: doc == sent.Doc, compared: new(int)}
	patch, err := m.resolve(doc, sent, patch)
	if err != nil {
		return Patched{}, err
	}
	patch, notApplied, err := r.admit(m, sent.Doc, patch)
	if err != nil {
		return Patched{}, err
	}
	if err := checkFixed(doc, patch); err != nil {
		return Patched{}, err
	}
	out := doc.Clone()
	m.object(out, sent.Doc, patch, place{model: orderModel}, keepAll)
	if m.err == nil && doc.Text("status") != "" && strings.TrimSpace(out.Text("status")) == "" {
		m.err = Wrong("status", "must not be empty")
	}
	if m.err != nil {
		return Patched{}, m.err
	}
	p := Patched{Doc: out, Set: Differences(doc, out), Removed: shortened(m.removed), Warnings: append(m.shapes, m.forced.warnings()...)}
	p.leave(notApplied)
	return p, p.finish(doc)
}

// leave names the fields that the patch may not change. Of very many it names the
// first, and counts the others: they are kept with the run, the history and the
// attempt.
func (p *Patched) leave(fields []string) {
	named := fields[:min(mostUnread, len(fields))]
	for _, name := range named {
		name = cutStep(name)
		p.NotApplied = append(p.NotApplied, name)
		p.Warnings = append(p.Warnings, Warning{name, "is a field that this patch may not change, and was left as it is"})
	}
	if more := len(fields) - len(named); more > 0 {
		p.NotApplied = append(p.NotApplied, fmt.Sprintf("and %d more", more))
		p.Warnings = append(p.Warnings, Warning{Message: fmt.Sprintf("%d more fields may not be changed by this patch, and were left as they are", more)})
	}
}

// finish recomputes the totals and finds all that changed.
func (p *Patched) finish(doc *Object) (err error) {
	p.Changes = shortened(p.Set)
	if !slices.ContainsFunc(p.Set, func(c Change) bool { return strings.HasPrefix(c.Path, "orderForm") }) {
		return nil
	}
	recomputed, err := recompute(doc, p.Doc)
	if err != nil {
		return err
	}
	if recomputed {
		p.Changes = Diff(doc, p.Doc)
		p.Unfit = unfit(doc, p.Doc)
	}
	return nil
}

// resolve returns the patch without the fields that are derived from others:
// orderLines, which is another name of orderForm.lineItems, and the
// shippingAddress of an order that has none of its own.
func (m *merger) resolve(doc *Object, sent Sent, patch *Object) (*Object, error) {
	patch, err := m.resolveLines(sent.Doc, patch)
	if err != nil {
		return nil, err
	}
	address, ok := patch.Get("shippingAddress")
	if !ok || doc.Has("shippingAddress") || sent.Doc.Has("shippingAddress") {
		return patch, nil
	}
	derived := m.derivedAddresses(sent)
	if len(derived) == 0 {
		return patch, nil
	}
	if address == nil || slices.ContainsFunc(derived, func(a *Object) bool { return m.repeatsAddress(a, address) }) {
		return patch.without("shippingAddress"), nil
	}
	if m.answer { // admit names it: no step may change it
		return patch, nil
	}
	return nil, Wrong("shippingAddress", "is the address of a shipment of this order; change it there, as orderForm.shipments[].address")
}

// derivedAddresses returns the addresses that the receiver of an order may have
// got as its shippingAddress: that of the call's shipment, or, where nobody
// knows of which call, that of any.
func (m *merger) derivedAddresses(sent Sent) (out []*Object) {
	if m.answer {
		if a := shippingAddress(sent.Doc, sent.Scope.ShipmentID); a != nil {
			out = append(out, a)
		}
		return out
	}
	for _, s := range shipmentsOf(sent.Doc) {
		if a := s.Object("address"); a != nil {
			out = append(out, a)
		}
	}
	return out
}

// repeatsAddress reports whether an address is one that was sent. Of a request
// there may be as many to compare as the order has shipments, so no copy is made.
func (m *merger) repeatsAddress(sent *Object, address any) bool {
	if m.answer {
		return m.isEcho(sent, address, field{kind: modelObject, of: addressModel})
	}
	return holds(sent, address)
}

// resolveLines puts orderLines where they belong. Where the patch has the lines
// under both names, those count that differ from what was sent.
func (m *merger) resolveLines(sent, patch *Object) (*Object, error) {
	lines, ok := patch.Get("orderLines")
	if !ok {
		return patch, nil
	}
	out := patch.without("orderLines")
	if lines == nil {
		return out, nil
	}
	f := orderFormModel.fields["lineItems"]
	was, _ := sent.Object("orderForm").Get("lineItems")
	own, _ := patch.Object("orderForm").Get("lineItems")
	switch {
	case m.isEcho(was, lines, f), own != nil && equal(own, lines):
		return out, nil
	case own != nil && !m.isEcho(was, own, f):
		return nil, Wrong("orderLines", "is another name of orderForm.lineItems, and differs from it")
	}
	form := &Object{}
	if have := patch.Object("orderForm"); have != nil {
		form = have.without("lineItems")
	}
	form.Set("lineItems", lines)
	out.put("orderForm", form)
	return out, nil
}

// admit returns the part of a patch that the rules allow, under the fields' own
// names, and the names of what else it would change.
func (r *PatchRules) admit(m *merger, sent, patch *Object) (*Object, []string, error) {
	if r.allowed == nil {
		return patch, nil, nil
	}
	admitted, rest := &Object{}, []string(nil)
	for _, f := range patch.Members() {
		known := orderModel.fields[f.Name]
		own, isAlias := r.alias[fold(f.Name)]
		switch {
		case r.allowed[f.Name] || known.control:
			if f.Value != nil || !admitted.Has(f.Name) {
				admitted.put(f.Name, f.Value)
			}
		case isAlias && (sent.find(f.Name) < 0 || m.changes(sent, f)): // an order may have a name of its own
			if _, ok := f.Value.(string); !ok && f.Value != nil {
				return nil, nil, Wrong(f.Name, "must be text, not %s", typeName(f.Value))
			}
			if f.Value != nil || !admitted.Has(own) {
				admitted.put(own, f.Value)
			}
		case m.changes(sent, f):
			rest = append(rest, m.spelling(sent, nil, patch, f, false))
		}
	}
	return admitted, rest, nil
}

// changes reports whether one field of a patch would change what was sent. It
// tries that on this field alone: a copy of the whole order for each of many
// fields would take minutes.
func (m *merger) changes(sent *Object, f Member) bool {
	patch, was := NewObject(f), &Object{}
	if i := sent.findExact(m.spelling(sent, nil, patch, f, false)); i >= 0 {
		was.put(sent.members[i].Name, sent.members[i].Value)
	}
	out := was.Clone()
	m.trial().object(out, was, patch, place{model: orderModel}, keepAll)
	return !equal(out, was)
}

func checkFixed(doc, patch *Object) error {
	for _, name := range fixedFields {
		want, _ := doc.Get(name)
		got, ok := patch.Get(name)
		if ok && got != nil && !equal(got, want) {
			return Wrong(name, "never changes by a patch")
		}
	}
	return nil
}

// forced is the fields that forceUpdate names, which null clears: each by its
// path from the top, lists without their indexes, as billingAddress.line2, or by
// its own name, as line2.
type forced struct {
	named []string        // as they were given
	keys  []string        // of each, what it is compared by
	met   map[string]bool // by key: whether the patch has such a field
}

func newForced(patch *Object, alias map[string]string) *forced {
	f := &forced{named: patch.Texts("forceUpdate"), met: map[string]bool{}}
	for _, path := range f.named {
		key := fold(path)
		if own, ok := alias[key]; ok {
			key = fold(own)
		}
		f.keys, f.met[key] = append(f.keys, key), false
	}
	return f
}

// has reports whether a field of the patch is named, and notes that it is there.
func (f *forced) has(path, name string) bool {
	found := false
	for _, key := range []string{fold(path), fold(name)} {
		if has(f.met, key) {
			f.met[key], found = true, true
		}
	}
	return found
}

// warnings names what forceUpdate names and the patch does not have; of very many
// the first, and the others are counted.
func (f *forced) warnings() (out []Warning) {
	more := 0
	for i, path := range f.named {
		switch {
		case f.met[f.keys[i]]:
		case len(out) == mostUnread:
			more++
		default:
			out = append(out, Warning{"forceUpdate", fmt.Sprintf("%q matches no field of the patch", cutStep(path))})
		}
	}
	if more > 0 {
		out = append(out, Warning{"forceUpdate", fmt.Sprintf("%d more match no field of the patch", more)})
	}
	return out
}
