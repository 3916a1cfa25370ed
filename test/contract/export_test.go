package contract

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// docs/contract.md#exports: one way, and what goes out is stored with the step that the
// run takes.

const exportStep = "ExportOrder"

// erp is a connector that exports go to; more are its further fields.
func erp(url, more string) string {
	return fmt.Sprintf(`{"Name":"ERP","ConnectorId":"erp-1","Host":%q%s}`, url, more)
}

// exporting is a step of that connector.
func exporting(more string) step { return step{Name: exportStep, Connector: "ERP", More: more} }

// exports returns the tenant's deliveries of exports, the oldest first, and
// their events, once all of them have ended.
func (r *rig) exports() (deliveries []*event.Delivery, events []*event.Event) {
	r.t.Helper()
	var list store.List[*event.Delivery]
	r.until("all exports have ended", func() bool {
		var err error
		list, err = r.store.Deliveries(r.t.Context(), r.tenant(), store.DeliveryFilter{EventType: event.TypeExportOrder}, store.Page{Limit: store.MaxLimit})
		if err != nil {
			r.t.Fatal(err)
		}
		return !slices.ContainsFunc(list.Items, func(d *event.Delivery) bool { return d.Status == event.DeliveryPending })
	})
	for i := range list.Items {
		d := list.Items[len(list.Items)-1-i]
		e, err := r.store.Event(r.t.Context(), r.tenant(), d.EventID)
		if err != nil {
			r.t.Fatal(err)
		}
		deliveries, events = append(deliveries, d), append(events, e)
	}
	return deliveries, events
}

// export returns the one export that there is, and its endpoint.
func (r *rig) export() (*event.Delivery, *event.Event, *event.Endpoint) {
	r.t.Helper()
	deliveries, events := r.exports()
	if len(deliveries) != 1 {
		r.t.Fatalf("%d exports, want 1", len(deliveries))
	}
	return deliveries[0], events[0], r.hidden(deliveries[0])
}

// hidden returns a delivery's endpoint, which no list shows.
func (r *rig) hidden(d *event.Delivery) *event.Endpoint {
	r.t.Helper()
	e, err := r.store.EndpointByNo(r.t.Context(), r.tenant(), d.Endpoint)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// withERP is settings with the connector, whose endpoint acknowledges all, and
// these statuses.
func withERP(t *testing.T, statuses ...string) string {
	t.Helper()
	return with(config(statuses...), connectors(erp(answering(t, "").URL, "")))
}

func TestAnExportIsStoredAndTheWorkflowGoesOn(t *testing.T) {
	held := holding(t)
	s, r := answering(t, answerWith(`{"Tags":["seen"]}`), ""), lease(t)
	r.settings(with(config(status("New", step{Host: s.URL + "/1"}, exporting(`,"translateKey":"steps.erp"`), step{Host: s.URL + "/2"})), connectors(erp(held.URL, ""))))
	res := r.post(order).is("isAborted", false).is("order.version", 2).is("order.errors", nil)
	res.is("orderActionExecutionResults[1].step", "ExportOrder").is("orderActionExecutionResults[1].actionType", "Export").
		is("orderActionExecutionResults[1].actionStatus", "Success").is("orderActionExecutionResults[1].translateKey", "steps.erp").
		is("orderActionExecutionResults[2].actionStatus", "Success")
	equals(t, "calls", s.paths(), []string{"/1", "/2"})
	held.answer(answerWith(`{"Status":"Changed"}`))
	d, e, endpoint := r.export()
	res.is("orderActionExecutionResults[1].callId", d.ID())
	version := strings.TrimSpace(string(r.get(theOrder + "/versions/2").Raw))
	equals(t, "data", string(e.Data), `{"order":`+version+`,"returnOrderForm":null,"shipment":null}`)
	equals(t, "body", string(held.only(t).Body), string(e.Data))
	is(t, e.Data, "order.tags", []string{"first", "seen"})
	equals(t, "event", fmt.Sprint(e.Type, e.Subject, e.Related, e.Timestamp), fmt.Sprint("ExportOrder", event.Subject{Kind: "order", ID: "ORD-12345"}, event.Related{OrderID: "ORD-12345"}, r.clock.Now().UTC()))
	equals(t, "delivery", fmt.Sprint(d.Status, " ", d.Attempts, " of ", d.MaxAttempts), "succeeded 1 of 6")
	equals(t, "endpoint", fmt.Sprint(endpoint.Origin, " ", *endpoint.Connector, " ", endpoint.Format, " ", endpoint.Schedule),
		"connector {ERP erp-1 } data [5s 30s 2m0s 10m0s 1h0m0s]")
	r.get(theOrder).is("status", "New").is("version", 2) // whatever was answered
}

// "recorded, retried … logs an export log item (created, isSuccess, status,
// errorReason) in the history".
func TestAnExportIsRecordedAndRetried(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{500, 200}[min(n, 1)]) })
	r := lease(t)
	r.settings(with(config(status("New", step{Name: exportStep, Connector: "ERP", Headers: header("X-Company", "7")})),
		connectors(erp(s.URL, `,"bearerToken":"top","customHeaders":[{"key":"X-Shop","value":"oslo"},{"key":"X-Company","value":"1"}]`))))
	r.post(order)
	d, e, _ := r.export()
	equals(t, "delivery", fmt.Sprint(d.Status, " ", d.Attempts), "succeeded 2")
	for _, got := range s.got() {
		equals(t, "headers", got.Header["Authorization"], []string{"Bearer top"})
		equals(t, "headers", fmt.Sprint(got.Header["X-Shop"], got.Header["X-Company"]), "[oslo] [7]")
		equals(t, "body", string(got.Body), string(e.Data))
	}
	attempts := r.get("/api/attempts?kind=export&orderId=ORD-12345")
	attempts.is("items[0].outcome", "succeeded").is("items[0].number", 2).is("items[0].connectorId", "erp-1").is("items[0].callId", d.ID())
	attempts.is("items[1].outcome", "failed").is("items[1].status", 500).is("items[2]", nil)
	h := r.entry("ExportOrder")
	equals(t, "history", fmt.Sprint(h.IsError, h.Status, h.CallID == d.ID(), h.Step), "falseNewtrueExportOrder")
}

