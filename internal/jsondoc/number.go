package jsondoc

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// IsDecimal reports whether a text is a number as JSON writes it, small enough
// to calculate with. It is asked of amounts that came as text.
func IsDecimal(s string) bool {
	_, ok := DecimalOf(s)
	return ok
}

// DecimalOf returns the amount that a value of a document stands for: a number,
// or a text that is written as one. Other systems write money in either way
// (docs/contract.md#documents).
func DecimalOf(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case Number:
		return v.Decimal()
	case string:
		// It must be a number as JSON writes it, and nothing more: no white space around it.
		if v != "" && len(v) <= MaxNumber && (v[0] == '-' || '0' <= v[0] && v[0] <= '9') && strings.TrimSpace(v) == v && jsontext.Value(v).IsValid() {
			return Number(v).Decimal()
		}
	}
	return decimal.Zero, false
}

// sameNumber compares two numbers by value. One that is too large to calculate with equals
// the same text alone.
func sameNumber(a, b Number) bool {
	if a == b {
		return true
	}
	x, ok := a.Decimal()
	y, ok2 := b.Decimal()
	return ok && ok2 && x.Equal(y)
}

// SameAmount reports whether two values stand for the same amount, be they
// written as numbers or as texts.
func SameAmount(a, b any) bool {
	x, ok := DecimalOf(a)
	y, ok2 := DecimalOf(b)
	return ok && ok2 && x.Equal(y)
}

// asDouble reports whether a number is what a library that reads numbers as
// doubles writes for another: the shortest decimal of that double, or the one of
// 17 digits. A number that merely lies as near to it is another one. JavaScript and others
// read all numbers so.
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

// Decimal returns the number for exact arithmetic, and whether it is small
// enough to calculate with. A caller that cannot calculate with one says so, or leaves it as
// it is.
func (n Number) Decimal() (decimal.Decimal, bool) {
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
