package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#patches.

func TestFieldsThatAReturnStepMayChange(t *testing.T) {
	for _, row := range []struct {
		name, patch, path string
		want              any
	}{
		{"Status", `{"Status":"Inspected"}`, "status", "Inspected"},
		{"OrderType", `{"OrderType":"Outlet"}`, "orderType", "Outlet"},
		{"Tags", `{"Tags":["inspected"]}`, "tags", []string{"first", "inspected"}},
		{"Properties", `{"Properties":[{"Key":"Condition","Value":"good"}]}`, "properties[1].value", "good"},
		{"FollowUpDate", `{"FollowUpDate":"2026-12-24T09:00:00Z"}`, "followUpDate", "2026-12-24T09:00:00Z"},
		{"Assets", `{"Assets":[{"AssetId":"a","Url":"https://example.com/box.jpg"}]}`, "assets[0].assetId", "a"},
		{"Origin sets orderOrigin", `{"Origin":"Store"}`, "orderOrigin", "Store"},
		{"OrderOrigin", `{"OrderOrigin":"Store"}`, "orderOrigin", "Store"},
		{"Errors", `{"Errors":[{"Key":"Erp","Message":"no credit"}]}`, "errors[0].message", "no credit"},
		{"Name sets customerName", `{"Name":"Kari Hansen"}`, "customerName", "Kari Hansen"},
		{"CustomerName", `{"customername":"Kari Hansen"}`, "customerName", "Kari Hansen"},
		{"null Name in ForceUpdate", `{"Name":null,"ForceUpdate":["Name"]}`, "customerName", null},
		{"null Name", `{"Name":null}`, "customerName", "Kari Nordmann"},
		{"KeepExistingListItems", `{"Tags":["only"],"KeepExistingListItems":false}`, "tags", []string{"only"}},
		{"KeepExistingCustomProperties", `{"Properties":[{"Key":"Condition"}],"KeepExistingCustomProperties":false}`, "properties[0].key", "Condition"},
		{"PropertiesRemovalConditions", `{"PropertiesRemovalConditions":[{"Key":"Channel"}]}`, "properties", []string{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := returning(t, step{Host: answering(t, answerWith(row.patch)).URL})
			r.giveBack("1").is("order."+row.path, row.want).is("orderActionExecutionResults[0].actionStatus", "Success")
			r.get(theOrder).is(row.path, row.want).is("origin", nil).is("name", nil)
			equals(t, "fields not applied", len(r.history("PatchFieldsNotApplied")), 0)
		})
	}
}

func TestFieldsThatAReturnStepMayNotChange(t *testing.T) {
	patch := map[string]string{ // the first thirteen are an order step's
		"storeId": `"bergen"`, "customerEmail": `"new@example.com"`, "customerPhone": `"+47 99"`, "billingAddress": `{"City":"Bergen"}`,
		"orderForm": `{"LineItems":[{"LineItemId":"L1","Quantity":9}]}`, "externalIds": `[{"ProviderName":"erp","Id":"7"}]`, "orderNotes": `[{"Detail":"n"}]`,
		"publicOrderNotes": `[{"Detail":"n"}]`, "relatedOrders": `["r"]`, "salesPersonId": `"7"`, "salesPersonName": `"Ola"`, "isReadOnly": `true`,
		"isNotificationsDisabled": `true`, "marketId": `"SWE"`, "returnOrderForms": `[{"ReturnId":"x"}]`, "customField": `{"X":1}`, "id": `"OTHER"`,
	}
	var fields []string
	for name, value := range patch {
		fields = append(fields, fmt.Sprintf("%q:%s", name, value))
	}
	s := answering(t, answerWith(`{"Tags":["inspected"],"CustomerNumber":null,`+strings.Join(fields, ",")+`}`))
	r := returning(t, step{Host: s.URL, Stop: true})
	res := r.giveBack("1").is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success").is("order.tags", []string{"first", "inspected"})
	before := r.get(theOrder + "/versions/2") // with the return, before the step's answer
	e := r.entry("PatchFieldsNotApplied")
	equals(t, "entry", fmt.Sprint(e.Step, e.IsError, e.CallID), fmt.Sprint(returnStep, false, res.at("orderActionExecutionResults[0].callId")))
	after := r.get(theOrder).is("returnOrderForms[1]", nil)
	for name := range patch {
		if !strings.Contains(e.Message, name) {
			t.Errorf("%q does not name %s", e.Message, name)
		}
		if name != "returnOrderForms" {
			equals(t, name, after.at(name), before.at(name))
		}
	}
	for _, name := range []string{"tags", "customerNumber"} {
		if strings.Contains(e.Message, name) {
			t.Errorf("%q names %s too", e.Message, name)
		}
	}
}

func TestAReturnPatchThatDoesNotFitFailsTheCall(t *testing.T) {
	for name, patch := range map[string]string{
		"Origin": `{"Origin":5}`, "Name": `{"Name":{}}`, "Status": `{"Status":""}`, "OrderType": `{"OrderType":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := returning(t, step{Host: answering(t, answerWith(patch)).URL})
			res := r.giveBack("1").is("order.errors[0].key", returnStep).is("orderActionExecutionResults[0].attempts", 1)
			if reason := res.text("order.errors[0].message"); !strings.Contains(reason, "invalid response: orderPatch") || !strings.Contains(strings.ToLower(reason), strings.ToLower(name)+": must ") {
				t.Errorf("reason %q", reason)
			}
		})
	}
}

func TestAWebhookWorkflowStepOfAReturnKeepsItsOwnFields(t *testing.T) {
	s := answering(t, answerWith(`{"CustomerEmail":"new@example.com","Name":"Kari Hansen"}`))
	r := returning(t, step{Name: "WebhookWorkflowStep", Host: s.URL})
	r.giveBack("1").is("order.customerEmail", "new@example.com").is("order.customerName", "Kari Nordmann")
	is(t, s.only(t).Body, "ReturnOrderFormId", r.get(theOrder).at("returnOrderForms[0].returnId"))
	equals(t, "fields not applied", strings.Contains(r.entry("PatchFieldsNotApplied").Message, "name"), true)
}