// Calls to connectors carry an Idempotency-Key, the same for every attempt of
// one: an export is delivered at least once, and where nothing is signed there
// is no webhook-id to know a repeat by.
func TestAnExportIsKnownAgainByItsIdempotencyKey(t *testing.T) {
	for name, more := range map[string]string{"unsigned": "", "signed": `,"signingSecret":"top secret"`} {
		t.Run(name, func(t *testing.T) {
			s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{500, 200}[min(n, 1)]) })
			r := lease(t)
			r.settings(with(config(status("New", exporting(""))), connectors(erp(s.URL, more))))
			r.post(order)
			d, e, _ := r.export()
			r.call("POST", "/api/deliveries/"+d.ID()+"/redeliver", "").want(202)
			r.exports()
			r.replayed("kind=export", "")
			same(t, "keys", s.each("Idempotency-Key"), []string{e.ID, e.ID, e.ID, e.ID})
			if more != "" {
				same(t, "ids", s.each("Webhook-Id"), s.each("Idempotency-Key"))
			}
			r.enter("New")
			_, events := r.exports()
			equals(t, "the key of another export", s.each("Idempotency-Key")[4], events[1].ID)
		})
	}
}

// "Headers, strongest first" is said of connectors, whatever calls them: a
// connector's headers go out in an export as they do in a two-way call, the one
// aside that an event says about itself.
func TestAnExportHasTheHeadersOfATwoWayCall(t *testing.T) {
	const custom = `,"bearerToken":"top","customHeaders":[{"key":"X-Signature","value":"of-the-shop"},{"key":"x-attempt","value":"first"},
		{"key":"User-Agent","value":"Shop/2"},{"key":"accept","value":"text/json"},{"key":"X-Idempotency-Key","value":"k"},
		{"key":"Authorization","value":"Custom c"},{"key":"X-Both","value":"connector"},{"key":"Cookie","value":"a=b"}]`
	s, r := answering(t, ""), lease(t)
	own := header("X-Both", "step") + header("X-Signature-Version", "2")
	r.settings(with(config(status("New", step{Name: exportStep, Connector: "ERP", ID: "erp-1", Host: s.URL + "/export", Headers: own},
		step{Connector: "ERP", ID: "erp-1", Host: s.URL + "/step", Headers: own})), connectors(erp(s.URL, custom))))
	r.post(order)
	r.exports()
	sent := map[string]http.Header{}
	for _, got := range s.got() {
		sent[got.Path] = got.Header
	}
	for name, want := range map[string]string{
		"X-Signature": "of-the-shop", "User-Agent": "Shop/2", "Accept": "text/json", "X-Idempotency-Key": "k", "Authorization": "Custom c",
		"X-Both": "step", "Cookie": "a=b", "X-Signature-Version": "2",
	} {
		equals(t, name+" of the call", fmt.Sprint(sent["/step"].Values(name)), "["+want+"]")
		equals(t, name+" of the export", fmt.Sprint(sent["/export"].Values(name)), "["+want+"]")
	}
	equals(t, "X-Attempt", fmt.Sprint(sent["/step"].Values("X-Attempt"), sent["/export"].Values("X-Attempt")), "[first] [1]")
	again := r.replayed("kind=export", "")
	again.is("original.request.headers.X-Signature", "***").is("original.request.headers.X-Attempt", "1")
	last := s.got()[2].Header
	equals(t, "replayed", fmt.Sprint(last.Values("X-Signature"), last.Values("X-Attempt")), "[of-the-shop] [1]")
}

