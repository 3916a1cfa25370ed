package ordertest

import (
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// value makes what a validator hands back: a cart, with fields that it may not change. A
// patch must leave those as they are.
func (m Maker) value(t *rapid.T) *jsondoc.Object {
	o := m.Order(t)
	// Each of those fields is there in one case of four.
	for _, name := range FixedOfCart {
		if rapid.IntRange(0, 3).Draw(t, name) == 0 {
			o.Set(name, Words.Draw(t, name))
		}
	}
	return o
}
