package jsondoc

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
)

// Text returns the JSON text of a body: without the byte order mark, which .NET writers like.
// needed says what was expected, for the error that nothing is there.
func Text(body []byte, needed string) ([]byte, error) {
	text := bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.Trim(text, Whitespace)) == 0 {
		return nil, apierr.Errorf(apierr.Malformed, "the body is empty, %s is needed", needed)
	}
	return text, nil
}

// WrongKind returns the error for a text that begins with a value of a kind that [KindNames]
// has, in place of what is needed. The value is read first: nonsense is no null.
func WrongKind(dec *jsontext.Decoder, text []byte, needed string) error {
	name := KindNames[dec.PeekKind()]
	if _, err := dec.ReadToken(); err != nil {
		return ParseError(err, text)
	}
	return apierr.Errorf(apierr.Invalid, "%s is needed, not %s", needed, name)
}

// AtEnd returns an error if anything follows what a decoder has read of a text, whose end is
// called so in the error: the decoder would go on with another value.
func AtEnd(dec *jsontext.Decoder, text []byte, end string) error {
	rest := bytes.TrimLeft(text[dec.InputOffset():], Whitespace)
	if len(rest) == 0 {
		return nil
	}
	return apierr.Errorf(apierr.Malformed, "malformed JSON: something follows %s at %s", end, LineAndColumn(text, len(text)-len(rest)))
}
