package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mendable stops every run until it is mended, and then notes the calls.
type mendable struct {
	*httptest.Server
	mended atomic.Bool
	mu     sync.Mutex
	keys   map[string]map[string]bool // Idempotency-Keys by order
}

func newMendable(t *testing.T) *mendable {
	m := &mendable{keys: map[string]map[string]bool{}}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *mendable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ Value struct{ ID string } }
	text, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(text, &body) != nil {
		return // cut off: its sender was killed
	}
	if !m.mended.Load() {
		_, _ = io.WriteString(w, `{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"out of order"}]}`)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys[body.Value.ID] == nil {
		m.keys[body.Value.ID] = map[string]bool{}
	}
	m.keys[body.Value.ID][r.Header.Get("Idempotency-Key")] = true
}

// called returns how many orders were called after the mending.
func (m *mendable) called() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.keys)
}

// TestAKilledResumeJobGoesOn kills the server while it resumes aborted runs: in
// the end each was resumed, and none twice.
func TestAKilledResumeJobGoesOn(t *testing.T) {
	t.Parallel()
	const stopped, kills = 600, 3
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	m := newMendable(t)
	s := w.serve(t)
	s.expect(t, 200, "PUT", "/api/settings", crashKey, `{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","workflowSteps":[
		{"name":"WebhookWorkflowStep","displayName":"ERP","active":true,"connector":"Webhook","stopOnError":true,"properties":[{"key":"Host","value":"`+m.URL+`"}]}]}]}]}`)
	postStopped(t, s, stopped)
	m.mended.Store(true)
	job := "/api/jobs/" + fmt.Sprint(s.expect(t, 202, "POST", "/api/runs/resume", crashKey, `{"step":"erp"}`).body["id"])
	running := 0
	for range kills {
		had := m.called()
		for end := time.Now().Add(patience); m.called() == had && had < stopped; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("no further run goes on")
			}
		}
		if s.expect(t, 200, "GET", job, crashKey, "").body["status"] == "running" {
			running++
		}
		time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond) // the moment is the point of it
		_ = s.cmd.Process.Kill()
		<-s.ended
		s = w.serve(t)
	}
	if running == 0 {
		t.Error("no kill fell into the job: the test proves nothing")
	}
	done := s.awaitJob(t, job)
	if done["status"] != "succeeded" || done["examined"] != float64(stopped) || done["resumed"] != float64(stopped) || done["skipped"] != float64(0) {
		t.Errorf("the job ended as %v", done)
	}
	for i := range stopped {
		o := awaitEnd(t, s, orderID(i))
		resumed := 0
		for _, e := range o.history {
			if e["operation"] == "WorkflowResumed" {
				resumed++
			}
		}
		if o.run["status"] != "succeeded" || resumed != 1 || len(m.keys[o.id]) != 1 {
			t.Errorf("%s is %v, resumed %d times, with the keys %v", o.id, o.run["status"], resumed, m.keys[o.id])
		}
	}
	s.stop(t)
}

// postStopped posts orders whose runs are all aborted then.
func postStopped(t *testing.T, s *server, n int) {
	t.Helper()
	var posting sync.WaitGroup
	next := atomic.Int64{}
	for range crashClients {
		posting.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				a := s.callWith("POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":%q}`, orderID(i)))
				if a.err != nil || a.status != 201 || a.body["isAborted"] != true {
					t.Errorf("%s: %d %v %v", orderID(i), a.status, a.body, a.err)
				}
			}
		})
	}
	posting.Wait()
	if t.Failed() {
		t.FailNow()
	}
}