// The headers that a connector may not have are refused with its settings, so
// no export has them either; a step's own X-Attempt is let be, with a warning.
func TestWhichHeadersAnExportStepMayHave(t *testing.T) {
	r := lease(t)
	at := "orderTypes[0].orderStatuses[0].workflowSteps[0].properties[0].key"
	withHeader := func(name string) string {
		return withERP(t, status("New", step{Name: exportStep, Connector: "ERP", Headers: header(name, "1")}))
	}
	for _, name := range []string{"Host", "content-type", "X-Delivery-Count", "Webhook-Id", "Idempotency-Key"} {
		r.call("PUT", "/api/settings", withHeader(name)).problem(422, "body."+at)
	}
	r.call("PUT", "/api/settings", withHeader("X-Signature")).want(200).is("warnings[0]", nil)
	r.call("PUT", "/api/settings", withHeader("x-attempt")).want(200).is("warnings[0].path", at).is("warnings[1]", nil)
}

// The order's version is that after the entry, be it that somebody changed the
// order while the export was under way, or with what the entry tells; and every
// entry has the run that it was of.
func TestTheVersionAndTheRunOfAnExportsHistory(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{500, 200, 200}[n]) })
	held := holding(t)
	r := lease(t)
	r.settings(with(config(status("New", exporting("")), status("Packed", step{Name: exportStep, Connector: "WMS"})),
		connectors(erp(s.URL, `,"disableStandardErrorPolicy":true`), fmt.Sprintf(`{"Name":"WMS","Host":%q}`, held.URL))))
	first := r.post(order).text("runId")
	failed, _, _ := r.export()
	r.settings(with(config(status("New", exporting("")), status("Packed", step{Name: exportStep, Connector: "WMS"})),
		connectors(erp(s.URL, ""), fmt.Sprintf(`{"Name":"WMS","Host":%q}`, held.URL))))
	second := r.enter("New").text("runId")
	r.exports()
	r.call("POST", "/api/deliveries/"+failed.ID()+"/redeliver", "").want(202)
	r.exports()
	third := r.enter("Packed").text("runId")
	held.wait()
	r.call("PATCH", theOrder, `{"tags":["meanwhile"]}`).want(200)
	held.answer("")
	r.exports()
	var got []string
	for _, h := range r.history("ExportOrder") {
		got = append(got, fmt.Sprint(h.RunID, " ", h.Version, " ", h.Status, " ", h.IsError))
	}
	same(t, "runs, versions, statuses and whether it failed", got, []string{
		first + " 2 New true", second + " 3 New false", first + " 3 New false", third + " 5 Packed false"})
	before := fmt.Sprint(r.history("ExportOrder"))
	if err := r.store.RemoveOld(t.Context(), r.tenant(), store.RetainedRuns, r.clock.Now().Add(time.Hour), func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	equals(t, "the entries when their runs are gone", fmt.Sprint(r.history("ExportOrder")), before)
}

