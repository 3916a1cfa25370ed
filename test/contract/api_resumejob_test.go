package contract

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// docs/contract.md#runs: `POST /api/runs/resume`, and its jobs.

// stopped posts so many orders whose runs the first step of their status stops.
func (r *rig) stopped(status string, n int) {
	r.t.Helper()
	for i := range n {
		r.call("POST", "/api/orders", fmt.Sprintf(`{"id":"%s-%02d","status":%q}`, status, i, status)).want(201).is("isAborted", true)
	}
}

// mending starts an endpoint that cancels until it is mended.
func mending(t *testing.T) (url string, mended *atomic.Bool) {
	mended = &atomic.Bool{}
	s := endpoint(t, func(w http.ResponseWriter, _ int) {
		if mended.Load() {
			_, _ = w.Write([]byte(success))
		} else {
			_, _ = w.Write([]byte(canceled))
		}
	})
	return s.URL, mended
}

// resumedAll begins a job and waits for its end.
func (r *rig) resumedAll(body string) answer {
	r.t.Helper()
	job := r.call("POST", "/api/runs/resume", body).want(202).is("status", "running").is("kind", "resume")
	path := "/api/jobs/" + job.text("id")
	equals(r.t, "Location", job.Header.Get("Location"), path)
	r.until("the job has ended", func() bool { return r.get(path).text("status") != "running" })
	return r.get(path).is("status", "succeeded").is("reason", nil)
}

// counted is a dry run, which changes nothing.
func (r *rig) counted(body string, want int) answer {
	r.t.Helper()
	return r.call("POST", "/api/runs/resume", body).want(200).is("dryRun", true).is("matched", want).is("more", nil).is("id", nil)
}

// runsOf are the orders of the runs of a status.
func (r *rig) runsOf(query string) int {
	r.t.Helper()
	return len(r.all("/api/runs?limit=200&"+query, "id", func() {}))
}

func TestAllThatAStepStoppedGoesOn(t *testing.T) {
	r := lease(t)
	url, mended := mending(t)
	r.settings(config(status("Erp", step{Host: url, Stop: true, More: `,"displayName":"Send to ERP"`}), status("Other", step{Host: url, Stop: true})))
	r.stopped("Erp", 23)
	r.stopped("Other", 2)
	r.post(`{"id":"fine"}`)
	r.call("POST", "/api/orders/Erp-07/status", `{"status":"Elsewhere"}`).want(200) // overtakes the run
	mended.Store(true)
	r.counted(`{"step":"SEND to erp","dryRun":true}`, 22).is("notResumable.count", 1).is("notResumable.countCapped", false).is("runs[0].orderId", "Erp-22").is("runs[4].orderId", "Erp-18").is("runs[5]", nil)
	equals(t, "aborted after a dry run", r.runsOf("status=aborted"), 25)
	equals(t, "resumable, as the dry run counts", r.runsOf("resumable=true&step=SEND+to+erp"), 22)
	same(t, "resumed by a dry run", r.resumedBy("Erp-00"), nil)

	job := r.resumedAll(`{"step":"SEND to erp"}`).is("filter.step", "SEND to erp").is("filter.status", "aborted").is("filter.from", nil).is("examined", 23).is("expected", 23).is("resumed", 22).is("skipped", 1)
	job.is("skips[0].id", r.get("/api/runs?orderId=Erp-07&status=aborted").text("items[0].id")).is("skips[1]", nil)
	job.is("skips[0].reason", "the status is Elsewhere by now, which the run did not set")
	r.until("they have ended", func() bool { return r.runsOf("status=succeeded") == 24 })
	equals(t, "at the step", r.runsOf("step=Send+to+ERP"), 1)
	equals(t, "left as they were", r.runsOf("status=aborted"), 3)
	for i := range 23 {
		want := []string{"key " + r.get("/api/me").text("id")}
		if i == 7 {
			want = nil
		}
		same(t, fmt.Sprint("resumed ", i, " by"), r.resumedBy(fmt.Sprintf("Erp-%02d", i)), want)
	}
	r.resumedAll(`{"step":"Send to ERP"}`).is("examined", 1).is("resumed", 0).is("skipped", 1)
}

// resumedBy says who resumed runs of an order.
func (r *rig) resumedBy(order string) (by []string) {
	r.t.Helper()
	for _, e := range r.get("/api/orders/" + order + "/history?limit=200").doc().Objects("items") {
		if e.Text("operation") == "WorkflowResumed" {
			by = append(by, e.Text("by"))
		}
	}
	return by
}

