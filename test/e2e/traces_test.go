package e2e

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// The caller's trace.
const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	callersSpan  = "b7ad6b7169203331"
	traceparent  = "00-" + callersTrace + "-" + callersSpan + "-01"
	tracestate   = "shop=a,other=b"
)

// collector is an OpenTelemetry collector that keeps what it is sent.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	asked int
	spans []*tracepb.Span
	text  string // of all that came, headers and all
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got tracepb.TracesData
		if err == nil {
			err = proto.Unmarshal(body, &got)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked++
		c.text += fmt.Sprint(r.URL, r.Header, &got)
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("the collector got %s: %v", r.URL, err)
		}
		for _, resource := range got.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// named returns the spans of a name.
func (c *collector) named(name string) (spans []*tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name {
			spans = append(spans, s)
		}
	}
	return spans
}

// only returns the one span of a name, which must be of the caller's trace.
func (c *collector) only(t *testing.T, name string) *tracepb.Span {
	t.Helper()
	spans := c.named(name)
	if len(spans) != 1 || hex.EncodeToString(spans[0].TraceId) != callersTrace {
		t.Fatalf("spans of %q: %v\nall there are: %v", name, spans, c.spans)
	}
	return spans[0]
}

func id(b []byte) string { return hex.EncodeToString(b) }

// TestTraces: an order whose step accepts it, and the events of both, are one trace in
// which each span lies beneath what it came of; and no secret is in it.
func TestTraces(t *testing.T) {
	t.Parallel()
	to := newCollector(t)
	w := newWhere(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL, "OTEL_EXPORTER_OTLP_HEADERS=api-key=k3y", "OTEL_SERVICE_NAME=shop")
	s := w.serve(t)
	step := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) {
		_, _ = io.WriteString(w, `{"orderPatch":{"status":"Accepted"}}`)
	})
	events := newReceiver(t, nil)
	s.expect(t, 200, "PUT", "/api/settings", s.newKey, workflow(step.URL+"/hook/p4th?code=c0de"))
	made := s.subscribe(t, s.newKey, events.URL+"/in?token=t0ken", `"eventTypes":["*"],"headers":{"X-Key":"h3ader"}`)
	if a := s.callWith("POST", "/api/orders", s.newKey, `{"id":"ORD-1","orderType":"Online","note":"b0dy"}`, "traceparent", traceparent, "tracestate", tracestate, "baggage", "b=aggage"); a.status != 201 {
		t.Fatalf("the order was answered %d %s", a.status, a.text)
	}
	got := events.await(t, "the events of the order and of its new status", func(got []receipt) bool { return len(got) >= 2 })
	s.awaitDeliveries(t, s.newKey, made)
	s.stop(t)

	request, run, call := to.only(t, "POST /api/orders"), to.only(t, "workflow run"), to.only(t, "step call")
	for _, c := range []struct{ what, is, want string }{
		{"the request's parent", id(request.ParentSpanId), callersSpan},
		{"the run's parent", id(run.ParentSpanId), id(request.SpanId)},
		{"the call's parent", id(call.ParentSpanId), id(run.SpanId)},
	} {
		if c.is != c.want {
			t.Errorf("%s is %s, want %s", c.what, c.is, c.want)
		}
	}
	if request.StartTimeUnixNano > run.StartTimeUnixNano || run.StartTimeUnixNano > call.StartTimeUnixNano || run.EndTimeUnixNano < call.StartTimeUnixNano || run.EndTimeUnixNano <= run.StartTimeUnixNano {
		t.Errorf("the request begins %d, the run lasts from %d to %d, the call begins %d", request.StartTimeUnixNano, run.StartTimeUnixNano, run.EndTimeUnixNano, call.StartTimeUnixNano)
	}
	sent, _ := step.all()
	wants(t, sent[0].header, call.SpanId)
	parents := map[string]int{}
	calls := map[string]*tracepb.Span{}
	for _, e := range to.named("event call") {
		parents[id(e.ParentSpanId)]++
		calls[id(e.SpanId)] = e
		if id(e.TraceId) != callersTrace {
			t.Errorf("an event is of the trace %x", e.TraceId)
		}
	}
	if parents[id(request.SpanId)] == 0 || parents[id(run.SpanId)] == 0 || len(parents) != 2 {
		t.Errorf("events lie beneath %v; the request is %x, the run %x", parents, request.SpanId, run.SpanId)
	}
	for _, r := range got {
		if parts := strings.Split(r.header.Get("Traceparent"), "-"); len(parts) != 4 || calls[parts[2]] == nil {
			t.Errorf("an event arrived with %s, which is no span", r.header.Get("Traceparent"))
		}
	}
	if len(to.named("commit")) == 0 || id(to.named("commit")[0].TraceId) == "" {
		t.Error("nothing waited for the database")
	}
	for _, want := range []string{"ORD-1", "shop", "127.0.0.1", "WebhookWorkflowStep", made.id} {
		if !strings.Contains(to.text, want) {
			t.Errorf("%s is nowhere in the traces", want)
		}
	}
	for _, secret := range []string{s.newKey, made.secret, "s3cret", "c0de", "t0ken", "p4th", "h3ader", "b0dy", "aggage"} {
		if strings.Contains(to.text, secret) {
			t.Errorf("%s is in the traces", secret)
		}
	}
	for _, secret := range []string{"k3y", s.newKey} {
		if strings.Contains(s.errOut.String(), secret) {
			t.Errorf("%s is in the log: %s", secret, s.errOut)
		}
	}
}