// An export log item says what the entry of a two-way step beside it says: of
// which run and step it is, what the step was for, and the order's version.
func TestTheHistoryOfAnExportSaysWhatThatOfACallSays(t *testing.T) {
	steps := []step{{Connector: "ERP", More: `,"displayName":"Fraud"`}, exporting(`,"displayName":"To the ERP"`)}
	returned := []step{{Name: "WebhookReturnWorkflowStep", Connector: "ERP", More: `,"displayName":"Fraud"`}, steps[1]}
	for name, c := range map[string]struct {
		enter func(r *rig) answer
		call  string
	}{
		"an order": {func(r *rig) answer { return r.enter("Packed") }, "WebhookWorkflowStep"},
		"again": {func(r *rig) answer {
			r.call("PATCH", theOrder, `{"status":"Packed"}`).want(200)
			return r.enter("Packed")
		}, "WebhookWorkflowStep"},
		"a shipment": {func(r *rig) answer { return r.ship("SHIP-2", "Packed") }, "WebhookWorkflowStep"},
		"a return":   {func(r *rig) answer { return r.giveBack("1") }, "WebhookReturnWorkflowStep"},
	} {
		t.Run(name, func(t *testing.T) {
			r := lease(t)
			r.settings(with(withERP(t, status("New"), status("Packed", steps...)), returnStatuses(returned...)))
			r.post(order)
			res := c.enter(r)
			d, _, _ := r.export()
			call, exported := r.entry("ExecuteExportOrder"), r.entry("ExportOrder")
			equals(t, "the call's", fmt.Sprint(call.By, call.RunID), "step "+c.call+" (Fraud)"+res.text("runId"))
			for field, same := range map[string]bool{
				"runId": exported.RunID == call.RunID, "version": exported.Version == call.Version && call.Version > 0, "category": exported.Category == call.Category,
				"shipmentId": exported.ShipmentID == call.ShipmentID, "returnId": exported.ReturnID == call.ReturnID,
			} {
				if !same {
					t.Errorf("%s differs: %+v, and of the call %+v", field, exported, call)
				}
			}
			equals(t, "the export's own", fmt.Sprint(exported.By, ", ", exported.Step, ", ", exported.CallID == d.ID(), ", ", exported.IsError), "step ExportOrder (To the ERP), ExportOrder, true, false")
		})
	}
}

// A failure for good is an error on the order, which a success clears.
func TestAnExportThatFailsForGood(t *testing.T) {
	var mended atomic.Bool
	s := endpoint(t, func(w http.ResponseWriter, _ int) {
		if !mended.Load() {
			w.WriteHeader(500)
		}
	})
	r := lease(t)
	r.settings(with(config(status("New", exporting(`,"displayName":"To the ERP","translateKey":"steps.erp"`)), status("Packed", exporting(""))), connectors(erp(s.URL, `,"disableStandardErrorPolicy":true`))))
	run := r.post(order).is("orderActionExecutionResults[0].actionStatus", "Success").text("runId")
	d, _, _ := r.export()
	equals(t, "delivery", fmt.Sprint(d.Status, " ", d.Attempts), "failed 1")
	history := theOrder + "/history"
	for field, want := range map[string]any{"operation": "ExportOrder", "isError": true, "created": false, "isSuccess": false, "errorReason": "answered 500 Internal Server Error",
		"message": "answered 500 Internal Server Error", "status": "New", "type": "ExportOrder", "translateKey": "steps.erp", "runId": run, "version": 2, "timestamp": "2026-11-21T09:00:00Z",
		"changes[0].path": "errors"} {
		r.get(history).is("items[0]."+field, want)
	}
	r.get(theOrder).is("version", 2).is("status", "New").is("errors[1]", nil)
	for field, want := range map[string]any{"key": "ExportOrder", "displayName": "To the ERP", "message": "answered 500 Internal Server Error", "severity": "Error", "status": "New",
		"details": d.ID(), "referenceId": nil, "runId": run, "occurred": "2026-11-21T09:00:00.000000Z"} {
		r.get(theOrder).is("errors[0]."+field, want)
	}
	r.ship("SHIP-2", "Packed")
	r.exports()
	r.get(theOrder).is("errors[1].referenceId", "SHIP-2").is("errors[1].displayName", nil).is("errors[2]", nil)
	version := r.get(theOrder).at("version")

	mended.Store(true)
	r.call("POST", "/api/deliveries/"+d.ID()+"/redeliver", "").want(202)
	r.exports()
	after := r.get(theOrder).is("errors[0].referenceId", "SHIP-2").is("errors[1]", nil)
	equals(t, "the version is another", after.at("version") != version, true)
	for field, want := range map[string]any{"operation": "ExportOrder", "isError": false, "created": true, "isSuccess": true, "errorReason": nil, "type": "ExportOrder",
		"runId": run, "version": after.at("version"), "status": "New"} {
		r.get(history).is("items[0]."+field, want)
	}
	r.call("POST", "/api/deliveries/"+d.ID()+"/redeliver", "").want(202)
	r.exports()
	r.get(theOrder).is("version", after.at("version")) // there is nothing more to clear
}

