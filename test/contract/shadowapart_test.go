package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// Which call a shadow is compared with, what is counted, and what is kept apart,
// docs/contract.md#shadow-steps.

// compared waits until so many answers of the first shadow were compared, and returns the list of
// the shadows.
func (r *rig) compared(n int) answer {
	r.t.Helper()
	r.until(fmt.Sprint(n, " answers were compared"), func() bool {
		return fmt.Sprint(r.get("/api/workflow-shadows").at("items[0].agreement.compared")) == fmt.Sprint(n)
	})
	return r.get("/api/workflow-shadows")
}

// checks posts an order and has it enter the status Checked.
func (r *rig) checks(id string) answer {
	r.t.Helper()
	r.post(`{"id":"` + id + `","status":"New"}`)
	return r.call("POST", "/api/orders/"+id+"/status", `{"status":"Checked"}`).want(200)
}

// TestEachShadowIsComparedWithItsOwnStep: of two steps of a status each has a shadow that answers as
// it does, and is sent the order as it was sent to that step.
func TestEachShadowIsComparedWithItsOwnStep(t *testing.T) {
	fraudLive, fraudNext, stockLive, stockNext := answering(t, scored("1")), answering(t, scored("1")), answering(t, scored("2")), answering(t, scored("2"))
	r := lease(t)
	named := func(host, name, more string) step {
		return step{Host: host, More: `,"displayName":"` + name + `"` + more}
	}
	r.settings(config(status("Checked", named(stockNext.URL, "Stock next", `,"mode":"shadow","compareWith":"Stock"`), named(fraudLive.URL, "Fraud", ""),
		named(fraudNext.URL, "Fraud next", `,"mode":"shadow","compareWith":"Fraud"`), named(stockLive.URL, "Stock", ""))))
	r.checks("A")
	r.compared(1).is("items[0].displayName", "Stock next").is("items[0].agreement.agreed", 1)
	r.until("the other was compared", func() bool {
		return fmt.Sprint(r.get("/api/workflow-shadows").at("items[1].agreement.agreed")) == "1"
	})
	for live, shadow := range map[*sink]*sink{fraudLive: fraudNext, stockLive: stockNext} {
		was, is := live.only(t), shadow.only(t)
		if a, b := fmt.Sprint(at(t, was.Body, "Value")), fmt.Sprint(at(t, is.Body, "Value")); a != b {
			t.Errorf("a shadow was sent %s\nits live step %s", b, a)
		}
		for _, a := range r.get("/api/attempts?kind=shadow").doc().Objects("items") {
			full := r.get("/api/attempts/" + a.Text("id"))
			with := r.get("/api/attempts/" + full.text("comparison.with"))
			if strings.HasPrefix(shadow.URL, "http://"+full.text("host")) && with.text("url") != live.URL {
				t.Errorf("the attempt at %s is compared with one at %s", full.text("url"), with.text("url"))
			}
		}
	}
}

// TestAShadowIsCalledOnceForACall: a call that is repeated has one shadow call, compared with the
// attempt that ended it; and the shadow is not repeated, whatever it answers.
func TestAShadowIsCalledOnceForACall(t *testing.T) {
	live := endpoint(t, func(w http.ResponseWriter, n int) {
		if n < 2 {
			w.WriteHeader(503)
		}
	})
	shadow := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(503) })
	r := shadowed(t, live, shadow, "")
	r.checks("A").is("orderActionExecutionResults[0].attempts", 3)
	r.compared(1).is("items[0].agreement.failed", 1)
	r.checks("B")
	r.compared(2).is("items[0].agreement.failed", 2).is("items[0].agreement.last[0].result", "failed")
	equals(t, "calls", fmt.Sprint(len(live.got()), len(shadow.got())), "4 2")
	first := r.get("/api/attempts?kind=shadow").text("items[1].id")
	r.get("/api/attempts/"+r.get("/api/attempts/"+first).text("comparison.with")).is("number", 3).is("outcome", "succeeded")
	r.get("/api/attempts/"+first).is("number", 1).is("maxNumber", 1).is("outcome", "failed")
}

// TestWhatSomebodyElseChangesMeanwhileIsNoDifference: both answers are decided on about the order as
// it was when the live answer came.
func TestWhatSomebodyElseChangesMeanwhileIsNoDifference(t *testing.T) {
	live, shadow := holding(t), holding(t)
	r := shadowed(t, live.sink, shadow.sink, "")
	r.post(`{"id":"A","status":"New"}`)
	finish := r.begin("/api/orders/A/status", `{"status":"Checked"}`)
	live.wait()
	r.call("PATCH", "/api/orders/A", `{"properties":[{"key":"Score","value":"5"},{"key":"Mine","value":"1"}]}`).want(200)
	live.answer(scored("7"))
	finish()
	shadow.wait()
	if sent := string(shadow.got()[0].Body); strings.Contains(sent, "Mine") {
		t.Errorf("the shadow was sent what the live step was not: %s", sent)
	}
	r.call("PATCH", "/api/orders/A", `{"properties":[{"key":"Score","value":"9"}]}`).want(200)
	shadow.answer(scored("7"))
	r.compared(1).is("items[0].agreement.agreed", 1)
	r.get("/api/orders/A").is("properties[0].value", "9").is("version", 5)
}

