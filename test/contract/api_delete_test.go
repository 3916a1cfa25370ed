package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDeleteEntersDeletedWithItsWorkflow(t *testing.T) {
	r := start(t)
	s := answering(t, answerWith(`{"Tags":["told"]}`))
	r.settings(config(status("deleted", step{Host: s.URL})))
	r.post(order)
	a := r.call("DELETE", theOrder, "").want(200).is("order.status", "Deleted").is("orderActionExecutionResults[0].actionStatus", "Success").is("order.tags", []string{"first", "told"})
	equals(t, "ETag", a.Header.Get("ETag"), `"3"`)
	equals(t, "calls", len(s.got()), 1)
	r.get(theOrder).is("status", "Deleted").is("customerEmail", "kari@example.com")
	r.get("/api/orders?status=Deleted").is("items[0].id", "ORD-12345")
	r.get(theOrder+"/versions/1").is("status", "New")
	r.call("POST", "/api/orders", order).problem(409)
	r.call("DELETE", theOrder+"?wait=false", "").want(202)
}

func TestErasingLeavesNothingButThatAttemptsWereMade(t *testing.T) {
	r := start(t)
	s := answering(t, answerWith(`{"CustomerName":"Kari Nordmann of Oslo"}`))
	r.settings(config(status("New", step{Host: s.URL}), status("Held", step{Host: s.URL})))
	run := r.post(order).text("runId")
	r.post(`{"id":"other","customerEmail":"ola@example.com"}`)
	r.call("PATCH", theOrder, `{"customerPhone":"+47 000"}`).want(200)
	r.enter("Held")
	before := r.get("/api/attempts")
	r.call("DELETE", theOrder+"?permanently=true", "").want(204)
	for _, path := range []string{theOrder, theOrder + "/history", theOrder + "/versions/1", theOrder + "/versions/2", "/api/runs/" + run} {
		r.call("GET", path, "").problem(404)
	}
	for _, path := range []string{"/api/runs?orderId=ORD-12345", "/api/orders?q=kari@", "/api/orders?customerEmail=kari@example.com", "/api/orders?tag=first"} {
		r.get(path).is("items", []string{})
	}
	equals(t, "attempts", string(r.get("/api/attempts").Raw), string(before.Raw))
	for _, id := range r.get("/api/attempts?orderId=ORD-12345").ids("id") {
		a := r.get("/api/attempts/"+id).is("request.body", "").is("response.body", "").is("request.headers", map[string]any{}).is("status", 200)
		a.says("kari@example.com", "Nordmann", "Storgata")
	}
	other := r.get("/api/attempts?orderId=other").ids("id")
	r.get("/api/attempts/"+other[0]).is("response.bodyBytes", len(answerWith(`{"CustomerName":"Kari Nordmann of Oslo"}`)))
	r.call("DELETE", theOrder+"?permanently=true", "").problem(404)
	r.post(order).is("order.version", 2)
	r.get(theOrder + "/history").says("+47 000")
}

// TestARepeatAboutAnErasedOrderSaysSo, whatever the request was, and whether it began a run.
// The key is not free: the request was carried out.
func TestARepeatAboutAnErasedOrderSaysSo(t *testing.T) {
	r := start(t)
	r.settings(config(status("New", step{Host: answering(t, "").URL})))
	for path, body := range map[string]string{"/api/orders": order, "/api/orders?runWorkflow=false": order, theOrder + "/status": `{"status":"Held"}`,
		theOrder + "/status?wait=false": `{"status":"Held"}`, theOrder + "/returns": lines("L1", "1")} {
		if strings.HasPrefix(path, theOrder) {
			r.post(order)
		}
		send := func() answer { return r.call("POST", path, body, "Idempotency-Key", path) }
		if a := send(); a.Status/100 != 2 {
			t.Errorf("%s is answered %d %s", path, a.Status, a.Raw)
		}
		r.ended()
		r.call("DELETE", theOrder+"?permanently=true", "").want(204)
		send().problem(404).is("detail", `the order "ORD-12345" was erased`)
		r.post(order)
		r.ended()
		if path != "/api/orders?runWorkflow=false" { // without a run there is only the version, and another order has one
			send().problem(404).says("run_", `no run`)
		}
		r.call("DELETE", theOrder+"?permanently=true", "").want(204)
	}
}