// Host, credentials and the rest are those of the settings at each attempt.
// What comes of an export of an order that was erased meanwhile is nothing to the one that has its
// id by now.
func TestAnExportOfAnErasedOrderLeavesTheNextOneAlone(t *testing.T) {
	g, r := holding(t), start(t)
	r.settings(with(config(status("New", exporting(""))), connectors(erp(g.URL, ""))))
	r.post(order)
	g.wait()
	r.call("DELETE", theOrder+"?permanently=true", "").want(204)
	r.until("the id can be used again", func() bool {
		return r.call("POST", "/api/orders?runWorkflow=false", order).Status == 201
	})
	g.answer("")
	r.exports()
	r.get(theOrder).is("version", 1)
	if history := r.get(theOrder + "/history"); strings.Contains(string(history.Raw), exportStep) {
		t.Errorf("the history of the next order: %s", history.Raw)
	}
}

func TestAnExportGoesWhereTheSettingsSayThen(t *testing.T) {
	old := holding(t)
	s, r := answering(t, ""), lease(t)
	withHost := func(connectors ...string) string {
		return with(config(status("New", exporting(""))), `"connectors":[`+strings.Join(connectors, ",")+`]`)
	}
	r.settings(withHost(erp(old.URL, "")))
	r.post(order)
	old.wait()
	r.settings(withHost(erp(s.URL, `,"bearerToken":"new"`)))
	old.answer("") // acknowledged
	r.exports()
	r.enter("New")
	r.exports()
	equals(t, "headers", s.only(t).Header["Authorization"], []string{"Bearer new"})
	equals(t, "calls of the old one", len(old.got()), 1)
}

// What a run takes several steps further at once sends the order as each step
// found it.
func TestAnExportSendsTheOrderAsTheStepFoundIt(t *testing.T) {
	s, r := answering(t, strings.TrimSuffix(triggering("Completed"), "}")+`,"OrderPatch":{"Tags":["seen"]}}`), lease(t)
	r.settings(withERP(t, status("New", step{Host: s.URL}, exporting(""), step{Connector: "Nobody"})))
	r.post(order).is("order.status", "Completed").is("order.version", 2)
	_, e, _ := r.export()
	is(t, e.Data, "order.status", "New")
	is(t, e.Data, "order.version", 2)
	is(t, e.Data, "order.tags", []string{"first", "seen"})
	is(t, e.Data, "order.errors", nil)
	same(t, "events", r.happened(0), []string{created, "order_completed ORD-12345", "workflow_failed ORD-12345", "ExportOrder ORD-12345"})
}

