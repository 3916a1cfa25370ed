package oms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
)

// CONTRACT.md, "Shipments".

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
		s := doc(t, tc.shipment)
		if was, changed := oms.EnterShipmentStatus(s, tc.status); was != tc.was || changed != tc.changed {
			t.Errorf("%s: %q, %v", tc.name, was, changed)
		}
		same(t, s, tc.want)
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
		if got := oms.SharedShipmentStatus(doc(t, `{"orderForm":{"shipments":[`+shipments+`]}}`)); got != want {
			t.Errorf("[%s]: %q, want %q", shipments, got, want)
		}
	}
	if oms.SharedShipmentStatus(doc(t, `{}`)) != "" {
		t.Error("an order without shipments")
	}
}

func TestShipmentsThatMoved(t *testing.T) {
	of := func(shipments string) *oms.Object { return doc(t, `{"orderForm":{"shipments":[`+shipments+`]}}`) }
	one := `{"shipmentId":"1","orderStatus":"Packed"}`
	for after, want := range map[string]bool{
		one: false, `{"shipmentId":"1","orderStatus":"packed","status":"X"}`: false,
		`{"shipmentId":"1","orderStatus":"Shipped"}`: true, `{"shipmentId":"1"}`: true, one + `,` + one: true, ``: true,
	} {
		if got := oms.ShipmentsMoved(of(one), of(after)); got != want {
			t.Errorf("to [%s]: %v", after, got)
		}
	}
}

func TestAShipmentByItselfHasNoEmptyStatus(t *testing.T) {
	for body, want := range map[string][]oms.FieldError{
		`{"status":""}`:                    {{Location: "body.status", Message: "must not be empty"}},
		`{"orderStatus":"","status":"A"}`:  {{Location: "body.orderStatus", Message: "must not be empty"}},
		`{"status":null,"comment":""}`:     nil,
		`{"status":" A ","prevStatus":""}`: nil,
	} {
		if diff := cmp.Diff(want, oms.CheckShipment(doc(t, body), "body")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestStatusesAreTrimmedWhereTheyAreReadAndBlankOnesRefused(t *testing.T) {
	o, _, err := oms.ParseOrder([]byte(`{"status":" W\t","orderForm":{"shipments":[{"status":" A ","orderStatus":" B "},{"status":"","orderStatus":null}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, o, `{"status":"W","orderForm":{"shipments":[{"status":"A","orderStatus":"B"},{"status":"","orderStatus":null}]}}`)
	for body, place := range map[string]string{
		`{"status":" "}`: "status", `{"orderForm":{"shipments":[{},{"orderStatus":"\t"}]}}`: "orderForm.shipments[1].orderStatus",
		`{"returnOrderForms":[{"status":" "}]}`: "returnOrderForms[0].status",
	} {
		_, _, err := oms.ParseOrder([]byte(body))
		refused(t, err, oms.Invalid, place+": must not be empty")
	}
	_, _, err = oms.ParseShipment([]byte(`{"status":" "}`))
	refused(t, err, oms.Invalid, "status: must not be empty")
}
