package filter

import (
	"cmp"
	"errors"
	"math"
	"strconv"

	"github.com/shopspring/decimal"
)

// Numbers are int64 where they are whole and fit, else [decimal.Decimal]: exact
// to the digit, however they are written. A price never passes through a float.

// Limits of what is calculated with; a price is far within.
const (
	// mostDigits is how many digits a number may have as it is written.
	mostDigits = 400
	// mostBits is how many bits the digits of a result may take.
	mostBits = 4000
	// mostPower bounds the exponents of ten that numbers have, and those of a power.
	mostPower = 1000
	// quotientEnd is how many places behind the point a quotient is rounded to.
	quotientEnd = 34
	// digitsStep is how many digits of a number, or letters of a text, are worked on in
	// one step.
	digitsStep = 8
)

// errNumber is the error for a number beyond these limits.
var errNumber = errors.New("the number is too large to calculate with")

// parseNumber reads a number as JSON and filters write it. Most numbers are whole and
// small, and those are cheap to calculate with. A caller that reads numbers out of texts says
// in words of its own what is wrong with one.
func parseNumber(text string) (any, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if len(text) > mostDigits {
		return nil, errNumber
	}
	d, err := decimal.NewFromString(text)
	// 1e999999999 is a short text, and would take all memory in the first calculation.
	if err != nil || d.Exponent() > mostPower || d.Exponent() < -mostPower {
		return nil, errNumber
	}
	return normal(d), nil
}

// normal is a number in the one form that its value has.
func normal(d decimal.Decimal) any {
	// A number with a larger exponent fits no int64, and to find that out would write out
	// all its digits.
	if d.Exponent() <= 18 && d.IsInteger() {
		if n := d.BigInt(); n.IsInt64() {
			return n.Int64()
		}
	}
	return d
}

// bounded is normal for a result. It takes the steps for the digits that the result has.
func (x *evaluation) bounded(d decimal.Decimal) any {
	x.step(int(abs(int64(d.Exponent()))) / digitsStep)
	if d.Coefficient().BitLen() > mostBits || d.Exponent() > mostPower || d.Exponent() < -2*mostPower {
		panic(fault(errNumber.Error()))
	}
	return normal(d)
}

// asDecimal returns a number as a decimal; false of anything else.
func asDecimal(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case int64:
		return decimal.NewFromInt(v), true
	case decimal.Decimal:
		return v, true
	}
	return decimal.Decimal{}, false
}

// isNumber reports whether a value is a number, in either of its forms.
func isNumber(v any) bool {
	switch v.(type) {
	case int64, decimal.Decimal:
		return true
	}
	return false
}

// compareNumbers is below, at or above 0 as a is less than b, equal, or more.
func (x *evaluation) compareNumbers(a, b any) int {
	i, isInt := a.(int64)
	j, isInt2 := b.(int64)
	if isInt && isInt2 {
		return cmp.Compare(i, j)
	}
	c, d := x.weighed(a, b)
	return c.Cmp(d)
}

// weighed returns two numbers as decimals, once it took the steps for their size. Anything
// that is no number counts as 0; the callers have asked before.
func (x *evaluation) weighed(a, b any) (c, d decimal.Decimal) {
	c, _ = asDecimal(a)
	d, _ = asDecimal(b)
	// Before they can be compared or added, one of them gets as many digits more as their
	// exponents are apart.
	apart := int(abs(int64(c.Exponent()) - int64(d.Exponent())))
	x.step(8 + (apart+(c.Coefficient().BitLen()+d.Coefficient().BitLen())/4)/digitsStep)
	return c, d
}

// calculate returns a op b. op is +, -, *, /, % or one of the two signs of a power.
func (x *evaluation) calculate(op string, a, b any) any {
	i, isInt := a.(int64)
	j, isInt2 := b.(int64)
	// The results of these always fit, so no decimals are needed.
	if isInt && isInt2 && abs(i) <= math.MaxInt32 && abs(j) <= math.MaxInt32 {
		switch op {
		case "+":
			return i + j
		case "-":
			return i - j
		case "*":
			return i * j
		}
	}
	c, d := x.weighed(a, b)
	switch op {
	case "+":
		return x.bounded(c.Add(d))
	case "-":
		return x.bounded(c.Sub(d))
	case "*":
		return x.bounded(c.Mul(d))
	// A quotient may have no end, so it is rounded. All other results are exact.
	case "/":
		x.divides(d)
		return x.bounded(c.DivRound(d, quotientEnd))
	case "%":
		x.divides(d)
		return x.bounded(c.Mod(d))
	}
	return x.power(c, d)
}

// divides refuses a division by zero, of which the decimals would panic.
func (x *evaluation) divides(d decimal.Decimal) {
	if d.IsZero() {
		x.fail("a division by zero")
	}
}

// power raises to a whole exponent, by squaring. So it takes no more products than the
// exponent has binary digits, twice.
func (x *evaluation) power(base, exponent decimal.Decimal) any {
	n, isInt := normal(exponent).(int64)
	// A power with a fraction in its exponent has no exact value.
	if !isInt || abs(n) > mostPower {
		x.fail("an exponent must be a whole number from -%d to %d", mostPower, mostPower)
	}
	if n < 0 {
		x.divides(base)
	}
	var result, square any = int64(1), x.bounded(base)
	// Each product is bounded, so a result that is too large ends this early.
	for left := abs(n); left > 0; {
		if left%2 == 1 {
			result = x.calculate("*", result, square)
		}
		if left /= 2; left > 0 {
			square = x.calculate("*", square, square)
		}
	}
	// The division comes last, so that there is only one result to round.
	if n < 0 {
		return x.calculate("/", int64(1), result)
	}
	return result
}

// abs is the absolute value; the least int64 has none, and gets the nearest.
func abs(n int64) int64 {
	if n == math.MinInt64 {
		return math.MaxInt64
	}
	return max(n, -n)
}
