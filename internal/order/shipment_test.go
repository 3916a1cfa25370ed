package order_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

// docs/contract.md#shipments.

func TestAShipmentEntersAStatus(t *testing.T) {
	for _, tc := range []struct {
		name, shipment, status, want, was string
		changed                           bool
	}{
		{"the first", `{}`, "Packed", `{"orderStatus":"Packed"}`, "", true},
		{"the next", `{"orderStatus":"Packed","status":"New"}`, "Shipped", `{"orderStatus":"Shipped","status":"New","prevStatus":"Packed"}`, "Packed", true},
		{"the one it is in", `{"orderStatus":"Packed","prevStatus":"New"}`, "PACKED", `{"orderStatus":"Packed","prevStatus":"New"}`, "Packed", false},
		{"one of before orderStatus was kept", `{"status":"Packed"}`, "Shipped", `{"status":"Packed","orderStatus":"Shipped","prevStatus":"Packed"}`, "Packed", true},
		{"the one it was in before", `{"status":"Packed"}`, "packed", `{"status":"Packed","orderStatus":"packed"}`, "Packed", true},
	} {
		s := ordertest.Doc(t, tc.shipment)
		if was, changed := order.EnterShipmentStatus(s, tc.status); was != tc.was || changed != tc.changed {
			t.Errorf("%s: %q, %v", tc.name, was, changed)
		}
		ordertest.Same(t, s, tc.want)
	}
}

func TestTheStatusThatAllShipmentsAreIn(t *testing.T) {
	for shipments, want := range map[string]string{
		``:                          "",
		`{"orderStatus":"Shipped"}`: "Shipped",
		`{"orderStatus":"Shipped"},{"orderStatus":"SHIPPED"}`:                       "Shipped",
		`{"orderStatus":"Shipped"},{"orderStatus":"Packed"}`:                        "",
		`{"orderStatus":"Packed"},{"orderStatus":"Shipped"}`:                        "",
		`{"orderStatus":"Shipped"},{"status":"Shipped"}`:                            "",
		`{"status":"Shipped"},{"status":"Shipped"}`:                                 "",
		`{"orderStatus":"Shipped"},{"orderStatus":"Shipped"},{"orderStatus":"New"}`: "",
	} {
		if got := order.SharedShipmentStatus(ordertest.Doc(t, `{"orderForm":{"shipments":[`+shipments+`]}}`)); got != want {
			t.Errorf("[%s]: %q, want %q", shipments, got, want)
		}
	}
	if order.SharedShipmentStatus(ordertest.Doc(t, `{}`)) != "" {
		t.Error("an order without shipments")
	}
}

func TestShipmentsThatMoved(t *testing.T) {
	of := func(shipments string) *jsondoc.Object {
		return ordertest.Doc(t, `{"orderForm":{"shipments":[`+shipments+`]}}`)
	}
	one := `{"shipmentId":"1","orderStatus":"Packed"}`
	for after, want := range map[string]bool{
		one: false, `{"shipmentId":"1","orderStatus":"packed","status":"X"}`: false,
		`{"shipmentId":"1","orderStatus":"Shipped"}`: true, `{"shipmentId":"1"}`: true, one + `,` + one: true, ``: true,
	} {
		if got := order.ShipmentsMoved(of(one), of(after)); got != want {
			t.Errorf("to [%s]: %v", after, got)
		}
	}
}

func TestAShipmentByItselfHasNoEmptyStatus(t *testing.T) {
	for body, want := range map[string][]apierr.FieldError{
		`{"status":""}`:                    {{Location: "body.status", Message: "must not be empty"}},
		`{"orderStatus":"","status":"A"}`:  {{Location: "body.orderStatus", Message: "must not be empty"}},
		`{"status":null,"comment":""}`:     nil,
		`{"status":" A ","prevStatus":""}`: nil,
	} {
		if diff := cmp.Diff(want, order.CheckShipment(ordertest.Doc(t, body), "body")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestStatusesAreTrimmedWhereTheyAreReadAndBlankOnesRefused(t *testing.T) {
	o, _, err := schema.ParseOrder([]byte(`{"status":" W\t","orderForm":{"shipments":[{"status":" A ","orderStatus":" B "},{"status":"","orderStatus":null}]},"returnOrderForms":[{"prevStatus":" C "}]}`))
	if err != nil {
		t.Fatal(err)
	}
	ordertest.Same(t, o, `{"status":"W","orderForm":{"shipments":[{"status":"A","orderStatus":"B"},{"status":"","orderStatus":null}]},"returnOrderForms":[{"prevStatus":"C"}]}`)
	for body, place := range map[string]string{
		`{"status":" "}`: "status", `{"orderForm":{"shipments":[{},{"orderStatus":"\t"}]}}`: "orderForm.shipments[1].orderStatus",
		`{"returnOrderForms":[{"status":" "}]}`: "returnOrderForms[0].status", `{"returnOrderForms":[{},{"prevStatus":"\t "}]}`: "returnOrderForms[1].prevStatus",
	} {
		_, _, err := schema.ParseOrder([]byte(body))
		ordertest.Refused(t, err, apierr.Invalid, place+": must not be empty")
	}
	_, _, err = schema.ParseShipment([]byte(`{"status":" "}`))
	ordertest.Refused(t, err, apierr.Invalid, "status: must not be empty")
}
