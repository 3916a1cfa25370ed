package contract

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// docs/contract.md#delivery: deliveries by what became of them, and all of them
// sent again.

// failedDeliveries has events go to two endpoints, which answer as the event's number
// says, until they are mended.
func failedDeliveries(t *testing.T) (r *rig, first, second answer, mend func()) {
	t.Helper()
	var mended atomic.Bool
	r = lease(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if !mended.Load() {
			w.WriteHeader(503)
		}
	})
	first = r.subscribed(s.URL+"/first", `,"retrySchedule":["PT0S"],"maxConcurrency":1`)
	for i := range 4 {
		r.publish(fmt.Sprintf(`,"id":"e%d","timestamp":"2026-11-2%dT00:00:00Z","orderId":"o%d"`, i, i, i%2))
	}
	r.awaitDeliveries()
	second = r.subscribed("http://127.0.0.1:1/", `,"retrySchedule":["PT0S"],"maxConcurrency":1`)
	r.publish(`,"id":"e4","timestamp":"2026-11-24T00:00:00Z"`)
	r.awaitDeliveries()
	return r, first, second, func() { mended.Store(true) }
}

func TestADeliverySaysWhatItsLastAttemptCameTo(t *testing.T) {
	r, first, second, mend := failedDeliveries(t)
	dead := r.get("/api/deliveries?endpointId="+second.text("id")).is("items[0].lastStatus", nil).is("items[0].lastError", "connection refused")
	r.get("/api/deliveries/"+dead.text("items[0].id")).is("lastError", "connection refused")
	failed := r.get("/api/deliveries?eventId=e0").is("items[0].lastStatus", 503).is("items[0].lastError", "answered 503 Service Unavailable")
	mend()
	path := "/api/deliveries/" + failed.text("items[0].id")
	r.call("POST", path+"/redeliver", "").want(202)
	r.awaitDeliveries()
	r.get(path).is("status", "succeeded").is("lastStatus", 200).is("lastError", nil)
	for query, want := range map[string]string{
		"lastStatus=503": "e4 e3 e2 e1", "lastStatus=5xx": "e4 e3 e2 e1", "lastStatus=none": "e4", "lastStatus=2XX": "e0", "lastStatus=404": "",
		"from=2026-11-22T00:00:00Z": "e4 e4 e3 e2", "from=2026-11-21&to=2026-11-23": "e2 e1",
		"status=failed&to=2026-11-22T00:00:00Z&endpointId=" + first.text("id"): "e1",
	} {
		same(t, query, r.get("/api/deliveries?"+query).ids("eventId"), strings.Fields(want))
	}
	for _, query := range []string{"lastStatus=6xx", "lastStatus=bad", "from=yesterday", "to=x"} {
		r.call("GET", "/api/deliveries?"+query, "").problem(422, "query."+strings.Split(query, "=")[0])
	}
}

func TestWhatAFilterPicksIsSentAgain(t *testing.T) {
	r, first, second, mend := failedDeliveries(t)
	mend()
	picks := fmt.Sprintf(`{"endpointId":%q,"Status":"failed","lastStatus":"5xx","from":"2026-11-21"`, first.text("id"))
	r.call("POST", "/api/deliveries/redeliver", picks+`,"dryRun":true}`).want(200).is("dryRun", true).is("matched", 4).is("id", nil)
	r.get("/api/jobs").is("items", []string{})
	job := r.call("POST", "/api/deliveries/redeliver", picks+`}`, "Idempotency-Key", "one").want(202).is("kind", "redeliver").is("status", "running").is("expected", 4).is("expectedCapped", nil).
		is("filter.endpointId", first.text("id")).is("filter.from", "2026-11-21T00:00:00Z").is("filter.dryRun", nil)
	path := "/api/jobs/" + job.text("id")
	equals(t, "Location", job.Header.Get("Location"), path)
	r.until("the job has ended", func() bool { return r.get(path).text("status") != "running" })
	r.get(path).is("status", "succeeded").is("examined", 4).is("sent", 4)
	r.awaitDeliveries()
	same(t, "succeeded", r.get("/api/deliveries?status=succeeded").ids("eventId"), []string{"e4", "e3", "e2", "e1"})
	same(t, "failed", r.get("/api/deliveries?status=failed").ids("endpointId"), []string{second.text("id"), first.text("id")})
	r.call("POST", "/api/deliveries/redeliver", picks+`}`, "Idempotency-Key", "one").want(202).is("id", job.text("id"))
	r.call("POST", "/api/deliveries/redeliver", picks+`,"dryRun":true}`).want(200).is("matched", 0)
}

