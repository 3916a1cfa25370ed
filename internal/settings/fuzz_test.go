package settings

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// FuzzParse holds Parse, Incoming and Masked to what they promise together: no
// panic; no secret in what is shown or said; and settings that were shown and
// sent back are the same settings.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everySecret))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := schema.Parse(data)
		if err != nil {
			t.Skip("not a document")
		}
		s, warnings, err := Parse(doc)
		checkMessages(t, doc, warnings, err)
		_, _, _ = Incoming{Doc: doc.Clone(), Stored: s, Variables: variables(Variables{Owner: true})}.Check()
		_ = ParseStored(doc)
		if err != nil {
			return
		}
		masked := s.Masked()
		for _, sec := range secretsOf(masked) {
			if sec.text() != mask {
				t.Errorf("%s shows %q", sec.at, sec.text())
			}
		}
		again, _, err := Incoming{Doc: masked, Stored: s}.Check()
		if err != nil {
			t.Fatalf("sent back unchanged: %v", err)
		}
		if got, want := plain(again.doc), string(doc.JSON()); got != want {
			t.Errorf("sent back unchanged, the settings became\n%s\nfrom\n%s", got, want)
		}
	})
}

// checkMessages looks for the document's secrets in what is said about it. One
// that is short, or stands in another place too, proves nothing.
func checkMessages(t *testing.T, doc *jsondoc.Object, warnings []apierr.Warning, err error) {
	t.Helper()
	var said strings.Builder
	for _, w := range warnings {
		said.WriteString(w.Message)
	}
	if err != nil {
		said.WriteString(err.Error())
	}
	shown := (&Settings{doc: doc}).Masked().JSON()
	for _, sec := range secretsOf(doc) {
		if s := sec.text(); len(s) > 7 && strings.Contains(said.String(), s) && !strings.Contains(string(shown), s) {
			t.Errorf("a message tells the secret at %s: %s", sec.at, said.String())
		}
	}
}
