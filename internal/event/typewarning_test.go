package event_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
)

// docs/contract.md#endpoints: a type that can match nothing known is a
// warning.
func TestTypesThatMatchNothingKnown(t *testing.T) {
	more := []string{"loyalty.points_earned", "Pallet-Moved"}
	for pattern, want := range map[string]string{
		"*":                      "",
		"ordercreated":           "",
		"ORDER_*":                "",
		"o*":                     "",
		"loyalty.*":              "",
		"LOYALTY.points_earned":  "",
		"pallet-*":               "",
		"workflow_failed":        "",
		"Delivery_Failed":        "",
		"ordr_*":                 "no type of events that is known begins so; is order_* meant?",
		"oder*":                  "no type of events that is known begins so; is order_* meant?",
		"shipments_*":            "no type of events that is known begins so; is shipment_* meant?",
		"stock_itm_*":            "no type of events that is known begins so; is stock_item_* meant?",
		"loyality.*":             "no type of events that is known begins so; is loyalty.* meant?",
		"invoice_*":              "no type of events that is known begins so; if it is published through the API, all is well",
		"order_complete":         "is no type of events that is known; is order_completed meant?",
		"OrderCreatd":            "is no type of events that is known; is OrderCreated meant?",
		"loyalty.point_earned":   "is no type of events that is known; is loyalty.points_earned meant?",
		"exportorder":            "goes to the connector of an ExportOrder step alone, and to no endpoint",
		"invoice_paid":           "is no type of events that is known; if it is published through the API, all is well",
		"workflow_*":             "no wildcard stands for workflow_failed, which is sent only to endpoints that name it",
		"delivery_failed*":       "no wildcard stands for delivery_failed, which is sent only to endpoints that name it",
		"order_completed_twice*": "no type of events that is known begins so; if it is published through the API, all is well",
	} {
		got := event.WarnTypes([]string{"OrderCreated", pattern}, more)
		switch {
		case want == "" && len(got) == 0:
		case len(got) != 1 || got[0].Path != "eventTypes[1]" || got[0].Message != want:
			t.Errorf("%s: %v, not %s", pattern, got, want)
		}
	}
	many := event.WarnTypes(strings.Fields("a* OrderCreated b"), nil)
	if len(many) != 2 || many[0].Path != "eventTypes[0]" || many[1].Path != "eventTypes[2]" {
		t.Errorf("%v", many)
	}
}
