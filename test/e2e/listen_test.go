package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// listener is a running `orderhook listen --json`.
type listener struct {
	cmd   *exec.Cmd
	lines chan map[string]any // closed when it has ended
}

func (w where) listen(t *testing.T, s *server, args ...string) *listener {
	t.Helper()
	l := &listener{cmd: w.command(context.Background(), append([]string{"listen", "--json", "--url", s.url, "--key", s.newKey}, args...)...), lines: make(chan map[string]any, 100)}
	out, err := l.cmd.StdoutPipe()
	if err == nil {
		err = l.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.cmd.Process.Kill() })
	go func() {
		defer close(l.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line := map[string]any{}
			if json.Unmarshal(lines.Bytes(), &line) == nil {
				l.lines <- line
			}
		}
	}()
	return l
}

// await returns the next line that says so.
func (l *listener) await(t *testing.T, what string) map[string]any {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, more := <-l.lines:
			if !more {
				t.Fatalf("it ended without %q", what)
			}
			if line["what"] == what {
				return line
			}
		case <-late:
			t.Fatalf("%q was not said", what)
		}
	}
}

// TestListenBringsEventsToThisMachine has events of chosen types and orders come to a receiver,
// over a server that dies and comes back: what happened meanwhile comes, too, and it says how
// much.
func TestListenBringsEventsToThisMachine(t *testing.T) {
	t.Parallel()
	w, address := newWhere(t), freeAddress(t)
	s := w.serve(t, "--listen", address)
	r := newReceiver(t, nil)
	secret := w.file(t, "secret", "whsec_"+strings.Repeat("b3JkZXJob29r", 4))
	l := w.listen(t, s, "--types", "seen.*", "--orders", "ORD-1", "--forward", r.URL, "--secret-file", secret)
	e := endpoint{id: fmt.Sprint(l.await(t, "listening")["endpointId"])}
	publish := func(id, kind, order string) {
		t.Helper()
		s.expect(t, 202, "POST", "/api/events", s.newKey, fmt.Sprintf(`{"id":%q,"type":%q,"orderId":%q,"data":{"price":1.50}}`, id, kind, order))
	}
	publish("e0", "other.type", "ORD-1")
	publish("e1", "seen.first", "ORD-2")
	publish("e2", "seen.first", "ORD-1")
	if line := l.await(t, "event"); line["eventId"] != "e2" || line["status"] != 200.0 || line["acknowledged"] != true {
		t.Fatalf("the first event is %v", line)
	}
	got := r.await(t, "the event", func(got []receipt) bool { return len(got) > 0 })
	if one := got[0]; !strings.Contains(one.body, `"price":1.50`) || one.header.Get("Webhook-Signature") == "" || one.header.Get("Webhook-Position") == "" {
		t.Errorf("the receiver got %v %s", one.header, one.body)
	}
	// Nothing is sent to it, and nobody can have anything sent.
	if d := s.deliveries(t, s.newKey, e, ""); len(d) > 0 {
		t.Errorf("deliveries were made: %v", d)
	}
	for _, path := range []string{"/api/endpoints/" + e.id + "/test", "/api/events/e2/redeliver"} {
		if a := s.call("POST", path, s.newKey, fmt.Sprintf(`{"endpointId":%q}`, e.id)); path != "" && a.status != 409 && a.status != 422 {
			t.Errorf("%s is answered with %d %s", path, a.status, a.text)
		}
	}
	s.signal(t, syscall.SIGKILL)
	s.code(t)
	l.await(t, "disconnected")
	key := s.newKey
	s = w.serve(t, "--listen", address)
	s.newKey = key
	publish("e3", "seen.third", "ORD-1")
	l.await(t, "connected")
	if line := l.await(t, "event"); line["eventId"] != "e3" {
		t.Fatalf("after the restart comes %v", line)
	}
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if end := l.await(t, "ended"); end["events"] != 2.0 || end["failed"] != 0.0 {
		t.Errorf("it ended with %v", end)
	}
	if err := l.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	s.expect(t, 404, "GET", "/api/endpoints/"+e.id, s.newKey, "")
}

