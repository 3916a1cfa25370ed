package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#event-types: `events` on an order status in the
// settings adds to or replaces the table.

// withEvents is a status of settings with these events and no steps.
func withEvents(name, events string) string {
	return fmt.Sprintf(`{"name":%q,"workflowSteps":[],"events":[%s]}`, name, events)
}

func TestEventsOfAStatusInTheSettings(t *testing.T) {
	for name, c := range map[string]struct {
		statuses, enter string
		want            []string
	}{
		"none are named: the table":   {status("Accepted"), "Accepted", []string{"OrderAccepted"}},
		"a name replaces":             {withEvents("Accepted", `"order_packed"`), "Accepted", []string{"order_packed"}},
		"several names replace":       {withEvents("Canceled", `"a","b.c"`), "Canceled", []string{"a", "b.c"}},
		"a name with a plus adds":     {withEvents("Accepted", `"+order_packed"`), "Accepted", []string{"OrderAccepted", "order_packed"}},
		"both: it replaces":           {withEvents("Accepted", `"+order_packed","own"`), "Accepted", []string{"order_packed", "own"}},
		"an empty list silences":      {withEvents("Canceled", ``), "Canceled", nil},
		"a status of no row":          {withEvents("Packed", `"order_packed"`), "Packed", []string{"order_packed"}},
		"a status of no row, added":   {withEvents("Packed", `"+order_packed"`), "Packed", []string{"order_packed"}},
		"the status in another case":  {withEvents("packed", `"order_packed"`), "PACKED", []string{"order_packed"}},
		"one that comes of the table": {withEvents("Packed", `"order_completed"`), "Packed", []string{"order_completed"}},
		"another status":              {withEvents("Packed", ``), "Accepted", []string{"OrderAccepted"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := ordered(t, config(c.statuses))
			r.enter(c.enter)
			var want []string
			for _, w := range c.want {
				want = append(want, w+" ORD-12345")
			}
			same(t, "events", r.happened(1), want)
		})
	}
}

// The order's own type decides, as it does for the steps.
func TestEventsOfAnOrdersType(t *testing.T) {
	types := `{"orderTypes":[{"name":"Online","orderStatuses":[` + withEvents("Packed", `"online_packed"`) + `]},{"name":"Store","default":true,"orderStatuses":[` + withEvents("Packed", `"store_packed"`) + `]}]}`
	for orderType, want := range map[string]string{"ONLINE": "online_packed", "Store": "store_packed", "Wholesale": "store_packed", "": "store_packed"} {
		r := lease(t)
		r.settings(types)
		r.post(strings.Replace(order, `"orderType":"Online"`, fmt.Sprintf(`"orderType":%q`, orderType), 1))
		r.enter("Packed")
		same(t, "events of "+orderType, r.happened(1), []string{want + " ORD-12345"})
	}
}

func TestOnlyStatusEventsCanBeReplaced(t *testing.T) {
	r := lease(t)
	r.settings(config(withEvents("Accepted", "")))
	r.post(strings.Replace(order, `"status":"New","orderType"`, `"status":"Accepted","orderType"`, 1))
	r.call("PATCH", theOrder, `{"dueDate":"2026-12-01","orderForm":{"shipments":[{"shipmentId":"SHIP-2","status":"Shipped"}]}}`).want(200)
	same(t, "events", r.happened(0), []string{created, "OrderDueDateUpdated ORD-12345", shipped + "SHIP-2"})
}

// A run keeps the settings that it began with; events are as settings say now.
func TestEventsAreAsSettingsSayNow(t *testing.T) {
	s := holding(t)
	r := ordered(t, config(status("Parked", step{Host: s.URL})))
	finish := r.begin(theOrder+"/status", `{"status":"Parked"}`)
	s.wait()
	r.settings(config(withEvents("Accepted", `"own"`)))
	s.answer(answerWith(`{"Status":"Accepted"}`))
	finish().want(200)
	same(t, "events", r.happened(1), []string{"own ORD-12345"})
}

func TestEventsThatAreErrors(t *testing.T) {
	r := lease(t)
	at := "body.orderTypes[0].orderStatuses[0].events"
	r.call("PUT", "/api/settings", config(withEvents("New", `"ok","not ok","order_*",7,""`))).problem(422, at+"[1]", at+"[2]", at+"[3]", at+"[4]")
	r.call("PUT", "/api/settings", strings.Replace(config(withEvents("New", "")), "[]}]", `"x"}]`, 1)).problem(422)
	r.call("POST", "/api/settings/check", config(withEvents("New", `"+"`))).problem(422, at+"[0]")
	r.call("PUT", "/api/settings", config(withEvents("New", `"+order_packed"`))).want(200).is("warnings[0]", nil)
	r.get("/api/settings").is("orderTypes[0].orderStatuses[0].events", []string{"+order_packed"})
}
