package contract

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// docs/contract.md#event-types: the rows of orders, by every way on
// which an order changes. The rows one by one are in package event.

// events returns the tenant's events, the oldest first, with their data.
func (r *rig) events() []*event.Event {
	r.t.Helper()
	ctx, tenant := r.t.Context(), r.tenant()
	list, err := r.store.Events(ctx, tenant, store.EventFilter{}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		r.t.Fatal(err)
	}
	out := make([]*event.Event, len(list.Items))
	for i, e := range list.Items {
		if out[len(out)-1-i], err = r.store.Event(ctx, tenant, e.ID); err != nil {
			r.t.Fatal(err)
		}
	}
	return out
}

// tenant returns the tenant whose key the rig has.
func (r *rig) tenant() string {
	r.t.Helper()
	key, err := r.store.KeyByHash(r.t.Context(), access.HashKey(r.key))
	if err != nil {
		r.t.Fatal(err)
	}
	return key.Tenant
}

// happened returns the events since those that were there before, each as its
// type and the subject's id.
func (r *rig) happened(before int) (out []string) {
	r.t.Helper()
	for _, e := range r.events()[before:] {
		out = append(out, e.Type+" "+e.Subject.ID)
	}
	return out
}

// ordered starts an orderhook with settings that has the order.
func ordered(t *testing.T, settings string) *rig {
	t.Helper()
	r := lease(t)
	r.settings(settings)
	r.post(order)
	return r
}

const created = "OrderCreated ORD-12345"

func TestAnOrderIsStoredForTheFirstTime(t *testing.T) {
	for name, how := range map[string]func(*rig){
		"with its workflow":    func(r *rig) { r.post(order) },
		"without its workflow": func(r *rig) { r.call("POST", "/api/orders?runWorkflow=false", order).want(201) },
		"without waiting":      func(r *rig) { r.begin("/api/orders", order)() },
		"twice under one Idempotency-Key": func(r *rig) {
			for range 2 {
				r.call("POST", "/api/orders", order, "Idempotency-Key", "one").want(201)
			}
		},
		"with a conflict behind it": func(r *rig) { r.post(order); r.call("POST", "/api/orders", order).problem(409) },
	} {
		t.Run(name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(config(status("New", step{Host: s.URL})))
			how(r)
			same(t, "events", r.happened(0), []string{created})
		})
	}
	r := lease(t)
	r.post(strings.Replace(order, `"New"`, `"Accepted"`, 1))
	same(t, "events of one created in Accepted", r.happened(0), []string{created, "OrderAccepted ORD-12345"})
}

func TestACartThatBecomesAnOrder(t *testing.T) {
	r := lease(t)
	r.call("PUT", "/api/carts/C1", `{"customerEmail":"kari@example.com","orderForm":{"lineItems":[{"lineItemId":"L1","quantity":1,"placedPrice":10.10}]}}`)
	id := r.call("POST", "/api/carts/C1/order", "").want(201).text("order.id")
	same(t, "events", r.happened(0), []string{"OrderCreated " + id})
}

// Each way to give an order a status.
func TestAnOrderEntersAStatus(t *testing.T) {
	accepted := []string{"OrderAccepted ORD-12345"}
	failed := append(accepted, "workflow_failed ORD-12345")
	through := func(answer string) func(*testing.T, *rig) {
		return func(t *testing.T, r *rig) {
			r.settings(config(status("Parked", step{Host: answering(t, answer).URL, Stop: true, ErrorStatus: "Accepted"})))
			r.enter("Parked")
		}
	}
	for name, c := range map[string]struct {
		how  func(*testing.T, *rig)
		want []string
	}{
		"POST …/status": {func(_ *testing.T, r *rig) { r.enter("Accepted") }, accepted},
		"POST …/status, no workflow": {func(_ *testing.T, r *rig) {
			r.call("POST", theOrder+"/status", `{"status":"Accepted","skipRunWorkflow":true}`).want(200)
		}, accepted},
		"PATCH":                         {func(_ *testing.T, r *rig) { r.call("PATCH", theOrder, `{"status":"Accepted"}`).want(200) }, accepted},
		"a step's patch":                {through(answerWith(`{"Status":"Accepted"}`)), accepted},
		"ErrorStatus":                   {through(canceled), failed},
		"ErrorStatus of a failed call":  {func(t *testing.T, r *rig) { through("[]")(t, r) }, failed},
		"TriggerNewStatus":              {through(triggering("Accepted")), accepted},
		"a patch, and TriggerNewStatus": {through(strings.TrimSuffix(triggering("Completed"), "}") + `,"OrderPatch":{"Status":"Accepted"}}`), []string{"OrderAccepted ORD-12345", "order_completed ORD-12345"}},
		"DELETE":                        {func(_ *testing.T, r *rig) { r.call("DELETE", theOrder, "").want(200) }, nil},
		"DELETE, with events of it": {func(_ *testing.T, r *rig) {
			r.settings(config(withEvents("Deleted", `"order_deleted"`)))
			r.call("DELETE", theOrder, "").want(200)
		}, []string{"order_deleted ORD-12345"}},
		"DELETE for good":            {func(_ *testing.T, r *rig) { r.call("DELETE", theOrder+"?permanently=true", "").want(204) }, nil},
		"the status it is in":        {func(_ *testing.T, r *rig) { r.enter("NEW") }, nil},
		"a patch of the same status": {func(_ *testing.T, r *rig) { r.call("PATCH", theOrder, `{"status":"New","tags":["x"]}`).want(200) }, nil},
		"a cancel name, by a store":  {func(_ *testing.T, r *rig) { r.enter("OrderCanceledByStore") }, []string{"OrderCanceled ORD-12345", "order_cancelled ORD-12345"}},
		"a dueDate":                  {func(_ *testing.T, r *rig) { r.call("PATCH", theOrder, `{"dueDate":"2026-12-01"}`).want(200) }, []string{"OrderDueDateUpdated ORD-12345"}},
		"a version behind": {func(_ *testing.T, r *rig) {
			r.call("PATCH", theOrder, `{"status":"Accepted"}`, "If-Match", `"7"`).problem(412)
			r.call("PATCH", theOrder, `{"status":"Accepted","id":"other"}`).problem(422)
			r.call("POST", theOrder+"/status", `{"status":"Accepted","shipmentId":"none"}`).problem(422)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := ordered(t, config())
			before := len(r.events())
			c.how(t, r)
			same(t, "events", r.happened(before), c.want)
		})
	}
}

