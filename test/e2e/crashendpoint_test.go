package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// crashEndpoint answers slowly and sometimes fails, never so often that a call
// runs out of attempts, and keeps all that it is sent. It is the witness.
type crashEndpoint struct {
	*httptest.Server
	begun chan struct{} // has something in it once a call has come since it was emptied
	cut   *interruption // of a call
	mu    sync.Mutex
	calls map[string][]crashCall // by order and step
}

// crashCall is one request that it was sent.
type crashCall struct {
	key      string
	delivery int
	at       time.Time
	done     time.Time // when it was answered with a 200, as far as it can know; zero if not
}

func newCrashEndpoint(t *testing.T) *crashEndpoint {
	e := &crashEndpoint{begun: make(chan struct{}, 1), cut: newInterruption(), calls: map[string][]crashCall{}}
	e.Server = httptest.NewServer(http.HandlerFunc(e.answer))
	t.Cleanup(e.Close)
	return e
}

// interruption has a request wait for the end of its sender, so that a test that kills the
// sender is sure to cut one off.
type interruption struct {
	wanted atomic.Bool
	begun  chan struct{}
}

func newInterruption() *interruption { return &interruption{begun: make(chan struct{}, 1)} }

// hold keeps a request if one is wanted, until its sender has hung up, and reports whether it
// has. The body must have been read, or nobody notices that.
func (i *interruption) hold(r *http.Request) bool {
	if !i.wanted.CompareAndSwap(true, false) {
		return false
	}
	i.begun <- struct{}{}
	<-r.Context().Done()
	return true
}

// await returns when a request is held. Its sender is to be killed then.
func (i *interruption) await(t *testing.T, what string) {
	t.Helper()
	i.wanted.Store(true)
	select {
	case <-i.begun:
	case <-time.After(patience):
		t.Fatalf("%s does not come", what)
	}
}

// awaitCall returns when the next call comes, or when none comes for long: then all runs
// may have ended.
func (e *crashEndpoint) awaitCall() {
	select {
	case <-e.begun:
	default:
	}
	select {
	case <-e.begun:
	case <-time.After(2 * time.Second):
	}
}

// settings is a workflow of three steps; the second can stop it.
func (e *crashEndpoint) settings() string {
	var steps []string
	for i := range crashSteps {
		steps = append(steps, fmt.Sprintf(`{"name":"WebhookWorkflowStep","active":true,"connector":"Webhook","stopOnError":%t,"properties":[
			{"key":"Host","value":"%s/%d"},{"key":"ErrorStatus","value":"Rejected"}]}`, i == 1, e.URL, i+1))
	}
	return `{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","workflowSteps":[` + strings.Join(steps, ",") + `]}]}]}`
}

// rejected says which orders the second step stops.
func rejected(i int) bool { return i%10 == 3 }

func (e *crashEndpoint) answer(w http.ResponseWriter, r *http.Request) {
	var body struct{ Value struct{ ID string } }
	text, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(text, &body) != nil {
		return // cut off: its sender was killed
	}
	select {
	case e.begun <- struct{}{}:
	default:
	}
	step := strings.TrimPrefix(r.URL.Path, "/")
	delivery, _ := strconv.Atoi(r.Header.Get("X-Delivery-Count"))
	at := e.keep(body.Value.ID+"/"+step, crashCall{key: r.Header.Get("Idempotency-Key"), delivery: delivery, at: time.Now()})
	if e.cut.hold(r) {
		return
	}
	time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond) // an endpoint that works
	if delivery < 3 && rand.IntN(25) == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer at()
	i, _ := strconv.Atoi(strings.TrimPrefix(body.Value.ID, "ORD-"))
	if step == "2" && rejected(i) {
		_, _ = fmt.Fprint(w, `{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"Looks like fraud"}]}`)
		return
	}
	// A note without an id is a new one each time: a patch applied twice shows.
	_, _ = fmt.Fprintf(w, `{"OrderPatch":{"OrderNotes":[{"Title":"step %s"}],"Tags":["step-%s"]}}`, step, step)
}

// keep keeps a call and returns what notes that it was answered.
func (e *crashEndpoint) keep(name string, c crashCall) (answered func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := len(e.calls[name])
	e.calls[name] = append(e.calls[name], c)
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.calls[name][i].done = time.Now()
	}
}

// check compares an order with what the endpoint knows.
func (e *crashEndpoint) check(t *testing.T, o ended, i int) {
	t.Helper()
	steps, status, runStatus := crashSteps, "New", "succeeded"
	if rejected(i) {
		steps, status, runStatus = 2, "Rejected", "aborted"
	}
	if o.order["status"] != status || o.run["status"] != runStatus {
		t.Errorf("%s is %v and its run %v, want %s and %s", o.id, o.order["status"], o.run["status"], status, runStatus)
	}
	e.checkCalls(t, o.id, steps)
	checkNotes(t, o, steps, rejected(i))
}

// checkCalls proves that no step was skipped or called twice for one another,
// and that a repeated attempt is the same call.
func (e *crashEndpoint) checkCalls(t *testing.T, id string, steps int) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	var before time.Time
	for step := 1; step <= crashSteps; step++ {
		calls := e.calls[fmt.Sprintf("%s/%d", id, step)]
		if (len(calls) > 0) != (step <= steps) {
			t.Errorf("%s: step %d was called %d times", id, step, len(calls))
			continue
		}
		for n, c := range calls {
			if c.key != calls[0].key || c.key == "" {
				t.Errorf("%s: step %d was called with the keys %s and %s", id, step, calls[0].key, c.key)
			}
			if n > 0 && c.delivery != calls[n-1].delivery && c.delivery != calls[n-1].delivery+1 {
				t.Errorf("%s: step %d: attempt %d after %d", id, step, c.delivery, calls[n-1].delivery)
			}
			if c.at.Before(before) {
				t.Errorf("%s: step %d was called before the one before it was answered", id, step)
			}
		}
		if first := firstDone(calls); len(calls) > 0 && first.IsZero() {
			t.Errorf("%s: step %d was never answered", id, step)
		} else if len(calls) > 0 {
			before = first
		}
	}
}

// firstDone is when a call was first answered.
func firstDone(calls []crashCall) (first time.Time) {
	for _, c := range calls {
		if !c.done.IsZero() && (first.IsZero() || c.done.Before(first)) {
			first = c.done
		}
	}
	return first
}

// repeated counts the attempts that were made more than once: those that a kill fell into.
func (e *crashEndpoint) repeated() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, calls := range e.calls {
		for i, c := range calls {
			if i > 0 && c.delivery == calls[i-1].delivery {
				n++
			}
		}
	}
	return n
}

// checkNotes proves that each step's patch was applied once and in order.
func checkNotes(t *testing.T, o ended, steps int, stopped bool) {
	t.Helper()
	if stopped {
		steps--
	}
	var want, got []string
	for step := 1; step <= steps; step++ {
		want = append(want, fmt.Sprintf("step %d", step))
	}
	notes, _ := o.order["orderNotes"].([]any)
	for _, n := range notes {
		got = append(got, fmt.Sprint(n.(map[string]any)["title"]))
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("%s has the notes %v, want %v", o.id, got, want)
	}
	executed := 0
	for _, h := range o.history {
		if h["operation"] == "ExecuteExportOrder" {
			executed++
		}
	}
	if executed != steps {
		t.Errorf("%s: %d steps executed in its history, want %d", o.id, executed, steps)
	}
}
