package oms_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// nested is an object of so many levels.
func nested(levels int) string {
	return strings.Repeat(`{"a":`, levels-1) + `{}` + strings.Repeat(`}`, levels-1)
}

func TestDeepDocumentsAreComparedInOneGo(t *testing.T) {
	// Each level compared from both sides would take longer than there is time.
	deep := `{"custom":[` + nested(oms.MaxDepth-2) + `],"customerName":"x"}`
	before := doc(t, deep)
	if got := oms.Diff(before, before.Clone()); len(got) != 0 {
		t.Errorf("differs from itself: %v", got)
	}
	got := apply(t, oms.APIPatch, deep, `{"customerName":"y","custom":[`+nested(oms.MaxDepth-2)+`]}`)
	if len(got.Changes) != 1 {
		t.Errorf("changes %v", got.Changes)
	}
}

func TestWhatWasPutTogetherDeeperThanTheLimitCanBeReadAgain(t *testing.T) {
	shipment := doc(t, `{"shipmentId":"S","custom":`+nested(oms.MaxDepth-1)+`}`)
	order := doc(t, `{"id":"O"}`)
	order.Set("orderForm", oms.NewObject(oms.Member{Name: "shipments", Value: []any{shipment}}))
	if _, err := oms.Parse(order.JSON()); err == nil {
		t.Error("the limit of what comes in is gone")
	}
	if _, err := oms.ParseStored(order.JSON()); err != nil {
		t.Error(err)
	}
}

func TestLongKeysAndNamesMakeNoLongPaths(t *testing.T) {
	key := strings.Repeat("k", 1<<16)
	before := `{"orderForm":{"lineItems":[{"lineItemId":"` + key + `","code":"a"},{"lineItemId":"` + key + `2","code":"a"}]}}`
	got := apply(t, oms.APIPatch, before, `{"orderForm":{"lineItems":[{"lineItemId":"`+key+`","code":"b"},{"lineItemId":"`+key+`2","`+key+`":1}]}}`)
	if len(got.Changes) != 2 || got.Changes[0].Path == got.Changes[1].Path {
		t.Fatalf("%d changes", len(got.Changes))
	}
	for _, c := range got.Changes {
		if len(c.Path) > 1000 {
			t.Errorf("a path of %d bytes", len(c.Path))
		}
	}
}
