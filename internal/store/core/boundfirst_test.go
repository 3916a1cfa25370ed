package core

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/store"
)

// TestTheBoundsOfAStepStandFirst: with a million deliveries that succeeded, each step would
// read from the first of them on, which no plan shows.
func TestTheBoundsOfAStepStandFirst(t *testing.T) {
	floor, below := int64(7), int64(9)
	text, args := deliveredLike("acme", store.DeliveryFilter{}).own(&below, &floor, 5)
	bound, all := strings.Index(text, "deliveries.event >= ?"), strings.Index(text, "deliveries.event > 0")
	if bound < 0 || all < 0 || bound > all {
		t.Errorf("%s", text)
	}
	if args[0] != floor || args[1] != below || args[2] != "acme" {
		t.Errorf("%v", args)
	}
}