func TestWhichRunsAreResumed(t *testing.T) {
	r := lease(t)
	url, _ := mending(t)
	r.settings(config(status("A", step{Host: url, Stop: true}), status("B", step{Host: url, Stop: true})))
	r.stopped("A", 2)
	r.clock.Advance(time.Hour)
	late := r.clock.Now().Format(time.RFC3339Nano)
	r.stopped("B", 3)
	for body, want := range map[string]int{
		`{"status":"aborted"}`: 5, `{"orderId":"A-01"}`: 1, `{"ORDERID":"none"}`: 0, `{"from":"` + late + `"}`: 3, `{"to":"` + late + `"}`: 2,
		`{"from":"2026-01-01T00:00:00Z","to":"2999-01-01T00:00:00Z"}`: 5, `{"step":"webhookworkflowstep","orderId":"B-00","status":"aborted"}`: 1,
	} {
		r.counted(strings.TrimSuffix(body, "}")+`,"dryRun":true}`, want)
	}
	r.get("/api/jobs").is("items", []string{})
	stoppedAgain := func() {
		t.Helper()
		r.until("they are stopped again", func() bool { return r.runsOf("status=aborted") == 5 })
	}
	r.resumedAll(`{"orderId":"A-01"}`).is("examined", 1).is("resumed", 1)
	stoppedAgain()
	r.resumedAll(`{"to":"`+late+`","step":"WebhookWorkflowStep"}`).is("examined", 2).is("resumed", 2)
	stoppedAgain()
	r.stranger().resumedAll(`{"status":"aborted"}`).is("examined", 0)
	equals(t, "aborted", r.runsOf("status=aborted"), 5)
	// They are stopped again, and are not met again.
	r.resumedAll(`{"status":"aborted"}`).is("examined", 5).is("resumed", 5)
}

// TestWhatWasDoneAgainIsNotResumed: a run whose status was entered again for the same, where
// that run succeeded. The dry run, the overview and the job agree.
func TestWhatWasDoneAgainIsNotResumed(t *testing.T) {
	r := lease(t)
	url, mended := mending(t)
	r.settings(config(status("A", step{Host: url, Stop: true})))
	r.call("POST", "/api/orders", `{"id":"o","status":"New","orderForm":{"shipments":[{"shipmentId":"S1"}]}}`).want(201)
	enter := func() { r.call("POST", "/api/orders/o/status", `{"status":"A","shipmentId":"S1"}`).want(200) }
	enter()
	agree := func(n, not int) {
		t.Helper()
		r.counted(`{"status":"aborted","dryRun":true}`, n).is("notResumable.count", not)
		r.get("/api/overview").is("stuck.runs.count", n)
		equals(t, "resumable", r.runsOf("resumable=true"), n)
	}
	agree(1, 0)
	mended.Store(true)
	enter()
	agree(0, 1)
	r.call("GET", "/api/runs?resumable=true&status=failed", "").problem(422, "query.resumable")
	r.call("GET", "/api/runs?resumable=false", "").problem(422, "query.resumable")
	r.resumedAll(`{"status":"aborted"}`).is("examined", 1).is("resumed", 0).is("skipped", 1)
}

func TestAJobNamesTheFirstOfWhatItSkipped(t *testing.T) {
	r := lease(t)
	url, _ := mending(t)
	r.settings(config(status("A", step{Host: url, Stop: true})))
	r.stopped("A", 12)
	for i := range 12 {
		r.call("POST", fmt.Sprintf("/api/orders/A-%02d/status", i), `{"status":"Elsewhere"}`).want(200)
	}
	r.resumedAll(`{"status":"aborted"}`).is("skipped", 12).is("skips[9].reason", "the status is Elsewhere by now, which the run did not set").is("skips[10]", nil)
}

func TestWhatResumesNoRuns(t *testing.T) {
	r := lease(t)
	for body, places := range map[string][]string{
		`{}`: {"body"}, `{"dryRun":true}`: {"body"}, `{"status":""}`: {"body"}, `{"step":""}`: {"body"},
		`{"status":"succeeded"}`: {"body.status"}, `{"status":"aborted","canceled":true,"limit":5}`: {"body.canceled", "body.limit"},
		`{"step":7,"orderId":[],"from":"yesterday","to":1,"dryRun":"yes"}`: {"body.step", "body.orderId", "body.from", "body.to", "body.dryRun"},
		`{"from":"2026-11-21T00:00:00Z","to":"2026-11-21T00:00:00Z"}`:      {"body.from"},
	} {
		r.call("POST", "/api/runs/resume", body).problem(422, places...)
	}
	r.call("POST", "/api/runs/resume", ``).problem(400)
	r.role("publisher").call("POST", "/api/runs/resume", `{"status":"aborted"}`).problem(403)
	r.get("/api/jobs").is("items", []string{})
}

