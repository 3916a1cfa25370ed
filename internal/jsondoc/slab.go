package jsondoc

import "strings"

// slabs hands out what a document is made of in pieces of a larger whole. A
// document of some MiB has a million values: to allocate each by itself takes longer
// than to read it, and the garbage collector pays for every single one.
//
// What was handed out keeps its slab alive, so a slab is small: whoever holds on to
// one name of a large document holds a few KB. They serve one document, on one goroutine.
type slabs struct {
	objects slab[Object]
	members slab[Member]
	values  slab[any]
	text    strings.Builder
}

// slab hands out parts of a slice. The slices grow with what was asked for, so that
// a small document takes little. What it has handed out is never taken back.
type slab[T any] struct {
	free []T
	last int // length of the last slice
}

// Lengths of slabs: elements, and bytes of text.
const (
	leastOfSlab, mostOfSlab = 4, 256
	leastText, mostText     = 64, 4096
)

// take returns a slice of n zero values, which has room for no more. It is never nil.
func (s *slab[T]) take(n int) []T {
	if n == 0 {
		return []T{}
	}
	if n > len(s.free) {
		if n > mostOfSlab/4 { // the rest of the slab is good for smaller ones
			return make([]T, n)
		}
		s.last = min(max(2*s.last, leastOfSlab), mostOfSlab)
		s.free = make([]T, max(s.last, n))
	}
	// Nobody who appends to the part can write into the next one.
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}

// object returns an empty object.
func (s *slabs) object() *Object { return &s.objects.take(1)[0] }

// string returns a text as a string.
func (s *slabs) string(text []byte) string {
	// A long text is copied by itself, so that it keeps no slab alive.
	if len(text) > mostText/4 {
		return string(text)
	}
	if s.text.Cap()-s.text.Len() < len(text) {
		size := min(max(2*s.text.Cap(), leastText), mostText)
		s.text = strings.Builder{}
		s.text.Grow(max(size, len(text)))
	}
	start := s.text.Len()
	s.text.Write(text)
	return s.text.String()[start:]
}

// clone returns a copy of an object.
func (s *slabs) clone(o *Object) *Object {
	c := s.object()
	if o.members == nil {
		return c
	}
	c.members = s.members.take(len(o.members))
	for i, m := range o.members {
		c.members[i] = Member{m.Name, s.cloneValue(m.Value)}
	}
	// An index changes with its object, so the copy has one of its own.
	if o.index != nil {
		c.reindex()
	}
	return c
}

// cloneValue returns a copy of a value. Texts and numbers never change, so both share them.
func (s *slabs) cloneValue(v any) any {
	switch v := v.(type) {
	case *Object:
		if v == nil {
			return v
		}
		return s.clone(v)
	case []any:
		c := s.values.take(len(v))
		for i := range v {
			c[i] = s.cloneValue(v[i])
		}
		return c
	}
	return v
}
