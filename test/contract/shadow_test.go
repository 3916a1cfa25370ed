package contract

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Shadow steps, docs/contract.md#shadow-steps.

// shadowOf is a step that is a shadow of the one that is called Fraud.
func shadowOf(host, more string) step {
	return step{Host: host, More: `,"displayName":"Fraud next","mode":"shadow","compareWith":"Fraud"` + more}
}

// fraud is the live step of the tests.
func fraud(host string) step { return step{Host: host, More: `,"displayName":"Fraud"`} }

// scored answers with a score, as a patch.
func scored(score string) string {
	return `{"orderPatch":{"properties":[{"key":"Score","value":"` + score + `"}]}}`
}

// shadowed is an orderhook whose status Checked has a live step and a shadow of it.
func shadowed(t *testing.T, live, shadow *sink, more string) *rig {
	t.Helper()
	r := lease(t)
	r.settings(config(status("Checked", shadowOf(shadow.URL, more), fraud(live.URL))))
	return r
}

// checked has n new orders enter the status, one after the other, each until the shadow was
// compared once more than before.
func (r *rig) checked(before, n int) answer {
	r.t.Helper()
	for i := range n {
		id := fmt.Sprint("S", len(r.get("/api/orders").ids("id")))
		r.post(`{"id":"` + id + `","status":"New"}`)
		r.call("POST", "/api/orders/"+id+"/status", `{"status":"Checked"}`).want(200).is("orderActionExecutionResults[1]", nil)
		r.until("the shadow was compared", func() bool {
			return fmt.Sprint(r.get("/api/workflow-shadows").at("items[0].agreement.compared")) == fmt.Sprint(before+i+1)
		})
	}
	return r.get("/api/workflow-shadows")
}

func TestAShadowIsCalledWithTheSameOrder(t *testing.T) {
	live, shadow := answering(t, scored("7")), answering(t, scored("7"))
	r := shadowed(t, live, shadow, "")
	r.checked(0, 1).is("items[0].status", "Checked").is("items[0].displayName", "Fraud next").is("items[0].compareWith", "Fraud").
		is("items[0].promoteAfter", 100).is("items[0].promotable", false).is("items[0].active", true).
		is("items[0].agreement.agreed", 1).is("items[0].agreement.inARow", 1).is("items[0].agreement.last[0]", nil)
	was, sent := live.got(), shadow.got()
	equals(t, "calls", fmt.Sprint(len(was), len(sent)), "1 1")
	if a, b := at(t, was[0].Body, "Value"), at(t, sent[0].Body, "Value"); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("the shadow was sent %s, the live step %s", sent[0].Body, was[0].Body)
	}
	h := sent[0].Header
	equals(t, "headers", h.Get("X-Shadow")+" "+h.Get("X-Delivery-Count")+" "+h.Get("X-Max-Delivery-Count"), "true 1 1")
	if key := h.Get("Idempotency-Key"); key == "" || key == was[0].Header.Get("Idempotency-Key") {
		t.Errorf("the shadow has the Idempotency-Key %q, the live step %q", key, was[0].Header.Get("Idempotency-Key"))
	}
	equals(t, "X-Shadow of the live step", was[0].Header.Get("X-Shadow"), "")
	// It has an attempt of its own kind, which is none of the run's steps.
	list := r.get("/api/attempts?kind=shadow")
	list.is("items[0].orderId", "S0").is("items[0].outcome", "succeeded").is("items[1]", nil)
	a := r.get("/api/attempts/" + list.text("items[0].id"))
	a.is("comparison.result", "same").is("comparison.differences[0]", nil).is("comparison.with", r.get("/api/attempts?kind=step").text("items[0].id"))
	r.get("/api/runs").is("items[0].orderActionExecutionResults[0].attempts", 1).is("items[0].orderActionExecutionResults[1]", nil)
	if history := string(r.get("/api/orders/S0/history").Raw); strings.Contains(history, "next") {
		t.Errorf("the history tells of the shadow: %s", history)
	}
	// It cannot be sent again as if it were live, nor be taken for a call that decided something.
	r.call("POST", "/api/attempts/"+list.text("items[0].id")+"/replay", "").problem(409)
	r.call("GET", "/api/attempts/"+list.text("items[0].id")+"/call", "").problem(409)
}

