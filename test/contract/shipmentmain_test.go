package contract

import (
	"fmt"
	"testing"
)

// docs/contract.md#shipments: shipmentStatusUpdate and mainOrderStatus.

// statusWith is an order status in settings with further fields, each with a comma in front.
func statusWith(name, more string, steps ...step) string {
	return with(status(name, steps...), more)
}

const mainCompleted = `"mainOrderStatus":"Completed"`

func TestAShipmentsOwnStatusFollowsTheSettings(t *testing.T) {
	r := lease(t)
	r.settings(config(statusWith("Packed", `"shipmentStatusUpdate":"Ready"`), status("Shipped")))
	r.post(order)
	r.ship("SHIP-2", "packed").is("order.orderForm.shipments[1].status", "Ready").is("order.orderForm.shipments[0].status", "New")
	e := r.entry("StatusChanged")
	equals(t, "changes", fmt.Sprint(len(e.Changes)), "3")
	r.ship("SHIP-2", "Shipped").is("order.orderForm.shipments[1].status", "Ready").is("order.orderForm.shipments[1].prevStatus", "packed")
	r.call("PATCH", theShipments+"/SHIP-2", `{"status":"Lost"}`).want(200).is("orderForm.shipments[1].orderStatus", "Shipped")
	r.ship("SHIP-2", "Packed").is("order.orderForm.shipments[1].status", "Ready")
	r.call("PATCH", theShipments+"/SHIP-2", `{"status":"Lost"}`).want(200)
	again := r.ship("SHIP-2", "Packed").is("order.orderForm.shipments[1].status", "Ready").is("order.orderForm.shipments[1].prevStatus", "Shipped")
	entries := len(r.history("StatusChanged"))
	r.ship("SHIP-2", "packed").is("order.version", again.at("order.version")) // it is there already
	equals(t, "entries", len(r.history("StatusChanged")), entries)
}

func TestTheOrderEntersTheMainStatusOnceAllShipmentsAreThere(t *testing.T) {
	s := answering(t, "")
	r := lease(t)
	r.settings(config(statusWith("Shipped", mainCompleted, step{Host: s.URL + "/shipped"}), status("Completed", step{Host: s.URL + "/completed"})))
	r.post(order)
	r.ship("SHIP-2", "Shipped").is("order.status", "New")
	equals(t, "calls", fmt.Sprint(s.paths()), "[/shipped]")
	res := r.ship("SHIP-67890", "SHIPPED").is("order.status", "Completed").is("runStatus", "succeeded")
	equals(t, "calls", fmt.Sprint(s.paths()), "[/shipped /shipped /completed]") // after the shipment's own run
	is(t, s.got()[1].Body, "Value.Status", "New")
	is(t, s.got()[2].Body, "Value.Status", "Completed")
	is(t, s.got()[2].Body, "ShipmentId", nil)
	runs := r.ended().is("items[0].enteredStatus", "Completed").is("items[0].shipmentId", nil).is("items[0].status", "succeeded").is("items[1].id", res.at("runId"))
	runs.is("items[1].triggeredRunId", runs.at("items[0].id"))
	same(t, "events", r.happened(1), []string{shipped + "SHIP-2", shipped + "SHIP-67890", "order_completed ORD-12345"})
	r.ship("SHIP-2", "Shipped").is("order.status", "Completed")
	equals(t, "calls", fmt.Sprint(s.paths()), "[/shipped /shipped /completed /shipped]") // it is there already
}

func TestTheMainStatusByOtherWays(t *testing.T) {
	for name, last := range map[string]func(*rig){
		"without a workflow": func(r *rig) {
			r.call("POST", theOrder+"/status", `{"status":"Shipped","shipmentId":"SHIP-67890","skipRunWorkflow":true}`).want(200).is("order.status", "Completed")
		},
		"PATCH of the shipment": func(r *rig) {
			r.call("PATCH", theShipments+"/SHIP-67890", `{"orderStatus":"Shipped"}`).want(200).is("status", "Completed")
		},
		"PATCH of the order": func(r *rig) {
			r.call("PATCH", theOrder, `{"orderForm":{"shipments":[{"shipmentId":"SHIP-67890","orderStatus":"Shipped"}]}}`).want(200).is("status", "Completed")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(config(statusWith("Shipped", mainCompleted), status("Completed", step{Host: s.URL})))
			r.post(order)
			r.ship("SHIP-2", "Shipped").is("order.status", "New")
			last(r)
			r.get(theOrder).is("status", "Completed")
			equals(t, "calls", len(s.got()), 0) // what runs no workflow starts none
			equals(t, "status changes of the order", r.history("StatusChanged")[len(r.history("StatusChanged"))-1].Status, "Completed")
		})
	}
}

