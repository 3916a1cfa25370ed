package order

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// Bounds of one change as it is shown and stored. A list, or a text, that grows by
// a little each time would otherwise fill the history with all of it, twice each
// time. The order's versions hold the exact documents.
const (
	// mostWhole is how many bytes the values of a change take, about, before what
	// the two have in common is left out of them.
	mostWhole = 1 << 10
	// mostValue is how many bytes one value takes, about, before it is cut.
	mostValue = 8 << 10
	// mostApart is how many elements of a list are told one by one.
	mostApart = 100
)

// shortened returns changes within these bounds. For a long list or text, only
// what differs is told:
//
//	list[#7]    the element at position 7, counted from 0, or a field of it
//	list[#7..]  what stands from position 7 on; what follows is the same in both
//	text[#7..]  so, too; positions are characters
func shortened(changes []Change) []Change {
	// Nearly always all changes are small, and then nothing is copied.
	for i, c := range changes {
		if c.small() {
			continue
		}
		s := shortener{out: append(make([]Change, 0, len(changes)), changes[:i]...)}
		for _, c := range changes[i:] {
			s.add(c)
		}
		return s.out
	}
	return changes
}

// small reports whether the values of a change are short enough to be kept whole.
func (c Change) small() bool {
	return spare(spare(spare(mostWhole, c.Before), c.After), c.Theirs) >= 0
}

// spare returns what is left of so many bytes after a value, about as many as its
// JSON has. Below 0 it looks no further. It counts what is cheap to count. The bounds are
// about memory, so they need not be exact.
func spare(left int, v any) int {
	if left < 0 {
		return left
	}
	switch v := v.(type) {
	case string:
		left -= len(v)
	case jsondoc.Number:
		left -= len(v)
	case []any:
		for i := 0; i < len(v) && left >= 0; i++ {
			left = spare(left-1, v[i])
		}
	case *jsondoc.Object:
		for i := 0; i < v.Len() && left >= 0; i++ {
			left = spare(left-len(v.Members()[i].Name), v.Members()[i].Value)
		}
	}
	return left - 4
}

// shortener makes of each long change the changes within it, as far as they are shorter.
type shortener struct{ out []Change }

// add adds a change: whole where it is small, else what differs within it, else cut.
func (s *shortener) add(c Change) {
	if c.small() || c.Conflict { // a conflict has three values that belong together
		s.out = append(s.out, c.cut())
		return
	}
	had := len(s.out)
	switch before := c.Before.(type) {
	// Lists, objects and texts on both sides can be told by what differs in them. Any other
	// pair is cut.
	case []any:
		if after, ok := c.After.([]any); ok {
			s.list(c.Path, before, after)
		}
	case *jsondoc.Object:
		if after, ok := c.After.(*jsondoc.Object); ok {
			d := differ{}
			d.objects(before, after, place{path: c.Path})
			for _, within := range d.changes {
				s.add(within)
			}
		}
	case string:
		if after, ok := c.After.(string); ok {
			s.text(c.Path, before, after)
		}
	}
	// Nothing smaller was found within, as where a list became a text.
	if len(s.out) == had {
		s.out = append(s.out, c.cut())
	}
}

// list leaves out what is the same at the beginning and at the end of two lists. Where a few
// elements differ each is a change of its own, else the part between is one.
func (s *shortener) list(path string, before, after []any) {
	from := 0
	for from < min(len(before), len(after)) && jsondoc.Equal(before[from], after[from]) {
		from++
	}
	before, after = before[from:], after[from:]
	for len(before) > 0 && len(after) > 0 && jsondoc.Equal(before[len(before)-1], after[len(after)-1]) {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	// The rest cannot be told element by element, and is one change.
	apart := differing(before, after)
	if apart == nil {
		s.out = append(s.out, Change{Path: fmt.Sprintf("%s[#%d..]", path, from), Before: before, After: after}.cut())
	}
	for _, i := range apart {
		s.add(Change{Path: fmt.Sprintf("%s[#%d]", path, from+i), Before: before[i], After: after[i]})
	}
}

// differing returns the positions at which two lists of one length differ; nil
// where they have not the same length, or differ at many. Lists of different lengths cannot
// be told element by element: nobody knows which one is new.
func differing(a, b []any) (at []int) {
	if len(a) != len(b) {
		return nil
	}
	for i := range a {
		if jsondoc.Equal(a[i], b[i]) {
			continue
		}
		if len(at) == mostApart {
			return nil
		}
		at = append(at, i)
	}
	return at
}

// text leaves out what is the same at the beginning and at the end of two texts. It cuts between
// characters, never within one: half a character is no text.
func (s *shortener) text(path, before, after string) {
	from := 0
	for from < min(len(before), len(after)) && before[from] == after[from] {
		from++
	}
	for from > 0 && !(runeStarts(before, from) && runeStarts(after, from)) {
		from--
	}
	position := utf8.RuneCountInString(before[:from])
	before, after = before[from:], after[from:]
	same := 0
	for same < min(len(before), len(after)) && before[len(before)-1-same] == after[len(after)-1-same] {
		same++
	}
	// From the end, too, the cut must be between characters of both texts.
	for same > 0 && !(runeStarts(before, len(before)-same) && runeStarts(after, len(after)-same)) {
		same--
	}
	s.out = append(s.out, Change{Path: fmt.Sprintf("%s[#%d..]", path, position), Before: before[:len(before)-same], After: after[:len(after)-same]}.cut())
}

// runeStarts reports whether a text may be cut at a position, in bytes.
func runeStarts(s string, at int) bool { return at == len(s) || utf8.RuneStart(s[at]) }

// cut returns the change with values that are not too long. It says so of those
// that it had to cut. A value that is no text becomes the beginning of its JSON, so its
// type is lost: Cut says that.
func (c Change) cut() Change {
	for _, v := range []*any{&c.Before, &c.After, &c.Theirs} {
		if spare(mostValue, *v) >= 0 {
			continue
		}
		text, ok := (*v).(string)
		if !ok {
			text = string(appendStart(nil, *v))
		}
		*v, c.Cut = strings.ToValidUTF8(text[:min(mostValue, len(text))], "")+"…", true
	}
	return c
}

// appendStart appends the JSON of a value, or of one that is long as much of its start
// as a change may show, and somewhat more. Encoding a value of megabytes only to cut it
// would take long.
func appendStart(dst []byte, v any) []byte {
	switch v := v.(type) {
	case []any:
		dst = append(dst, '[')
		for i := 0; i < len(v) && len(dst) <= mostValue; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendStart(dst, v[i])
		}
		return append(dst, ']')
	case *jsondoc.Object:
		dst = append(dst, '{')
		for i := 0; i < v.Len() && len(dst) <= mostValue; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(jsondoc.AppendText(dst, v.Members()[i].Name), ':')
			dst = appendStart(dst, v.Members()[i].Value)
		}
		return append(dst, '}')
	case string: // a letter is written as at least one
		return jsondoc.AppendText(dst, strings.ToValidUTF8(v[:min(mostValue+utf8.UTFMax, len(v))], ""))
	}
	return jsondoc.AppendValue(dst, v, false)
}
