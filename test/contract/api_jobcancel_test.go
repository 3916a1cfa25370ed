package contract

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// docs/contract.md#endpoints: `POST /api/jobs/{id}/cancel`.

// pacer holds up a job after each of its transactions, once that is durable.
type pacer struct {
	t       *testing.T
	came    chan struct{} // a transaction of a job is over
	proceed chan struct{} // the job may continue
	over    chan struct{} // nobody is held up any more
	passed  atomic.Int64  // the transactions that are over
}

func (p *pacer) wait() {
	p.t.Helper()
	select {
	case <-p.came:
	case <-time.After(patience):
		p.t.Fatal("the job does nothing")
	}
}

// next lets the job make its next transaction, and waits for the end of that.
func (p *pacer) next() {
	p.t.Helper()
	p.proceed <- struct{}{}
	p.wait()
}

// pacedStore is a store whose jobs go at the pacer's pace.
type pacedStore struct {
	store.Store
	*pacer
}

func (s pacedStore) Write(ctx context.Context, do func(store.Tx) error) error {
	ofJob := false
	err := s.Store.Write(ctx, func(tx store.Tx) error { return do(pacedTx{tx, &ofJob}) })
	if !ofJob {
		return err
	}
	s.passed.Add(1)
	select {
	case s.came <- struct{}{}:
	case <-s.over:
		return err
	}
	select {
	case <-s.proceed:
	case <-s.over:
	}
	return err
}

// pacedTx notes whose transaction it is: only a job's reads a job.
type pacedTx struct {
	store.Tx
	ofJob *bool
}

func (t pacedTx) Job(ctx context.Context, tenant, id string) (*job.Job, error) {
	*t.ofJob = true
	return t.Tx.Job(ctx, tenant, id)
}

// paced runs an orderhook whose jobs go at a pacer's pace.
func paced(t *testing.T) (*rig, *pacer) {
	t.Helper()
	p := &pacer{t: t, came: make(chan struct{}), proceed: make(chan struct{}), over: make(chan struct{})}
	r := newRig(t, newDatabase(t))
	r.between = func(s store.Store) store.Store { return pacedStore{s, p} }
	r.run()
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() {
		p.letGo()
		r.end(patience)
	})
	return r, p
}

// letGo holds nobody up from now on.
func (p *pacer) letGo() {
	select {
	case <-p.over:
	default:
		close(p.over)
	}
}

// A job takes 200 events in one transaction, so it has to make three.
const (
	jobStep  = 200
	ofTheJob = 2*jobStep + 50
)

const recoverMissing = `{"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z","what":"missing"}`

// recovering publishes events, and begins a job that takes them to an endpoint
// which did not get them. It returns the job's path when its first transaction
// is over.
func recovering(t *testing.T) (r *rig, p *pacer, s *sink, e answer, job string) {
	t.Helper()
	r, p = paced(t)
	events := make([]string, ofTheJob)
	for i := range events {
		events[i] = fmt.Sprintf(`{"type":"custom.thing","data":{"n":%d}}`, i)
	}
	r.call("POST", "/api/events", "["+strings.Join(events, ",")+"]").want(202)
	s = answering(t, "")
	e = r.subscribed(s.URL, "")
	job = "/api/jobs/" + r.call("POST", endpointPath(e, "/recover"), recoverMissing).want(202).text("id")
	p.wait()
	return r, p, s, e, job
}

// delivered waits until nothing is pending, and returns how many deliveries
// there are, all of which have succeeded, and how often the endpoint was called.
func (r *rig) delivered(s *sink) (deliveries, calls int) {
	r.t.Helper()
	r.awaitDeliveries()
	deliveries = len(r.all("/api/deliveries?status=succeeded&limit=200", "id", func() {}))
	equals(r.t, "others", len(r.all("/api/deliveries?limit=200", "id", func() {}))-deliveries, 0)
	return deliveries, len(s.got())
}

