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

func TestStatusesAreTrimmedAndBlankOnesNamed(t *testing.T) {
	o := doc(t, `{"status":" W\t","orderForm":{"shipments":[{"status":" A ","orderStatus":" B "},{"status":"","orderStatus":null},{"status":" ","orderStatus":"\n"}]}}`)
	want := []oms.FieldError{{Location: "x.orderForm.shipments[2].status", Message: "must not be empty"}, {Location: "x.orderForm.shipments[2].orderStatus", Message: "must not be empty"}}
	if diff := cmp.Diff(want, oms.TrimStatuses(o, "x")); diff != "" {
		t.Errorf("wrong (-want +got):\n%s", diff)
	}
	same(t, o, `{"status":"W","orderForm":{"shipments":[{"status":"A","orderStatus":"B"},{"status":"","orderStatus":null},{"status":" ","orderStatus":"\n"}]}}`)
	if wrong := oms.TrimStatuses(doc(t, `{"status":""}`), ""); len(wrong) != 1 || wrong[0].Location != "status" {
		t.Errorf("an empty status: %v", wrong)
	}
	s := doc(t, `{"status":" A ","orderStatus":""}`)
	if wrong := oms.CheckShipment(s, "body"); len(wrong) != 1 || wrong[0].Location != "body.orderStatus" || s.Text("status") != "A" {
		t.Errorf("a shipment by itself: %v, %s", wrong, s.JSON())
	}
	if wrong := oms.CheckShipment(doc(t, `{"status":null,"comment":"c"}`), "body"); wrong != nil {
		t.Errorf("one without a status: %v", wrong)
	}
}