func TestWhatAShadowAnswersIsCompared(t *testing.T) {
	for name, c := range map[string]struct{ live, shadow, result, path string }{
		"another value":        {scored("7"), scored("8"), "different", "order.properties[Score].value"},
		"no value":             {scored("7"), `{}`, "different", "order.properties"},
		"an error":             {`{}`, `{"orderActionExecutionResults":[{"actionStatus":"Error","errorReason":"no"}]}`, "different", "result"},
		"another order of it":  {`{"orderPatch":{"properties":[{"key":"A","value":"1"},{"key":"B","value":"2"}]}}`, `{"orderPatch":{"properties":[{"key":"B","value":"2"},{"key":"A","value":"1"}]}}`, "same", ""},
		"no JSON":              {`{}`, `<html>`, "failed", "outcome"},
		"both fail in one way": {`<html>`, `<html>`, "same", ""},
		"the live one fails":   {`<html>`, `{}`, "different", "outcome"},
	} {
		t.Run(name, func(t *testing.T) {
			r := shadowed(t, answering(t, c.live), answering(t, c.shadow), "")
			list := r.checked(0, 1)
			a := r.get("/api/attempts/"+r.get("/api/attempts?kind=shadow").text("items[0].id")).is("comparison.result", c.result)
			if c.path == "" {
				list.is("items[0].agreement.agreed", 1).is("items[0].agreement.last[0]", nil)
				return
			}
			a.is("comparison.differences[0].path", c.path)
			list.is("items[0].agreement.agreed", 0).is("items[0].agreement.inARow", 0).is("items[0].agreement.last[0].result", c.result).
				is("items[0].agreement.last[0].attemptId", a.text("id")).is("items[0].agreement.last[0].paths[0]", c.path)
		})
	}
}

// TestAShadowIsNoPartOfAConnectorsHealth: what fails there harms nobody, so a connector that
// a shadow shares with its live step is not shown as failing.
func TestAShadowIsNoPartOfAConnectorsHealth(t *testing.T) {
	shadow := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(400) })
	live := answering(t, scored("7"))
	r := lease(t)
	r.settings(`{"connectors":[{"name":"Webhook","connectorId":"fraud","host":"` + live.URL + `"}],"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New"},{"name":"Checked","workflowSteps":[
		{"name":"WebhookWorkflowStep","displayName":"Fraud","connector":"Webhook","connectorId":"fraud"},
		{"name":"WebhookWorkflowStep","displayName":"Fraud next","connector":"Webhook","connectorId":"fraud","mode":"shadow","properties":[{"key":"Host","value":"` + shadow.URL + `"}]}]}]}]}`)
	r.checked(0, 2)
	r.get("/api/attempts?kind=shadow&connectorId=fraud").is("items[1].outcome", "failed")
	r.get("/api/connectors/health").is("items[0].succeeded", 2).is("items[0].failed", 0)
}

// TestAShadowThatMisbehaves: whatever its endpoint does, the live run ends as without it.
func TestAShadowThatMisbehaves(t *testing.T) {
	free := make(chan struct{})
	hung := make(chan struct{}, 10)
	for name, answer := range map[string]func(http.ResponseWriter, int){
		"hangs":    func(http.ResponseWriter, int) { hung <- struct{}{}; <-free },
		"10 MiB":   func(w http.ResponseWriter, _ int) { io.WriteString(w, `"`+strings.Repeat("x", 10<<20)+`"`) },
		"500":      func(w http.ResponseWriter, _ int) { w.WriteHeader(500) },
		"garbage":  func(w http.ResponseWriter, _ int) { io.WriteString(w, "\x00\xff{") },
		"hangs up": func(w http.ResponseWriter, _ int) { panic(http.ErrAbortHandler) },
		"cancels": func(w http.ResponseWriter, _ int) {
			io.WriteString(w, `{"orderActionExecutionResults":[{"actionStatus":"Error","cancelWorkflow":true,"triggerNewStatus":"Gone"}]}`)
		},
		"new status": func(w http.ResponseWriter, _ int) { io.WriteString(w, `{"orderPatch":{"status":"Gone"}}`) },
	} {
		live, shadow := answering(t, scored("7")), endpoint(t, answer)
		r, stops := start(t), shadowOf(shadow.URL, "")
		stops.Stop = true
		r.settings(config(status("Checked", stops, fraud(live.URL))))
		r.post(`{"id":"S0","status":"New"}`)
		res := r.call("POST", "/api/orders/S0/status", `{"status":"Checked"}`).want(200)
		res.is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success").is("orderActionExecutionResults[1]", nil)
		if name == "hangs" {
			<-hung // it is called, and the next run of the same order does not wait for it
		} else {
			r.until(name+": the shadow was compared", func() bool {
				return fmt.Sprint(r.get("/api/workflow-shadows").at("items[0].agreement.compared")) == "1"
			})
			r.get("/api/workflow-shadows").is("items[0].agreement.agreed", 0)
		}
		r.call("POST", "/api/orders/S0/status", `{"status":"New"}`).want(200)
		r.call("POST", "/api/orders/S0/status", `{"status":"Checked"}`).want(200)
		r.get("/api/orders/S0").is("status", "Checked").is("properties[0].value", "7").is("errors", nil).is("version", 5)
		if history := string(r.get("/api/orders/S0/history").Raw); strings.Contains(history, "next") || strings.Contains(history, "Gone") {
			t.Errorf("%s: the history tells of the shadow: %s", name, history)
		}
		r.end(patience)
		live.Close()
	}
	close(free)
}