// TestListenAndTrigger has an order's data made an event, with changes, and the exit codes say
// what became of it.
func TestListenAndTrigger(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	var down atomic.Bool
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	s.expect(t, 201, "POST", "/api/orders", s.newKey, `{"id":"ORD-1","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":1,"placedPrice":9.90}]}}`)
	down.Store(true)
	l := w.listen(t, s, "--types", "shop.*", "--count", "1", "--forward", r.URL)
	l.await(t, "listening")
	server := []string{"--url", s.url, "--key", s.newKey}
	args := func(args ...string) []string { return append(args, server...) }
	w.succeeds(t, args("trigger", "shop.changed", "--from", "ORD-1", "--set", "orderForm.lineItems[0].quantity=3", "--set", "note.text=a=b")...)
	if line := l.await(t, "event"); line["status"] != 502.0 || line["acknowledged"] != false {
		t.Errorf("the event is %v", line)
	}
	if err := l.cmd.Wait(); l.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("what is not acknowledged ends with %v", err)
	}
	got, _ := r.all()
	if body := got[0].body; !strings.Contains(body, `"quantity":3`) || !strings.Contains(body, `"placedPrice":9.90`) || !strings.Contains(body, `"note":{"text":"a=b"}`) {
		t.Errorf("the receiver got %s", body)
	}
	down.Store(false)
	w.succeeds(t, args("trigger", "OrderCreated", "--from", "ORD-1", "--to", r.URL)...)
	w.refuses(t, "type", args("trigger", "OrderCreated", "--from", "ORD-1")...)
	w.refuses(t, "ORD-9", args("trigger", "shop.x", "--from", "ORD-9")...)
	w.refuses(t, "the list has 1 elements", args("trigger", "shop.x", "--from", "ORD-1", "--set", "orderForm.lineItems[1].quantity=3")...)
	w.refuses(t, "--url", "listen", "--forward", r.URL)
	w.refuses(t, "--endpoint", args("listen", "--after", "5")...)
	w.refuses(t, "404", args("listen", "--endpoint", "ep_none")...)
	w.refuses(t, "--forward", args("listen", "--forward", "localhost:3000")...)
}

// TestListenAnswersCallsOnThisMachine has the receiver of a laptop answer the calls of a step in
// place of its endpoint, for one order alone; over a restart of the server, which is said.
func TestListenAnswersCallsOnThisMachine(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	var tries atomic.Int64
	endpoint := newReceiver(t, nil)
	laptop := newReceiver(t, func(w http.ResponseWriter, r *http.Request, got receipt) {
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprint(w, `{"orderPatch":{"customerName":"of the laptop"}}`)
	})
	config := w.file(t, "settings.json", fmt.Sprintf(`{"connectors":[{"name":"W","connectorId":"w","host":%q,"bearerToken":"token-of-the-endpoint"}],
		"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","displayName":"Fraud check","connector":"W","connectorId":"w"}]}]}]}`, endpoint.URL))
	address := freeAddress(t)
	s := w.serve(t, "--settings", config, "--listen", address)
	l := w.listen(t, s, "--calls-only", "--step", "fraud check", "--orders", "ORD-1,ORD-3", "--forward", laptop.URL)
	l.await(t, "intercepting")
	order := func(id, want string) {
		t.Helper()
		s.expect(t, 201, "POST", "/api/orders", s.newKey, fmt.Sprintf(`{"id":%q,"status":"New"}`, id))
		if a := s.call("GET", "/api/orders/"+id, s.newKey, ""); strings.Contains(a.text, "of the laptop") != (want == "laptop") {
			t.Errorf("order %s is %s", id, a.text)
		}
	}
	order("ORD-1", "laptop")
	order("ORD-2", "endpoint")
	if line := l.await(t, "call"); line["answer"] != 503.0 || line["orderId"] != "ORD-1" || line["attempt"] != "1" || line["answered"] != true {
		t.Errorf("the first call is %v", line)
	}
	if line := l.await(t, "call"); line["answer"] != 200.0 || line["attempt"] != "2" {
		t.Errorf("the second call is %v", line)
	}
	got, _ := laptop.all()
	if len(got) != 2 || got[0].header.Get("Idempotency-Key") != got[1].header.Get("Idempotency-Key") || got[1].header.Get("X-Delivery-Count") != "2" || got[0].header.Get("Authorization") != "" {
		t.Errorf("the laptop got %v", got)
	}
	if got, _ := endpoint.all(); len(got) != 1 || got[0].header.Get("Authorization") != "Bearer token-of-the-endpoint" {
		t.Errorf("the endpoint got %v", got)
	}
	s.signal(t, syscall.SIGKILL)
	s.code(t)
	l.await(t, "disconnected")
	key := s.newKey
	s = w.serve(t, "--settings", config, "--listen", address)
	s.newKey = key
	if line := l.await(t, "lapsed"); line["missed"] != nil || !strings.Contains(fmt.Sprint(line["reason"]), "restarted") {
		t.Errorf("after the restart it says %v", line)
	}
	l.await(t, "intercepting")
	order("ORD-3", "laptop")
	l.await(t, "call")
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if end := l.await(t, "ended"); end["calls"] != 3.0 || end["failed"] != 0.0 {
		t.Errorf("it ended with %v", end)
	}
	if err := l.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	server := func(args ...string) []string { return append(args, "--url", s.url, "--key", s.newKey) }
	w.refuses(t, "--forward", server("listen", "--step", "a", "--all-orders")...)
	w.refuses(t, "--all-orders", server("listen", "--step", "a", "--forward", laptop.URL)...)
	w.refuses(t, "--step", server("listen", "--calls-only", "--forward", laptop.URL)...)
}

