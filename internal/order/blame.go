package order

import (
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// Blamed is a field of an order, and the change that gave it its value: Before is what
// it was then, nil where the field was absent. The API makes it for `GET
// /api/orders/{id}/blame`.
type Blamed struct {
	Change
	// Pointer names the field as an RFC 6901 JSON Pointer into the document.
	Pointer string
	// Version is the first version of the order that had the value; 0 until that is
	// found.
	Version int64
	Added   bool // the field was absent before
}

// Blame finds which version of an order gave each of its fields its value, going back
// from version to version. An element of a list is followed by what the rules of
// patches know it by: its keys, else its content. It is a cursor in memory: [NewBlame]
// takes the newest version, whoever reads the versions hands it one after the other by
// [Blame.Back], until [Blame.Done] says that all is found or the first version was passed
// ([Blame.Beginning]). It belongs to one goroutine and changes no document.
type Blame struct {
	Fields  []*Blamed // in the order of the document, those of one page; with every, the newest change first
	More    bool      // the page left fields out behind it
	every   bool
	root    *blameNode
	doc     *jsondoc.Object // of the version that was looked at last
	version int64
}

// blameNode is a place of the document as it is now that has fields whose version is
// not known yet, or is such a field. The tree has only such places, so a version is
// compared only where something is still open.
type blameNode struct {
	name     string       // of a member, in the version that was looked at last
	at       int          // of an element, so, too
	list     schema.Field // of the list whose elements the children are
	children []*blameNode
	field    *Blamed // nil: it has children
	parent   *blameNode
	open     int // fields at or below it whose version is not known
}

// BlamePage says which fields are asked for.
type BlamePage struct {
	// Path is a path as the history has it, or a JSON Pointer: of the fields at it or
	// below it. "" is all.
	Path string
	// Every asks for all values that what is at Path ever had, as one value, instead of
	// the last change of each field.
	Every bool
	From  int // how many fields to leave out
	Limit int
}

// NewBlame begins with an order as it is now.
func NewBlame(o *Order, p BlamePage) *Blame {
	b := &Blame{every: p.Every, root: &blameNode{}, doc: o.Doc, version: o.Version}
	g := &blameGathering{Blame: b, page: p}
	for _, m := range o.Doc.Members() {
		if !isUncounted(m.Name) {
			g.gather(b.root, &blameNode{name: m.Name}, m.Value, place{schema.Order, ""}.of(m.Name), "/"+pointerToken(m.Name), fieldOf(schema.Order, m.Name))
		}
	}
	return b
}

// isUncounted reports whether a field changes with every write, so that who set it says nothing.
func isUncounted(name string) bool { return name == uncounted[0] || name == uncounted[1] }

// fieldOf returns the field of a name; a name that the model does not know has the zero field.
func fieldOf(m *schema.Model, name string) schema.Field { f, _ := m.Field(name); return f }

// pointerToken escapes a name for a JSON Pointer.
func pointerToken(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// blameGathering finds the fields of a page.
type blameGathering struct {
	*Blame
	page BlamePage
	met  int
}

// gather adds what is at a place, or below it, to the node that it belongs to. What is
// neither at the path of the page, nor below it, nor on the way to it, is passed over with
// all that it holds. An empty object or list is a field of its own: there is nothing below
// it that could be one.
func (g *blameGathering) gather(parent, n *blameNode, v any, at place, pointer string, f schema.Field) {
	inside := g.inside(at.path, pointer)
	if !inside && !g.leadsTo(at.path, pointer) || g.More {
		return
	}
	n.parent = parent
	switch v := v.(type) {
	case *jsondoc.Object:
		// With every, the value at the path counts as a whole, so nothing is looked for
		// below it.
		if v.Len() > 0 && !(inside && g.every) {
			for _, m := range v.Members() {
				g.gather(n, &blameNode{name: m.Name}, m.Value, at.of(m.Name), pointer+"/"+pointerToken(m.Name), fieldOf(at.model, m.Name))
			}
			g.keepNode(parent, n)
			return
		}
	case []any:
		if len(v) > 0 && !(inside && g.every) {
			n.list = f
			for i, name := range f.ElementNames(v) {
				g.gather(n, &blameNode{at: i}, v[i], place{f.Of, at.path + name}, pointer+"/"+strconv.Itoa(i), schema.Field{})
			}
			g.keepNode(parent, n)
			return
		}
	}
	if inside {
		g.leaf(parent, n, v, at.path, pointer)
	}
}

// leaf adds a field, if the page has it.
func (g *blameGathering) leaf(parent, n *blameNode, v any, path, pointer string) {
	// The fields of the pages before are counted and left out. The first one beyond this
	// page says that there are more.
	switch g.met++; {
	case g.met <= g.page.From:
		return
	case len(g.Fields) == g.page.Limit:
		g.More = true
		return
	}
	n.field, n.open = &Blamed{Change: Change{Path: path, After: v}, Pointer: pointer}, 1
	g.Fields = append(g.Fields, n.field)
	g.keepNode(parent, n)
}

// keepNode adds a node to its parent, if there is something at or below it. A node without an
// open field would only be walked in vain.
func (g *blameGathering) keepNode(parent, n *blameNode) {
	if n.open > 0 {
		parent.children = append(parent.children, n)
		parent.open += n.open
	}
}

// inside reports whether a place is at the path of the page, or below it.
func (g *blameGathering) inside(path, pointer string) bool {
	want := g.page.Path
	return want == "" || under(path, want, ".[") || under(pointer, want, "/")
}

// leadsTo reports whether the path of the page is below a place.
func (g *blameGathering) leadsTo(path, pointer string) bool {
	return under(g.page.Path, path, ".[") || under(g.page.Path, pointer, "/")
}

// under reports whether a path is another, or goes on behind it with one of a few
// characters.
func under(path, above, next string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || strings.IndexByte(next, rest[0]) >= 0)
}

// Done reports whether nothing is left to be found in an earlier version.
func (b *Blame) Done() bool { return b.root.open == 0 }

// Every reports whether all values of one place are looked for.
func (b *Blame) Every() bool { return b.every }

// Version is the version that was looked at last.
func (b *Blame) Version() int64 { return b.version }

// Back looks at the version before the one that was looked at last: what has another
// value there, or none, was set by that one. The versions must come without a gap: a change
// is put down to the version that was looked at last.
func (b *Blame) Back(before *Order) {
	b.objects(b.root, b.doc, before.Doc)
	b.doc, b.version = before.Doc, before.Version
}

// Beginning says that the version that was looked at last is the order's first one, so
// that it set what is left.
func (b *Blame) Beginning() { b.added(b.root) }

// node compares a value with what it was in the version before, as far below it as there are
// fields whose change is not known yet.
func (b *Blame) node(n *blameNode, is, was any) {
	if n.field != nil {
		if !jsondoc.Equal(is, was) {
			b.changed(n, was)
		}
		return
	}
	switch is := is.(type) {
	case *jsondoc.Object:
		if was, ok := was.(*jsondoc.Object); ok {
			b.objects(n, is, was)
			return
		}
	case []any:
		if was, ok := was.([]any); ok {
			b.lists(n, is, was)
			return
		}
	}
	b.added(n)
}

// objects follows the members to where they were. A member may have been spelled differently
// then: from here on it is looked for by that spelling.
func (b *Blame) objects(n *blameNode, is, was *jsondoc.Object) {
	for _, child := range n.children {
		if child.open == 0 {
			continue
		}
		// The member is looked for in the earlier version as a patch would look for it:
		// exactly, else in another case.
		v, _ := is.Get(child.name)
		at := was.Counterpart(child.name, is)
		if at < 0 {
			b.added(child)
			continue
		}
		child.name = was.Members()[at].Name
		b.node(child, v, was.Members()[at].Value)
	}
}

// lists follows the elements to where they were. A list that is as it was, as nearly all
// are between two versions, has them there still: to pair its elements would cost several
// times as much as to see that.
func (b *Blame) lists(n *blameNode, is, was []any) {
	if jsondoc.Identical(is, was) {
		return
	}
	// Elements are paired by the code that merges patches, so that blame and patches agree
	// on which element is which.
	l := &listMerge{merger: &merger{}, field: n.list, was: was, have: is}
	l.pairNow()
	before := make(map[int]int, len(was))
	for i, now := range l.now {
		if now >= 0 {
			before[now] = i
		}
	}
	for _, child := range n.children {
		if child.open == 0 {
			continue
		}
		at, there := before[child.at]
		if !there {
			b.added(child)
			continue
		}
		v := is[child.at]
		child.at = at
		b.node(child, v, was[at])
	}
}

// changed notes that the version looked at last gave a field its value. With every, the
// search goes on for the value that the field had before.
func (b *Blame) changed(n *blameNode, was any) {
	n.field.Version, n.field.Before = b.version, was
	if b.every { // it goes on with the value before
		n.field = &Blamed{Change: Change{Path: n.field.Path, After: was}, Pointer: n.field.Pointer}
		b.Fields = append(b.Fields, n.field)
		return
	}
	b.close(n)
}

// added notes that the version looked at last brought all that is left at a node or
// below it.
func (b *Blame) added(n *blameNode) {
	if n.field != nil && n.open > 0 {
		n.field.Version, n.field.Added = b.version, true
		b.close(n)
	}
	for _, child := range n.children {
		b.added(child)
	}
}

// close notes that the change of a field is known. A subtree in which nothing is open any more is
// not looked at in earlier versions, which makes each version cheaper than the one behind it.
func (b *Blame) close(n *blameNode) {
	for ; n != nil; n = n.parent {
		n.open--
	}
}

// Shown returns a field with its values cut, if they are too long for a list.
func (f *Blamed) Shown() Blamed {
	out := *f
	out.Change = f.cut()
	return out
}
