package settings

import (
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
)

// Bind is [Settings.Sealed] for a document that an earlier orderhook has stored,
// which holds the secrets themselves, sealed: open is the reverse. What it cannot
// open stays, and will open no more than it did. The first start after an update calls it.
func Bind(doc *jsondoc.Object, open func(sealed string) (string, error), seal func(place string, origins []string, v secret.Value) secret.Sealed) (bound *jsondoc.Object, ids []string) {
	doc = doc.Clone()
	for _, sec := range secretsOf(doc) {
		v := secret.Stored(sec.text(), "")
		if text, err := open(sec.text()); err == nil {
			v = secret.New(text)
		}
		sec.in.Set(sec.field, v)
	}
	return (&Settings{doc: doc}).Sealed(seal)
}