// TestAListenerThatIsKilledInTheMiddle of a call: the order does not wait for it longer than its
// lease, the endpoint is asked in its place, and the record says who was asked and what became of it.
func TestAListenerThatIsKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	endpoint := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) {
		_, _ = fmt.Fprint(w, `{"orderPatch":{"customerName":"of the endpoint"}}`)
	})
	laptop := newReceiver(t, hang)
	config := w.file(t, "settings.json", fmt.Sprintf(`{"connectors":[{"name":"W","connectorId":"w","host":%q,"timeout":"PT5M"}],
		"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","displayName":"Fraud check","connector":"W","connectorId":"w"}]}]}]}`, endpoint.URL))
	s := w.serve(t, "--settings", config)
	l := w.listen(t, s, "--calls-only", "--step", "Fraud check", "--all-orders", "--forward", laptop.URL)
	path := fmt.Sprint("/api/interceptions/", l.await(t, "intercepting")["interceptionId"])
	s.expect(t, 202, "POST", "/api/orders?wait=false", s.newKey, `{"id":"ORD-1","status":"New"}`)
	laptop.await(t, "the call", func(got []receipt) bool { return len(got) > 0 })
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = l.cmd.Wait()
	late := time.After(3 * patience) // the lease is as long as patience
	for got, next := endpoint.all(); len(got) == 0; got, next = endpoint.all() {
		select {
		case <-next:
		case <-late:
			t.Fatalf("the endpoint is not asked: %s", s.call("GET", path, s.newKey, "").text)
		}
	}
	if a := s.expect(t, 200, "GET", path, s.newKey, ""); a.body["reason"] != "the listener was silent for too long" || a.body["handed"] != 1.0 || a.body["answered"] != 0.0 || a.body["missed"] != 1.0 {
		t.Errorf("the interception is %s", a.text)
	}
	// A change of the status waits for the run before it.
	s.expect(t, 200, "POST", "/api/orders/ORD-1/status", s.newKey, `{"status":"Other"}`)
	if a := s.expect(t, 200, "GET", "/api/orders/ORD-1", s.newKey, ""); a.body["customerName"] != "of the endpoint" {
		t.Errorf("the order is %s", a.text)
	}
	made := items(s.expect(t, 200, "GET", "/api/attempts?orderId=ORD-1", s.newKey, ""))
	if len(made) != 2 || made[1]["outcome"] != "failed" || made[1]["error"] != "the interception ended before the listener answered" || !strings.HasPrefix(fmt.Sprint(made[1]["url"]), "listener:") || made[0]["outcome"] != "succeeded" {
		t.Errorf("the attempts are %v", made)
	}
}

// TestASecondSignalWaitsForTheCleanUp: GNU timeout sends its signal twice, and what the listener made
// on the server is removed all the same. The server here has the listener wait for its answer until
// the signal was taken. A third signal ends it at once.
func TestASecondSignalWaitsForTheCleanUp(t *testing.T) {
	t.Parallel()
	for _, third := range []bool{false, true} {
		removing, answer := make(chan struct{}), make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodDelete:
				close(removing)
				select {
				case <-answer:
				case <-r.Context().Done():
				}
				w.WriteHeader(http.StatusNoContent)
			case r.Method == http.MethodPost:
				w.WriteHeader(http.StatusCreated)
				_, _ = fmt.Fprint(w, `{"id":"ep_1"}`)
			case r.URL.Query().Has("wait"):
				<-r.Context().Done()
			default:
				_, _ = fmt.Fprint(w, `{"items":[],"next":"1"}`)
			}
		}))
		l := newWhere(t).listen(t, &server{url: s.URL, newKey: "k"})
		l.await(t, "listening")
		stop := func() {
			t.Helper()
			if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			l.hasTaken(t)
		}
		stop()
		select {
		case <-removing:
		case <-time.After(patience):
			t.Fatal("it does not remove its endpoint")
		}
		stop()
		if third {
			// Signals that come at the same moment are one, so it is sent until it has ended.
			go func() {
				for l.cmd.Process.Signal(syscall.SIGTERM) == nil {
					runtime.Gosched()
				}
			}()
			if err := l.cmd.Wait(); l.cmd.ProcessState.ExitCode() != 128+int(syscall.SIGTERM) {
				t.Errorf("a third signal ends it with %v", err)
			}
			close(answer)
		} else {
			close(answer)
			l.await(t, "ended")
			if err := l.cmd.Wait(); err != nil {
				t.Errorf("it ended with %v", err)
			}
		}
		s.Close()
	}
}

// hasTaken waits until no signal is pending for the listener.
func (l *listener) hasTaken(t *testing.T) {
	t.Helper()
	pending := regexp.MustCompile(`ShdPnd:\s*0*[1-9a-f]`)
	for late := time.Now().Add(patience); ; runtime.Gosched() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.cmd.Process.Pid))
		if err != nil || !pending.Match(status) {
			return
		}
		if time.Now().After(late) {
			t.Fatal("a signal is not taken")
		}
	}
}
