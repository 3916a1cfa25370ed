package oms

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// equal compares two values of documents. Numbers are equal by value, objects
// whatever the order of their members; a null member is as an absent one.
func equal(a, b any) bool {
	switch a := a.(type) {
	case Number:
		b, ok := b.(Number)
		return ok && sameNumber(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case *Object:
		b, ok := b.(*Object)
		return ok && present(a) == present(b) && subset(a, b)
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
func subset(a, b *Object) bool {
	for _, m := range a.Members() {
		if m.Value == nil {
			continue
		}
		v, _ := b.Get(m.Name)
		if !equal(m.Value, v) {
			return false
		}
	}
	return true
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
	case []any:
		dst = append(dst, '[')
		for _, e := range v {
			dst = append(canonical(dst, e), ',')
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		sorted := slices.Clone(v.Members())
		slices.SortFunc(sorted, func(a, b Member) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
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
