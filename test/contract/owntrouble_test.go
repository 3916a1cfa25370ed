package contract

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// This server's own want of descriptors, ports or memory is nobody's fault and no
// attempt (docs/operating.md).

// troubled is a client that has nothing for its next calls.
type troubled struct {
	poster
	next atomic.Int64 // calls
}

func (c *troubled) Post(ctx context.Context, r outbound.Request) outbound.Exchange {
	if c.next.Add(-1) >= 0 {
		return outbound.Exchange{OneWay: r.OneWay, URL: r.URL, Err: outbound.OwnTroubleError("too many open files")}
	}
	return c.poster.Post(ctx, r)
}

// inTrouble is an orderhook of its own whose client has trouble when told to.
func inTrouble(t *testing.T) (*rig, *troubled) {
	t.Helper()
	c := &troubled{}
	r := newRig(t, newDatabase(t))
	r.calling = func(p poster) poster { c.poster = p; return c }
	r.run()
	r.addKey(adminKey, "default", "admin")
	t.Cleanup(func() { r.sentConforms(); r.end(patience) })
	return r, c
}

const ownTrouble = "this server's own trouble: too many open files"

func TestOwnTroubleIsNoAttemptOfAStep(t *testing.T) {
	r, c := inTrouble(t)
	s := answering(t, "")
	r.settings(with(config(status("New", step{ID: "c1"})), connectors(connector(s.URL, `,"ConnectorId":"c1","breaker":{"failures":1,"window":"PT1H","openFor":"PT1H","whileOpen":"fail"}`))))
	c.next.Store(7) // more than a call has attempts
	a := r.post(order)
	a.is("orderActionExecutionResults[0].actionStatus", "Success").is("orderActionExecutionResults[0].attempts", 1)
	got := s.got()
	equals(t, "requests", len(got), 1)
	equals(t, "X-Delivery-Count", got[0].Header.Get("X-Delivery-Count"), "1")
	same(t, "attempts", r.get("/api/attempts?orderId=ORD-12345").ids("number"), []string{"1"})
	r.breaker().is("items[0].breaker.circuit", "closed")
	if r.logged("a step waits for this server's own trouble to pass") == "" {
		t.Error("the log does not say so")
	}
}

func TestOwnTroubleIsNoAttemptOfADelivery(t *testing.T) {
	r, c := inTrouble(t)
	s := answering(t, "")
	e := r.subscribed(s.URL, `,"retrySchedule":["PT1H"]`)
	c.next.Store(40) // more than open a circuit
	id := r.publish("")
	d := r.delivery(id, "succeeded")
	d.is("attempts", 1)
	got := s.got()
	equals(t, "requests", len(got), 1)
	equals(t, "X-Attempt", got[0].Header.Get("X-Attempt"), "1")
	same(t, "attempts", r.get("/api/attempts?deliveryId="+d.text("id")).ids("number"), []string{"1"})
	r.get(endpointPath(e, "")).is("health.consecutiveFailures", 0).is("health.lastFailure", nil).is("health.circuit", "closed")
	if r.logged("a delivery waits for this server's own trouble to pass") == "" {
		t.Error("the log does not say so")
	}
}

// TestOwnTroubleOfACallThatSomebodyWaitsFor: who waits is told to come again, and
// nothing has changed.
func TestOwnTroubleOfACallThatSomebodyWaitsFor(t *testing.T) {
	r, c := inTrouble(t)
	s := answering(t, "")
	r.settings(with(config(status("New", step{ID: "c1"}), status("Checked", step{ID: "c1"})), connectors(connector(s.URL, `,"ConnectorId":"c1"`), validatorAt(s.URL, ""))))
	r.post(order)
	e := r.subscribed(s.URL, "")
	r.put(cart)
	attempt := "/api/attempts/" + r.get("/api/attempts?kind=step").text("items[0].id") + "/replay"
	before, attempts := len(s.got()), len(r.get("/api/attempts").ids("id"))
	for name, call := range map[string]func() answer{
		"a test":             func() answer { return r.call("POST", endpointPath(e, "/test"), "") },
		"a replay":           func() answer { return r.call("POST", attempt, "") },
		"a stored cart":      func() answer { return r.call("POST", theCart+"/validate", "") },
		"a cart in the body": func() answer { return r.call("POST", "/api/carts/validate", cart) },
		"an order of a cart": func() answer { return r.call("POST", theCart+"/order", "") },
		"a dry run with calls": func() answer {
			return r.call("POST", theOrder+"/status", `{"status":"Checked","dryRun":true,"callWebhooks":true}`)
		},
	} {
		c.next.Store(1)
		a := call()
		a.problem(503)
		if a.Header.Get("Retry-After") == "" || !strings.Contains(string(a.Raw), ownTrouble) {
			t.Errorf("%s: %s, Retry-After %q", name, a.Raw, a.Header.Get("Retry-After"))
		}
		equals(t, name+": trouble that is left", c.next.Load(), int64(0))
	}
	equals(t, "requests", len(s.got()), before)
	equals(t, "attempts", len(r.get("/api/attempts").ids("id")), attempts)
}
