package rerun

import (
	"bytes"
	"testing"

	"github.com/orderhook/orderhook/internal/redact"
)

// TestACallWhoseAnswerIsNoText is written all the same, and its very bytes come back: an endpoint
// may answer with anything.
func TestACallWhoseAnswerIsNoText(t *testing.T) {
	for _, body := range [][]byte{[]byte("\xff\xfe"), []byte("no"), []byte("{\"a\":\"\xe6\"}")} {
		c := &Call{Kind: KindEvent, Event: &Event{}, Answer: Answer{Status: 400, Body: bodyOf(body)}}
		out, err := Redacted(c, redact.New([]byte("a key of sixteen"), redact.Rules{}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Text(); err != nil {
			t.Errorf("%q: %v", body, err)
		}
		if got := out.Answer.Bytes(); !bytes.Equal(got, body) {
			t.Errorf("%q comes back as %q", body, got)
		}
	}
}
