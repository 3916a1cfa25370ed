package contract

import "testing"

// docs/contract.md#which-steps-run: limits by what the shipment in scope has, and by
// groups of stores.

const shelved = `{"id":"ORD-12345","status":"Draft","storeId":"oslo-city","orderForm":{"shipments":[
	{"shipmentId":"SHIP-67890","warehouseCode":"Oslo","shippingMethodId":"7","shippingMethodName":"Express"},{"shipmentId":"SHIP-2"}]}}`

func TestLimitsByTheShipment(t *testing.T) {
	for _, row := range []struct {
		limits                    string
		first, second, wholeOrder bool // whether it runs for a shipment, one that has nothing, and for the order
	}{
		{`"enabledForWarehouses":["OSLO"]`, true, false, false},
		{`"enabledForWarehouses":["bergen"]`, false, false, false},
		{`"enabledForWarehouses":[]`, true, true, true},
		{`"disabledForWarehouses":["oslo"]`, false, true, true},
		{`"enabledForWarehouses":["Oslo"],"disabledForWarehouses":["Oslo"]`, false, false, false},
		{`"EnabledForShipmentOptions":["7"]`, true, false, false},
		{`"enabledForShipmentOptions":["express"]`, true, false, false},
		{`"enabledForShipmentOptions":["Post"]`, false, false, false},
		{`"disabledForShipmentOptions":["7"]`, false, true, true},
		{`"disabledForShipmentOptions":["EXPRESS"]`, false, true, true},
		{`"enabledForStoreGroups":["City"]`, true, true, true},
		{`"enabledForStoreGroups":["country"]`, false, false, false},
		{`"disabledForStoreGroups":["city"]`, false, false, false},
	} {
		t.Run(row.limits, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(with(config(status("Packed", step{Host: s.URL, More: "," + row.limits})), `"storeGroups":[{"groupId":"city","storeIds":["OSLO-CITY"]},{"groupId":"country","storeIds":["hamar"]}]`))
			r.post(shelved)
			runs := func(do func()) bool {
				before := len(s.got())
				do()
				return len(s.got()) > before
			}
			equals(t, "for the shipment", runs(func() { r.ship("SHIP-67890", "Packed") }), row.first)
			equals(t, "for a shipment that has nothing", runs(func() { r.ship("SHIP-2", "Packed") }), row.second)
			equals(t, "for the order", runs(func() { r.call("POST", theOrder+"/status", `{"status":"Packed"}`).want(200) }), row.wholeOrder)
		})
	}
}

// The field's own name for conditions.
func TestWorkflowStepConditions(t *testing.T) {
	const failed = `{"OrderActionExecutionResults":[{"ActionStatus":"Error"}]}`
	for _, row := range []struct {
		before, conditions string
		runs               bool
	}{
		{success, `"workflowStepConditions":[{"type":"Success"}]`, true},
		{failed, `"workflowStepConditions":[{"type":"Success"}]`, false},
		{success, `"WorkflowStepConditions":[{"Type":"error"}]`, false},
		{failed, `"workflowStepConditions":[{"type":"Warning"},{"type":"Error"}]`, true},
		{failed, `"workflowStepConditions":[{"type":"Error"}],"conditions":["Error"]`, true},
		{failed, `"workflowStepConditions":[],"conditions":["Success"]`, false},
	} {
		last := answering(t, "")
		placed(t, step{Host: answering(t, row.before).URL}, step{Host: last.URL, More: "," + row.conditions})
		equals(t, row.conditions, len(last.got()) == 1, row.runs)
	}
}

// A limit that is not known is never dropped: the step would run where it should not.
func TestALimitThatIsNotKnownIsRefused(t *testing.T) {
	r := lease(t)
	r.settings(`{"note":"before"}`)
	before := r.settingsStored()
	for field, place := range map[string]string{
		`"enabledForRegions":["EU"]`:                                               "enabledForRegions",
		`"DisabledForCustomers":["K"]`:                                             "disabledForCustomers",
		`"workflowStepConditions":[{"type":"OrderTotal"}]`:                         "workflowStepConditions[0].type",
		`"workflowStepConditions":[{"type":"Error"}],"conditions":["Success"]`:     "workflowStepConditions",
		`"properties":[{"key":"ErrorStatus","value":" "}],"StopOnError":true`:      "properties[0].value",
		`"properties":[{"key":"errorStatus","value":""}],"workflowCondition":null`: "properties[0].value",
	} {
		doc := workflowOf(`{"name":"WebhookWorkflowStep","connector":"W",` + field + `}`)
		r.call("PUT", "/api/settings", doc).problem(422, "body."+aStep+place)
		r.call("POST", "/api/settings/check", doc).problem(422, "body."+aStep+place)
	}
	r.call("PUT", "/api/settings", `{"connectors":[{"name":"W","host":"http://h","enabledForStores":["1"]}]}`).problem(422, "body.connectors[0].enabledForStores")
	equals(t, "what is stored", r.settingsStored(), before)
}