func TestARunOfAnErasedOrderEndsQuietly(t *testing.T) {
	path := newDatabase(t)
	t.Run("life", func(t *testing.T) {
		s := holding(t)
		r := startOn(t, path)
		r.settings(config(status("New", step{Host: s.URL})))
		answered := make(chan answer, 1)
		go func() {
			a, err := r.try("POST", "/api/orders", order)
			if err != nil {
				t.Error(err)
			}
			answered <- a
		}()
		s.wait()
		r.call("DELETE", theOrder+"?permanently=true", "").want(204)
		(<-answered).problem(404) // while the endpoint still holds the call
		s.answer(answerWith(`{"CustomerEmail":"kari@example.com","Nonsense":"kari@example.com"}`))
		var made answer
		r.until("the call is recorded", func() bool {
			made = r.get("/api/attempts?orderId=ORD-12345")
			return made.at("items[0]") != nil
		})
		r.get("/api/attempts/"+made.text("items[0].id")).is("kind", "step").is("status", 200).is("outcome", "succeeded").is("warnings", nil).
			is("request.body", "").is("request.headers", map[string]any{}).is("response.body", "").is("response.headers", map[string]any{})
		r.post(`{"id":"next","status":"Other"}`)
	})
	equals(t, "files with it", remains(t, path, "kari@example.com"), []string{})
}

// What is under way when an order is erased brings nothing of it back: neither
// a step's request that is sent again, nor an event's.
func TestAReplayOfAnErasedOrderIsRecordedWithoutBodies(t *testing.T) {
	for _, kind := range []string{"step", "event"} {
		t.Run(kind, func(t *testing.T) {
			s := holding(t)
			r := start(t)
			if kind == "step" {
				r.settings(config(status("New", step{Host: s.URL})))
			} else {
				r.subscribed(s.URL, "")
			}
			r.call("POST", "/api/orders", order, "Prefer", "respond-async")
			s.wait()
			s.answer(success)
			var first string
			r.until("it is recorded", func() bool {
				a := r.get("/api/attempts?kind=" + kind)
				first = fmt.Sprint(a.at("items[0].id"))
				return a.at("items[0]") != nil
			})
			replayed := make(chan answer, 1)
			go func() {
				a, err := r.try("POST", "/api/attempts/"+first+"/replay", "")
				if err != nil {
					t.Error(err)
				}
				replayed <- a
			}()
			s.wait()
			r.call("DELETE", theOrder+"?permanently=true", "").want(204)
			s.answer(answerWith(`{"CustomerName":"Kari Nordmann of Oslo"}`))
			again := (<-replayed).want(200).text("replay.id")
			r.get("/api/attempts/"+again).is("kind", "replay").is("orderId", "ORD-12345").is("status", 200).
				is("request.body", "").is("request.headers", map[string]any{}).is("response.body", "").is("response.headers", map[string]any{}).says("kari@example.com", "Nordmann")
			for _, text := range []string{"kari@example.com", "Nordmann"} {
				equals(t, "found by "+text, len(r.get("/api/attempts?body="+text).ids("id")), 0)
			}
		})
	}
}

// remains returns the files of a database that hold a text.
func remains(t *testing.T, path, text string) []string {
	t.Helper()
	if onServer {
		return rowsWith(t, path, text)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	found := []string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), text) {
			found = append(found, filepath.Base(file))
		}
	}
	return found
}

func TestErasedTextIsNowhereInTheFile(t *testing.T) {
	path := newDatabase(t)
	const email = "erase.me@example.com"
	t.Run("life", func(t *testing.T) {
		s := answering(t, answerWith(`{"CustomerName":"Kari Nordmann of Oslo"}`))
		r := startOn(t, path)
		r.settings(config(status("New", step{Host: s.URL})))
		r.erased(`{"id":"small","customerEmail":"` + email + `"}`)
		r.erased(`{"id":"large","customerEmail":"` + email + `","note":"` + strings.Repeat(email+" ", 5000) + `"}`)
	})
	equals(t, "files with it", remains(t, path, email), []string{})
}

// erased posts an order, changes it, and erases it.
func (r *rig) erased(doc string) {
	r.t.Helper()
	posted := r.call("POST", "/api/orders", doc, "Idempotency-Key", doc[:12]).want(201)
	path := "/api/orders/" + posted.text("order.id")
	r.call("PATCH", path, `{"note2":"`+posted.text("order.customerEmail")+`"}`).want(200)
	r.call("PATCH", path, `{"customerEmail":"x@example.com"}`).want(200)
	r.call("DELETE", path+"?permanently=true", "").want(204)
}