// What the filter picks of an endpoint that is off, or of an order that was
// erased, is passed over.
func TestWhatCannotBeSentAgainIsPassedOver(t *testing.T) {
	r, first, second, mend := failedDeliveries(t)
	mend()
	r.call("PATCH", endpointPath(second, ""), `{"enabled":false}`).want(200)
	r.post(`{"id":"o1"}`)
	r.awaitDeliveries()
	r.call("DELETE", "/api/orders/o1?permanently=true", "").want(204)
	r.get("/api/overview").is("stuck.deliveries.count", 4).is("stuck.deliveriesEndpointOff.count", 1).is("stuck.deliveries.items[0].endpointOff", true).is("stuck.deliveries.items[1].endpointOff", nil)
	dry := r.call("POST", "/api/deliveries/redeliver", `{"status":"failed","dryRun":true}`).want(200).is("matched", 3).is("endpointOff.count", 1).is("notSendable.count", 2).is("notSendable.countCapped", false)
	dry.is("deliveries[0].eventId", "e4").is("deliveries[0].endpointId", first.text("id")).is("deliveries[2].eventId", "e0").is("deliveries[3]", nil)
	job := "/api/jobs/" + r.call("POST", "/api/deliveries/redeliver", `{"status":"failed"}`).want(202).text("id")
	r.until("the job has ended", func() bool { return r.get(job).text("status") != "running" })
	r.get(job).is("status", "succeeded").is("examined", 6).is("sent", 3).is("skipped", 3)
	var reasons []string
	for _, skip := range r.get(job).doc().Objects("skips") {
		reasons = append(reasons, skip.Text("reason"))
	}
	const off, erased = "its endpoint is off, or was removed", "its event's data was erased"
	slices.Sort(reasons)
	same(t, "reasons", reasons, []string{off, erased, erased})
	r.awaitDeliveries()
	same(t, "still failed", r.get("/api/deliveries?status=failed").ids("eventId"), []string{"e4", "e3", "e1"})
}

func TestWhatNoBulkRedeliveryCanBe(t *testing.T) {
	r := lease(t)
	const path = "/api/deliveries/redeliver"
	for body, places := range map[string][]string{
		`{}`: {"body"},
		`{"eventType":"custom.thing","from":"2026-01-01T00:00:00Z"}`:                     {"body"},
		`{"status":"lost","lastStatus":"7","from":"yesterday","dryRun":"yes","limit":1}`: {"body.status", "body.lastStatus", "body.from", "body.dryRun", "body.limit"},
		`{"endpointId":"ep_none"}`:             {"body.endpointId"},
		`{"eventId":"none","status":"failed"}`: {"body.eventId"},
		`{"dryRun":true}`:                      {"body"},
	} {
		r.call("POST", path, body).problem(422, places...)
	}
	r.call("POST", path, ``).problem(400)
	r.role("publisher").call("POST", path, `{"status":"failed"}`).problem(403)
	r.get("/api/jobs").is("items", []string{})
	stranger := r.stranger()
	e := r.subscribed("https://example.com", "")
	stranger.call("POST", path, fmt.Sprintf(`{"endpointId":%q}`, e.text("id"))).problem(422, "body.endpointId")
}

// A job sends what there was when it was asked for, and each once.
func TestABulkRedeliveryLeavesOutWhatCameLater(t *testing.T) {
	r, p := paced(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader(500) })
	r.subscribed(s.URL, `,"retrySchedule":["PT0S"],"maxConcurrency":1,"rateLimit":10000`)
	events := make([]string, 10)
	for i := range events {
		events[i] = `{"type":"custom.thing","data":{}}`
	}
	r.call("POST", "/api/events", "["+strings.Join(events, ",")+"]").want(202)
	r.awaitDeliveries()
	job := "/api/jobs/" + r.call("POST", "/api/deliveries/redeliver", `{"status":"failed"}`).want(202).text("id")
	p.wait()
	p.letGo()
	r.until("the job has ended", func() bool { return r.get(job).text("status") != "running" })
	r.get(job).is("sent", 10)
	r.awaitDeliveries()
	equals(t, "requests", len(s.got()), 10*2+10*2)
	equals(t, "pending", len(r.get("/api/deliveries?status="+string(event.DeliveryPending)).ids("id")), 0)
}

// slowlyRead is a store in which a job waits before and after it reads its list.
type slowlyRead struct {
	store.Store
	reads, next chan struct{}
}

func (s slowlyRead) Deliveries(ctx context.Context, tenant string, f store.DeliveryFilter, p store.Page) (store.List[*event.Delivery], error) {
	s.reads <- struct{}{}
	<-s.next
	list, err := s.Store.Deliveries(ctx, tenant, f, p)
	s.reads <- struct{}{}
	<-s.next
	return list, err
}

// What came after the call is left out, and so is what has changed, when its turn
// comes, from what the filter picked.
func TestABulkRedeliveryTakesWhatIsStillAsItsFilterSays(t *testing.T) {
	slow := slowlyRead{reads: make(chan struct{}), next: make(chan struct{})}
	r := newRig(t, newDatabase(t))
	r.between = func(s store.Store) store.Store { slow.Store = s; return slow }
	r.run()
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() { r.end(patience) })
	var mended atomic.Bool
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if !mended.Load() {
			w.WriteHeader(500)
		}
	})
	r.subscribed(s.URL, `,"retrySchedule":["PT0S"],"maxConcurrency":1`)
	first, second := r.publish(""), r.publish("")
	r.awaitDeliveries()
	job := "/api/jobs/" + r.call("POST", "/api/deliveries/redeliver", `{"status":"failed"}`).want(202).text("id")
	<-slow.reads
	later := r.publish("")
	r.awaitDeliveries()
	slow.next <- struct{}{}
	<-slow.reads
	mended.Store(true)
	r.call("POST", "/api/deliveries/"+r.get("/api/deliveries?eventId="+first).text("items[0].id")+"/redeliver", "").want(202)
	r.awaitDeliveries()
	slow.next <- struct{}{}
	r.until("the job has ended", func() bool { return r.get(job).text("status") != "running" })
	r.get(job).is("status", "succeeded").is("sent", 1)
	r.awaitDeliveries()
	for event, status := range map[string]string{first: "succeeded", second: "succeeded", later: "failed"} {
		r.get("/api/deliveries?eventId="+event).is("items[0].status", status)
	}
	equals(t, "requests", len(s.got()), 3*2+1+1)
}
