package order_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

// nested is an object of so many levels.
func nested(levels int) string {
	return strings.Repeat(`{"a":`, levels-1) + `{}` + strings.Repeat(`}`, levels-1)
}

func TestDeepDocumentsAreComparedInOneGo(t *testing.T) {
	// Each level compared from both sides would take longer than there is time.
	deep := `{"custom":[` + nested(jsondoc.MaxDepth-2) + `],"customerName":"x"}`
	before := ordertest.Doc(t, deep)
	if got := order.Diff(before, before.Clone()); len(got) != 0 {
		t.Errorf("differs from itself: %v", got)
	}
	got := ordertest.Apply(t, order.APIPatch, deep, `{"customerName":"y","custom":[`+nested(jsondoc.MaxDepth-2)+`]}`)
	if len(got.Changes) != 1 {
		t.Errorf("changes %v", got.Changes)
	}
}

func TestWhatWasPutTogetherDeeperThanTheLimitCanBeReadAgain(t *testing.T) {
	shipment := ordertest.Doc(t, `{"shipmentId":"S","custom":`+nested(jsondoc.MaxDepth-1)+`}`)
	order := ordertest.Doc(t, `{"id":"O"}`)
	order.Set("orderForm", jsondoc.NewObject(jsondoc.Member{Name: "shipments", Value: []any{shipment}}))
	if _, err := schema.Parse(order.JSON()); err == nil {
		t.Error("the limit of what comes in is gone")
	}
	if _, err := schema.ParseStored(order.JSON()); err != nil {
		t.Error(err)
	}
}

func TestLongKeysAndNamesMakeNoLongPaths(t *testing.T) {
	key := strings.Repeat("k", 1<<16)
	before := `{"orderForm":{"lineItems":[{"lineItemId":"` + key + `","code":"a"},{"lineItemId":"` + key + `2","code":"a"}]}}`
	got := ordertest.Apply(t, order.APIPatch, before, `{"orderForm":{"lineItems":[{"lineItemId":"`+key+`","code":"b"},{"lineItemId":"`+key+`2","`+key+`":1}]}}`)
	if len(got.Changes) != 2 || got.Changes[0].Path == got.Changes[1].Path {
		t.Fatalf("%d changes", len(got.Changes))
	}
	for _, c := range got.Changes {
		if len(c.Path) > 1000 {
			t.Errorf("a path of %d bytes", len(c.Path))
		}
	}
}
