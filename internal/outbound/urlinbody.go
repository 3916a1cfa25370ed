package outbound

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/orderhook/orderhook/internal/weburl"
)

// withURLShown returns a JSON document in which each text that is a URL, in whatever spelling, is
// as show has it. Settings write a URL as somebody typed it, and what is called is its normal
// spelling, so that the two need not be the same text: http://Shop.example/?a=Ø, say.
func withURLShown(doc []byte, url string, show func(raw string) string) []byte {
	var out []byte
	done := 0
	for at := 0; ; {
		i := bytes.Index(doc[at:], []byte("://"))
		if i < 0 {
			break
		}
		from, to := textAround(doc, at+i)
		at = max(to, at+i+1)
		// What has neither a query nor a user has nothing to hide, as most links in a document.
		if from < 0 || bytes.IndexByte(doc[from:to], '?') < 0 && bytes.IndexByte(doc[from:to], '@') < 0 {
			continue
		}
		var raw string
		if json.Unmarshal(doc[from:to], &raw) != nil || weburl.NormalURL(raw) != weburl.NormalURL(url) {
			continue
		}
		out = append(append(out, doc[done:from]...), quoted(show(raw))...)
		done = to
	}
	if done == 0 {
		return doc
	}
	return append(out, doc[done:]...)
}

// textAround returns where the JSON text around a place begins and ends, with its quotes; from is
// -1 where none does. No text of a URL has a quote before its "://".
func textAround(doc []byte, at int) (from, to int) {
	from = bytes.LastIndexByte(doc[max(0, at-longestScheme):at], '"')
	if from < 0 {
		return -1, at
	}
	from += max(0, at-longestScheme)
	for to = at; to < len(doc); to++ {
		switch doc[to] {
		case '\\':
			to++
		case '"':
			return from, to + 1
		}
	}
	return -1, len(doc)
}

// longestScheme is how many bytes there are at most from the quote to the "://" behind http or https.
const longestScheme = len(`"https`)

// quoted is a text in JSON, with the characters that stand in URLs as they are.
func quoted(text string) []byte {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // of a text there is no error
	return []byte(strings.TrimSuffix(out.String(), "\n"))
}