func TestAJobIsCanceledInItsMidst(t *testing.T) {
	r, p, s, e, path := recovering(t)
	r.get(path).is("status", "running").is("examined", jobStep).is("sent", jobStep).is("ended", nil)
	p.next()
	r.get(path).is("status", "running").is("examined", 2*jobStep).is("sent", 2*jobStep)
	r.clock.Advance(time.Minute)

	r.role("reader").call("POST", path+"/cancel", "").problem(403)
	r.stranger().call("POST", path+"/cancel", "").problem(404)
	r.get(path).is("status", "running")
	canceled := r.role("operator").call("POST", path+"/cancel", "").want(200)
	for field, want := range map[string]any{"status": "canceled", "examined": 2 * jobStep, "sent": 2 * jobStep, "reason": nil,
		"updated": "2026-11-21T09:01:00Z", "ended": "2026-11-21T09:01:00Z", "endpointId": e.text("id"), "what": "missing"} {
		canceled.is(field, want)
	}
	p.next() // the job looks once more, and sees that it is over
	equals(t, "the job", string(r.get(path).Raw), string(canceled.Raw))
	r.get("/api/jobs").is("items[0].status", "canceled").is("items[1]", nil)
	r.call("POST", path+"/cancel", "").problem(409).is("detail", "the job has ended: it is canceled")

	deliveries, calls := r.delivered(s) // what it sent stays sent
	equals(t, "deliveries and calls", fmt.Sprint(deliveries, calls), fmt.Sprint(2*jobStep, 2*jobStep))
	p.letGo()
	r.end(patience) // which waits for all jobs
	equals(t, "transactions of the job", p.passed.Load(), int64(3))
	r.run()
	equals(t, "the job after a restart", string(r.get(path).Raw), string(canceled.Raw))
	r.call("POST", path+"/cancel", "").problem(409)
	// What the job left out another one still finds, and that is all.
	r.recovered(e, recoverMissing).is("status", "succeeded").is("sent", ofTheJob-2*jobStep)
	deliveries, calls = r.delivered(s)
	equals(t, "deliveries and calls in the end", fmt.Sprint(deliveries, calls), fmt.Sprint(ofTheJob, ofTheJob))
	equals(t, "the job in the end", string(r.get(path).Raw), string(canceled.Raw))
}

// It is canceled in the database: the process that does the work need not know.
func TestACanceledJobIsNotTakenUpByTheNextStart(t *testing.T) {
	r, p, s, _, path := recovering(t)
	canceled := r.call("POST", path+"/cancel", "").want(200).is("status", "canceled").is("sent", jobStep)
	p.letGo()
	r.restart(patience)
	made := p.passed.Load()
	deliveries, calls := r.delivered(s)
	equals(t, "deliveries and calls", fmt.Sprint(deliveries, calls), fmt.Sprint(jobStep, jobStep))
	equals(t, "the job", string(r.get(path).Raw), string(canceled.Raw))
	r.end(patience)
	equals(t, "transactions of the job after the restart", p.passed.Load()-made, int64(0))
}

func TestAJobIsCanceledOnceForAnIdempotencyKey(t *testing.T) {
	r, p, _, _, path := recovering(t)
	first := r.call("POST", path+"/cancel", "", "Idempotency-Key", "one").want(200)
	r.clock.Advance(time.Minute)
	r.call("POST", path+"/cancel", "", "Idempotency-Key", "one").again(first)
	r.call("POST", path+"/cancel", "", "Idempotency-Key", "two").problem(409)
	p.letGo()
}

// Whatever way a job has ended, it cannot be canceled, and stays what it is.
func TestAJobThatHasEndedIsNotCanceled(t *testing.T) {
	r, p, _, e, path := recovering(t)
	r.call("DELETE", endpointPath(e, ""), "").want(204)
	p.next()
	r.get(path).is("status", "failed")
	p.letGo()
	done := r.recovered(r.subscribed("https://example.com", ""), `{"from":"2026-01-01T00:00:00Z","what":"failed"}`)
	for job, status := range map[string]string{path: "failed", "/api/jobs/" + done.text("id"): "succeeded"} {
		before := string(r.get(job).is("status", status).Raw)
		r.call("POST", job+"/cancel", "").problem(409).is("detail", "the job has ended: it is "+status)
		equals(t, "the job", string(r.get(job).Raw), before)
	}
}