// "emits no status event": the workflow runs again all the same.
func TestTheSameNameAgainRunsAndTellsNobody(t *testing.T) {
	s := answering(t, "")
	r := ordered(t, config(status("Accepted", step{Host: s.URL})))
	r.enter("Accepted")
	before := len(r.events())
	r.enter("accepted")
	equals(t, "calls", len(s.got()), 2)
	same(t, "events", r.happened(before), nil)
}

func TestADeferredStepsStatus(t *testing.T) {
	r, _ := deferring(t, step{Host: answering(t, answerWith(`{"Status":"Accepted","DueDate":"2026-12-01"}`)).URL, Deferred: true})
	same(t, "events before", r.happened(0), []string{created})
	r.clock.Release()
	r.ended()
	same(t, "events", r.happened(1), []string{"OrderAccepted ORD-12345"}) // a step may not change the dueDate
}

func TestAnOverdueRunsErrorStatus(t *testing.T) {
	r := inTime(t)
	r.settings(config(within("PT0.3S", "New", step{Host: holding(t).URL, Stop: true, ErrorStatus: "Expired"})))
	r.post(order)
	same(t, "events", r.happened(0), []string{created, "OrderExpired ORD-12345", "workflow_failed ORD-12345"})
}

func TestAReturnsEvents(t *testing.T) {
	s := answering(t, answerWith(`{"Status":"Accepted"}`))
	r := lease(t)
	r.settings(with(config(withEvents("Returned", `"+order_returned"`)), returnStatuses(step{Host: s.URL})))
	r.post(order)
	id := r.giveBack("2").text("returnId")
	same(t, "events", r.happened(1), []string{"order_returned ORD-12345", "OrderAccepted ORD-12345"})
	for _, e := range r.events()[1:] {
		equals(t, "related", e.Related, event.Related{OrderID: "ORD-12345", ReturnID: id})
	}
	r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"Returned","returnId":%q,"skipRunWorkflow":true}`, id)).want(200)
	equals(t, "the return of a status without a workflow", r.events()[3].ReturnID, id)
}

func TestADryRunTellsNobody(t *testing.T) {
	s := answering(t, answerWith(`{"Status":"Signed"}`))
	r := ordered(t, config(status("Accepted", step{Host: s.URL})))
	before := len(r.events())
	r.rehearse("Accepted", "").want(200)
	r.rehearse("Accepted", calling).want(200).is("order.status", "Signed")
	same(t, "events", r.happened(before), nil)
}

func TestAnEventCarriesTheOrderAsItIsAfterTheWrite(t *testing.T) {
	r := lease(t)
	r.post(strings.Replace(order, `"status"`, `"subscriptionId":"SUB-9","status"`, 1))
	r.call("PATCH", theOrder, `{"status":"Accepted","orderForm":{"handlingTotal":0.10}}`).want(200)
	events := r.events()
	for i, version := range []string{"/versions/1", "/versions/2"} {
		equals(t, "data", string(events[i].Data), strings.TrimSpace(string(r.get(theOrder+version).Raw)))
		equals(t, "subject", events[i].Subject, event.Subject{Kind: "order", ID: "ORD-12345"})
		equals(t, "related", events[i].Related, event.Related{OrderID: "ORD-12345", SubscriptionID: "SUB-9"})
		equals(t, "time", events[i].Timestamp, r.clock.Now().UTC())
	}
	is(t, events[1].Data, "orderForm.handlingTotal", number("0.10"))
}

// refusing is a database that takes no events while it is told so.
type refusing struct {
	store.Store
	now *atomic.Bool
}

type refusingTx struct{ store.Tx }

func (r refusing) Write(ctx context.Context, do func(store.Tx) error) error {
	return r.Store.Write(ctx, func(tx store.Tx) error {
		if r.now.Load() {
			tx = refusingTx{tx}
		}
		return do(tx)
	})
}

func (refusingTx) AddEvents(context.Context, string, ...*event.Event) error {
	return apierr.Errorf(apierr.Unavailable, "the disk is full")
}

func (refusingTx) AddEventFor(context.Context, string, *event.Event, *event.Endpoint) error {
	return apierr.Errorf(apierr.Unavailable, "the disk is full")
}

// withoutEvents is the same orderhook with another engine, whose database takes
// no events while now is set.
func (r *rig) withoutEvents(now *atomic.Bool) *rig { return r.withEngineOn(refusing{r.store, now}) }

// withEngineOn is the same orderhook with another engine, which stands on st.
func (r *rig) withEngineOn(st store.Store) *rig {
	r.t.Helper()
	log := slog.New(slog.NewTextHandler(r.log, nil))
	client := outbound.New(outbound.Options{Version: "test", Guard: outbound.Guard{AllowPrivate: true}, Secrets: r.store.Secrets()})
	engine := workflow.New(workflow.Options{Store: st, Client: client, Work: admission.NewWork(1), Clock: r.hands, Log: log, MaxStatusChanges: r.maxStatusChanges})
	server := httptest.NewServer(api.New(api.Options{Store: r.store, Engine: engine, Clock: r.hands, Log: log, Version: "test"}))
	r.t.Cleanup(func() {
		engine.StopWaits()
		server.Close()
		engine.Stop(context.Background())
		client.Close()
	})
	other := *r
	other.url, other.engine = server.URL, engine
	return &other
}

// "An event and everything that caused it commit together or not at all."
func TestAChangeWithoutItsEventIsNoChange(t *testing.T) {
	var refused atomic.Bool
	refused.Store(true)
	s := answering(t, "")
	r := ordered(t, with(config(status("Accepted", step{Host: s.URL}), status("Exported", step{Name: "ExportOrder", Host: s.URL})), connectors(connector(s.URL, ""))))
	r.post(strings.ReplaceAll(order, "ORD-12345", "ORD-2"))
	before, events := r.stored(), len(r.events())
	other := r.withoutEvents(&refused)
	for call, body := range map[string]string{
		"POST /api/orders":                         strings.ReplaceAll(order, "ORD-12345", "ORD-3"),
		"POST " + theOrder + "/status":             `{"status":"Accepted"}`,
		"PATCH " + theOrder:                        `{"dueDate":"2026-12-01","tags":["more"]}`,
		"POST " + theShipments:                     `{"shipmentId":"S3"}`,
		"PATCH " + theShipments + "/SHIP-2":        `{"status":"Packed"}`,
		"POST /api/orders/ORD-2/status":            `{"status":"Exported"}`,
		"POST /api/orders/ORD-2/status?wait=false": `{"status":"Signed"}`,
	} {
		other.callOf(call, body).problem(503)
		equals(t, "what is stored after "+call, r.stored(), before)
	}
	equals(t, "orders", len(r.get("/api/orders").ids("id")), 2)
	equals(t, "calls", len(s.got()), 0)
	equals(t, "events", len(r.events()), events)
	refused.Store(false)
	other.enter("Accepted").is("order.status", "Accepted")
	same(t, "events", r.happened(events), []string{"OrderAccepted ORD-12345"})
}

// What a call came to waits in memory until it can be stored with its events.
func TestAnAnswerWaitsUntilItsEventCanBeStored(t *testing.T) {
	var refused atomic.Bool
	s := holding(t)
	r := ordered(t, config(status("Parked", step{Host: s.URL})))
	other := r.withoutEvents(&refused)
	finish := other.begin(theOrder+"/status", `{"status":"Parked"}`)
	s.wait()
	refused.Store(true)
	s.answer(answerWith(`{"Status":"Accepted"}`))
	r.until("the log says so", func() bool { return strings.Contains(r.log.String(), "cannot be stored yet") })
	same(t, "events", r.happened(1), nil)
	r.get(theOrder).is("status", "Parked")
	refused.Store(false)
	finish().want(200).is("order.status", "Accepted")
	same(t, "events", r.happened(1), []string{"OrderAccepted ORD-12345"})
	equals(t, "calls", len(s.got()), 1)
}
