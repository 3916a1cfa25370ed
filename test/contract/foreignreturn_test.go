package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// jsonText is a piece of JSON as it is written.
type jsonText = json.RawMessage

// returnable is the document with a line that can be given back.
func (d foreign) returnable(t *testing.T) string {
	t.Helper()
	var doc map[string]jsonText
	decode(t, d.raw, &doc)
	if _, has := doc["orderForm"]; !has {
		doc["orderForm"] = jsonText(`{"lineItems":[{"lineItemId":"BACK","code":"BACK","quantity":2,"placedPrice":10.10,"extendedPrice":20.20}],"subTotal":20.20,"total":20.20}`)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// The step of a return hands back the order: nothing changes but by the return.
func TestAReturnsEchoOfAForeignOrderChangesNothing(t *testing.T) {
	eachForeign(t, func(t *testing.T, d foreign) {
		j := &journey{rig: lease(t), foreign: d, t: t}
		j.now.Store(&everyEcho[0])
		j.sink = j.echoing()
		j.rig.settings(with(config(), returnStatuses(step{Host: j.sink.URL + "/step"})))
		made := j.rig.call("POST", "/api/orders", d.returnable(t)).want(201)
		j.path = "/api/orders/" + made.text("order.id")
		back := j.rig.call("POST", j.path+"/returns", lines(made.text("order.orderForm.lineItems[0].lineItemId"), "1")).want(201).is("order.version", 2)
		j.first = string(j.rig.get(j.path + "/versions/2").Raw)
		j.onlyReturned("the return")
		for _, e := range everyEcho {
			j.now.Store(&e)
			body := fmt.Sprintf(`{"status":"PartiallyReturned","returnId":%q}`, back.text("returnId"))
			res := j.rig.call("POST", j.path+"/status", body).want(200).is("orderActionExecutionResults[0].actionStatus", "Success")
			if changes, _ := res.at("orderActionExecutionResults[0].changes").([]any); len(changes) > 0 {
				t.Errorf("%s: changes %s", e.name, written(changes))
			}
			j.onlyReturned("echo: " + e.name)
		}
		equals(t, "calls", len(j.stepRequests()), 1+len(everyEcho))
	})
}

// onlyReturned is unchanged for an order of which something was returned.
func (j *journey) onlyReturned(after string) {
	j.t.Helper()
	j.same(after, string(j.rig.get(j.path).Raw))
	j.rig.call("GET", j.path+"/versions/3", "").want(404)
	for _, e := range j.rig.get(j.path + "/history?limit=200").doc().Objects("items") {
		op := e.Text("operation")
		made := op == "ReturnCreated" || op == "StatusChanged" // what the return itself changed
		if e.Has("changes") && !made || !slices.Contains([]string{"Created", "ReturnCreated", "StatusChanged", "ExecuteExportOrder"}, op) {
			j.t.Errorf("%s: the history has %s", after, e.JSON())
		}
	}
}
