package order_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

func TestEntersStatus(t *testing.T) {
	const before = `{"status":"New","orderForm":{"shipments":[{"shipmentId":"1","status":"Packed"},{"shipmentId":"2"}]}}`
	for after, want := range map[string]bool{
		before:                             false,
		`{"status":"NEW"}`:                 false,
		`{"status":"Held"}`:                true,
		`{"status":"New","tags":["Held"]}`: false,
		`{"status":"New","orderForm":{"shipments":[{"shipmentId":"1","status":"packed"}]}}`:                        false,
		`{"status":"New","orderForm":{"shipments":[{"shipmentId":"1","status":"Shipped"}]}}`:                       true,
		`{"status":"New","orderForm":{"shipments":[{"shipmentId":"2","orderStatus":"Shipped"}]}}`:                  true,
		`{"status":"New","orderForm":{"shipments":[{"shipmentId":"1","status":"Packed","deliveryStatus":"Out"}]}}`: false,
		`{"status":"New","orderForm":{"shipments":[{"shipmentId":"3","status":"Shipped"},{"status":"Lost"}]}}`:     false,
	} {
		if got := order.EntersStatus(ordertest.Doc(t, before), ordertest.Doc(t, after)); got != want {
			t.Errorf("%s: %v", after, got)
		}
	}
}
