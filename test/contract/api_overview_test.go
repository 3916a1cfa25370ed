package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// overview is what GET /api/overview answers, as far as the tests look at it.
type overview struct {
	LastHour, LastDay struct {
		From, To time.Time
		Step     string
		Total    callStats
		Points   []struct {
			From time.Time
			callStats
		}
	}
}

type callStats struct {
	Succeeded, Failed int
	P50Ms, P99Ms      *float64
	Kinds             []struct {
		Kind              string
		Succeeded, Failed int
	}
}

func (r *rig) overview() (answer, overview) {
	r.t.Helper()
	a := r.get("/api/overview")
	var o overview
	if err := json.Unmarshal(a.Raw, &o); err != nil {
		r.t.Fatal(err)
	}
	return a, o
}

func TestTheOverviewOfATenantThatHasNothing(t *testing.T) {
	a, o := lease(t).overview()
	a.is("waiting.deliveries.count", 0).is("waiting.deliveries.oldest", nil).is("waiting.runningRuns.count", 0).is("waiting.waitingRuns.countCapped", false)
	for _, what := range []string{"endpoints", "connectors", "runs", "deliveries"} {
		a.is("stuck."+what+".count", 0).is("stuck."+what+".countCapped", false).is("stuck."+what+".items", []string{})
	}
	a.is("lastHour.total.p50Ms", nil).is("lastHour.total.kinds", []string{}).is("lastHour.step", "PT1M").is("lastDay.step", "PT15M")
	if len(o.LastHour.Points) != 60 || len(o.LastDay.Points) != 96 {
		t.Errorf("%d and %d points", len(o.LastHour.Points), len(o.LastDay.Points))
	}
}

// TestTheOverviewCountsCalls in the minute that they began in, by kind and outcome, in
// both series, also after a restart; and not those of another tenant.
func TestTheOverviewCountsCalls(t *testing.T) {
	s := failing(t, 2, 500)
	r, _ := placed(t, step{Host: s.URL})
	other := r.stranger()
	// Calls begin by the machine's clock: so the overview is looked at by it, too.
	at := func(later time.Duration) *rig { r.hands.use(clocktest.NewFake(time.Now().Add(later))); return r }
	check := func(r *rig) {
		t.Helper()
		a, o := r.overview()
		for _, series := range []string{"lastHour", "lastDay"} {
			a.is(series+".total.succeeded", 1).is(series+".total.failed", 2).is(series+".total.kinds[0].kind", "step").is(series+".total.kinds[0].failed", 2).is(series+".total.kinds[1]", nil)
		}
		for _, all := range [][]struct {
			From time.Time
			callStats
		}{o.LastHour.Points, o.LastDay.Points} {
			succeeded, failed := 0, 0
			for _, p := range all {
				succeeded, failed = succeeded+p.Succeeded, failed+p.Failed
				if (p.P50Ms != nil) != (p.Succeeded+p.Failed > 0) || p.P50Ms != nil && (*p.P50Ms <= 0 || *p.P99Ms < *p.P50Ms) {
					t.Errorf("how long they took: %+v", p)
				}
			}
			if succeeded != 1 || failed != 2 {
				t.Errorf("the points have %d and %d", succeeded, failed)
			}
		}
		if now := r.hands.Now(); o.LastHour.To.Before(now) || o.LastHour.To.Sub(now) > time.Minute || o.LastHour.To.Sub(o.LastHour.From) != time.Hour || o.LastDay.To.Sub(o.LastDay.From) != 24*time.Hour {
			t.Errorf("from %v to %v, and from %v to %v, at %v", o.LastHour.From, o.LastHour.To, o.LastDay.From, o.LastDay.To, now)
		}
	}
	check(at(0))
	theirs, _ := other.overview()
	theirs.is("lastDay.total.succeeded", 0)
	r.restart(0)
	check(at(0))
	a, _ := at(2 * time.Hour).overview()
	a.is("lastHour.total.failed", 0).is("lastDay.total.failed", 2)
	a, _ = at(26 * time.Hour).overview()
	a.is("lastDay.total.failed", 0)
}

