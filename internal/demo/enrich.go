package demo

import (
	"net/http"
	"strings"

	"github.com/shopspring/decimal"
)

// weights are what the enrichment knows of the shop's articles, in kilograms. An article
// that is not here makes the answer a warning, so that one is seen.
var weights = map[string]string{
	"FV-TENT-2P": "1.95", "FV-MAT-R": "0.48", "GAS-230": "0.38", "LMP-HEAD-4": "0.11", "AID-TEAM": "2.40", "GPS-XT": "0.25", "GIFT-1000": "0",
}

// Prices that the enrichment gives.
var (
	clubPrice   = decimal.RequireFromString("0.90") // members, of the shop's own brand
	volumePrice = decimal.RequireFromString("0.95") // from volumeFrom pieces on
	volumeFrom  = decimal.NewFromInt(20)
)

// ownBrand is the brand for which members pay less.
const ownBrand = "Fjellvant"

// enrich adds the parcel's weight and tags, and gives club and volume prices.
// It sets the price of a line; the totals are orderhook's to recompute. A header of the
// step's own, X-Api-Key, is how it knows orderhook. A weight that is not known is no
// reason to stop: the answer is a warning, and the workflow continues.
func (e *endpoints) enrich(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Api-Key") != e.token {
		http.Error(w, "wrong X-Api-Key", http.StatusUnauthorized)
		return
	}
	// What is no request of a step is answered already.
	req, _, ok := readStep(w, r)
	if !ok {
		return
	}
	// The patch has only what this endpoint knows better than the shop.
	weight, unknown := weigh(req.Value.OrderLines)
	patch := map[string]any{"Properties": []property{{"ParcelWeightKg", weight.String()}}}
	if tags := tagsFor(req); len(tags) > 0 {
		patch["Tags"] = tags
	}
	if lines := reprice(req); len(lines) > 0 {
		patch["OrderForm"] = map[string]any{"LineItems": lines}
	}
	// A warning is a success for the workflow: the patch is applied, and the next step is
	// called.
	a := success(patch)
	// The result names what is missing, and stands in the history of the order.
	if len(unknown) > 0 {
		a.OrderActionExecutionResults[0] = stepResult{ActionStatus: "Warning", ErrorReason: "no weight is known for " + strings.Join(unknown, ", ")}
	}
	reply(w, a)
}

// weigh adds up the lines, and names those whose weight nobody knows. Decimals are added,
// and no floats, so the sum has no digits that nobody wrote.
func weigh(lines []orderLine) (sum decimal.Decimal, unknown []string) {
	for _, l := range lines {
		// The weights are a table in the program, as they would be a database elsewhere.
		text, ok := weights[l.Code]
		if !ok {
			unknown = append(unknown, l.Code)
			continue
		}
		sum = sum.Add(decimal.RequireFromString(text).Mul(number(l.Quantity)))
	}
	return sum, unknown
}

// tagsFor returns the tags to add. Tags of an order are a set, so those that are there
// already do no harm.
func tagsFor(req stepRequest) (tags []string) {
	if req.Value.CustomerClubMemberID != "" {
		tags = append(tags, "club")
	}
	for _, l := range req.Value.OrderLines {
		// A carrier has to know of these, whoever orders them.
		if strings.HasPrefix(l.Code, "GAS-") {
			tags = append(tags, "dangerous-goods")
		}
	}
	return tags
}

// reprice returns the lines that get another price, as a patch names them. It names a
// line by its key and the field that changes; all else of the line stays
// (docs/contract.md#patches).
func reprice(req stepRequest) (lines []map[string]any) {
	for _, l := range req.Value.OrderLines {
		var factor decimal.Decimal
		// Only one of the two prices applies, that of the club first.
		switch {
		case req.Value.CustomerClubMemberID != "" && l.Brand == ownBrand:
			factor = clubPrice
		case number(l.Quantity).GreaterThanOrEqual(volumeFrom):
			factor = volumePrice
		default:
			continue
		}
		// A price has two decimals, and is sent with both.
		price := number(l.PlacedPrice).Mul(factor).StringFixed(2)
		lines = append(lines, map[string]any{"LineItemId": l.LineItemID, "PlacedPrice": exact(price)})
	}
	return lines
}