func TestWhatOfAnOrderIsExported(t *testing.T) {
	r := lease(t)
	r.settings(with(withERP(t, status("New"), status("Packed", exporting(""))), returnStatuses(exporting(""))))
	r.post(order)
	r.call("POST", theOrder+"/status", `{"shipmentId":"SHIP-2","status":"Packed"}`).want(200)
	_, e, _ := r.export()
	is(t, e.Data, "order.status", "New")
	is(t, e.Data, "shipment.shipmentId", "SHIP-2")
	is(t, e.Data, "shipment.orderStatus", "Packed")
	is(t, e.Data, "returnOrderForm", null)
	equals(t, "related", e.Related, event.Related{OrderID: "ORD-12345", ShipmentID: "SHIP-2"})
	id := r.giveBack("1").is("orderActionExecutionResults[0].actionStatus", "Success").text("returnId")
	deliveries, events := r.exports()
	is(t, events[1].Data, "order.status", "PartiallyReturned")
	is(t, events[1].Data, "returnOrderForm.returnId", id)
	is(t, events[1].Data, "shipment", null)
	equals(t, "related", events[1].Related, event.Related{OrderID: "ORD-12345", ReturnID: id})
	equals(t, "endpoint of both", deliveries[0].Endpoint, deliveries[1].Endpoint)
}

// The other rows of docs/contract.md#connectors.
func TestWhereAnExportGoes(t *testing.T) {
	const markets = `{"name":"ERP","host":"SINK/all"},{"name":"ERP","connectorId":"nor","host":"SINK/nor","enabledForMarkets":["NOR"]}`
	for name, c := range map[string]struct {
		connectors         string
		step               step
		ref, path, headers string
		most               int
	}{
		"by its name":               {`{"name":"ERP","host":"SINK/all"}`, exporting(""), "{ERP  }", "/all", "", 6},
		"by its ConnectorId":        {markets, step{Name: exportStep, Connector: "ERP", ID: "NOR"}, "{ERP nor }", "/nor", "", 6},
		"by the order's market":     {markets, exporting(""), "{ERP nor }", "/nor", "", 6},
		"a Host of its own":         {markets, step{Name: exportStep, Connector: "ERP", Host: "SINK/own"}, "{ERP  SINK/own}", "/own", "", 6},
		"… with a connector's rest": {markets, step{Name: exportStep, Connector: "ERP", ID: "nor", Host: "SINK/own"}, "{ERP nor SINK/own}", "/own", "", 6},
		"headers of its own":        {markets, step{Name: exportStep, Connector: "ERP", Headers: header("X-Company", "7")}, "{ERP nor }", "/nor", "7", 6},
		"retries turned off":        {erp("SINK", `,"disableStandardErrorPolicy":true`), exporting(""), "{ERP erp-1 }", "/", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(strings.ReplaceAll(with(config(status("New", c.step)), connectors(c.connectors)), "SINK", s.URL))
			r.post(order).is("orderActionExecutionResults[0].actionStatus", "Success")
			d, _, endpoint := r.export()
			equals(t, "connector", fmt.Sprint(*endpoint.Connector), strings.ReplaceAll(c.ref, "SINK", s.URL))
			equals(t, "path", s.only(t).Path, c.path)
			equals(t, "X-Company", s.only(t).Header.Get("X-Company"), c.headers)
			equals(t, "headers of the endpoint", len(endpoint.Headers), 0) // all are the settings'
			equals(t, "attempts", d.MaxAttempts, c.most)
		})
	}
}

func TestAnExportWithoutAConnector(t *testing.T) {
	for name, c := range map[string]step{
		"of that name": {Name: exportStep, Connector: "Nobody", Stop: true},
		"of that id":   {Name: exportStep, Connector: "ERP", ID: "gone"},
		"deferred":     {Name: exportStep, Connector: "Nobody", Deferred: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(withERP(t, status("New", c, step{Host: s.URL, Deferred: c.Deferred})))
			r.post(order).is("isAborted", false)
			runs := r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[0].actionStatus", "Error")
			if reason := runs.text("items[0].orderActionExecutionResults[0].errorReason"); !strings.HasPrefix(reason, "connector not found: ") {
				t.Errorf("reason %q", reason)
			}
			r.get(theOrder).is("errors[0].key", "ExportOrder")
			equals(t, "calls", len(s.got()), 1)
			deliveries, _ := r.exports()
			equals(t, "exports", len(deliveries), 0)
		})
	}
}

