package demo

import (
	"encoding/json"

	"github.com/shopspring/decimal"
)

// number reads a number to the digit; 0 for what is none. A real endpoint would refuse
// such an order; here there is none.
func number(n json.Number) decimal.Decimal {
	d, err := decimal.NewFromString(n.String())
	if err != nil {
		return decimal.Zero
	}
	return d
}

// exact writes a decimal as a JSON number, not through a float.
func exact(text string) json.Number { return json.Number(text) }
