package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// fraud gives each order a score, and cancels the workflow of those above the
// MaxScore that the step is configured with.
func fraud(w http.ResponseWriter, r *http.Request) {
	req, _, ok := readStep(w, r)
	if !ok {
		return
	}
	score, reasons := judge(req)
	patch := map[string]any{"Properties": []property{{"FraudScore", strconv.Itoa(score)}}}
	if score <= maxScore(req) {
		reply(w, success(patch))
		return
	}
	patch["Tags"] = []string{"fraud-suspected"}
	reply(w, stepAnswer{[]stepResult{{
		ActionStatus: "Error", CancelWorkflow: true,
		ErrorReason: fmt.Sprintf("fraud score %d: %s", score, strings.Join(reasons, ", ")),
	}}, patch})
}

// maxScore reads the property of the step; any property that orderhook does
// not know itself reaches the endpoint.
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

func judge(req stepRequest) (score int, reasons []string) {
	o := req.Value
	add := func(points int, format string, args ...any) {
		score += points
		reasons = append(reasons, fmt.Sprintf(format, args...))
	}
	for _, l := range o.OrderLines {
		if strings.HasPrefix(l.Code, "GIFT-") && number(l.Quantity).GreaterThanOrEqual(decimal.NewFromInt(5)) {
			add(60, "%s gift cards", l.Quantity)
		}
	}
	if from, to := o.BillingAddress.CountryCode, o.ShippingAddress.CountryCode; to != "" && from != to {
		add(40, "billed to %s, shipped to %s", from, to)
	}
	if o.IsNewCustomer {
		add(20, "new customer")
	}
	return score, reasons
}
