package settings

import (
	"net/url"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
)

// Incoming is a document that is to become a tenant's settings, and what only
// those know who bring it in. Every way in takes the same checks: the API, the
// command line, and a restored version. Checking changes nothing that is stored.
type Incoming struct {
	Doc    *jsondoc.Object // is changed
	Stored *Settings       // what it takes the place of; nil: nothing
	// Variables are those that the document may name, as `${NAME}`.
	Variables Variables
	// Literal says that a `${` in the document is that text, as it is in a
	// version that was stored.
	Literal bool
	// Refused says why the target guard will refuse a URL, "" if it will not or
	// if that cannot be told before a name is looked up; nil is never.
	Refused func(u *url.URL) (why string)
	// Is tells whether a text is that of a stored secret: one that was sent again as
	// it is stays the same secret. nil: it is a new one.
	Is func(v secret.Value, text string) bool
	// Destroyed are the ids of secrets that the document refers to and that are not
	// stored any more, as an earlier version's may be.
	Destroyed []string
}

// Check reads the document: variables first, then the secrets that "***" stands
// for, then all else. The error is as [Parse] has it. Warnings come with an error,
// too, unless it is about variables or about "***".
func (in Incoming) Check() (*Settings, []apierr.Warning, error) {
	// A document of megabytes may have a million steps. This is asked before anything is made of
	// each.
	if err := checkSize(in.Doc); err != nil {
		return nil, nil, err
	}
	if !in.Literal {
		if err := Expand(in.Doc, in.Variables); err != nil {
			return nil, nil, err
		}
	}
	// What an earlier version refers to may be gone by now.
	forget(in.Doc, in.Destroyed)
	if err := Keep(in.Doc, in.Stored); err != nil {
		return nil, nil, err
	}
	// What was sent as it is stored stays the very secret that it was, instead of being
	// sealed as a new one.
	if in.Is != nil && in.Stored != nil {
		recognize(in.Doc, in.Stored, in.Is)
	}
	// By now all secrets are in their places, and the rest can be checked.
	p := newParser(in.Doc)
	p.refused = in.Refused
	s := p.settings()
	warnEmptied(p.root, s, in.Stored)
	if err := p.root.err(); err != nil {
		return nil, p.root.warnings, err
	}
	return s, p.root.warnings, nil
}

// Document returns a copy of the document that the settings were read from, with
// a [secret.Value] in the place of each secret. Whoever gets it may change it.
func (s *Settings) Document() *jsondoc.Object { return s.doc.Clone() }

// warnEmptied notes settings that leave orders no workflow at all, which is more
// likely a slip than meant: half a document was sent, say.
func warnEmptied(root node, next, stored *Settings) {
	switch {
	case len(next.OrderTypes) > 0:
	case stored != nil && len(stored.OrderTypes) > 0:
		root.warn("orderTypes", "there are none, so no step runs for an order any more; version %d had %d", stored.Version, len(stored.OrderTypes))
	case len(next.ReturnStatuses) > 0:
		root.warn("orderTypes", "there are none, so no step runs for an order, only for its return")
	}
}
