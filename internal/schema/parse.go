package schema

import "github.com/orderhook/orderhook/internal/jsondoc"

// Parse reads one JSON object of settings, of a request or of an answer. Names
// become camelCase; two names of one object that differ only in case are an
// error, as they would be one field. Orders and what is like them, whose other
// names stay as they are, have readers of their own, as [ParseOrder].
// Every error is an *[apierr.Error]: [apierr.Malformed] for what is no JSON, [apierr.Invalid] for
// JSON that is no document; both say where. White space and a byte order mark around it do
// not matter.
func Parse(data []byte) (*jsondoc.Object, error) {
	return jsondoc.Read(data, jsondoc.Reading{Levels: jsondoc.MaxDepth, Camel: true, Names: Known})
}

// ParseRaw reads one JSON object whose names stay as they are. Two that differ in case
// alone are two members, of which whoever reads by a model finds out.
func ParseRaw(data []byte) (*jsondoc.Object, error) {
	return jsondoc.Read(data, jsondoc.Reading{Levels: jsondoc.MaxDepth, Names: Known})
}

// ParseStored reads a document that orderhook itself has written. It may nest deeper than
// what comes in: see [jsondoc.StoredDepth].
func ParseStored(data []byte) (*jsondoc.Object, error) {
	return jsondoc.Read(data, jsondoc.Reading{Levels: jsondoc.MaxDepth + jsondoc.StoredDepth, Names: Known})
}
