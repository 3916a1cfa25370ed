package contract

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/validate"
)

// unsure is a database that makes so many writes of attempts and says that nobody knows
// whether it did, as a server that is cut off at the commit does.
type unsure struct {
	store.Store
	left *atomic.Int64
}

type unsureTx struct {
	store.Tx
	attempts *bool
}

func (t unsureTx) AddAttempt(ctx context.Context, tenant string, a *attempt.Attempt) error {
	*t.attempts = true
	return t.Tx.AddAttempt(ctx, tenant, a)
}

func (u unsure) Write(ctx context.Context, do func(store.Tx) error) error {
	attempts := false
	err := u.Store.Write(ctx, func(tx store.Tx) error { return do(unsureTx{tx, &attempts}) })
	if err == nil && attempts && u.left.Add(-1) >= 0 {
		return apierr.Errorf(apierr.Unavailable, "whether it was written is not known")
	}
	return err
}

// TestAnAnswerThatWasStoredUnknowingly: the run goes on behind it, after one call and with
// one attempt.
func TestAnAnswerThatWasStoredUnknowingly(t *testing.T) {
	var left atomic.Int64
	first, second := holding(t), answering(t, answerWith(`{"Tags":["second"]}`))
	r := ordered(t, config(status("Parked", step{Host: first.URL}, step{Host: second.URL})))
	other := r.withEngineOn(unsure{r.store, &left})
	finish := other.begin(theOrder+"/status", `{"status":"Parked"}`)
	first.wait()
	left.Store(1)
	first.answer(answerWith(`{"Tags":["first"]}`))
	finish().want(200).is("runStatus", "succeeded").is("orderActionExecutionResults[0].attempts", 1).is("orderActionExecutionResults[1].attempts", 1)
	equals(t, "calls", len(first.got())+len(second.got()), 2)
	equals(t, "attempts", len(r.get("/api/attempts?orderId=ORD-12345").ids("id")), 2)
}

// crowded is a database in which another node gives the id of an attempt to one of its own
// just before that is stored.
type crowded struct {
	store.Store
	left *atomic.Int64
}

type crowdedTx struct {
	store.Tx
	crowded
}

func (c crowded) Write(ctx context.Context, do func(store.Tx) error) error {
	return c.Store.Write(ctx, func(tx store.Tx) error { return do(crowdedTx{tx, c}) })
}

func (c crowdedTx) AddAttempt(ctx context.Context, tenant string, a *attempt.Attempt) error {
	if c.left.Add(-1) >= 0 {
		other := *a
		other.CallID, other.RunID, other.OrderID = "call_of another", "", ""
		if err := c.Store.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, tenant, &other) }); err != nil {
			return err
		}
	}
	return c.Tx.AddAttempt(ctx, tenant, a)
}

func TestAnAttemptWhoseIDAnotherNodeHasGiven(t *testing.T) {
	var left atomic.Int64
	s := holding(t)
	r := ordered(t, config(status("Parked", step{Host: s.URL})))
	other := r.withEngineOn(crowded{r.store, &left})
	finish := other.begin(theOrder+"/status", `{"status":"Parked"}`)
	s.wait()
	left.Store(1)
	s.answer(answerWith(`{"Tags":["seen"]}`))
	finish().want(200).is("runStatus", "succeeded").is("orderActionExecutionResults[0].attempts", 1)
	equals(t, "calls", len(s.got()), 1)
	equals(t, "attempts", len(r.get("/api/attempts?orderId=ORD-12345").ids("id")), 1)
	equals(t, "all attempts", len(r.get("/api/attempts").ids("id")), 2)
}

// crowded is the same orderhook with all that records attempts on a crowded database.
func (r *rig) crowded(st crowded) *rig {
	r.t.Helper()
	log := slog.New(slog.NewTextHandler(r.log, nil))
	client := outbound.New(outbound.Options{Version: "test", Guard: outbound.Guard{AllowPrivate: true}, Secrets: r.store.Secrets()})
	server := httptest.NewServer(api.New(api.Options{Store: st, Engine: r.engine, Client: client, Clock: r.hands, Log: log, Version: "test",
		Validator:  &validate.Validator{Store: st, Client: client, Clock: r.hands, Log: log},
		Deliveries: delivery.New(delivery.Options{Store: st, Client: client, Clock: r.hands, Log: log})}))
	r.t.Cleanup(func() { server.Close(); client.Close() })
	other := *r
	other.url = server.URL
	return &other
}

// TestEveryCallWhoseIDAnotherNodeHasGiven is recorded under another one, and answered as if
// nothing had been.
func TestEveryCallWhoseIDAnotherNodeHasGiven(t *testing.T) {
	r, s := lease(t), answering(t, approved)
	r.validators(validatorAt(s.URL, ""))
	r.put(cart)
	r.validate()
	to := r.subscribed(s.URL, "")
	first := r.get("/api/attempts?kind=validator").text("items[0].id")
	for call, kind := range map[string]string{
		"/api/attempts/" + first + "/replay": "replay",
		theCart + "/validate":                "validator",
		endpointPath(to, "/test"):            "event",
	} {
		var left atomic.Int64
		other := r.crowded(crowded{r.store, &left})
		before := len(r.get("/api/attempts?kind=" + kind).ids("id"))
		left.Store(1)
		other.call("POST", call, "").want(200)
		equals(t, "was in the way of "+kind, left.Load() < 0, true)
		equals(t, "attempts of the kind "+kind, len(r.get("/api/attempts?kind="+kind).ids("id")), before+2) // with the one that was in the way
	}
}
