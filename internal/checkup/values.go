package checkup

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
)

// lookAtValues finds changes that nobody is likely to have meant: values in another form,
// and such as a program writes for what it does not know.
func (p *probe) lookAtValues(s *sent) {
	damaged := map[string][]string{}
	body := s.request.Body
	for _, c := range s.Changes {
		if kind := unmeant(c, body); kind != "" {
			damaged[kind] = append(damaged[kind], differences([]order.Change{c})...)
		}
	}
	for _, d := range damages {
		if list := damaged[d.kind]; len(list) > 0 {
			more := ""
			if len(list) > mostNamed {
				more = fmt.Sprintf(", and %d more", len(list)-mostNamed)
				list = list[:mostNamed]
			}
			p.find(s, Finding{Kind: d.kind, Severity: Error, Text: d.text + strings.Join(list, "; ") + more, Advice: d.advice, Section: section(p.o.Kind, "patch")})
		}
	}
}

// damages are the kinds of changes that nobody is likely to have meant.
var damages = []struct{ kind, text, advice string }{
	{"text-damaged", "the answer brings text back in another encoding or form: ", "Read and write UTF-8 all the way through, and leave out of the answer what you do not mean to change."},
	{"number-damaged", "the answer brings numbers back in another form: ", "Read and write amounts as decimals with all their digits, never as binary floating point, and leave out of the answer what you do not mean to change."},
	{"float-noise", "the answer has amounts that were worked out in binary floating point: ", "Calculate with decimals, and round to the places that the currency has."},
	{"time-damaged", "the answer brings times back less exactly, or as other moments: ", "Write times with all digits that they came with, and leave out of the answer what you do not mean to change."},
	{"defaults-written", "the answer sets fields, which the document does not have, to nothing: ", "Leave out what you have no value for: have the serializer pass over null, zero and empty values that nobody has set."},
}

// unmeant says what kind of damage a change is, "" if it may well be meant. sent is the body
// of the request.
func unmeant(c order.Change, sent []byte) string {
	switch {
	case c.Before == nil && isNothing(c.After):
		return "defaults-written"
	case c.Before == nil || c.After == nil:
		return noise(c.After, sent)
	}
	was, is := textOf(c.Before), textOf(c.After)
	a, number := jsondoc.DecimalOf(c.Before)
	b, numberStill := jsondoc.DecimalOf(c.After)
	before, isTime := timeOf(c.Before)
	after, isTimeStill := timeOf(c.After)
	_, wasText := c.Before.(string)
	_, isText := c.After.(string)
	switch {
	case number && numberStill:
		if sameAmount(a, b) {
			return "number-damaged"
		}
		return noise(c.After, sent)
	case isTime && isTimeStill:
		if shifted(before, after) {
			return "time-damaged"
		}
	case wasText != isText:
		if was == is {
			return "number-damaged" // a flag or a number that became text, or the other way round
		}
	case wasText && sameLetters(was, is):
		return "text-damaged"
	}
	return noise(c.After, sent)
}

// isNothing reports whether a value is what typed programs write for one that nobody has
// set.
func isNothing(v any) bool {
	switch v := v.(type) {
	case string:
		return v == "" || strings.HasPrefix(v, "0001-01-01")
	case bool:
		return !v
	case jsondoc.Number:
		d, ok := v.Decimal()
		return ok && d.IsZero()
	case []any:
		return len(v) == 0
	case *jsondoc.Object:
		return v.Len() == 0
	}
	return false
}

// textOf is a scalar as text.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case jsondoc.Number:
		return string(v)
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

// mostPlaces is how many decimals of an amount somebody may have meant: a rounding to fewer
// is one that the document had.
const mostPlaces = 4

// sameAmount reports whether an amount is another one in another form: written otherwise,
// rounded to fewer places, or as a 32-bit float has it.
func sameAmount(was, is decimal.Decimal) bool {
	if was.Equal(is) {
		return true
	}
	for places := int32(0); places <= mostPlaces; places++ {
		if -was.Exponent() > places && (was.Round(places).Equal(is) || was.Truncate(places).Equal(is)) {
			return true
		}
	}
	f, _ := was.Float64()
	single := decimal.NewFromFloat32(float32(f))
	return single.Equal(is) || decimal.NewFromFloat(float64(float32(f))).Equal(is)
}

// noisyPlaces is how many decimals no amount has that was worked out in decimals.
const noisyPlaces = 11

// noise looks for an amount with more places than anybody would write, at any depth, that
// is not in what was sent.
func noise(v any, sent []byte) string {
	switch v := v.(type) {
	case jsondoc.Number:
		_, places, _ := strings.Cut(string(v), ".")
		if len(places) >= noisyPlaces && !bytes.Contains(sent, []byte(v)) {
			return "float-noise"
		}
	case string:
		if jsondoc.IsDecimal(v) {
			return noise(jsondoc.Number(v), sent)
		}
	case []any:
		for _, e := range v {
			if kind := noise(e, sent); kind != "" {
				return kind
			}
		}
	case *jsondoc.Object:
		for _, m := range v.Members() {
			if kind := noise(m.Value, sent); kind != "" {
				return kind
			}
		}
	}
	return ""
}

// timeOf reads a value that is a time.
func timeOf(v any) (time.Time, bool) {
	text, _ := v.(string)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// shifted reports whether a time is another one that lost digits, its zone, or the time of
// day.
func shifted(was, is time.Time) bool {
	off := was.Sub(is).Abs()
	return off < time.Second || off <= 14*time.Hour && off%(15*time.Minute) == 0 || off < 24*time.Hour && is.Equal(is.Truncate(24*time.Hour))
}

// sameLetters reports whether two texts have the same plain letters and digits, so that one
// is the other in another encoding, composed otherwise, escaped, trimmed or cut. A text
// that has hardly any says nothing.
func sameLetters(was, is string) bool {
	a, b := plain(was), plain(is)
	if len(a) < 3 {
		return false
	}
	if a == b {
		return true
	}
	odd := strings.IndexFunc(was, func(r rune) bool { return r > unicode.MaxASCII || strings.ContainsRune(`<>&"'\`, r) }) >= 0
	return odd && (strings.HasPrefix(a, b) && len(b) >= len(a)/2 || withoutEscapes(is) == a)
}

// plain is what is left of a text in any encoding: its letters and digits of ASCII, in lower
// case.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// withoutEscapes is plain of a text in which HTML has escaped what it needs.
func withoutEscapes(text string) string {
	return plain(strings.NewReplacer("&lt;", "", "&gt;", "", "&quot;", "", "&#34;", "", "&#39;", "", "&amp;", "&").Replace(text))
}

// differences names changes with their values.
func differences(changes []order.Change) (texts []string) {
	for _, c := range changes[:min(len(changes), mostNamed)] {
		texts = append(texts, fmt.Sprintf("%s was %s, and becomes %s", c.Path, shown(c.Before), shown(c.After)))
	}
	return texts
}

// shown is a value as a sentence has it.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "absent"
	case string:
		return excerpt(jsondoc.AppendText(nil, v))
	}
	return excerpt(jsondoc.AppendValue(nil, v, false))
}