// TestTheOverviewNamesWhatIsStuck: endpoints that fail, and those that were turned off;
// connectors; runs that were aborted; deliveries that failed for good. No secret of a
// URL is in it.
func TestTheOverviewNamesWhatIsStuck(t *testing.T) {
	down := failing(t, 99, 500)
	r, _ := placed(t)
	doc := config(status("Checked", step{ID: "erp", Stop: true}))
	r.settings(with(doc, connectors(connector(down.URL+"/in?key=s3cret", `,"connectorId":"erp","disableStandardErrorPolicy":true`))))
	for n := range 3 {
		a, _ := r.overview()
		a.is("stuck.connectors.count", 0).is("stuck.runs.count", n)
		r.enter("Checked").is("isAborted", true)
	}
	gone := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(410) })
	off := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["gone.*"]}`, gone.URL+"/?key=s3cret")).want(201)
	bad := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["bad.*"],"retrySchedule":["PT1S","PT1S"]}`, down.URL)).want(201)
	r.call("POST", "/api/events", `[{"type":"gone.x","data":{}},{"type":"bad.x","data":{},"id":"e1"}]`).want(202)
	r.until("both are stuck", func() bool {
		a, _ := r.overview()
		return a.at("stuck.deliveries.count") == json.Number("2") && a.at("stuck.endpoints.count") == json.Number("1") && a.text("stuck.endpoints.items[0].id") == off.text("id")
	})
	r.restart(0) // the health of the endpoint that fails is written at the latest with the end
	a, _ := r.overview()
	a.is("stuck.endpoints.count", 2).is("stuck.endpoints.items[0].id", off.text("id")).is("stuck.endpoints.items[0].enabled", false).
		is("stuck.endpoints.items[0].disabledAt", r.get(endpointPath(off, "")).at("disabledAt")).is("stuck.endpoints.items[1].disabledAt", nil)
	a.is("stuck.endpoints.items[1].id", bad.text("id")).is("stuck.endpoints.items[1].health.consecutiveFailures", 3).is("stuck.endpoints.items[1].counts.failed", 1)
	a.is("stuck.connectors.count", 1).is("stuck.connectors.items[0].connectorId", "erp").is("stuck.connectors.items[0].failed", 3)
	a.is("stuck.runs.count", 3).is("stuck.runs.items[0].status", "aborted").is("stuck.runs.items[0].step", "WebhookWorkflowStep").is("stuck.runs.items[0].orderId", "ORD-12345")
	a.is("stuck.deliveries.items[0].status", "failed")
	a.says("s3cret")
	r.enter("New") // nothing is left to be done about the run
	a, _ = r.overview()
	a.is("stuck.runs.count", 0).is("stuck.runs.items", []any{})
	r.get("/api/runs?status=aborted").is("items[0].orderId", "ORD-12345")
	r.call("DELETE", endpointPath(bad, ""), "").want(204) // nor about what failed there
	a, _ = r.overview()
	a.is("stuck.deliveries.count", 1).is("stuck.deliveries.items[0].endpointId", off.text("id")).is("stuck.deliveries.items[0].endpointRemoved", nil).is("stuck.deliveries.items[1]", nil)
	r.get("/api/deliveries?status=failed&eventType=bad.x").is("items[0].endpointRemoved", true)
}

// TestTheOverviewOfManyConnectors: with more than are looked at, it says so, and that its count
// is no more than a lower bound.
func TestTheOverviewOfManyConnectors(t *testing.T) {
	r := lease(t)
	many := make([]string, 102)
	for i := range many {
		many[i] = fmt.Sprintf(`{"name":"Webhook","connectorId":"c%d","host":"https://example.com/%d"}`, i, i)
	}
	r.settings(`{"connectors":[` + strings.Join(many, ",") + `]}`)
	r.get("/api/overview").is("stuck.connectors.count", 0).is("stuck.connectors.countCapped", true).is("stuck.connectorsNotExamined", 2)
	r.settings(`{"connectors":[` + strings.Join(many[:100], ",") + `]}`)
	r.get("/api/overview").is("stuck.connectors.countCapped", false).is("stuck.connectorsNotExamined", nil)
}

