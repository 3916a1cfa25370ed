// Tax-validator is a validator of carts that works out the tax that is in their prices, and
// rejects a cart of a market whose rate it does not know.
//
// Run it:
//
//	SIGNING_SECRET=… go run ./examples/tax-validator
//
// and have a connector named webhookValidator, with that signingSecret, call http://127.0.0.1:9102/.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"

	"github.com/orderhook/orderhook/receiver"
)

// rates are the percentages by market. A real one would ask a tax service.
var rates = map[string]receiver.Number{"DNK": "25", "FIN": "25.5", "NOR": "25", "SWE": "25"}

func main() {
	r, err := receiver.New(receiver.Config{Verifier: receiver.Verifier{Secrets: []string{os.Getenv("SIGNING_SECRET")}}})
	if err != nil {
		log.Fatal("SIGNING_SECRET: ", err)
	}
	l, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:9102"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, r.Validator("tax", validate)))
}

func validate(_ context.Context, req *receiver.CartRequest) (receiver.CartAnswer, error) {
	rate, known := rates[req.Cart.MarketID]
	if !known {
		return req.Reject(receiver.CartEntry{Message: fmt.Sprintf("no tax rate is known for the market %q", req.Cart.MarketID), ValidationType: "Tax"})
	}
	if req.Cart.OrderForm == nil {
		return req.Accept()
	}
	all := new(big.Rat)
	for i := range req.Cart.OrderForm.LineItems {
		line := &req.Cart.OrderForm.LineItems[i]
		tax, err := included(line.ExtendedPrice, rate)
		if err != nil {
			return receiver.CartAnswer{}, fmt.Errorf("line %s: %w", line.LineItemID, err)
		}
		// What is set is worked out of the price alone, so that a cart that is validated again has
		// the same tax.
		line.TaxRate, line.TaxTotal = rate, receiver.Decimal(tax, 2)
		rounded, err := line.TaxTotal.Rat()
		if err != nil {
			return receiver.CartAnswer{}, err
		}
		all.Add(all, rounded)
	}
	req.Cart.OrderForm.TaxTotal = receiver.Decimal(all, 2)
	return req.Accept()
}

// included is the tax that is in a price: price × rate / (100 + rate).
func included(price, rate receiver.Number) (*big.Rat, error) {
	p, err := price.Rat()
	if err != nil {
		return nil, err
	}
	r, err := rate.Rat()
	if err != nil {
		return nil, err
	}
	return p.Mul(p, new(big.Rat).Quo(r, new(big.Rat).Add(r, big.NewRat(100, 1)))), nil
}
