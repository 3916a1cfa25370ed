package order

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// PatchRules say what a patch of one origin may touch. The merge itself is the
// same for all (docs/contract.md#patches). The three values below are shared by all
// goroutines and never change.
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

// The rules of the three origins of a patch (docs/contract.md#patches).
var (
	APIPatch       = &PatchRules{}
	OrderStepPatch = &PatchRules{answer: true, allowed: schema.NameSet(`
		status orderType tags properties storeId customerEmail customerPhone customerName billingAddress orderForm
		followUpDate assets externalIds orderNotes publicOrderNotes errors orderOrigin relatedOrders salesPersonId
		salesPersonName isReadOnly isNotificationsDisabled`)}
	ReturnStepPatch = &PatchRules{
		answer:  true,
		allowed: schema.NameSet(`status orderType tags properties followUpDate assets orderOrigin errors customerName`),
		alias:   map[string]string{"origin": "orderOrigin", "name": "customerName"},
	}
)

// fixedFields never change by a patch (docs/contract.md#patches).
var fixedFields = []string{"id", "version", "created"}

// Sent is what the author of a patch had before it: the order that the call
// sent, and what the call was for. For a patch of the API it is the document as it is
// stored, since nobody knows what the caller had.
type Sent struct {
	Doc   *jsondoc.Object
	Scope StepScope
}

// Patched is what a patch made of a document.
type Patched struct {
	Doc     *jsondoc.Object // a new document; the patched one is as it was
	Changes []Change        // all that differs, as in [Diff], recomputed totals included
	// Set is the [Differences] that the patch itself made, totals left out: what
	// can conflict with another writer's.
	Set []Change
	// Removed is what the patch changed of elements that somebody had removed
	// meanwhile. They stay removed.
	Removed []Change
	// NotApplied names the fields that the rules do not let this patch touch.
	NotApplied []string
	Warnings   []apierr.Warning
	// Unfit names what orderhook does not compute, such as taxes, and what no
	// longer fits the totals that were recomputed.
	Unfit []string
}

// Apply returns doc with a patch applied whose author knew doc as it is.
func (r *PatchRules) Apply(doc, patch *jsondoc.Object) (Patched, error) {
	return r.ApplySince(doc, Sent{Doc: doc}, patch)
}

// ApplySince returns doc with the patch applied, after which line prices and
// totals are recomputed where they must be. doc itself does not change.
//
// A value that is as it was sent is no change, whatever became of it since: who
// hands back what it got changes nothing (docs/contract.md#patches). The error is
// [apierr.Invalid] and names the field.
func (r *PatchRules) ApplySince(doc *jsondoc.Object, sent Sent, patch *jsondoc.Object) (Patched, error) {
	// Comparing is cheaper, and pairs of list elements are sure, where nobody has changed
	// the document since.
	m := &merger{answer: r.answer, forced: newForced(patch, r.alias), same: doc == sent.Doc, compared: new(int)}
	patch, err := m.resolve(doc, sent, patch)
	if err != nil {
		return Patched{}, err
	}
	// The fields that the patch may not touch are taken out before the merge, so that the merge need
	// not know of them.
	patch, notApplied, err := r.admit(m, sent.Doc, patch)
	if err != nil {
		return Patched{}, err
	}
	if err := checkFixed(doc, patch); err != nil {
		return Patched{}, err
	}
	out := doc.Clone()
	m.object(out, sent.Doc, patch, place{model: schema.Order}, keepAll)
	// An order always has a status. Only one that came without, from elsewhere, may stay
	// so.
	if m.err == nil && doc.Text("status") != "" && strings.TrimSpace(out.Text("status")) == "" {
		m.err = apierr.Wrong("status", "must not be empty")
	}
	if m.err != nil {
		return Patched{}, m.err
	}
	p := Patched{Doc: out, Set: Differences(doc, out), Removed: shortened(m.removed), Warnings: append(m.shapes, m.forced.warnings()...)}
	if len(notApplied) > 0 {
		p.leave(notApplied)
	}
	return p, p.finish(doc)
}