// TestAShadowHarmsNoBreaker: however often it fails, the breaker of the connector that it shares with
// the live step stays closed. One that is open keeps shadows from its endpoint, too: they are skipped.
func TestAShadowHarmsNoBreaker(t *testing.T) {
	shadow, next := failing(t, 99, 500), answering(t, scored("7"))
	down := make(chan struct{})
	live := endpoint(t, func(w http.ResponseWriter, _ int) {
		select {
		case <-down:
			w.WriteHeader(500)
		default:
		}
	})
	r := inTime(t) // the breaker stays open
	// The second shadow has a connector of its own, and the third one that of the live step.
	r.settings(with(config(status("Checked", step{ID: "c", More: `,"displayName":"Fraud"`},
		step{ID: "c", Host: shadow.URL, More: `,"displayName":"First","mode":"shadow","compareWith":"Fraud"`},
		step{ID: "n", More: `,"displayName":"Second","mode":"shadow","compareWith":"Fraud"`})),
		connectors(connector(live.URL, `,"connectorId":"c","disableStandardErrorPolicy":true,"breaker":`+opening("fail")),
			connector(next.URL, `,"connectorId":"n","disableStandardErrorPolicy":true,"breaker":`+opening("fail")))))
	for i := range 4 {
		r.checks(fmt.Sprint("A", i)).is("orderActionExecutionResults[0].actionStatus", "Success")
		r.compared(i+1).is("items[0].agreement.failed", i+1).is("items[0].agreement.skipped", 0)
	}
	r.breaker().is("items[0].breaker.circuit", "closed").is("items[0].failed", 0)
	close(down)
	for i := range 2 {
		r.checks(fmt.Sprint("B", i)).is("orderActionExecutionResults[0].errorReason", "answered 500 Internal Server Error")
		if i == 0 {
			r.compared(5)
		}
	}
	r.until("the breaker is open, and the first shadow was skipped", func() bool {
		return fmt.Sprint(r.get("/api/workflow-shadows").at("items[0].agreement.skipped")) == "1"
	})
	r.until("the second was called nevertheless", func() bool {
		return fmt.Sprint(r.get("/api/workflow-shadows").at("items[1].agreement.compared")) == "6"
	})
	r.breaker().is("items[0].breaker.circuit", "open").is("items[1].breaker.circuit", "closed")
	equals(t, "calls", fmt.Sprint(len(shadow.got()), len(next.got())), "5 6")
	r.warning("a shadow was not called", `reason="the breaker of its connector is open"`)
	// Beside a call that was not made, as the breaker is open, there is none of a shadow.
	r.checks("C").is("orderActionExecutionResults[0].attempts", 0)
	r.get("/api/workflow-shadows").is("items[0].agreement.skipped", 1).is("items[1].agreement.compared", 6)
}

// TestAShadowHasItsOwnCredentials: those of its connector and its headers, and none of the live
// step's.
func TestAShadowHasItsOwnCredentials(t *testing.T) {
	live, next := answering(t, ""), answering(t, "")
	r := lease(t)
	fraudStep := step{ID: "c", Headers: header("X-Api-Key", "key-of-the-live-step"), More: `,"displayName":"Fraud"`}
	shadow := step{ID: "n", Headers: header("X-Next-Key", "key-of-the-shadow"), More: `,"displayName":"Next","mode":"shadow"`}
	r.settings(with(config(status("Checked", fraudStep, shadow)), connectors(connector(live.URL, `,"connectorId":"c","bearerToken":"token-of-the-live-step"`),
		connector(next.URL, `,"connectorId":"n","bearerToken":"token-of-the-shadow"`))))
	r.checks("A")
	r.compared(1)
	h, was := next.only(t).Header, live.only(t).Header
	equals(t, "credentials of the shadow", h.Get("Authorization")+" "+h.Get("X-Next-Key")+h.Get("X-Api-Key"), "Bearer token-of-the-shadow key-of-the-shadow")
	equals(t, "credentials of the live step", was.Get("Authorization")+" "+was.Get("X-Api-Key")+was.Get("X-Next-Key"), "Bearer token-of-the-live-step key-of-the-live-step")
	// What it sends of the step is its own configuration.
	is(t, next.only(t).Body, "WorkflowStep.DisplayName", "Next")
}

