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
	mostDigits  = 400  // of a number as it is written
	mostBits    = 4000 // of a result
	mostPower   = 1000 // exponents of ten, and of **
	quotientEnd = 34   // places behind the point that a quotient is rounded to
	digitsStep  = 8    // digits of a number, and letters of a text, that are worked on in one step
)

var errNumber = errors.New("the number is too large to calculate with")

// parseNumber reads a number as JSON and filters write it.
func parseNumber(text string) (any, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if len(text) > mostDigits {
		return nil, errNumber
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() > mostPower || d.Exponent() < -mostPower {
		return nil, errNumber
	}
	return normal(d), nil
}

// normal is a number in the one form that its value has.
func normal(d decimal.Decimal) any {
	if d.Exponent() <= 18 && d.IsInteger() {
		if n := d.BigInt(); n.IsInt64() {
			return n.Int64()
		}
	}
	return d
}

// bounded is normal for a result.
func (x *evaluation) bounded(d decimal.Decimal) any {
	x.step(int(abs(int64(d.Exponent()))) / digitsStep)
	if d.Coefficient().BitLen() > mostBits || d.Exponent() > mostPower || d.Exponent() < -2*mostPower {
		panic(fault(errNumber.Error()))
	}
	return normal(d)
}

func asDecimal(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case int64:
		return decimal.NewFromInt(v), true
	case decimal.Decimal:
		return v, true
	}
	return decimal.Decimal{}, false
}

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

// weighed returns two numbers as decimals, once it took the steps for their size.
func (x *evaluation) weighed(a, b any) (c, d decimal.Decimal) {
	c, _ = asDecimal(a)
	d, _ = asDecimal(b)
	apart := int(abs(int64(c.Exponent()) - int64(d.Exponent())))
	x.step(8 + (apart+(c.Coefficient().BitLen()+d.Coefficient().BitLen())/4)/digitsStep)
	return c, d
}

// calculate returns a op b.
func (x *evaluation) calculate(op string, a, b any) any {
	i, isInt := a.(int64)
	j, isInt2 := b.(int64)
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
	case "/":
		x.divides(d)
		return x.bounded(c.DivRound(d, quotientEnd))
	case "%":
		x.divides(d)
		return x.bounded(c.Mod(d))
	}
	return x.power(c, d)
}

func (x *evaluation) divides(d decimal.Decimal) {
	if d.IsZero() {
		x.fail("a division by zero")
	}
}

// power raises to a whole exponent, by squaring.
func (x *evaluation) power(base, exponent decimal.Decimal) any {
	n, isInt := normal(exponent).(int64)
	if !isInt || abs(n) > mostPower {
		x.fail("an exponent must be a whole number from -%d to %d", mostPower, mostPower)
	}
	if n < 0 {
		x.divides(base)
	}
	var result, square any = int64(1), x.bounded(base)
	for left := abs(n); left > 0; {
		if left%2 == 1 {
			result = x.calculate("*", result, square)
		}
		if left /= 2; left > 0 {
			square = x.calculate("*", square, square)
		}
	}
	if n < 0 {
		return x.calculate("/", int64(1), result)
	}
	return result
}

func abs(n int64) int64 {
	if n == math.MinInt64 {
		return math.MaxInt64
	}
	return max(n, -n)
}
