package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// fraud gives each order a score, and cancels the workflow of those above the
// MaxScore that the step is configured with. The score is stored in either case: the
// patch of an answer that stops the workflow is applied, too, but for its status.
func fraud(w http.ResponseWriter, r *http.Request) {
	req, _, ok := readStep(w, r)
	if !ok {
		return
	}
	// The score is the sum of simple rules, so that a reader of the output can follow it.
	score, reasons := assess(req)
	patch := map[string]any{"Properties": []property{{"FraudScore", strconv.Itoa(score)}}}
	// A good order goes on, with its score as a property.
	if score <= maxScore(req) {
		reply(w, success(patch))
		return
	}
	// The tag is stored although the workflow ends, so that somebody finds the order by
	// it.
	patch["Tags"] = []string{"fraud-suspected"}
	reply(w, stepAnswer{[]stepResult{{
		ActionStatus: "Error", CancelWorkflow: true,
		ErrorReason: fmt.Sprintf("fraud score %d: %s", score, strings.Join(reasons, ", ")),
	}}, patch})
}

// maxScore reads the property of the step; any property that orderhook does
// not know itself reaches the endpoint. Without the property every order with a score is
// stopped.
func maxScore(req stepRequest) int {
	for _, p := range req.WorkflowStep.Properties {
		if p.Key == "MaxScore" {
			if n, err := strconv.Atoi(p.Value); err == nil {
				return n
			}
		}
	}
	return 0
}

// assess adds up points for what looks unusual, with the reasons in words, which become
// the error on the order.
func assess(req stepRequest) (score int, reasons []string) {
	o := req.Value
	add := func(points int, format string, args ...any) {
		score += points
		reasons = append(reasons, fmt.Sprintf(format, args...))
	}
	// Many gift cards are what a thief of a credit card buys.
	for _, l := range o.OrderLines {
		if strings.HasPrefix(l.Code, "GIFT-") && number(l.Quantity).GreaterThanOrEqual(decimal.NewFromInt(5)) {
			add(60, "%s gift cards", l.Quantity)
		}
	}
	// Without a shipping address nothing can be compared.
	if from, to := o.BillingAddress.CountryCode, o.ShippingAddress.CountryCode; to != "" && from != to {
		add(40, "billed to %s, shipped to %s", from, to)
	}
	if o.IsNewCustomer {
		add(20, "new customer")
	}
	return score, reasons
}