// TestTheOverviewSaysWhatWaits: an endpoint that is off takes nothing.
func TestTheOverviewSaysWhatWaits(t *testing.T) {
	r := lease(t)
	e := r.subscribed(answering(t, "").URL, `,"enabled":true`)
	r.call("PATCH", endpointPath(e, ""), `{"url":"http://127.0.0.1:1","retrySchedule":["PT1H"]}`).want(200)
	r.clock.Hold()
	r.call("POST", "/api/events", `{"type":"t","data":{},"timestamp":"2026-11-01T00:00:00Z"}`).want(202)
	r.until("it has failed once", func() bool { return len(r.get("/api/attempts?outcome=failed").ids("id")) == 1 })
	a, _ := r.overview()
	a.is("waiting.deliveries.count", 1).is("waiting.deliveries.oldest", "2026-11-01T00:00:00Z").is("stuck.endpoints.count", 0)
}

// TestAnEndpointTellsOfItsNewestAttempts in short, the newest first, where it is asked to.
func TestAnEndpointTellsOfItsNewestAttempts(t *testing.T) {
	r := lease(t)
	e := r.subscribed(failing(t, 1, 500).URL, `,"retrySchedule":["PT1S"]`)
	other := r.subscribed("https://example.com/hook", `,"enabled":false`)
	r.publish("")
	r.until("it was delivered", func() bool { return len(r.get("/api/attempts?kind=event").ids("id")) == 2 })
	newest := r.get("/api/attempts?kind=event")
	a := r.get(endpointPath(e, "?recent=30")).is("recent[0].outcome", "succeeded").is("recent[0].status", 200).is("recent[1].outcome", "failed").is("recent[1].status", 500).is("recent[2]", nil)
	a.is("recent[0].id", newest.text("items[0].id")).is("recent[0].startedAt", newest.text("items[0].startedAt"))
	r.get(endpointPath(e, "?recent=1")).is("recent[0].outcome", "succeeded").is("recent[1]", nil)
	r.get(endpointPath(e, "")).is("recent", nil)
	r.get(endpointPath(other, "?recent=30")).is("recent", []string{})
	r.get("/api/endpoints?recent=30").is("items[0].recent", []string{}).is("items[1].recent[1].outcome", "failed")
	r.get("/api/endpoints").is("items[1].recent", nil)
	r.call("GET", "/api/endpoints?recent=101", "").problem(422, "query.recent")
}

// TestAShipmentOrReturnThatMovedOnIsNotStuck: its own status was set since, by a patch, or
// entered again by a run that succeeded. One that stops again is stuck again.
func TestAShipmentOrReturnThatMovedOnIsNotStuck(t *testing.T) {
	packing := answering(t, canceled, canceled, canceled, success)
	r := lease(t)
	r.settings(with(config(status("Packed", step{Host: packing.URL, Stop: true})), returnStatuses(step{Host: answering(t, canceled).URL, Stop: true})))
	r.post(order)
	stuck := func(want ...string) {
		t.Helper()
		a, _ := r.overview()
		a.is("stuck.runs.count", len(want))
		for i, id := range want {
			a.is(fmt.Sprintf("stuck.runs.items[%d].shipmentId", i), id)
		}
	}
	pack := func(shipment string) {
		t.Helper()
		r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"Packed","shipmentId":%q}`, shipment)).want(200)
	}
	pack("SHIP-2")
	run := r.get("/api/runs?status=aborted").text("items[0].id")
	pack("SHIP-67890")
	stuck("SHIP-67890", "SHIP-2")
	r.call("PATCH", theOrder+"/shipments/SHIP-2", `{"trackingNumber":"1"}`).want(200)
	stuck("SHIP-67890", "SHIP-2")
	r.call("PATCH", theOrder+"/shipments/SHIP-2", `{"orderStatus":"Held"}`).want(200)
	stuck("SHIP-67890")
	r.call("PATCH", theOrder+"/shipments/SHIP-2", `{"orderStatus":"Packed"}`).want(200)
	stuck("SHIP-67890")
	r.call("POST", "/api/runs/"+run+"/resume", "").want(200)
	r.until("it was stopped again", func() bool { a, _ := r.overview(); return a.at("stuck.runs.items[1].id") == run })
	pack("SHIP-67890")
	stuck("SHIP-2")
	r.call("PATCH", theOrder+"/shipments/SHIP-2", `{"orderStatus":"Held"}`).want(200)
	id := r.giveBack("1").text("returnId")
	a, _ := r.overview()
	a.is("stuck.runs.count", 1).is("stuck.runs.items[0].returnId", id)
	r.call("PATCH", theOrder, fmt.Sprintf(`{"returnOrderForms":[{"returnId":%q,"status":"Received"}]}`, id)).want(200)
	stuck()
}
