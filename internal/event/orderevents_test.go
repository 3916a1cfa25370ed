package event_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/spelling"
)

// write is a write of order O1 from one document to another; before is "" for
// a new order.
func write(t testing.TB, before, after string) *event.OrderWrite {
	t.Helper()
	document := func(json string) *jsondoc.Object {
		d := ordertest.Doc(t, json)
		d.Set("id", "O1")
		return d
	}
	if before == "" {
		order, err := order.NewOrder(document(after), ordertest.Noon)
		if err != nil {
			t.Fatal(err)
		}
		return &event.OrderWrite{After: order, At: ordertest.Noon}
	}
	order, err := order.NewOrder(document(before), ordertest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	w := &event.OrderWrite{Before: order.Doc, After: order, At: ordertest.Noon}
	order.Advance(document(after), ordertest.Noon)
	return w
}

// types are the types of events, those of things that are no order with the
// thing's id behind them.
func types(events []*event.Event) []string {
	var out []string
	for _, e := range events {
		if e.Subject.Kind == event.SubjectOrder {
			out = append(out, e.Type)
			continue
		}
		out = append(out, e.Type+" "+e.Subject.ID)
	}
	return out
}

func entering(status string) [2]string {
	return [2]string{`{"status":"Parked"}`, fmt.Sprintf(`{"status":%q}`, status)}
}

// shipment is two states of an order that differ in its shipment S1.
func shipment(before, after string) [2]string {
	order := func(fields string) string {
		return `{"status":"New","orderForm":{"shipments":[{"shipmentId":"S0","status":"New"},{"shipmentId":"S1",` + fields + `}]}}`
	}
	return [2]string{order(before), order(after)}
}

const noShipment = `{"status":"New","orderForm":{"shipments":[{"shipmentId":"S0","status":"New"}]}}`

// The rows of docs/contract.md#event-types, and the sentences
// around it.
func TestEventsOfAnOrder(t *testing.T) {
	for name, c := range map[string]struct {
		write [2]string
		want  []string
	}{
		"stored for the first time": {[2]string{"", `{"status":"Parked"}`}, []string{"OrderCreated"}},
		"… without a status":        {[2]string{"", `{}`}, []string{"OrderCreated"}},
		"Accepted":                  {entering("Accepted"), []string{"OrderAccepted"}},
		"Signed":                    {entering("Signed"), []string{"OrderSigned"}},
		"Rejected":                  {entering("Rejected"), []string{"OrderRejected"}},
		"Expired":                   {entering("Expired"), []string{"OrderExpired"}},
		"Completed":                 {entering("Completed"), []string{"order_completed"}},
		"Canceled":                  {entering("Canceled"), []string{"OrderCanceled", "order_cancelled"}},
		"Cancelled":                 {entering("Cancelled"), []string{"OrderCanceled", "order_cancelled"}},
		"OrderCanceled":             {entering("OrderCanceled"), []string{"OrderCanceled", "order_cancelled"}},
		"OrderCanceledByCustomer":   {entering("OrderCanceledByCustomer"), []string{"OrderCanceled", "order_cancelled"}},
		"OrderCanceledByStore":      {entering("OrderCanceledByStore"), []string{"OrderCanceled", "order_cancelled"}},
		"a status of no row":        {entering("Deleted"), nil},
		"a status that holds a row": {entering("NotAccepted"), nil},
		"a status in another case":  {entering("aCCEPTED"), []string{"OrderAccepted"}},
		"created in Accepted":       {[2]string{"", `{"status":"Accepted"}`}, []string{"OrderCreated", "OrderAccepted"}},
		"created in Canceled":       {[2]string{"", `{"status":"canceled"}`}, []string{"OrderCreated", "OrderCanceled", "order_cancelled"}},
		"its own status again":      {[2]string{`{"status":"Accepted"}`, `{"status":"ACCEPTED"}`}, nil},
		"one cancel after another":  {[2]string{`{"status":"Canceled"}`, `{"status":"Cancelled"}`}, []string{"OrderCanceled", "order_cancelled"}},
		"another field":             {[2]string{`{"status":"Accepted"}`, `{"status":"Accepted","tags":["x"]}`}, nil},

		"dueDate changes":             {[2]string{`{"status":"A","dueDate":"2026-12-01"}`, `{"status":"A","dueDate":"2026-12-02"}`}, []string{"OrderDueDateUpdated"}},
		"dueDate is set":              {[2]string{`{"status":"A"}`, `{"status":"A","dueDate":"2026-12-02"}`}, []string{"OrderDueDateUpdated"}},
		"dueDate is removed":          {[2]string{`{"status":"A","dueDate":"2026-12-01"}`, `{"status":"A","dueDate":null}`}, []string{"OrderDueDateUpdated"}},
		"dueDate stays":               {[2]string{`{"status":"A","dueDate":"2026-12-01"}`, `{"status":"A","dueDate":"2026-12-01","x":1}`}, nil},
		"dueDate of a new order":      {[2]string{"", `{"status":"A","dueDate":"2026-12-01"}`}, []string{"OrderCreated"}},
		"null where none was":         {[2]string{`{"status":"A"}`, `{"status":"A","dueDate":null}`}, nil},
		"dueDate and status together": {[2]string{`{"status":"A"}`, `{"status":"Signed","dueDate":"2026-12-01"}`}, []string{"OrderSigned", "OrderDueDateUpdated"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, types(write(t, c.write[0], c.write[1]).Events())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEventsOfAShipment(t *testing.T) {
	for name, c := range map[string]struct {
		write [2]string
		want  []string
	}{
		"it enters Shipped":                 {shipment(`"status":"New"`, `"status":"Shipped"`), []string{"shipment_shipped S1"}},
		"it enters Shipped in any case":     {shipment(`"status":"New"`, `"status":"sHIPPED"`), []string{"shipment_shipped S1"}},
		"without a status before":           {shipment(`"x":1`, `"x":1,"status":"Shipped"`), []string{"shipment_shipped S1"}},
		"its orderStatus enters Shipped":    {shipment(`"orderStatus":"Packed"`, `"orderStatus":"Shipped","prevStatus":"Packed"`), []string{"shipment_shipped S1"}},
		"both enter Shipped":                {shipment(`"status":"New"`, `"status":"Shipped","orderStatus":"Shipped","prevStatus":"New"`), []string{"shipment_shipped S1"}},
		"one after the other":               {shipment(`"orderStatus":"Shipped"`, `"orderStatus":"Shipped","status":"Shipped"`), []string{"shipment_shipped S1"}},
		"orderStatus Shipped, status not":   {shipment(`"status":"New"`, `"status":"OnItsWay","orderStatus":"Shipped"`), []string{"shipment_shipped S1", "shipment_updated S1"}},
		"its orderStatus becomes another":   {shipment(`"orderStatus":"New"`, `"orderStatus":"Packed","prevStatus":"New"`), []string{"shipment_updated S1"}},
		"its prevStatus alone":              {shipment(`"orderStatus":"New"`, `"orderStatus":"New","prevStatus":"x"`), []string{"shipment_updated S1"}},
		"its orderStatus is in Shipped":     {shipment(`"orderStatus":"Shipped"`, `"orderStatus":"SHIPPED"`), nil},
		"it is in Shipped":                  {shipment(`"status":"Shipped"`, `"status":"SHIPPED"`), nil},
		"a status different from shipped":   {shipment(`"status":"New"`, `"status":"Packed"`), []string{"shipment_updated S1"}},
		"it leaves Shipped":                 {shipment(`"status":"Shipped"`, `"status":"Lost"`), []string{"shipment_updated S1"}},
		"its status is removed":             {shipment(`"status":"Shipped"`, `"status":null`), []string{"shipment_updated S1"}},
		"a tracking details update":         {shipment(`"status":"New"`, `"status":"New","shipmentTrackingNumber":"3704"`), []string{"shipment_updated S1"}},
		"something deep inside":             {shipment(`"address":{"city":"Oslo"}`, `"address":{"city":"Bodø"}`), []string{"shipment_updated S1"}},
		"an unknown field":                  {shipment(`"own":[1]`, `"own":[2]`), []string{"shipment_updated S1"}},
		"a field removed":                   {shipment(`"own":[1]`, `"own":null`), []string{"shipment_updated S1"}},
		"many fields":                       {shipment(`"a":1,"b":1`, `"a":2,"b":2,"c":3,"status":"Packed"`), []string{"shipment_updated S1"}},
		"a number written otherwise":        {shipment(`"total":79`, `"total":79.00`), nil},
		"its deliveryStatus":                {shipment(`"deliveryStatus":"InTransit"`, `"deliveryStatus":"Delivered"`), []string{"shipment_delivery_status_updated S1"}},
		"its first deliveryStatus":          {shipment(`"a":1`, `"a":1,"deliveryStatus":"InTransit"`), []string{"shipment_delivery_status_updated S1"}},
		"shipped, with a tracking number":   {shipment(`"status":"New"`, `"status":"Shipped","shipmentTrackingNumber":"3704"`), []string{"shipment_shipped S1", "shipment_updated S1"}},
		"shipped, with a deliveryStatus":    {shipment(`"status":"New"`, `"status":"Shipped","deliveryStatus":"InTransit"`), []string{"shipment_shipped S1", "shipment_delivery_status_updated S1"}},
		"all three":                         {shipment(`"status":"New"`, `"status":"Shipped","a":1,"deliveryStatus":"InTransit"`), []string{"shipment_shipped S1", "shipment_updated S1", "shipment_delivery_status_updated S1"}},
		"nothing":                           {shipment(`"status":"New"`, `"status":"New"`), nil},
		"added":                             {[2]string{noShipment, shipment("", `"status":"New"`)[1]}, []string{"shipment_updated S1"}},
		"added in Shipped":                  {[2]string{noShipment, shipment("", `"status":"Shipped"`)[1]}, []string{"shipment_shipped S1", "shipment_updated S1"}},
		"added with a deliveryStatus":       {[2]string{noShipment, shipment("", `"deliveryStatus":"InTransit"`)[1]}, []string{"shipment_updated S1", "shipment_delivery_status_updated S1"}},
		"the first of an order":             {[2]string{`{"status":"New"}`, noShipment}, []string{"shipment_updated S0"}},
		"gone":                              {[2]string{shipment("", `"status":"New"`)[1], noShipment}, nil},
		"of a new order":                    {[2]string{"", shipment("", `"status":"New","deliveryStatus":"InTransit"`)[1]}, []string{"OrderCreated"}},
		"of a new order, in Shipped":        {[2]string{"", shipment("", `"status":"Shipped","deliveryStatus":"InTransit"`)[1]}, []string{"OrderCreated", "shipment_shipped S1"}},
		"in another place of the list":      {[2]string{shipment("", `"a":1`)[1], `{"status":"New","orderForm":{"shipments":[{"shipmentId":"S1","a":1},{"shipmentId":"S0","status":"New"}]}}`}, nil},
		"several at once":                   {[2]string{shipment("", `"a":1`)[1], `{"status":"New","orderForm":{"shipments":[{"shipmentId":"S0","status":"Shipped"},{"shipmentId":"S1","a":2}]}}`}, []string{"shipment_shipped S0", "shipment_updated S1"}},
		"without ids, known by their order": {[2]string{`{"status":"New","orderForm":{"shipments":[{"a":1},{"a":2}]}}`, `{"status":"New","orderForm":{"shipments":[{"a":1},{"a":3}]}}`}, []string{"shipment_updated "}},
		"without ids, the first changed":    {[2]string{`{"status":"New","orderForm":{"shipments":[{"a":1},{"a":2},{"a":3}]}}`, `{"status":"New","orderForm":{"shipments":[{"a":9},{"a":2},{"a":3}]}}`}, []string{"shipment_updated "}},
		"of one id, the first changed":      {[2]string{`{"status":"New","orderForm":{"shipments":[{"shipmentId":"S","a":1},{"shipmentId":"S","a":2}]}}`, `{"status":"New","orderForm":{"shipments":[{"shipmentId":"S","a":9},{"shipmentId":"S","a":2}]}}`}, []string{"shipment_updated S"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, types(write(t, c.write[0], c.write[1]).Events())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// `events` of a status adds to or replaces the table.
func TestEventsThatSettingsAskFor(t *testing.T) {
	add, replace := event.StatusEvents{Types: []string{"order_packed", "OrderAccepted", "order_packed", "Order_Packed"}}, event.StatusEvents{Replace: true, Types: []string{"order_packed"}}
	for name, c := range map[string]struct {
		write  [2]string
		events event.StatusEvents
		want   []string
	}{
		"added, each once":          {entering("Accepted"), add, []string{"OrderAccepted", "order_packed"}},
		"added where none was":      {entering("Packed"), add, []string{"order_packed", "OrderAccepted"}},
		"replaced":                  {entering("Accepted"), replace, []string{"order_packed"}},
		"silenced":                  {entering("Canceled"), event.StatusEvents{Replace: true}, nil},
		"its own status again":      {[2]string{`{"status":"Accepted"}`, `{"status":"accepted"}`}, replace, nil},
		"OrderCreated stays":        {[2]string{"", `{"status":"Accepted"}`}, event.StatusEvents{Replace: true}, []string{"OrderCreated"}},
		"dueDate stays":             {[2]string{`{"status":"A"}`, `{"status":"Signed","dueDate":"2026-12-01"}`}, event.StatusEvents{Replace: true}, []string{"OrderDueDateUpdated"}},
		"shipments stay":            {[2]string{`{"status":"A"}`, strings.Replace(noShipment, `"New","orderForm"`, `"Signed","orderForm"`, 1)}, event.StatusEvents{Replace: true}, []string{"shipment_updated S0"}},
		"of a new order, each once": {[2]string{"", `{"status":"Accepted"}`}, event.StatusEvents{Types: []string{"OrderCreated"}}, []string{"OrderCreated", "OrderAccepted"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := write(t, c.write[0], c.write[1])
			w.Settings = func(string) event.StatusEvents { return c.events }
			if diff := cmp.Diff(c.want, types(w.Events())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A patch may set one status and TriggerNewStatus the next, in one write.
func TestStatusesOnTheWayAreEntered(t *testing.T) {
	for _, c := range []struct {
		from, to  string
		via, want []string
	}{
		{"New", "Completed", []string{"Accepted", "Completed"}, []string{"Accepted", "Completed"}},
		{"New", "Completed", []string{"new", "Accepted", "ACCEPTED", "Completed"}, []string{"Accepted", "Completed"}},
		{"New", "New", []string{"Accepted", "New"}, []string{"Accepted", "New"}},
		{"New", "New", nil, nil},
		{"New", "Accepted", nil, []string{"Accepted"}},
	} {
		w := write(t, fmt.Sprintf(`{"status":%q}`, c.from), fmt.Sprintf(`{"status":%q}`, c.to))
		w.Via = c.via
		if diff := cmp.Diff(c.want, w.Entered()); diff != "" {
			t.Errorf("%v: %s", c, diff)
		}
	}
	w := write(t, `{"status":"New"}`, `{"status":"Completed"}`)
	w.Via = []string{"Accepted", "Completed"}
	if diff := cmp.Diff([]string{"OrderAccepted", "order_completed"}, types(w.Events())); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAnEventCarries(t *testing.T) {
	const form = `"orderForm":{"lineItems":[{"lineItemId":"L1","placedPrice":10.10}],"shipments":[{"shipmentId":"S1","shippingTotal":79.00,"orderId":"not this","CustomField":{"deep":[0.10]}}]}`
	w := write(t, `{"status":"New"}`, `{"status":"Canceled","SubscriptionId":"SUB-1","dueDate":"2026-12-01",`+form+`}`)
	w.ReturnID = "R1"
	events := w.Events()
	if diff := cmp.Diff([]string{"OrderCanceled", "order_cancelled", "OrderDueDateUpdated", "shipment_updated S1"}, types(events)); diff != "" {
		t.Fatal(diff)
	}
	order := event.Event{Subject: event.Subject{Kind: "order", ID: "O1"}, Related: event.Related{OrderID: "O1", ReturnID: "R1", SubscriptionID: "SUB-1"}, Timestamp: ordertest.Noon, Data: w.After.Doc.JSON()}
	shipment := event.Event{Subject: event.Subject{Kind: "shipment", ID: "S1"}, Related: event.Related{OrderID: "O1", ShipmentID: "S1", SubscriptionID: "SUB-1"}, Timestamp: ordertest.Noon,
		Data: []byte(`{"shipmentId":"S1","shippingTotal":79.00,"orderId":"O1","CustomField":{"deep":[0.10]}}`)}
	ids := map[string]bool{}
	for i, e := range events {
		want := order
		if i == 3 {
			want = shipment
		}
		want.ID, want.Type = e.ID, e.Type
		if diff := cmp.Diff(want, *e); diff != "" {
			t.Error(diff)
		}
		if !strings.HasPrefix(e.ID, "evt_") || ids[e.ID] {
			t.Errorf("id %q", e.ID)
		}
		ids[e.ID] = true
	}
	if got := string(order.Data); !strings.Contains(got, `"version":2`) || !strings.Contains(got, `"status":"Canceled"`) {
		t.Errorf("not the order after the write: %s", got)
	}
	if &events[0].Data[0] != &events[2].Data[0] {
		t.Error("the order was encoded more than once")
	}
	if original := w.After.Doc.Object("orderForm").Objects("shipments")[0].Text("orderId"); original != "not this" {
		t.Errorf("the order's own shipment became %q", original)
	}
}

// asOrder is a generated document as version 1 of an order.
func asOrder(t *rapid.T, d *jsondoc.Object) *order.Order {
	d.Delete("id")
	if strings.TrimSpace(d.Text("status")) == "" {
		d.Delete("status")
	}
	order, err := order.NewOrder(d, ordertest.Noon)
	if err != nil {
		t.Skip(err)
	}
	return order
}

func TestNothingHappensWithoutAChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := asOrder(t, ordertest.Orders.Draw(t, "order"))
		w := &event.OrderWrite{Before: order.Doc, After: order, At: ordertest.Noon}
		order.Advance(order.Doc.Clone(), ordertest.Noon)
		if events := w.Events(); len(events) > 0 {
			t.Errorf("events %v", types(events))
		}
	})
}

// Each shipment that a patch changes or adds has an event, and no other one.
func TestEachChangeOfAShipmentHasItsEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := asOrder(t, ordertest.Orders.Draw(t, "order"))
		patched, err := order.APIPatch.Apply(o.Doc, ordertest.KeyedPatches.Draw(t, "patch"))
		if err != nil {
			t.Skip(err)
		}
		w := &event.OrderWrite{Before: o.Doc, After: o, At: ordertest.Noon}
		o.Advance(patched.Doc, ordertest.Noon)
		got := map[string]bool{}
		for _, e := range w.Events() {
			if e.Subject.Kind == event.SubjectShipment {
				got[e.Subject.ID] = true
			}
		}
		for _, s := range patched.Doc.Object("orderForm").Objects("shipments") {
			id := s.Text("shipmentId")
			was := order.Shipment(w.Before, id)
			changed := was == nil || len(order.Diff(was, s)) > 0 && !onlyCaseOfStatus(was, s)
			if got[id] != changed {
				t.Errorf("shipment %s: changed %v, events %v", id, changed, types(w.Events()))
			}
			delete(got, id)
		}
		if len(got) > 0 {
			t.Errorf("events of shipments that are not there: %v", got)
		}
	})
}

func onlyCaseOfStatus(was, is *jsondoc.Object) bool {
	return len(order.Diff(was, is)) == 1 && order.Diff(was, is)[0].Path == "status" && spelling.SameName(was.Text("status"), is.Text("status"))
}