func TestWhenAnExportRuns(t *testing.T) {
	inactive := `,"enabledForMarkets":["SWE"]`
	for name, c := range map[string]struct {
		step step
		want string
	}{
		"always":                      {exporting(""), "Success"},
		"for its market":              {exporting(`,"enabledForMarkets":["NOR"]`), "Success"},
		"not for another":             {exporting(inactive), ""},
		"not for a disabled tag":      {exporting(`,"disabledForTags":["first"]`), ""},
		"not for another store":       {exporting(`,"enabledForStores":["bergen"]`), ""},
		"on an error that there was":  {exporting(`,"conditions":["Error"]`), "Success"},
		"only if all was well before": {exporting(`,"conditions":["Success"]`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := lease(t)
			r.settings(withERP(t, status("New", step{Connector: "Nobody"}, c.step)))
			r.post(order)
			got := r.get("/api/runs").text("items[0].orderActionExecutionResults[1].actionStatus")
			deliveries, _ := r.exports()
			equals(t, "result and exports", fmt.Sprint(got, len(deliveries)), map[bool]string{true: "Success1", false: "Skipped0"}[c.want != ""])
		})
	}
}

func TestADeferredExport(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(withERP(t, status("New", step{Name: exportStep, Connector: "ERP", Deferred: true}, step{Host: s.URL, Deferred: true}, step{Host: s.URL})))
	r.clock.Hold()
	r.post(order).is("orderActionExecutionResults[1].actionStatus", "Pending")
	deliveries, _ := r.exports()
	equals(t, "exports", len(deliveries), 0)
	r.call("PATCH", theOrder, `{"tags":["later"]}`).want(200)
	r.clock.Release()
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[1].actionStatus", "Success")
	_, e, _ := r.export()
	is(t, e.Data, "order.tags", []string{"first", "later"})
	equals(t, "calls", len(s.got()), 2)
}

func TestStepsOfOneConnectorShareItsEndpoint(t *testing.T) {
	r, s := lease(t), answering(t, "")
	headed := func(value string) step {
		return step{Name: exportStep, Connector: "ERP", Headers: header("X-Company", value)}
	}
	r.settings(with(config(status("New", exporting(""), headed("7"), headed("8"), exporting(""))), connectors(erp(s.URL, ""))))
	r.post(order)
	deliveries, events := r.exports()
	no := func(i int) int64 { return deliveries[i].Endpoint }
	if no(0) != no(3) || no(0) == no(1) || no(1) == no(2) {
		t.Errorf("endpoints %d, %d, %d, %d", no(0), no(1), no(2), no(3))
	}
	companies := s.each("X-Company") // in any order
	slices.Sort(companies)
	equals(t, "X-Company", companies, []string{"", "", "7", "8"})
	if events[0].ID == events[3].ID {
		t.Error("two steps made one event")
	}
	r.settings(with(config(status("New", exporting(""), headed("9"), headed("8"))), connectors(erp(s.URL, ""))))
	r.enter("New")
	again, _ := r.exports()
	equals(t, "endpoints again", fmt.Sprint(again[4].Endpoint, again[5].Endpoint, again[6].Endpoint), fmt.Sprint(no(0), no(1), no(2)))
	companies = s.each("X-Company")[4:]
	slices.Sort(companies)
	equals(t, "X-Company as it is now", companies, []string{"", "8", "9"})
}

// It is nobody's endpoint but the step's: no list shows it, and no event of
// another type goes there, nor an export to a subscriber of everything.
func TestTheEndpointOfAnExportIsHidden(t *testing.T) {
	r := lease(t)
	r.settings(withERP(t, status("New", exporting(""))))
	all := &event.Endpoint{ID: ids.New(ids.Endpoint), Origin: event.OriginAPI, URL: answering(t, "").URL, EventTypes: []string{"*"}, Format: event.FormatFull,
		Enabled: true, Schedule: event.DefaultSchedule, Concurrency: 1, Ordering: event.OrderingNone}
	if err := r.store.Write(t.Context(), func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), r.tenant(), all) }); err != nil {
		t.Fatal(err)
	}
	r.post(order)
	d, _, endpoint := r.export()
	equals(t, "the export's endpoint", d.EndpointID, endpoint.ID)
	list, err := r.store.Endpoints(t.Context(), r.tenant(), store.EndpointFilter{}, store.Page{})
	if err != nil || len(list.Items) != 1 || list.Items[0].ID != all.ID {
		t.Errorf("endpoints %v, %v", list.Items, err)
	}
	others, err := r.store.Deliveries(t.Context(), r.tenant(), store.DeliveryFilter{Endpoint: all.No}, store.Page{})
	if err != nil || len(others.Items) != 1 || others.Items[0].EventType != event.TypeOrderCreated {
		t.Errorf("deliveries %v, %v", others.Items, err)
	}
}

