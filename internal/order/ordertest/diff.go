package ordertest

import (
	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// ByJSON compares objects by what they write. So a difference shows the documents, and
// not the inside of an Object; the order of members and the digits of numbers count.
var ByJSON = cmp.Transformer("JSON", func(o *jsondoc.Object) string { return string(o.JSON()) })
