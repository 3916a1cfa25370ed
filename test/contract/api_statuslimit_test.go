package contract

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// The status rate limit: an order may enter so many statuses a minute through the API.

// statusLimited starts an orderhook whose orders may enter only so many.
func statusLimited(t *testing.T, most int) *rig {
	t.Helper()
	r := newRig(t, newDatabase(t))
	r.maxStatusChanges = most
	r.run()
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() { r.end(patience) })
	return r
}

func TestALoopOfStatusesIsBroken(t *testing.T) {
	r := statusLimited(t, 60)
	var refused atomic.Pointer[answer]
	s := endpoint(t, func(w http.ResponseWriter, n int) { // as it must not be written
		if a, err := r.try("POST", theOrder+"/status?wait=false", fmt.Sprintf(`{"status":"S%d"}`, n%2)); err == nil && a.Status == 429 {
			refused.Store(&a)
		}
	})
	r.settings(config(status("S0", step{Host: s.URL}), status("S1", step{Host: s.URL})))
	r.call("POST", "/api/orders?wait=false", strings.Replace(order, `"New"`, `"S0"`, 1)).want(202)
	r.until("the loop is broken", func() bool { return refused.Load() != nil })
	refused.Load().problem(429)
	r.ended()
	equals(t, "runs", len(r.all("/api/runs?limit=50", "id", func() {})), 61)
	if log := r.log.String(); strings.Count(log, "enters statuses too often") != 1 || !strings.Contains(log, "order=ORD-12345") {
		t.Errorf("the log says %s", log)
	}
}

