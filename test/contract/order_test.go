package contract

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// order is what most tests post. Its orderType is the one of config.
const order = `{"id":"ORD-12345","status":"New","orderType":"Online","marketId":"NOR","storeId":"oslo-city",
 "customerEmail":"kari@example.com","customerName":"Kari Nordmann","tags":["first"],
 "properties":[{"key":"Channel","value":"web"}],"customField":{"deep":[1,{"keep":"me"}]},
 "orderForm":{"lineItems":[{"lineItemId":"L1","code":"SHOE-42","quantity":2,"placedPrice":10.10}],
  "shipments":[{"shipmentId":"SHIP-67890","status":"New","address":{"line1":"Storgata 1","city":"Oslo"}},
   {"shipmentId":"SHIP-2","status":"New","address":{"line1":"Torget 7","city":"Bergen"}}]}}`

const theOrder = "/api/orders/ORD-12345"

// Answers of an endpoint.
const (
	success  = `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}]}`
	canceled = `{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"Shipping address could not be validated"}]}`
)

// ofStep is what errors, histories and reasons say of a webhook step without a
// displayName.
func ofStep(n, of int, what string) string {
	return fmt.Sprintf("WebhookWorkflowStep (step %d of %d): %s", n, of, what)
}

// answerWith is a successful answer with a patch.
func answerWith(patch string) string {
	return strings.TrimSuffix(success, "}") + `,"OrderPatch":` + patch + `}`
}

// placed starts an orderhook whose status New has the steps, and posts the order.
func placed(t *testing.T, steps ...step) (*rig, answer) {
	t.Helper()
	r := lease(t)
	r.settings(config(status("New", steps...)))
	return r, r.post(order)
}

func (r *rig) post(order string) answer {
	r.t.Helper()
	return r.call("POST", "/api/orders", order).want(201)
}

// enter makes the order enter a status.
func (r *rig) enter(status string) answer {
	r.t.Helper()
	return r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":%q}`, status)).want(200)
}

// begin makes a POST without waiting for its run. What it returns waits until
// the run has its answer: the same call again, under the same Idempotency-Key.
func (r *rig) begin(path, body string) (finish func() answer) {
	r.t.Helper()
	once.Lock()
	once.n++
	key := fmt.Sprint("begun-", once.n)
	once.Unlock()
	r.call("POST", path, body, "Idempotency-Key", key, "Prefer", "respond-async").want(202)
	return func() answer { r.t.Helper(); return r.call("POST", path, body, "Idempotency-Key", key) }
}

var once struct {
	sync.Mutex
	n int
}

// until waits for what gives no signal.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// ended waits until no run of the order is to come, and returns all, the newest first.
func (r *rig) ended() answer {
	r.t.Helper()
	var runs answer
	r.until("all runs have ended", func() bool {
		runs = r.get("/api/runs?orderId=ORD-12345")
		var list struct{ Items []struct{ Ended *time.Time } }
		decode(r.t, runs.Raw, &list)
		for _, run := range list.Items {
			if run.Ended == nil {
				return false
			}
		}
		return true
	})
	return runs
}

// entry is one entry of the order's history.
type entry struct {
	ID, Category, Operation, Message, Status, PreviousStatus, Step, ShipmentID, ReturnID, CallID, RunID, By string

	Version int64
	IsError bool
	Changes []change

	Warnings []struct{ Path, Message string }
}

type change struct {
	Path                  string
	Before, After, Theirs any
}

// history returns the order's entries of an operation, the oldest first.
func (r *rig) history(operation string) []entry {
	r.t.Helper()
	var list struct{ Items []entry }
	decode(r.t, r.get(theOrder+"/history?limit=200").Raw, &list)
	var out []entry
	for i := range list.Items {
		if e := list.Items[len(list.Items)-1-i]; e.Operation == operation {
			out = append(out, e)
		}
	}
	return out
}

// entry returns the one entry of an operation.
func (r *rig) entry(operation string) entry {
	r.t.Helper()
	all := r.history(operation)
	if len(all) != 1 {
		r.t.Fatalf("%d entries of %s, want 1 in %s", len(all), operation, r.get(theOrder+"/history?limit=200").Raw)
	}
	return all[0]
}
