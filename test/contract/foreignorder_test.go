package contract

import (
	"fmt"
	"testing"
)

// TestForeignOrdersComeInAsTheyAre compares what is stored with what was sent.
func TestForeignOrdersComeInAsTheyAre(t *testing.T) {
	eachForeign(t, func(t *testing.T, d foreign) {
		r := lease(t)
		made := r.call("POST", "/api/orders", string(d.raw)).want(201).is("order.version", 1)
		path := "/api/orders/" + made.text("order.id")
		d.unchanged(t, r.get(path).Raw)
		d.unchanged(t, r.get(path+"/versions/1").Raw)
		d.unchanged(t, []byte(made.doc().Object("order").JSON()))
		if d.id != "" {
			equals(t, "id", made.text("order.id"), d.id)
			r.call("POST", "/api/orders", string(d.raw)).problem(409)
		}
	})
}

// Each name has its first letter raised, at every depth; the rest is as stored.
func TestForeignOrdersGoToAStepInPascalCase(t *testing.T) {
	eachForeign(t, func(t *testing.T, d foreign) {
		j := setOut(t, d)
		sent := tree(t, valueOf(t, j.stepRequests()[0].Body)).(map[string]any)
		want := raised(tree(t, []byte(j.first))).(map[string]any)
		for _, derived := range []string{"OrderLines", "ShippingAddress"} {
			if _, own := want[derived]; !own {
				delete(sent, derived)
			}
		}
		unlike(t, "Value", any(sent), any(want), "")
	})
}

// stepRequests are the calls of the step so far.
func (j *journey) stepRequests() (all []request) {
	for _, r := range j.sink.got() {
		if r.Path == "/step" {
			all = append(all, r)
		}
	}
	return all
}

// A foreign order from its creation to its end: the endpoint of its step hands it
// back, somebody writes back what was shown, and nothing changes.
func TestAnEchoOfAForeignOrderChangesNothing(t *testing.T) {
	eachForeign(t, func(t *testing.T, d foreign) {
		j := setOut(t, d)
		j.unchanged("creation")
		for _, e := range everyEcho {
			j.now.Store(&e)
			res := j.rig.call("POST", j.path+"/status", fmt.Sprintf(`{"status":%q}`, d.status(t))).want(200)
			res.is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success").is("order.version", 1)
			if changes, _ := res.at("orderActionExecutionResults[0].changes").([]any); len(changes) > 0 {
				t.Errorf("%s: changes %s", e.name, written(changes))
			}
			j.unchanged("echo: " + e.name)
		}
		equals(t, "calls", len(j.stepRequests()), 1+len(everyEcho))
		j.writtenBack()
		j.delivered()
		j.deleted()
	})
}

// writtenBack patches the order with what GET shows, and with what the endpoint
// got, in every way of writing it.
func (j *journey) writtenBack() {
	j.t.Helper()
	value := valueOf(j.t, j.stepRequests()[0].Body)
	for _, e := range everyEcho {
		for what, raw := range map[string][]byte{"what GET shows": []byte(j.first), "what the endpoint got": value} {
			if a := j.rig.call("PATCH", j.path, e.of(j.t, raw)); a.Status != 200 {
				j.t.Errorf("a patch with %s, %s: %d %s", what, e.name, a.Status, a.Raw)
			}
			j.unchanged("a patch with " + what + ", " + e.name)
		}
	}
}

// delivered compares the event of the creation with the order.
func (j *journey) delivered() {
	j.t.Helper()
	j.rig.until("the event is delivered", func() bool { return len(j.sink.got()) > len(j.stepRequests()) })
	for _, r := range j.sink.got() {
		if r.Path == "/events" {
			is(j.t, r.Body, "type", "OrderCreated")
			unlike(j.t, "event", walk(j.t, tree(j.t, r.Body), "data"), tree(j.t, []byte(j.first)), "")
		}
	}
}

// deleted removes the order, which is a status of it, and then all of it.
func (j *journey) deleted() {
	j.t.Helper()
	j.rig.call("DELETE", j.path, "").want(200).is("order.status", "Deleted").is("order.version", 2)
	got := tree(j.t, j.rig.get(j.path).Raw).(map[string]any)
	want := tree(j.t, []byte(j.first)).(map[string]any)
	for _, name := range append([]string{"status"}, ours...) {
		delete(got, name)
		delete(want, name)
	}
	unlike(j.t, "deleted", any(got), any(want), "")
	j.same("the first version", string(j.rig.get(j.path+"/versions/1").Raw))
	j.rig.call("DELETE", j.path+"?permanently=true", "").want(204)
	j.rig.call("GET", j.path, "").want(404)
}

// What somebody else changes during the call stays: an echo is older.
func TestALateEchoOfAForeignOrderRevertsNothing(t *testing.T) {
	eachForeign(t, func(t *testing.T, d foreign) {
		r, g := lease(t), holding(t)
		made := r.call("POST", "/api/orders", string(d.raw)).want(201)
		path := "/api/orders/" + made.text("order.id")
		r.settings(config(status(d.status(t), step{Host: g.URL})))
		for i, e := range everyEcho {
			run := r.call("POST", path+"/status?wait=false", fmt.Sprintf(`{"status":%q}`, d.status(t))).want(202)
			g.wait()
			theirs := fmt.Sprintf(`{"customerPhone":"+47 22 00 00 %d","customerEmail":"new-%d@example.com","properties":[{"key":"Theirs","value":"%d"}],"theirOwn":{"Deep":[%d.10]}}`, i, i, i, i)
			r.call("PATCH", path, theirs).want(200).is("version", i+2)
			now := r.get(path).Raw
			g.answer(answerWith(e.of(t, valueOf(t, g.got()[i].Body))))
			r.until("the run has ended", func() bool { return r.get(runOf(run)).text("status") == "succeeded" })
			alike(t, e.name, r.get(path).Raw, now)
		}
		for _, entry := range r.get(path + "/history?limit=200").doc().Objects("items") {
			if op := entry.Text("operation"); op == "Conflict" || op == "PatchFieldsNotApplied" {
				t.Errorf("the history has %s", entry.JSON())
			}
		}
	})
}