// entries is every call that has the order enter a status, with number n of
// its kind.
var entries = map[string]func(r *rig, n int) answer{
	"a status": func(r *rig, n int) answer {
		return r.call("POST", theOrder+"/status", `{"status":"Held"}`)
	},
	"a status without a workflow": func(r *rig, n int) answer {
		return r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"S%d","skipRunWorkflow":true}`, n))
	},
	"a patch": func(r *rig, n int) answer {
		return r.call("PATCH", theOrder, fmt.Sprintf(`{"status":"S%d"}`, n))
	},
	"a shipment's status": func(r *rig, n int) answer {
		return r.call("POST", theOrder+"/status", `{"status":"Packed","shipmentId":"SHIP-2"}`)
	},
	"a shipment's patch": func(r *rig, n int) answer {
		return r.call("PATCH", theOrder+"/shipments/SHIP-2", fmt.Sprintf(`{"status":"S%d"}`, n))
	},
	"an order's patch of a shipment": func(r *rig, n int) answer {
		return r.call("PATCH", theOrder, fmt.Sprintf(`{"orderForm":{"shipments":[{"shipmentId":"SHIP-2","status":"S%d"}]}}`, n))
	},
	"a return": func(r *rig, n int) answer {
		return r.call("POST", theOrder+"/returns", `{"lineItems":[{"lineItemId":"L1","returnQuantity":0.1}]}`)
	},
	"deleting": func(r *rig, n int) answer { return r.call("DELETE", theOrder, "") },
}

func TestEveryWayIntoAStatusIsLimited(t *testing.T) {
	for name, enter := range entries {
		t.Run(name, func(t *testing.T) {
			r := statusLimited(t, 2)
			r.post(order)
			for n := range 2 {
				if a := enter(r, n); a.Status >= 300 {
					t.Fatalf("number %d: %d %s", n+1, a.Status, a.Raw)
				}
			}
			before := r.stored()
			a := enter(r, 2).problem(429)
			equals(t, "Retry-After", a.Header.Get("Retry-After"), "60")
			if detail := a.text("detail"); !strings.Contains(detail, "2 times within a minute") || !strings.Contains(detail, "--max-status-changes") || !strings.Contains(detail, "loop") {
				t.Errorf("the problem says %q", detail)
			}
			equals(t, "what is stored", r.stored(), before)
			r.clock.Advance(58500 * time.Millisecond)
			equals(t, "Retry-After", enter(r, 3).problem(429).Header.Get("Retry-After"), "2")
			r.clock.Advance(1500 * time.Millisecond)
			if a := enter(r, 4); a.Status >= 300 {
				t.Errorf("a minute later: %d %s", a.Status, a.Raw)
			}
		})
	}
}

func TestTheDocumentHasThe429(t *testing.T) {
	paths := lease(t).get("/api/openapi.json").doc().Object("paths")
	for _, name := range []string{"POST /api/orders/{id}/status", "PATCH /api/orders/{id}", "DELETE /api/orders/{id}", "POST /api/orders/{id}/returns",
		"PATCH /api/orders/{id}/shipments/{shipmentId}"} {
		method, path, _ := strings.Cut(name, " ")
		if paths.Object(path).Object(method).Object("responses").Object("429") == nil {
			t.Errorf("%s has no 429", name)
		}
	}
}

func TestWhatEntersNoStatusIsNotLimited(t *testing.T) {
	r := statusLimited(t, 1)
	for n := range 3 {
		r.call("POST", "/api/orders", fmt.Sprintf(`{"id":"o%d"}`, n)).want(201)
	}
	r.post(order)
	first := r.call("POST", theOrder+"/status", `{"status":"Held"}`, "Idempotency-Key", "one").want(200)
	r.call("POST", theOrder+"/status", `{"status":"Held"}`).problem(429)
	for n := range 3 {
		r.call("POST", theOrder+"/status", `{"status":"Held"}`, "Idempotency-Key", "one").want(200).is("runId", first.at("runId"))
		r.call("POST", theOrder+"/status", `{"status":"Packed","dryRun":true}`).want(200)
		r.call("POST", theOrder+"/status", `{"status":"HELD","skipRunWorkflow":true}`).want(200)
		r.call("PATCH", theOrder, fmt.Sprintf(`{"status":"held","customerName":"Kari %d"}`, n)).want(200)
		r.call("PATCH", theOrder+"/shipments/SHIP-2", fmt.Sprintf(`{"deliveryStatus":"D%d","status":"New"}`, n)).want(200)
		r.call("POST", theOrder+"/shipments", `{"status":"New"}`).want(201)
		r.call("POST", theOrder+"/status", `{"status":"x"}`, "If-Match", `"1"`).problem(412)
	}
	r.call("POST", "/api/orders/o1/status", `{"status":"Held"}`).want(200)
	r.stranger().call("POST", "/api/orders", order).want(201)
	r.stranger().call("POST", theOrder+"/status", `{"status":"Held"}`).want(200)
	r.call("DELETE", theOrder+"?permanently=true", "").want(204)
}

// What the database did not take was no entering of a status.
func TestAFailedChangeOfStatusIsNotCounted(t *testing.T) {
	var refused atomic.Bool
	r := statusLimited(t, 1)
	r.post(order)
	other := r.withoutEvents(&refused)
	refused.Store(true)
	for range 3 {
		other.call("PATCH", theOrder, `{"status":"Accepted"}`).problem(503)
		other.call("POST", theOrder+"/status", `{"status":"Accepted"}`).problem(503)
	}
	refused.Store(false)
	other.call("PATCH", theOrder, `{"status":"Accepted"}`).want(200)
	other.call("PATCH", theOrder, `{"status":"Signed"}`).problem(429)
}

func TestStepsMayGoThroughAsManyStatusesAsTheyLike(t *testing.T) {
	r := statusLimited(t, 1)
	triggers := func(status string) step {
		return step{Host: answering(t, `{"OrderActionExecutionResults":[{"ActionStatus":"Success","TriggerNewStatus":"`+status+`"}],"OrderPatch":{"Status":"of a patch"}}`).URL}
	}
	r.settings(config(status("New", triggers("A")), status("A", triggers("B")), status("B", triggers("C")), status("C")))
	r.post(order).is("order.status", "C")
}