func TestADryRunExportsNothing(t *testing.T) {
	s := answering(t, "")
	r := ordered(t, withERP(t, status("Accepted", exporting(""), step{Host: s.URL})))
	r.settings(withERP(t, status("Accepted", exporting(""), step{Name: exportStep, Connector: "Nobody"}, step{Host: s.URL})))
	for _, more := range []string{"", calling} {
		a := r.rehearse("Accepted", more).want(200).is("isAborted", false)
		equals(t, "steps", outlook(a)[:2], []string{"WouldRun", "Error: connector not found: Nobody"})
	}
	deliveries, _ := r.exports()
	equals(t, "exports", len(deliveries), 0)
	equals(t, "calls", len(s.got()), 1)
}

func TestAnInactiveExportDoesNotRun(t *testing.T) {
	r := lease(t)
	r.settings(strings.Replace(withERP(t, status("New", exporting(""))), `"active":true`, `"active":false`, 1))
	r.post(order).is("orderActionExecutionResults[0]", nil)
	deliveries, _ := r.exports()
	equals(t, "exports", len(deliveries), 0)
}

// What is sent never comes back into the order: nobody waits for an answer.
func TestAResumedRunExportsAgain(t *testing.T) {
	s := answering(t, canceled, "")
	r := lease(t)
	r.settings(withERP(t, status("New", exporting(""), step{Host: s.URL, Stop: true}, exporting(""))))
	run := r.post(order).is("isAborted", true).text("runId")
	deliveries, _ := r.exports()
	equals(t, "exports before", len(deliveries), 1)
	r.call("POST", "/api/runs/"+run+"/resume", "").want(200)
	r.ended().is("items[0].status", "succeeded")
	deliveries, _ = r.exports()
	equals(t, "exports", len(deliveries), 2)
}

func TestTheExportStepDescribesItself(t *testing.T) {
	r := lease(t)
	steps := r.get("/api/workflow-steps")
	steps.is("items[2].key", "ExportOrder").is("items[2].group", "Export").is("items[2].applicableStatuses", []string{"All"}).is("items[2].properties[0].name", "connector")
	r.call("PUT", "/api/settings", withERP(t, status("New", exporting("")))).want(200).is("warnings[0]", nil)
	r.call("PUT", "/api/settings", withERP(t, status("New", step{Name: exportStep, Connector: "ERP", Stop: true}))).want(200).
		is("warnings[0].path", "orderTypes[0].orderStatuses[0].workflowSteps[0].stopOnError")
}

// An export's endpoint is there from the first time on, and follows what the
// connector says later.
func TestTheErrorPolicyOfAConnectorHoldsForItsNextExport(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	const off = `,"disableStandardErrorPolicy":true`
	for i, c := range []struct {
		policy string
		most   int
	}{{"", 6}, {off, 1}, {`,"disableStandardErrorPolicy":false`, 6}, {off, 1}} {
		r.settings(with(config(status("New", exporting(""))), connectors(erp(s.URL, c.policy))))
		if i == 0 {
			r.post(order)
		} else {
			r.enter("New")
		}
		deliveries, _ := r.exports()
		equals(t, "attempts of "+c.policy, deliveries[i].MaxAttempts, c.most)
		equals(t, "the endpoint", deliveries[i].Endpoint, deliveries[0].Endpoint)
		equals(t, "X-Attempt", s.got()[i].Header.Get("X-Attempt"), "1")
	}
	s.CloseClientConnections()
	s.Close()
	r.enter("New")
	deliveries, _ := r.exports()
	equals(t, "attempts that were made", fmt.Sprint(deliveries[4].Status, " ", deliveries[4].Attempts), "failed 1")
}