func TestRunsAreResumedOnceForAnIdempotencyKey(t *testing.T) {
	r := lease(t)
	first := r.call("POST", "/api/runs/resume", `{"status":"aborted"}`, "Idempotency-Key", "one").want(202)
	r.call("POST", "/api/runs/resume", `{"status":"aborted"}`, "Idempotency-Key", "one").want(202).is("id", first.text("id"))
	r.call("POST", "/api/runs/resume", `{"status":"aborted","orderId":"x"}`, "Idempotency-Key", "one").problem(409)
	same(t, "jobs", r.get("/api/jobs").ids("id"), []string{first.text("id")})
	r.until("it has ended", func() bool { return r.get("/api/jobs/"+first.text("id")).text("status") == "succeeded" })
}

// A job resumes ten runs in one transaction.
func TestAResumeJobIsCanceledAndGoesOnAfterARestart(t *testing.T) {
	r, p := paced(t)
	url, mended := mending(t)
	r.settings(config(status("A", step{Host: url, Stop: true})))
	r.stopped("A", 25)
	mended.Store(true)
	path := "/api/jobs/" + r.call("POST", "/api/runs/resume", `{"status":"aborted"}`).want(202).text("id")
	p.wait()
	r.get(path).is("status", "running").is("resumed", 10)
	r.call("POST", path+"/cancel", "").want(200).is("status", "canceled").is("resumed", 10)
	p.next() // the job looks once more, and sees that it is over
	r.until("what goes on has ended", func() bool { return r.runsOf("status=succeeded") == 10 })
	equals(t, "left as they were", r.runsOf("status=aborted"), 15)

	path = "/api/jobs/" + r.call("POST", "/api/runs/resume", `{"status":"aborted"}`).want(202).text("id")
	p.proceed <- struct{}{}
	p.wait()
	r.get(path).is("status", "running").is("examined", 10)
	p.letGo()
	r.restart(patience)
	r.until("the job has ended", func() bool { return r.get(path).text("status") == "succeeded" })
	r.get(path).is("examined", 15).is("resumed", 15).is("skipped", 0)
	r.until("all have ended", func() bool { return r.runsOf("status=succeeded") == 25 })
}

// What becomes of runs between the moment that a job looks at the list and its
// transaction.
func TestAResumeJobTakesRunsAsTheyAreInItsTransaction(t *testing.T) {
	r := start(t)
	url, mended := mending(t)
	r.settings(config(status("A", step{Host: url, Stop: true})))
	r.stopped("A", 3)
	mended.Store(true)
	j := r.resumeJob(r.clock.Now())
	next, err := r.engine.Jobs()[job.JobResume](t.Context(), access.DefaultTenant, j)
	if err != nil {
		t.Fatal(err)
	}
	r.call("DELETE", "/api/orders/A-00?permanently=true", "").want(204)
	r.resume(answer{t, 200, nil, []byte(`{"runId":"` + r.get("/api/runs?orderId=A-01").text("items[0].id") + `"}`)})
	r.until("it has ended", func() bool { return r.runsOf("status=succeeded") == 1 })
	err = r.store.Write(t.Context(), func(tx store.Tx) error { return next.Write(t.Context(), tx, j) })
	if err != nil {
		t.Fatal(err)
	}
	next.After()
	equals(t, "examined, resumed, skipped", fmt.Sprint(j.Examined, j.Resumed, j.Skipped), "3 1 2")
	reasons := fmt.Sprint(j.Skips[0].Reason, "; ", j.Skips[1].Reason)
	if !strings.Contains(reasons, "only an aborted run can go on; this one is succeeded") || !strings.Contains(reasons, "no run") {
		t.Errorf("skipped because of %s", reasons)
	}
	r.until("the other one has ended", func() bool { return r.runsOf("status=succeeded") == 2 })
}

// resumeJob is a job over all aborted runs that was asked for at a time.
func (r *rig) resumeJob(at time.Time) *job.Job {
	r.t.Helper()
	j, err := workflow.NewResumeJob(workflow.ResumeFilter{}, "somebody", at)
	if err != nil {
		r.t.Fatal(err)
	}
	return j
}

func TestAResumeJobLeavesWhatWasCreatedAfterIt(t *testing.T) {
	r := start(t)
	url, _ := mending(t)
	r.settings(config(status("A", step{Host: url, Stop: true})))
	r.stopped("A", 2)
	j := r.resumeJob(r.clock.Now().Add(-time.Second))
	err := r.store.Write(t.Context(), func(tx store.Tx) error { return tx.PutJob(t.Context(), access.DefaultTenant, j) })
	if err != nil {
		t.Fatal(err)
	}
	r.restart(patience) // which takes it up
	r.until("the job has ended", func() bool { return r.get("/api/jobs/"+j.ID).text("status") == "succeeded" })
	r.get("/api/jobs/"+j.ID).is("examined", 0)
}