func TestPromoteAShadow(t *testing.T) {
	live, shadow := answering(t, scored("7")), answering(t, scored("7"))
	r := shadowed(t, live, shadow, `,"promoteAfter":3`)
	list := r.checked(0, 2).is("items[0].promotable", false)
	promote := "/api/workflow-shadows/" + list.text("items[0].id") + "/promote"
	r.call("POST", promote, "").problem(409)
	r.checked(2, 1).is("items[0].promotable", true).is("items[0].agreement.inARow", 3)
	r.call("POST", promote, "", "If-Match", `"99"`).problem(412)
	r.call("POST", "/api/workflow-shadows/shadow_x/promote", "").problem(404)
	r.call("POST", promote, "", "If-Match", `"1"`, "Idempotency-Key", "p1").want(200).is("version", 2)
	r.call("POST", promote, "", "If-Match", `"1"`, "Idempotency-Key", "p1").want(200).is("version", 2)
	r.get("/api/audit?action=promote-shadow").is("items[0].target.kind", "settings").is("items[1]", nil)
	s := r.get("/api/settings")
	s.is("orderTypes[0].orderStatuses[0].workflowSteps[1].displayName", "Fraud next").is("orderTypes[0].orderStatuses[0].workflowSteps[1].mode", nil)
	s.is("orderTypes[0].orderStatuses[0].workflowSteps[0].displayName", "Fraud").is("orderTypes[0].orderStatuses[0].workflowSteps[0].mode", "shadow").
		is("orderTypes[0].orderStatuses[0].workflowSteps[0].active", false)
	// From now on it decides, and its former live step is not called.
	r.post(`{"id":"S9","status":"New"}`)
	r.call("POST", "/api/orders/S9/status", `{"status":"Checked"}`).want(200).is("orderActionExecutionResults[0].displayName", "Fraud next")
	equals(t, "calls", fmt.Sprint(len(live.got()), len(shadow.got())), "3 4")
	equals(t, "X-Shadow", shadow.got()[3].Header.Get("X-Shadow"), "")
	// One who must may go back, however often it agreed.
	back := r.get("/api/workflow-shadows").is("items[0].displayName", "Fraud").is("items[0].agreement.compared", 0)
	r.call("POST", "/api/workflow-shadows/"+back.text("items[0].id")+"/promote", "").problem(409)
	r.call("POST", "/api/workflow-shadows/"+back.text("items[0].id")+"/promote?force=true", "").want(200)
	r.get("/api/settings").is("orderTypes[0].orderStatuses[0].workflowSteps[1].displayName", "Fraud")
}

func TestAgreementBeginsAnewWithAnotherConfiguration(t *testing.T) {
	live, shadow, other := answering(t, scored("7")), answering(t, scored("7")), answering(t, scored("8"))
	r := shadowed(t, live, shadow, "")
	r.checked(0, 2)
	r.settings(config(status("Checked", shadowOf(shadow.URL, `,"promoteAfter":2`), fraud(live.URL))))
	r.get("/api/workflow-shadows").is("items[0].agreement.compared", 2).is("items[0].promotable", true)
	r.settings(config(status("Checked", shadowOf(other.URL, `,"promoteAfter":2`), fraud(live.URL))))
	r.get("/api/workflow-shadows").is("items[0].agreement.compared", 0).is("items[0].promotable", false).is("items[0].agreement.since", nil)
	r.checked(0, 1).is("items[0].agreement.different", 1)
}

// TestAShadowIsNotForEveryOrder: where its own limits and conditions do not admit the order, it
// is not called, and nothing is counted.
func TestAShadowIsNotForEveryOrder(t *testing.T) {
	live, shadow := answering(t, ""), answering(t, "")
	r := shadowed(t, live, shadow, `,"enabledForMarkets":["NOR"]`)
	r.post(`{"id":"A","status":"New","marketId":"SWE"}`)
	r.call("POST", "/api/orders/A/status", `{"status":"Checked"}`).want(200)
	r.post(`{"id":"B","status":"New","marketId":"NOR"}`)
	r.call("POST", "/api/orders/B/status", `{"status":"Checked"}`).want(200)
	r.until("one was compared", func() bool {
		return fmt.Sprint(r.get("/api/workflow-shadows").at("items[0].agreement.compared")) == "1"
	})
	r.get("/api/attempts?kind=shadow").is("items[0].orderId", "B").is("items[1]", nil)
	equals(t, "calls", fmt.Sprint(len(live.got()), len(shadow.got())), "2 1")
}

// TestAnErasedOrderTakesItsShadowsAlong: what the shadow was sent, and how it compared, goes
// with the order.
func TestAnErasedOrderTakesItsShadowsAlong(t *testing.T) {
	r := shadowed(t, answering(t, scored("7")), answering(t, scored("8")), "")
	r.checked(0, 1)
	id := r.get("/api/attempts?kind=shadow").text("items[0].id")
	r.call("DELETE", "/api/orders/S0?permanently=true", "").want(204)
	r.get("/api/attempts/"+id).is("comparison", nil).is("request.body", "")
	r.get("/api/workflow-shadows").is("items[0].agreement.last[0].paths[0]", "order.properties[Score].value")
}
