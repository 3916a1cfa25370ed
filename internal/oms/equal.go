package oms

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// equal compares two values of documents. Numbers are equal by value, times by
// instant, names of fields without regard to case, objects whatever the order of
// their members; a null member is as an absent one.
func equal(a, b any) bool { return same(a, b, sameNumber) }

// echoes reports whether a value that came back is the one that was sent, as a
// JSON library may have written it anew: a number as the double nearest to it.
func echoes(sent, back any) bool {
	return same(sent, back, func(s, b Number) bool { return sameNumber(s, b) || asDouble(s, b) })
}

func same(a, b any, numbers func(a, b Number) bool) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && (a == b || sameTime(a, b))
	case Number:
		b, ok := b.(Number)
		return ok && numbers(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, func(x, y any) bool { return same(x, y, numbers) })
	case *Object:
		b, ok := b.(*Object)
		return ok && present(a) == present(b) && subset(a, b, numbers)
	}
	switch b.(type) {
	case []any, *Object:
		return false
	}
	return a == b
}

// subset reports whether b has all that a has. Where both have as many members
// they are equal then; to look from both sides would double the work at each
// depth.
func subset(a, b *Object, numbers func(a, b Number) bool) bool {
	for _, m := range a.Members() {
		if m.Value == nil {
			continue
		}
		i := b.counterpart(m.Name, a)
		if i < 0 || !same(m.Value, b.members[i].Value, numbers) {
			return false
		}
	}
	return true
}

// holds reports whether a value that came back says nothing but what the one that
// is there says: objects may lack members of it, at every depth. It ends at the
// first difference, so that its cost is bounded by the smaller of both.
func holds(have, back any) bool {
	h, ok := have.(*Object)
	b, ok2 := back.(*Object)
	if !ok || !ok2 {
		return echoes(have, back)
	}
	for _, m := range b.Members() {
		if m.Value == nil {
			continue
		}
		i := h.counterpart(m.Name, b)
		if i < 0 || !holds(h.members[i].Value, m.Value) {
			return false
		}
	}
	return true
}

// counterpart returns the position of the member that another object's member of
// the given name means: the one of exactly that name, else the one that has that
// name on the wire of the steps, else one whose name differs in case; of the last
// two only one which the other object does not name itself. -1 for none.
func (o *Object) counterpart(name string, other *Object) int {
	if i := o.findExact(name); i >= 0 {
		return i
	}
	i := o.findExact(unraised(name))
	if i < 0 || other.findExact(o.members[i].Name) >= 0 {
		i = o.findFolded(name)
	}
	if i < 0 || other.findExact(o.members[i].Name) >= 0 {
		return -1
	}
	return i
}

// member returns the value of the counterpart of another object's member.
func (o *Object) member(name string, other *Object) any {
	if i := o.counterpart(name, other); i >= 0 {
		return o.members[i].Value
	}
	return nil
}

// present counts the members that are not null.
func present(o *Object) (n int) {
	for _, m := range o.Members() {
		if m.Value != nil {
			n++
		}
	}
	return n
}

func sameNumber(a, b Number) bool {
	if a == b {
		return true
	}
	x, ok := a.decimal()
	y, ok2 := b.decimal()
	return ok && ok2 && x.Equal(y)
}

// sameTime reports whether two texts are both points in time, and the same one:
// other systems write its zone and its fractions in their own way.
func sameTime(a, b string) bool {
	t, ok := timeOf(a)
	if !ok {
		return false
	}
	u, ok := timeOf(b)
	return ok && t.Equal(u)
}

// timeLayouts are how RFC 3339, Java and .NET write a time, the last without a zone.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"}

// timeOf reads a text that is a date, with a time or without, which then is the
// day's first instant: a typed program hands back a date like that. A time without
// a zone is UTC.
func timeOf(s string) (time.Time, bool) {
	const shortest, longest = len(time.DateOnly), len("2006-01-02T15:04:05.000000000+00:00")
	if len(s) < shortest || len(s) > longest || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	if len(s) == shortest {
		t, err := time.Parse(time.DateOnly, s)
		return t, err == nil
	}
	if s[shortest] != 'T' {
		return time.Time{}, false
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// sameAmount reports whether two values stand for the same amount, be they
// written as numbers or as texts.
func sameAmount(a, b any) bool {
	x, ok := decimalOf(a)
	y, ok2 := decimalOf(b)
	return ok && ok2 && x.Equal(y)
}

// asDouble reports whether a number is what a library that reads numbers as
// doubles writes for another: the shortest decimal of that double, or the one of
// 17 digits. A number that merely lies as near to it is another one.
func asDouble(sent, back Number) bool {
	f, err := strconv.ParseFloat(string(sent), 64)
	if err != nil {
		return false
	}
	for _, digits := range []int{-1, 17} {
		if sameNumber(back, Number(strconv.FormatFloat(f, 'g', digits, 64))) {
			return true
		}
	}
	return false
}

// maxExponent bounds the numbers that orderhook calculates with. A price is far
// within; 1e999999999 would take all memory to write out.
const maxExponent = 1000

// decimal returns the number for exact arithmetic, and whether it is small
// enough to calculate with.
func (n Number) decimal() (decimal.Decimal, bool) {
	d, err := decimal.NewFromString(string(n))
	return d, err == nil && -maxExponent <= d.Exponent() && d.Exponent() <= maxExponent
}

// appendNormal appends the text that numbers of one value share. It is never
// written out in full: a list of 1e999s would be a thousand times its size.
func appendNormal(dst []byte, d decimal.Decimal) []byte {
	if d.IsZero() {
		return append(dst, '0')
	}
	digits := d.Coefficient().String()
	short := strings.TrimRight(digits, "0")
	if d.IsNegative() {
		dst = append(dst, '-')
	}
	dst = append(append(dst, short...), 'x') // as no JSON number is written
	return strconv.AppendInt(dst, int64(d.Exponent())+int64(len(digits)-len(short)), 10)
}

// canonical appends a text that two values share exactly when they are equal.
func canonical(dst []byte, v any) []byte {
	switch v := v.(type) {
	case Number:
		if d, ok := v.decimal(); ok {
			return appendNormal(dst, d)
		}
	case string:
		if t, ok := timeOf(v); ok {
			return append(t.AppendFormat(append(dst, '@'), time.RFC3339Nano), ' ')
		}
	case []any:
		dst = append(dst, '[')
		for _, e := range v {
			dst = append(canonical(dst, e), ',')
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		sorted := slices.Clone(v.Members())
		slices.SortFunc(sorted, func(a, b Member) int {
			return cmp.Or(strings.Compare(fold(a.Name), fold(b.Name)), strings.Compare(a.Name, b.Name))
		})
		for _, m := range sorted {
			if m.Value != nil {
				dst = append(appendText(dst, fold(m.Name)), ':')
				dst = append(canonical(dst, m.Value), ',')
			}
		}
		return append(dst, '}')
	}
	return appendValue(dst, v, false)
}
