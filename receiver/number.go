package receiver

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Number is a number as it was written, to the digit: no price passes through a float. The
// empty Number is one that is absent, and counts as 0.
type Number string

// mostExponent bounds the exponents that are calculated with: 1e1000000000 is ten bytes of
// JSON, and would be a gigabyte of digits.
const mostExponent = 1000

// Rat returns the exact value.
func (n Number) Rat() (*big.Rat, error) {
	if n == "" {
		return new(big.Rat), nil
	}
	if !isNumber(string(n)) {
		return nil, fmt.Errorf("%q is no number", string(n))
	}
	if i := strings.IndexAny(string(n), "eE"); i >= 0 {
		if e, err := strconv.Atoi(string(n[i+1:])); err != nil || e > mostExponent || e < -mostExponent {
			return nil, fmt.Errorf("the exponent of %q is beyond %d", string(n), mostExponent)
		}
	}
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return nil, fmt.Errorf("%q is no number", string(n))
	}
	return r, nil
}

// Decimal returns a value with so many places after the point, rounded half away from zero.
func Decimal(value *big.Rat, places int) Number { return Number(value.FloatString(places)) }

// Equal reports whether two numbers have one value, as 10.10 and 10.1 do. An absent one
// equals only another absent one.
func (n Number) Equal(other Number) bool {
	if n == other || n == "" || other == "" {
		return n == other
	}
	a, err := n.Rat()
	if err != nil {
		return false
	}
	b, err := other.Rat()
	return err == nil && a.Cmp(b) == 0
}

// UnmarshalJSON implements json.Unmarshaler. Other systems write amounts as text.
func (n *Number) UnmarshalJSON(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	if !isNumber(text) {
		return fmt.Errorf("%s is no number", data)
	}
	*n = Number(text)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	if !isNumber(string(n)) {
		return nil, fmt.Errorf("%q is no number", string(n))
	}
	return []byte(n), nil
}

// isNumber reports whether a text is a number of JSON, which 0x1, 1_000 and +1 are not.
func isNumber(text string) bool {
	begins := text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9')
	ends := text != "" && text[len(text)-1] >= '0' && text[len(text)-1] <= '9'
	return begins && ends && json.Valid([]byte(text))
}