// wants sees that a request belonged to a span of the caller's trace.
func wants(t *testing.T, header http.Header, span []byte) {
	t.Helper()
	if got, want := header.Get("Traceparent"), fmt.Sprintf("00-%s-%x-01", callersTrace, span); got != want {
		t.Errorf("it was sent with the traceparent %s, want %s", got, want)
	}
	if header.Get("Tracestate") != tracestate || header.Get("Baggage") != "" {
		t.Errorf("it was sent with the tracestate %q, and the baggage %q", header.Get("Tracestate"), header.Get("Baggage"))
	}
}

// TestATraceThroughRetryAndRestart: the caller's headers go with each attempt, of a step
// and of a delivery, before and after a kill, also where no spans are made; then they are
// as the caller sent them. With spans, the run's is told of by the process that ends it.
func TestATraceThroughRetryAndRestart(t *testing.T) {
	for name, spans := range map[string]bool{"passed on": false, "with spans": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, w := newCollector(t), newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
			if spans {
				w = w.with("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + to.URL + "/v1/traces")
			}
			s := w.serve(t)
			failing := func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(503) }
			step, events := newReceiver(t, failing), newReceiver(t, failing)
			s.expect(t, 200, "PUT", "/api/settings", crashKey, workflow(step.URL))
			s.subscribe(t, crashKey, events.URL, `"eventTypes":["thing"],"retrySchedule":["PT1S","PT1S","PT1S","PT1S","PT1S","PT1S"]`)
			go s.callWith("POST", "/api/orders", crashKey, `{"id":"ORD-1","orderType":"Online"}`, "traceparent", traceparent, "tracestate", tracestate)
			s.callWith("POST", "/api/events", crashKey, `{"type":"thing","data":{}}`, "traceparent", traceparent, "tracestate", tracestate)
			step.await(t, "the first attempt of the step", func(got []receipt) bool { return len(got) == 1 })
			events.await(t, "the first attempt of the delivery", func(got []receipt) bool { return len(got) >= 1 })
			_ = s.cmd.Process.Kill()
			<-s.ended
			before, _ := events.all()
			step.answer, events.answer = nil, nil
			s = w.serve(t)
			steps := step.await(t, "the step after the restart", func(got []receipt) bool { return len(got) >= 2 })
			deliveries := events.await(t, "the delivery after the restart", func(got []receipt) bool { return len(got) > len(before) })
			until(t, "the end of the run", func() bool {
				return strings.Contains(s.call("GET", "/api/runs?orderId=ORD-1", crashKey, "").text, `"succeeded"`)
			})
			s.stop(t)
			for _, r := range append(steps, deliveries...) {
				if !spans {
					wants(t, r.header, []byte{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31})
				} else if got := r.header.Get("Traceparent"); !strings.HasPrefix(got, "00-"+callersTrace) || strings.Contains(got, callersSpan) {
					t.Errorf("it was sent with the traceparent %s", got)
				}
			}
			if !spans {
				if to.asked > 0 {
					t.Errorf("%d requests to a collector that nobody named", to.asked)
				}
				return
			}
			run := to.only(t, "workflow run")
			for _, call := range to.named("step call") {
				if id(call.ParentSpanId) != id(run.SpanId) {
					t.Errorf("a call lies beneath %x, the run is %x", call.ParentSpanId, run.SpanId)
				}
			}
		})
	}
}

// TestTracesThatAreTurnedOff sends nothing to a collector that is named.
func TestTracesThatAreTurnedOff(t *testing.T) {
	t.Parallel()
	to := newCollector(t)
	w := newWhere(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL, "OTEL_SDK_DISABLED=true", "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	s.expect(t, 201, "POST", "/api/orders", crashKey, `{"id":"ORD-1"}`)
	s.stop(t)
	if log := s.errOut.String(); to.asked > 0 || strings.Contains(log, "traces") {
		t.Errorf("%d requests, and the log says %s", to.asked, log)
	}
}

// TestVariablesOfTracesThatAreWrong are said at the start, without what may be secret, and keep
// no server from starting.
func TestVariablesOfTracesThatAreWrong(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://user:s3cret@127.0.0.1:1", "OTEL_TRACES_SAMPLER=sometimes", "OTEL_EXPORTER_OTLP_HEADERS=s3cret", "OTEL_EXPORTER_OTLP_TIMEOUT=1s")
	s := w.serve(t)
	s.expect(t, 201, "POST", "/api/orders", s.newKey, `{"id":"ORD-1"}`)
	s.stop(t)
	log := s.errOut.String()
	for _, want := range []string{"variable=OTEL_TRACES_SAMPLER problem=\"is \\\"sometimes\\\"", "variable=OTEL_EXPORTER_OTLP_HEADERS", "variable=OTEL_EXPORTER_OTLP_TIMEOUT", "traces cannot be exported"} {
		if strings.Count(log, want) != 1 {
			t.Errorf("%s is not said once: %s", want, log)
		}
	}
	if strings.Contains(log, "s3cret") {
		t.Errorf("a secret is in the log: %s", log)
	}
}
