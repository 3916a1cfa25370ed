package order

import (
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// pair says which element an element of a patch is. An element of the patch has one pair,
// and each element of a list is in one pair at most.
type pair struct {
	sent, have int  // where it was sent, and where it is now; -1: it was not, it is not
	merge      bool // it has more to say than that it is that one
}

// pairNow finds where the elements that were sent are now: by their keys, and
// where several have the same or none, by what they hold before their order. It fills l.now
// and l.added. The patch is matched with what was sent first, and l.now leads from there to
// what is there now.
func (l *listMerge) pairNow() {
	l.now = make([]int, len(l.was))
	paired := make([]bool, len(l.have))
	sent, have := newFinder(l.was, l.field.Identity), newFinder(l.have, l.field.Identity)
	for i, e := range l.was {
		l.now[i] = -1
		// Nobody has changed the list since it was sent: each element is where it was.
		if id := l.field.Identity(e); l.same && len(l.was) == len(l.have) {
			l.now[i], paired[i] = i, true
		} else if id != "" && len(sent[id]) == 1 && len(have[id]) == 1 {
			// A key that stands once on either side is sure. Repeated keys wait for the
			// next two passes.
			l.now[i] = have[id][0]
			paired[l.now[i]] = true
		}
	}
	l.pairAlike(paired)
	for i, e := range l.was {
		if id := l.field.Identity(e); l.now[i] < 0 && id != "" {
			l.now[i] = have.take(id, paired)
		}
	}
	for i := range l.have {
		if !paired[i] {
			l.added = append(l.added, i)
		}
	}
}

// pairAlike pairs what is now exactly as it was sent. It finds elements without a key, and
// tells those with the same key apart.
func (l *listMerge) pairAlike(paired []bool) {
	text := func(e any) string { return l.field.Identity(e) + "\x00" + content(e) }
	alike := finder{}
	for i, e := range l.have {
		if !paired[i] {
			t := text(e)
			alike[t] = append(alike[t], i)
		}
	}
	for i, e := range l.was {
		if l.now[i] < 0 && len(alike) > 0 {
			l.now[i] = alike.take(text(e), paired)
		}
	}
}

// finder finds the elements of a list by a text, each once, in their order. Those that are
// taken already are passed over for good, so all searches together cost no more than the
// list is long.
type finder map[string][]int

// newFinder goes through the list once; to search it for each element of a patch would take the
// product of both lengths.
func newFinder(list []any, text func(any) string) finder {
	f := finder{}
	for i, e := range list {
		t := text(e)
		f[t] = append(f[t], i)
	}
	return f
}

// take returns the first element of that text which is not taken, and takes it;
// -1 for none.
func (f finder) take(text string, taken []bool) int {
	for at := f[text]; len(at) > 0; at = at[1:] {
		f[text] = at[1:]
		if i := at[0]; !taken[i] {
			taken[i] = true
			return i
		}
	}
	return -1
}

// match finds the elements that the patch means (docs/contract.md#patches): the n-th
// of a key is the n-th of that key, and one without a key is the one whose fields
// it repeats. What was sent comes before what somebody added meanwhile.
func (l *listMerge) match() []pair {
	pairs := make([]pair, len(l.patch))
	for i := range pairs {
		pairs[i] = pair{-1, -1, false}
	}
	sent, added := make([]bool, len(l.was)), make([]bool, len(l.added))
	others := make([]any, len(l.added))
	for i, at := range l.added {
		others[i] = l.have[at]
	}
	// The elements that were sent come first, since the patch was written by somebody who
	// saw these.
	for _, list := range []struct {
		elements []any
		taken    []bool
		found    func(e *pair, at int)
	}{
		{l.was, sent, func(e *pair, at int) { e.sent, e.have = at, l.now[at] }},
		{others, added, func(e *pair, at int) { e.have = l.added[at] }},
	} {
		m := &matcher{listMerge: l, pairs: pairs, elements: list.elements, taken: list.taken, found: list.found}
		m.byKey()
		m.byContent()
		m.byFields()
	}
	return pairs
}

// matcher finds the elements of a patch among those of one list. It makes three passes,
// from the surest to the weakest: by key, by equal content, by repeated fields.
type matcher struct {
	*listMerge
	pairs    []pair
	elements []any
	taken    []bool
	found    func(e *pair, at int)
}

// open calls do for each element of the patch that was not found yet. keyed picks those
// with a key or those without one.
func (m *matcher) open(keyed bool, do func(e *pair, p any, id string)) {
	if len(m.elements) == 0 {
		return
	}
	for i, p := range m.patch {
		if id := m.field.Identity(p); m.pairs[i].sent < 0 && m.pairs[i].have < 0 && (id != "") == keyed {
			do(&m.pairs[i], p, id)
		}
	}
}

// byKey finds the elements by the key that the model names: the one sure way, so that such an
// element is merged into the one that is there, whatever else of it differs.
func (m *matcher) byKey() {
	var byKey finder
	m.open(true, func(e *pair, _ any, id string) {
		if byKey == nil {
			byKey = newFinder(m.elements, m.field.Identity)
		}
		if at := byKey.take(id, m.taken); at >= 0 {
			m.found(e, at)
			e.merge = true
		}
	})
}

// byContent finds the elements that are there exactly as they came. They change nothing, so
// nothing needs to be merged.
func (m *matcher) byContent() {
	var same finder
	m.open(false, func(e *pair, p any, _ string) {
		if same == nil {
			same = newFinder(m.elements, content)
		}
		if at := same.take(content(p), m.taken); at >= 0 {
			m.found(e, at)
		}
	})
}

// byFields finds the elements whose fields those of the patch repeat, those
// without a key first. For an error, its status and comment may be others.
func (m *matcher) byFields() {
	left := m.left()
	// In the first round all fields count. The second is for errors, whose status and
	// comment an endpoint may set to solve one.
	for _, beside := range [][]string{nil, m.field.Beside} {
		m.open(false, func(e *pair, p any, _ string) {
			o, ok := p.(*jsondoc.Object)
			if !ok || e.merge {
				return
			}
			for _, f := range beside {
				o = o.Without(f)
			}
			if i := m.repeatedBy(o, left); i >= 0 {
				m.taken[left[i]] = true
				m.found(e, left[i])
				e.merge = beside != nil
				// The element goes out of left: those before it move by one place, so that
				// the rest keeps its order.
				copy(left[1:i+1], left[:i])
				left = left[1:]
			}
		})
		if m.field.Beside == nil {
			return
		}
	}
}

// left returns the positions of the elements that are not taken, those without a
// key first.
func (m *matcher) left() (left []int) {
	for _, keyed := range []bool{false, true} {
		for i, e := range m.elements {
			if !m.taken[i] && (m.field.Identity(e) != "") == keyed {
				left = append(left, i)
			}
		}
	}
	return left
}

// repeatedBy returns where in left the first element is whose fields p repeats,
// -1 for none.
func (m *matcher) repeatedBy(p *jsondoc.Object, left []int) int {
	for i, at := range left {
		if m.err != nil {
			break
		}
		if m.isOne(m.elements[at], p, m.field.Of, m.at.path) {
			return i
		}
	}
	return -1
}

// isOne is [merger.repeats] for one of many pairs. What is compared in vain is
// bounded; more of it fails the patch.
func (m *merger) isOne(sent any, back *jsondoc.Object, of *schema.Model, path string) bool {
	before := *m.compared
	// Only what is compared in vain counts: a patch may repeat a list of any length.
	if m.compare(sent, back, of) {
		*m.compared = before
		return true
	}
	if *m.compared > mostCompared {
		m.fail(path, "has too many elements without a key of their own to find those that they repeat")
	}
	return false
}

// fail notes the first error. The merge goes on, and its result is dropped.
func (m *merger) fail(path, format string, args ...any) {
	if m.err == nil {
		m.err = apierr.Wrong(path, format, args...)
	}
}

// mostCompared bounds how many fields one patch may make orderhook compare in
// vain, to find the elements without a key that it means. A list that needs more
// is none that a person reads.
const mostCompared = 1 << 20

// repeats reports whether an element that came back says nothing but what the
// one that was sent holds. A typed program leaves out what it does not know, and
// fills in nothings: those count as absent on both sides.
func (m *merger) repeats(sent, back any, of *schema.Model) bool {
	before := *m.compared
	defer func() { *m.compared = before }()
	return m.compare(sent, back, of)
}

// compare is [merger.repeats], and counts the fields that it compares.
func (m *merger) compare(sent, back any, of *schema.Model) bool {
	b, ok := back.(*jsondoc.Object)
	if !ok {
		return jsondoc.Echoes(sent, back)
	}
	s, ok := sent.(*jsondoc.Object)
	if !ok {
		return false
	}
	// The fields that came back are what counts. Those that did not are ones that the
	// endpoint may not know.
	for _, f := range b.Members() {
		known, _ := of.Field(f.Name)
		*m.compared++
		// Fields that steer the patch, as forceUpdate, say nothing about the element.
		if known.Control || isEmpty(f.Value) {
			continue
		}
		i := s.Counterpart(f.Name, b)
		if i < 0 || !m.compareValue(s.Members()[i].Value, f.Value, known) {
			return false
		}
	}
	return true
}

// compareValue compares lists element by element where they are equally long, so that each
// element may leave out what its model does not know.
func (m *merger) compareValue(sent, back any, f schema.Field) bool {
	list, ok := back.([]any)
	was, ok2 := sent.([]any)
	if !ok || !ok2 || len(was) != len(list) {
		return m.compare(sent, back, f.Of) || f.Kind == schema.Number && jsondoc.SameAmount(sent, back)
	}
	for i := range list {
		if !m.compare(was[i], list[i], f.Of) {
			return false
		}
	}
	return true
}

// isEmpty reports whether a value says nothing: what a typed program writes for
// a field that it was not sent, .NET's first instant and empty id included.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == "" || strings.HasPrefix(v, "0001-01-01T00:00:00") || v == "00000000-0000-0000-0000-000000000000"
	case jsondoc.Number:
		d, ok := v.Decimal()
		return ok && d.IsZero()
	case []any:
		return len(v) == 0
	case *jsondoc.Object:
		for _, m := range v.Members() {
			if !isEmpty(m.Value) {
				return false
			}
		}
	}
	return true
}
