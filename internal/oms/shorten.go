package oms

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of one change as it is shown and kept. A list, or a text, that grows by
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

// shortened returns changes within these bounds. Of a long list or text, only
// what differs is told:
//
//	list[#7]    the element at position 7, counted from 0, or a field of it
//	list[#7..]  what stands from position 7 on; what follows is the same in both
//	text[#7..]  so, too; positions are characters
func shortened(changes []Change) []Change {
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

func (c Change) small() bool {
	return spare(spare(spare(mostWhole, c.Before), c.After), c.Theirs) >= 0
}

// spare returns what is left of so many bytes after a value, about as many as its
// JSON has. Below 0 it looks no further.
func spare(left int, v any) int {
	if left < 0 {
		return left
	}
	switch v := v.(type) {
	case string:
		left -= len(v)
	case Number:
		left -= len(v)
	case []any:
		for i := 0; i < len(v) && left >= 0; i++ {
			left = spare(left-1, v[i])
		}
	case *Object:
		for i := 0; i < v.Len() && left >= 0; i++ {
			left = spare(left-len(v.members[i].Name), v.members[i].Value)
		}
	}
	return left - 4
}

type shortener struct{ out []Change }

func (s *shortener) add(c Change) {
	if c.small() || c.Conflict { // a conflict has three values that belong together
		s.out = append(s.out, c.cut())
		return
	}
	had := len(s.out)
	switch before := c.Before.(type) {
	case []any:
		if after, ok := c.After.([]any); ok {
			s.list(c.Path, before, after)
		}
	case *Object:
		if after, ok := c.After.(*Object); ok {
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
	if len(s.out) == had {
		s.out = append(s.out, c.cut())
	}
}

func (s *shortener) list(path string, before, after []any) {
	from := 0
	for from < min(len(before), len(after)) && equal(before[from], after[from]) {
		from++
	}
	before, after = before[from:], after[from:]
	for len(before) > 0 && len(after) > 0 && equal(before[len(before)-1], after[len(after)-1]) {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	apart := differing(before, after)
	if apart == nil {
		s.out = append(s.out, Change{Path: fmt.Sprintf("%s[#%d..]", path, from), Before: before, After: after}.cut())
	}
	for _, i := range apart {
		s.add(Change{Path: fmt.Sprintf("%s[#%d]", path, from+i), Before: before[i], After: after[i]})
	}
}

// differing returns the positions at which two lists of one length differ; nil
// where they have not the same length, or differ at many.
func differing(a, b []any) (at []int) {
	if len(a) != len(b) {
		return nil
	}
	for i := range a {
		if equal(a[i], b[i]) {
			continue
		}
		if len(at) == mostApart {
			return nil
		}
		at = append(at, i)
	}
	return at
}

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
	for same > 0 && !(runeStarts(before, len(before)-same) && runeStarts(after, len(after)-same)) {
		same--
	}
	s.out = append(s.out, Change{Path: fmt.Sprintf("%s[#%d..]", path, position), Before: before[:len(before)-same], After: after[:len(after)-same]}.cut())
}

func runeStarts(s string, at int) bool { return at == len(s) || utf8.RuneStart(s[at]) }

// cut returns the change with values that are not too long. It says so of those
// that it had to cut.
func (c Change) cut() Change {
	for _, v := range []*any{&c.Before, &c.After, &c.Theirs} {
		if spare(mostValue, *v) >= 0 {
			continue
		}
		text, ok := (*v).(string)
		if !ok {
			text = string(appendValue(nil, *v, false))
		}
		*v, c.Cut = strings.ToValidUTF8(text[:min(mostValue, len(text))], "")+"…", true
	}
	return c
}