// TestAgreementsOutliveARestart, and go on behind it. The call that is under way is lost, and nothing
// is told of it.
func TestAgreementsOutliveARestart(t *testing.T) {
	live, shadow := answering(t, scored("7")), holding(t)
	r := start(t)
	r.settings(config(status("Checked", shadowOf(shadow.URL, `,"promoteAfter":3`), fraud(live.URL))))
	for i := range 2 {
		r.checks(fmt.Sprint("A", i))
		shadow.wait()
		shadow.answer(scored("7"))
		r.compared(i + 1)
	}
	since := r.get("/api/workflow-shadows").text("items[0].agreement.since")
	r.checks("B")
	shadow.wait()
	r.restart(patience)
	r.get("/api/workflow-shadows").is("items[0].agreement.inARow", 2).is("items[0].agreement.compared", 2).is("items[0].agreement.skipped", 0).is("items[0].agreement.since", since)
	r.get("/api/attempts?kind=shadow&orderId=B").is("items[0]", nil)
	r.get("/api/orders/B").is("properties[0].value", "7")
	r.checks("C")
	shadow.wait()
	shadow.answer(scored("7"))
	r.compared(3).is("items[0].agreement.inARow", 3).is("items[0].promotable", true).is("items[0].agreement.since", since)
}

// TestAgreementsAreOfTheirTenant: the same settings of two tenants have shadows of the same id, and
// what is counted, and what may be promoted, is of each.
func TestAgreementsAreOfTheirTenant(t *testing.T) {
	live, shadow := answering(t, scored("7")), answering(t, scored("7"))
	r := lease(t)
	r.addKey(adminKey+"-beside", r.tenant()+"-beside", access.Admin)
	doc, beside := config(status("Checked", shadowOf(shadow.URL, `,"promoteAfter":1`), fraud(live.URL))), r.as(adminKey+"-beside")
	r.settings(doc)
	beside.settings(doc)
	r.checked(0, 2)
	id := beside.get("/api/workflow-shadows").is("items[0].agreement.compared", 0).is("items[0].promotable", false).text("items[0].id")
	r.get("/api/workflow-shadows").is("items[0].id", id)
	beside.call("POST", "/api/workflow-shadows/"+id+"/promote", "").problem(409)
	beside.get("/api/attempts?kind=shadow").is("items[0]", nil)
	beside.checked(0, 1)
	r.get("/api/workflow-shadows").is("items[0].agreement.compared", 2)
	beside.call("POST", "/api/workflow-shadows/"+id+"/promote", "").want(200)
	r.get("/api/workflow-shadows").is("items[0].displayName", "Fraud next").is("items[0].agreement.compared", 2)
}

// TestAnAnswerThatComesTooLateIsNotCounted: of a shadow that was configured otherwise meanwhile, or
// whose order was erased. There is an attempt of the first, and nothing of the second.
func TestAnAnswerThatComesTooLateIsNotCounted(t *testing.T) {
	live, shadow := answering(t, scored("7")), holding(t)
	r := shadowed(t, live, shadow.sink, "")
	r.checks("A")
	shadow.wait()
	r.settings(config(status("Checked", shadowOf(shadow.URL, `,"enabledForMarkets":["NOR"]`), fraud(live.URL))))
	shadow.answer(scored("7"))
	r.until("the attempt is recorded", func() bool { return r.get("/api/attempts?kind=shadow").at("items[0].id") != nil })
	r.get("/api/workflow-shadows").is("items[0].agreement.compared", 0).is("items[0].agreement.since", nil)

	r.settings(config(status("Checked", shadowOf(shadow.URL, ""), fraud(live.URL))))
	r.checks("B")
	shadow.wait()
	r.call("DELETE", "/api/orders/B?permanently=true", "").want(204)
	shadow.answer(scored("8"))
	r.checks("C")
	shadow.wait()
	shadow.answer(scored("7"))
	r.compared(1).is("items[0].agreement.agreed", 1).is("items[0].agreement.last[0]", nil)
	r.get("/api/attempts?kind=shadow&orderId=B").is("items[0]", nil)
	if strings.Contains(r.log.String(), "what came of a shadow call is not stored") {
		t.Error("the log complains of an order that was erased")
	}
}

