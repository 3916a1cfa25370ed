package demo

import (
	"net/http"
	"strings"

	"github.com/shopspring/decimal"
)

// weights are what the enrichment knows of the shop's articles, in kilograms.
var weights = map[string]string{
	"FV-TENT-2P": "1.95", "FV-MAT-R": "0.48", "GAS-230": "0.38", "LMP-HEAD-4": "0.11", "AID-TEAM": "2.40", "GPS-XT": "0.25", "GIFT-1000": "0",
}

// Prices that the enrichment gives.
var (
	clubPrice   = decimal.RequireFromString("0.90") // members, of the shop's own brand
	volumePrice = decimal.RequireFromString("0.95") // from volumeFrom pieces on
	volumeFrom  = decimal.NewFromInt(20)
)

const ownBrand = "Fjellvant"

// enrich adds the parcel's weight and tags, and gives club and volume prices.
// It sets the price of a line; the totals are orderhook's to recompute.
func (e *endpoints) enrich(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Api-Key") != e.token {
		http.Error(w, "wrong X-Api-Key", http.StatusUnauthorized)
		return
	}
	req, _, ok := readStep(w, r)
	if !ok {
		return
	}
	weight, unknown := weigh(req.Value.OrderLines)
	patch := map[string]any{"Properties": []property{{"ParcelWeightKg", weight.String()}}}
	if tags := tagsFor(req); len(tags) > 0 {
		patch["Tags"] = tags
	}
	if lines := reprice(req); len(lines) > 0 {
		patch["OrderForm"] = map[string]any{"LineItems": lines}
	}
	a := success(patch)
	if len(unknown) > 0 {
		a.OrderActionExecutionResults[0] = stepResult{ActionStatus: "Warning", ErrorReason: "no weight is known for " + strings.Join(unknown, ", ")}
	}
	reply(w, a)
}

// weigh adds up the lines, and names those whose weight nobody knows.
func weigh(lines []orderLine) (sum decimal.Decimal, unknown []string) {
	for _, l := range lines {
		text, ok := weights[l.Code]
		if !ok {
			unknown = append(unknown, l.Code)
			continue
		}
		sum = sum.Add(decimal.RequireFromString(text).Mul(number(l.Quantity)))
	}
	return sum, unknown
}

func tagsFor(req stepRequest) (tags []string) {
	if req.Value.CustomerClubMemberID != "" {
		tags = append(tags, "club")
	}
	for _, l := range req.Value.OrderLines {
		if strings.HasPrefix(l.Code, "GAS-") {
			tags = append(tags, "dangerous-goods")
		}
	}
	return tags
}

// reprice returns the lines that get another price, as a patch names them.
func reprice(req stepRequest) (lines []map[string]any) {
	for _, l := range req.Value.OrderLines {
		var factor decimal.Decimal
		switch {
		case req.Value.CustomerClubMemberID != "" && l.Brand == ownBrand:
			factor = clubPrice
		case number(l.Quantity).GreaterThanOrEqual(volumeFrom):
			factor = volumePrice
		default:
			continue
		}
		price := number(l.PlacedPrice).Mul(factor).StringFixed(2)
		lines = append(lines, map[string]any{"LineItemId": l.LineItemID, "PlacedPrice": exact(price)})
	}
	return lines
}