func TestAStepThatBringsTheLastShipmentThere(t *testing.T) {
	for name, first := range map[string]func(*rig){
		"in a shipment's run": func(r *rig) { r.ship("SHIP-2", "Shipped") },
		"in the order's run": func(r *rig) {
			r.call("PATCH", theShipments+"/SHIP-2", `{"orderStatus":"Shipped"}`).want(200).is("status", "New")
			r.enter("Packing")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := answering(t, answerWith(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-67890","OrderStatus":"Shipped"}]}}`), "")
			r := lease(t)
			r.settings(config(statusWith("Shipped", mainCompleted, step{Host: s.URL}, step{Host: s.URL + "/2"}), status("Packing", step{Host: s.URL}, step{Host: s.URL + "/2"}), status("Completed", step{Host: s.URL + "/completed"})))
			r.post(order)
			first(r)
			r.ended()
			r.get(theOrder).is("status", "Completed")
			equals(t, "calls", fmt.Sprint(s.paths()), "[/ /2 /completed]")
		})
	}
}

func TestWhatDoesNotBringTheOrderIntoTheMainStatus(t *testing.T) {
	for name, row := range map[string]struct {
		settings func(url string) string
		last     func(*rig)
	}{
		"the shipments' own status": {nil, func(r *rig) { r.call("PATCH", theShipments+"/SHIP-67890", `{"status":"Shipped"}`).want(200) }},
		"another status":            {nil, func(r *rig) { r.ship("SHIP-67890", "Packed") }},
		"another order type's": {func(string) string {
			return `{"orderTypes":[{"name":"Other","orderStatuses":[` + statusWith("Shipped", mainCompleted) + `]},{"name":"Online","orderStatuses":[]}]}`
		}, func(r *rig) { r.ship("SHIP-67890", "Shipped") }},
		"an aborted run": {func(url string) string {
			return config(statusWith("Shipped", mainCompleted, step{Host: url, Stop: true}))
		}, func(r *rig) { r.ship("SHIP-67890", "Shipped").is("isAborted", true) }},
		"a status of its own that a step triggers": {func(url string) string {
			return config(statusWith("Shipped", mainCompleted, step{Host: url + "/trigger"}))
		}, func(r *rig) { r.ship("SHIP-67890", "Shipped") }},
		"the order's own run": {nil, func(r *rig) {
			r.ship("SHIP-67890", "Shipped")
			r.enter("Reopened")
		}},
		"the order's own status, without a workflow": {nil, func(r *rig) {
			r.ship("SHIP-67890", "Shipped")
			r.call("POST", theOrder+"/status", `{"status":"Reopened","skipRunWorkflow":true}`).want(200)
		}},
		"the status that the patch sets itself": {nil, func(r *rig) {
			r.call("PATCH", theOrder, `{"status":"Held","orderForm":{"shipments":[{"shipmentId":"SHIP-67890","orderStatus":"Shipped"}]}}`).want(200)
		}},
		"another patch": {nil, func(r *rig) {
			r.ship("SHIP-67890", "Shipped")
			r.call("PATCH", theOrder, `{"status":"Held"}`).want(200)
			r.call("PATCH", theShipments+"/SHIP-2", `{"comment":"box"}`).want(200)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := answering(t, success, canceled)
			if name == "a status of its own that a step triggers" {
				s = answering(t, success, triggering("Held"))
			}
			r := lease(t)
			if row.settings == nil {
				row.settings = func(string) string { return config(statusWith("Shipped", mainCompleted)) }
			}
			r.settings(row.settings(s.URL))
			r.post(order)
			r.ship("SHIP-2", "Shipped")
			row.last(r)
			r.ended()
			if got := r.get(theOrder).text("status"); got == "Completed" {
				t.Error("it did")
			}
		})
	}
}

func TestAnAbortedShipmentsRunThatGoesOnBringsTheOrderThere(t *testing.T) {
	s := answering(t, canceled, success)
	r := lease(t)
	r.settings(config(statusWith("Shipped", mainCompleted, step{Host: s.URL, Stop: true})))
	r.post(`{"id":"ORD-12345","orderType":"Online","orderForm":{"shipments":[{"shipmentId":"SHIP-2"}]}}`)
	res := r.ship("SHIP-2", "Shipped").is("isAborted", true).is("order.status", "New")
	r.resume(res)
	r.ended()
	r.get(theOrder).is("status", "Completed")
}

func TestMainStatusesThatLeadToOneAnotherCome(t *testing.T) {
	bodies := answering(t, func() (all []string) {
		for i := range 40 {
			all = append(all, answerWith(fmt.Sprintf(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","OrderStatus":%q}]}}`, []string{"B", "A"}[i%2])))
		}
		return all
	}()...)
	r := lease(t)
	r.settings(config(statusWith("A", `"mainOrderStatus":"InA"`), statusWith("B", `"mainOrderStatus":"InB"`),
		status("InA", step{Host: bodies.URL}), status("InB", step{Host: bodies.URL})))
	r.post(`{"id":"ORD-12345","orderType":"Online","orderForm":{"shipments":[{"shipmentId":"SHIP-2"}]}}`)
	r.ship("SHIP-2", "A").is("order.errors[0].key", "TriggerNewStatus").is("order.errors[1]", nil)
	equals(t, "calls", len(bodies.got()), 10)
}

func TestADryRunShowsTheMainStatus(t *testing.T) {
	r := lease(t)
	r.settings(config(statusWith("Shipped", mainCompleted)))
	r.post(`{"id":"ORD-12345","orderType":"Online","orderForm":{"shipments":[{"shipmentId":"SHIP-2"}]}}`)
	before := r.stored()
	r.rehearse("Shipped", `,"shipmentId":"SHIP-2"`).want(200).is("order.status", "Completed").is("order.orderForm.shipments[0].orderStatus", "Shipped")
	equals(t, "what is stored", r.stored(), before)
}