// leave names the fields that the patch may not change. When there are very many, it names
// the first, and counts the others: they are stored with the run, the history and the
// attempt.
func (p *Patched) leave(fields []string) {
	named := fields[:min(schema.MostUnread, len(fields))]
	for _, name := range named {
		name = jsondoc.CutStep(name)
		p.NotApplied = append(p.NotApplied, name)
		p.Warnings = append(p.Warnings, apierr.Warning{Path: name, Message: "is a field that this patch may not change, and was left as it is"})
	}
	if more := len(fields) - len(named); more > 0 {
		p.NotApplied = append(p.NotApplied, fmt.Sprintf("and %d more", more))
		p.Warnings = append(p.Warnings, apierr.Warning{Message: fmt.Sprintf("%d more fields may not be changed by this patch, and were left as they are", more)})
	}
}

// finish recomputes what follows from other fields, and finds all that changed. Changes of
// fields that nothing follows from leave the amounts alone, and then nothing is computed.
func (p *Patched) finish(doc *jsondoc.Object) (err error) {
	p.Changes = shortened(p.Set)
	touches := func(field string) bool {
		return slices.ContainsFunc(p.Set, func(c Change) bool { return strings.HasPrefix(c.Path, field) })
	}
	form, recomputed := touches("orderForm"), false
	if form {
		if recomputed, err = recompute(doc, p.Doc); err != nil {
			return err
		}
	}
	moved := (form || touches("returnOrderForms")) && keepReturnedSince(p.Doc, doc)
	if recomputed || moved {
		p.Changes = Diff(doc, p.Doc)
	}
	if recomputed {
		p.Unfit = unfit(doc, p.Doc)
	}
	return nil
}

// resolve returns the patch without the fields that are derived from others:
// orderLines, which is another name of orderForm.lineItems, and the
// ShippingAddress of an order that has none of its own.
func (m *merger) resolve(doc *jsondoc.Object, sent Sent, patch *jsondoc.Object) (*jsondoc.Object, error) {
	patch, err := m.resolveLines(sent.Doc, patch)
	if err != nil {
		return nil, err
	}
	address, ok := patch.Get("shippingAddress")
	if !ok || doc.Has("shippingAddress") || sent.Doc.Has("shippingAddress") {
		return patch, nil
	}
	// The order has no address of its own at the top. One that comes back there was derived
	// from a shipment, and goes out of the patch if it is one that was sent.
	derived := m.derivedAddresses(sent)
	if len(derived) == 0 {
		return patch, nil
	}
	if address == nil || slices.ContainsFunc(derived, func(a *jsondoc.Object) bool { return m.repeatsAddress(a, address) }) {
		return patch.Without("shippingAddress"), nil
	}
	if m.answer { // admit names it: no step may change it
		return patch, nil
	}
	return nil, apierr.Wrong("shippingAddress", "is the address of a shipment of this order; change it there, as orderForm.shipments[].address")
}

// derivedAddresses returns the addresses that the receiver of an order may have
// got as its ShippingAddress: that of the call's shipment, or, where nobody
// knows of which call, that of any.
func (m *merger) derivedAddresses(sent Sent) (out []*jsondoc.Object) {
	if m.answer {
		if a := ShippingAddress(sent.Doc, sent.Scope.ShipmentID); a != nil {
			out = append(out, a)
		}
		return out
	}
	for _, s := range ShipmentsOf(sent.Doc) {
		if a := s.Object("address"); a != nil {
			out = append(out, a)
		}
	}
	return out
}

// repeatsAddress reports whether an address is one that was sent. For a request
// there may be as many to compare as the order has shipments, so no copy is made.
func (m *merger) repeatsAddress(sent *jsondoc.Object, address any) bool {
	if m.answer {
		return m.isEcho(sent, address, schema.Field{Kind: schema.ModelObject, Of: schema.Address})
	}
	return jsondoc.Holds(sent, address)
}

// resolveLines puts orderLines where they belong. Where the patch has the lines
// under both names, those count that differ from what was sent.
func (m *merger) resolveLines(sent, patch *jsondoc.Object) (*jsondoc.Object, error) {
	lines, ok := patch.Get("orderLines")
	if !ok {
		return patch, nil
	}
	out := patch.Without("orderLines")
	own, _ := patch.Object("orderForm").Get("lineItems")
	if lines == nil && (own != nil || !m.forced.has("orderForm.lineItems", "lineItems")) {
		return out, nil
	}
	f := schema.OrderForm.Fields["lineItems"]
	was, _ := sent.Object("orderForm").Get("lineItems")
	// Lines under the second name that are as they were sent, or as the first name has
	// them, say nothing.
	switch {
	case own == nil && len(m.forced.met) > 0: // they may say what is to be cleared
	case m.isEcho(was, lines, f), own != nil && jsondoc.Equal(own, lines):
		return out, nil
	case own != nil && !m.isEcho(was, own, f):
		return nil, apierr.Wrong("orderLines", "is another name of orderForm.lineItems, and differs from it")
	}
	form := &jsondoc.Object{}
	if have := patch.Object("orderForm"); have != nil {
		form = have.Without("lineItems")
	}
	form.Set("lineItems", lines)
	out.Put("orderForm", form)
	return out, nil
}

