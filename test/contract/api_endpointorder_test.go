package contract

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// backlog has an endpoint that is on and hangs until it is let go, and n events
// of seven orders that wait for it.
func backlog(t *testing.T, n int) (r *rig, p *pacer, s *sink, e answer, mend func()) {
	t.Helper()
	up := make(chan struct{})
	s = endpoint(t, func(http.ResponseWriter, int) { <-up })
	var once sync.Once
	mend = func() { once.Do(func() { close(up) }) }
	r, p = paced(t)
	t.Cleanup(mend) // before the rig ends
	e = r.subscribed(s.URL, `,"maxConcurrency":1,"timeout":"PT5M"`)
	for at := 0; at < n; at += 500 {
		events := make([]string, min(500, n-at))
		for i := range events {
			events[i] = fmt.Sprintf(`{"type":"custom.thing","orderId":"o%d","data":{}}`, i%7)
		}
		r.call("POST", "/api/events", "["+strings.Join(events, ",")+"]").want(202)
	}
	return r, p, s, e, mend
}

// A change of the ordering is answered at once, however much is pending, and
// what is pending follows it in a job.
func TestWhatIsPendingFollowsAChangeOfTheOrderingInAJob(t *testing.T) {
	r, p, s, e, mend := backlog(t, 1000)
	path := endpointPath(e, "")
	changed := r.call("PATCH", path, `{"ordering":"subject"}`).want(200).is("ordering", "subject").is("counts.pending", 1000)
	job := "/api/jobs/" + changed.text("reorderingJob")
	p.wait()
	r.get(job).is("kind", "reorder").is("status", "running").is("endpointId", e.text("id")).is("examined", jobStep)
	r.get(path).is("reorderingJob", changed.text("reorderingJob"))
	r.publish(`,"orderId":"o1","id":"meanwhile"`) // nobody waits for the job
	r.get("/api/deliveries?eventId=meanwhile").is("items[0].waitsFor", "order/o1")
	r.role("operator").call("POST", job+"/cancel", "").problem(409)
	r.call("PATCH", path, `{"description":"another change"}`).want(200).is("reorderingJob", changed.text("reorderingJob"))

	p.letGo()
	r.restart(0) // the next process goes on
	r.until("the job has ended", func() bool { return r.get(job).text("status") != "running" })
	r.get(job).is("status", "succeeded")
	r.get(path).is("reorderingJob", nil).is("ordering", "subject").is("counts.pending", 1001)
	mend()
	r.awaitDeliveries()
	equals(t, "arrived", len(s.got()), 1001+1) // the first attempt of all was broken off

	// Where little is pending, there is nothing to wait for.
	r.call("PATCH", path, `{"ordering":"none"}`).want(200).is("ordering", "none").is("reorderingJob", nil)
	r.call("PATCH", path, `{"ordering":"subject"}`).want(200).is("ordering", "subject").is("reorderingJob", nil)
}

func TestAnOrderingThatIsChangedBackEndsTheJob(t *testing.T) {
	r, p, s, e, mend := backlog(t, 1000)
	path := endpointPath(e, "")
	first := "/api/jobs/" + r.call("PATCH", path, `{"ordering":"subject"}`).want(200).text("reorderingJob")
	p.wait()
	second := "/api/jobs/" + r.call("PATCH", path, `{"ordering":"none"}`).want(200).text("reorderingJob")
	p.letGo()
	for job, status := range map[string]string{first: "canceled", second: "succeeded"} {
		r.until("the job has ended", func() bool { return r.get(job).text("status") != "running" })
		r.get(job).is("status", status)
	}
	r.get(first).is("reason", "the endpoint's ordering was changed again")
	r.get(path).is("reorderingJob", nil)
	mend()
	r.awaitDeliveries()
	equals(t, "arrived", len(s.got()), 1000)
}
