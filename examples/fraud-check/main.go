// Fraud-check is a workflow step that scores an order, notes the score on it, and stops the
// workflow of one that looks like fraud.
//
// Run it:
//
//	SIGNING_SECRET=… go run ./examples/fraud-check
//
// and have a WebhookWorkflowStep with stopOnError call http://127.0.0.1:9101/, through a
// connector with that signingSecret. The property StopAt of the step says from which score on an
// order is stopped; 80 without it.
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
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/receiver"
)

func main() {
	r, err := receiver.New(receiver.Config{Verifier: receiver.Verifier{Secrets: []string{os.Getenv("SIGNING_SECRET")}}})
	if err != nil {
		log.Fatal("SIGNING_SECRET: ", err)
	}
	l, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:9101"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, r.Step("fraud-check", check)))
}

func check(_ context.Context, req *receiver.StepRequest) (receiver.Answer, error) {
	stopAt, err := strconv.Atoi(cmp.Or(req.Step.Property("StopAt"), "80"))
	if err != nil {
		return receiver.Answer{}, &receiver.StatusError{Status: http.StatusBadRequest, Message: "the property StopAt of the step is no number"}
	}
	score, reasons, err := scored(&req.Order)
	if err != nil {
		return receiver.Answer{}, err
	}
	req.Order.SetProperty("FraudScore", strconv.Itoa(score))
	req.Order.AddTag("fraud-checked")
	patch, err := req.Changes()
	if err != nil {
		return receiver.Answer{}, err
	}
	switch why := strings.Join(reasons, ", "); {
	case score >= stopAt:
		return receiver.Stop(fmt.Sprintf("this looks like fraud (score %d): %s", score, why)).With(patch), nil
	case score > 0:
		return receiver.Warn(fmt.Sprintf("score %d: %s", score, why)).With(patch), nil
	}
	return receiver.Continue().With(patch), nil
}

// scored says how much an order looks like fraud, from 0, and why.
func scored(o *receiver.Order) (score int, reasons []string, err error) {
	add := func(points int, reason string) { score, reasons = score+points, append(reasons, reason) }
	if o.OrderForm == nil {
		return 0, nil, nil
	}
	total, err := o.OrderForm.Total.Rat()
	if err != nil {
		return 0, nil, err
	}
	if total.Cmp(big.NewRat(10_000, 1)) > 0 {
		add(50, "it costs over 10000")
	}
	for _, line := range o.OrderForm.LineItems {
		quantity, err := line.Quantity.Rat()
		if err != nil {
			return 0, nil, err
		}
		if quantity.Cmp(big.NewRat(20, 1)) > 0 {
			add(20, "it has over 20 of "+line.Code)
		}
	}
	if billed, sent := countryOf(o.BillingAddress), countryOf(o.ShippingAddress); billed != "" && sent != "" && !strings.EqualFold(billed, sent) {
		add(40, "it is paid for in "+billed+" and sent to "+sent)
	}
	return score, reasons, nil
}

// countryOf is the country of an address, "" where nobody has said it.
func countryOf(a *receiver.Address) string {
	if a == nil {
		return ""
	}
	return a.CountryCode
}