// admit returns the part of a patch that the rules allow, under the fields' own
// names, and the names of what else it would change. A field that it leaves out is named only
// where it would change something: who echoes the whole order is not warned of each field.
func (r *PatchRules) admit(m *merger, sent, patch *jsondoc.Object) (*jsondoc.Object, []string, error) {
	if r.allowed == nil {
		return patch, nil, nil
	}
	admitted, rest := &jsondoc.Object{}, []string(nil)
	for _, f := range patch.Members() {
		known := schema.Order.Fields[f.Name]
		own, isAlias := r.alias[spelling.Fold(f.Name)]
		switch {
		case r.allowed[f.Name] || known.Control:
			if f.Value != nil || !admitted.Has(f.Name) {
				admitted.Put(f.Name, f.Value)
			}
		case isAlias && (sent.Find(f.Name) < 0 || m.changes(sent, f)): // an order may have a name of its own
			if _, ok := f.Value.(string); !ok && f.Value != nil {
				return nil, nil, apierr.Wrong(f.Name, "must be text, not %s", jsondoc.TypeName(f.Value))
			}
			if f.Value != nil || !admitted.Has(own) {
				admitted.Put(own, f.Value)
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
func (m *merger) changes(sent *jsondoc.Object, f jsondoc.Member) bool {
	patch, was := jsondoc.NewObject(f), &jsondoc.Object{}
	if i := sent.FindExact(m.spelling(sent, nil, patch, f, false)); i >= 0 {
		was.Put(sent.Members()[i].Name, sent.Members()[i].Value)
	}
	out := was.Clone()
	m.trial().object(out, was, patch, place{model: schema.Order}, keepAll)
	return !jsondoc.Equal(out, was)
}

// checkFixed refuses a patch that would change a fixed field. One that repeats it is fine: clients
// send back whole documents.
func checkFixed(doc, patch *jsondoc.Object) error {
	for _, name := range fixedFields {
		want, _ := doc.Get(name)
		got, ok := patch.Get(name)
		if ok && got != nil && !jsondoc.Equal(got, want) {
			return apierr.Wrong(name, "never changes by a patch")
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

// What forceUpdate may call the lines of an order, as it is compared.
var firstLines, secondLines = spelling.Fold("orderForm.lineItems"), spelling.Fold("orderLines")

// newForced reads forceUpdate, with the names that other systems use for fields.
func newForced(patch *jsondoc.Object, alias map[string]string) *forced {
	f := &forced{named: patch.Texts("forceUpdate"), met: map[string]bool{}}
	for _, path := range f.named {
		key := spelling.Fold(path)
		if own, ok := alias[key]; ok {
			key = spelling.Fold(own)
		}
		// orderLines is another name of the lines, below it, too.
		if rest, ok := strings.CutPrefix(key, secondLines); ok && (rest == "" || rest[0] == '.') {
			key = firstLines + rest
		}
		f.keys, f.met[key] = append(f.keys, key), false
	}
	return f
}

// has reports whether a field of the patch is named, and notes that it is there. Either way
// of naming a field counts.
func (f *forced) has(path, name string) bool {
	found := false
	for _, key := range []string{spelling.Fold(path), spelling.Fold(name)} {
		if _, met := f.met[key]; met {
			f.met[key], found = true, true
		}
	}
	return found
}

// warnings names what forceUpdate names and the patch does not have; of very many
// the first, and the others are counted.
func (f *forced) warnings() (out []apierr.Warning) {
	if f == nil {
		return nil
	}
	more := 0
	for i, path := range f.named {
		switch {
		case f.met[f.keys[i]]:
		case len(out) == schema.MostUnread:
			more++
		default:
			out = append(out, apierr.Warning{Path: "forceUpdate", Message: fmt.Sprintf("%q matches no field of the patch", jsondoc.CutStep(path))})
		}
	}
	if more > 0 {
		out = append(out, apierr.Warning{Path: "forceUpdate", Message: fmt.Sprintf("%d more match no field of the patch", more)})
	}
	return out
}