// TestAnAnswerOfAnOlderConfigurationIsNotCounted, and what was counted of the present one stays.
func TestAnAnswerOfAnOlderConfigurationIsNotCounted(t *testing.T) {
	live, old, now := answering(t, scored("7")), holding(t), answering(t, scored("7"))
	r := shadowed(t, live, old.sink, "")
	r.checks("A")
	old.wait()
	r.settings(config(status("Checked", shadowOf(now.URL, ""), fraud(live.URL))))
	r.checks("B")
	r.compared(1)
	old.answer(scored("7"))
	r.until("the attempt is recorded", func() bool { return r.get("/api/attempts?kind=shadow&orderId=A").at("items[0].id") != nil })
	r.get("/api/workflow-shadows").is("items[0].agreement.compared", 1).is("items[0].agreement.agreed", 1)
}

// TestThereIsNoShadowOfACallThatSomethingElseHasEnded: the end of the run's time, or somebody who has
// canceled the run. Nor is there one of a dry run.
func TestThereIsNoShadowOfACallThatSomethingElseHasEnded(t *testing.T) {
	live, shadow := holding(t), answering(t, scored("7"))
	r := lease(t)
	r.settings(config(within("00:00:00.2", "Checked", shadowOf(shadow.URL, ""), fraud(live.URL)), status("Long", shadowOf(shadow.URL, ""), fraud(live.URL))))
	r.checks("A").is("orderActionExecutionResults[0].actionStatus", "Error")
	r.post(`{"id":"B","status":"New"}`)
	finish := r.begin("/api/orders/B/status", `{"status":"Long"}`)
	live.wait()
	live.wait()
	r.cancel("/api/runs/" + r.get("/api/runs?orderId=B").text("items[0].id"))
	finish()
	live.answer(scored("7"))
	r.until("the answer that came too late is recorded", func() bool { return r.get("/api/attempts?orderId=B").at("items[0].id") != nil })
	go live.answer(scored("7"))
	r.call("POST", "/api/orders/B/status", `{"status":"Long","dryRun":true,"callWebhooks":true}`).want(200).is("orderActionExecutionResults[0].actionStatus", "Success")
	go live.answer(scored("7"))
	r.post(`{"id":"C","status":"New"}`)
	r.call("POST", "/api/orders/C/status", `{"status":"Long"}`).want(200)
	r.until("the last was compared", func() bool {
		return fmt.Sprint(r.get("/api/workflow-shadows").at("items[1].agreement.compared")) == "1"
	})
	equals(t, "calls of the shadow", len(shadow.got()), 1)
	r.get("/api/workflow-shadows").is("items[0].agreement.compared", 0).is("items[0].agreement.skipped", 0)
}

// TestWhatAgreesInARow: what does not agree begins the count anew, and the latest are shown first.
func TestWhatAgreesInARow(t *testing.T) {
	live := answering(t, scored("7"))
	shadow := answering(t, scored("7"), scored("7"), scored("8"), scored("7"), `{}`, scored("7"))
	r := shadowed(t, live, shadow, `,"promoteAfter":2`)
	for i, c := range []struct {
		inARow     int
		promotable bool
		last       string
	}{{1, false, ""}, {2, true, ""}, {0, false, "order.properties[Score].value"}, {1, false, "order.properties[Score].value"}, {0, false, "order.properties"}, {1, false, "order.properties"}} {
		list := r.checked(i, 1).is("items[0].agreement.inARow", c.inARow).is("items[0].promotable", c.promotable)
		if c.last != "" {
			list.is("items[0].agreement.last[0].paths[0]", c.last)
		}
		if !c.promotable {
			r.call("POST", "/api/workflow-shadows/"+list.text("items[0].id")+"/promote", "").problem(409)
		}
	}
	r.get("/api/workflow-shadows").is("items[0].agreement.different", 2).is("items[0].agreement.agreed", 4).is("items[0].agreement.last[1].result", "different").is("items[0].agreement.last[2]", nil)
}

// TestAShadowThatIsNotActiveIsNeverCalled, whatever else is called beside the step.
func TestAShadowThatIsNotActiveIsNeverCalled(t *testing.T) {
	live, off, on := answering(t, ""), answering(t, ""), answering(t, "")
	r := lease(t)
	named := func(host, name string) step {
		return step{Host: host, More: `,"displayName":"` + name + `","mode":"shadow","compareWith":"Fraud"`}
	}
	inactive := strings.Replace(named(off.URL, "Off").String(), `"active":true`, `"active":false`, 1)
	doc := config(status("Checked", named(on.URL, "On"), fraud(live.URL), named("http://off.invalid", "Off")))
	r.settings(strings.Replace(doc, named("http://off.invalid", "Off").String(), inactive, 1))
	for i := range 5 {
		r.checks(fmt.Sprint("A", i))
		r.compared(i + 1)
	}
	r.get("/api/workflow-shadows").is("items[1].displayName", "Off").is("items[1].active", false).is("items[1].agreement.compared", 0).is("items[1].agreement.skipped", 0)
	equals(t, "calls", fmt.Sprint(len(on.got()), len(off.got())), "5 0")
}
