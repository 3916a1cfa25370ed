package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// variables is an environment.
type variables map[string]string

func (v variables) lookup(name string) (string, bool) {
	text, ok := v[name]
	return text, ok
}

const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"

func TestWhatTheVariablesAskFor(t *testing.T) {
	for _, c := range []struct {
		of  variables
		to  string // "": off
		bad string // the variables that are wrong, each once
	}{
		{variables{}, "", ""},
		{variables{"OTEL_SERVICE_NAME": "shop"}, "", ""},
		{variables{endpoint: "http://c:4318"}, "http://c:4318/v1/traces", ""},
		{variables{endpoint: "https://c/otlp/"}, "https://c/otlp/v1/traces", ""},
		{variables{endpoint: "http://c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://d/x"}, "http://d/x", ""},
		{variables{endpoint: "http://c:4318", "OTEL_SDK_DISABLED": "true"}, "", ""},
		{variables{endpoint: "http://c:4318", "OTEL_SDK_DISABLED": "yes"}, "http://c:4318/v1/traces", "OTEL_SDK_DISABLED"},
		{variables{endpoint: "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, "", ""},
		{variables{endpoint: "http://c:4318", "OTEL_TRACES_EXPORTER": "zipkin"}, "", "OTEL_TRACES_EXPORTER"},
		{variables{"OTEL_TRACES_EXPORTER": "otlp"}, "http://localhost:4318/v1/traces", ""},
		{variables{endpoint: "c:4318"}, "", endpoint},
		{variables{endpoint: "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "", "OTEL_EXPORTER_OTLP_PROTOCOL"},
		{variables{endpoint: "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, "http://c:4318/v1/traces", ""},
		{variables{endpoint: "http://c:4318", "OTEL_EXPORTER_OTLP_TIMEOUT": "1s"}, "http://c:4318/v1/traces", "OTEL_EXPORTER_OTLP_TIMEOUT"},
		{variables{endpoint: "http://c:4318", "OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, "http://c:4318/v1/traces", "OTEL_EXPORTER_OTLP_COMPRESSION"},
		{variables{endpoint: "http://c:4318", "OTEL_TRACES_SAMPLER": "sometimes"}, "http://c:4318/v1/traces", "OTEL_TRACES_SAMPLER"},
		{variables{endpoint: "http://c:4318", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.5"}, "http://c:4318/v1/traces", "OTEL_TRACES_SAMPLER_ARG"},
		{variables{endpoint: "http://c:4318", "OTEL_RESOURCE_ATTRIBUTES": "a=b,c"}, "http://c:4318/v1/traces", "OTEL_RESOURCE_ATTRIBUTES"},
		{variables{endpoint: "http://c:4318", "OTEL_PROPAGATORS": "tracecontext,baggage"}, "http://c:4318/v1/traces", "OTEL_PROPAGATORS"},
		{variables{endpoint: "http://c:4318", "OTEL_PROPAGATORS": "tracecontext"}, "http://c:4318/v1/traces", ""},
		{variables{endpoint: "http://c:4318", "OTEL_BSP_MAX_QUEUE_SIZE": "many"}, "http://c:4318/v1/traces", "OTEL_BSP_MAX_QUEUE_SIZE"},
		{variables{endpoint: "https://c", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/none"}, "", "OTEL_EXPORTER_OTLP_CERTIFICATE"},
		{variables{endpoint: "https://c", "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/none"}, "", "OTEL_EXPORTER_OTLP_CLIENT_KEY"},
		{variables{endpoint: "https://c", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/none"}, "", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"},
	} {
		got, wrong := read(c.of.lookup)
		to := ""
		if got.on {
			to = got.endpoint.String()
		}
		var bad []string
		for _, w := range wrong {
			bad = append(bad, w.variable)
		}
		if to != c.to || strings.Join(bad, " ") != c.bad {
			t.Errorf("%v: to %q, wrong are %v; want %q, %q", c.of, to, wrong, c.to, c.bad)
		}
	}
}

func TestSamplers(t *testing.T) {
	for name, want := range map[string]string{
		"": "ParentBased{root:AlwaysOnSampler", "always_on": "AlwaysOnSampler", "always_off": "AlwaysOffSampler",
		"parentbased_always_off": "ParentBased{root:AlwaysOffSampler", "traceidratio": "TraceIDRatioBased{0.25}", "Parentbased_TraceIDRatio": "ParentBased{root:TraceIDRatioBased{0.25}",
	} {
		c, wrong := read(variables{endpoint: "http://c", "OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": "0.25"}.lookup)
		if got := c.sampler.Description(); !strings.HasPrefix(got, want) || len(wrong) > 0 {
			t.Errorf("%q is %s, wrong are %v", name, got, wrong)
		}
	}
}

// collector takes exports, or fails with a status.
type collector struct {
	mu     sync.Mutex
	status int
	answer []byte
	header http.Header
	spans  []string
	times  map[string][2]time.Time // of spans by their names: when each began and ended
	asked  int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	c.header = r.Header
	if c.status != 0 {
		w.WriteHeader(c.status)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	text, _ := io.ReadAll(body)
	var got tracepb.TracesData
	_ = proto.Unmarshal(text, &got)
	if c.times == nil {
		c.times = map[string][2]time.Time{}
	}
	for _, resource := range got.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, s.Name)
				c.times[s.Name] = [2]time.Time{time.Unix(0, int64(s.StartTimeUnixNano)), time.Unix(0, int64(s.EndTimeUnixNano))}
			}
		}
	}
	_, _ = w.Write(c.answer)
}

// lines are those of a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// begin starts tracing towards a collector.
func begin(t *testing.T, v variables) (*Tracing, *lines) {
	t.Helper()
	l := &lines{}
	traces := Start(v.lookup, "1.2.3", time.Now, slog.New(slog.NewJSONHandler(l, nil)))
	if traces == nil {
		t.Fatalf("no traces with %v: %s", v, l)
	}
	t.Cleanup(func() { traces.Stop(context.WithoutCancel(t.Context())) })
	return traces, l
}

func TestSpansArrive(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		c := &collector{}
		server := httptest.NewServer(c)
		defer server.Close()
		traces, _ := begin(t, variables{endpoint: server.URL, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=s3%20cret, x = y", "OTEL_EXPORTER_OTLP_COMPRESSION": compression})
		_, span := traces.Tracer().Start(t.Context(), "one")
		span.End()
		traces.Stop(t.Context())
		if len(c.spans) != 1 || c.spans[0] != "one" || c.header.Get("Api-Key") != "s3 cret" || c.header.Get("X") != "y" || c.header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("with %s: %v by %v", compression, c.spans, c.header)
		}
	}
}

// upload sends one span.
func upload(traces *Tracing) {
	_ = traces.exporter.UploadTraces(context.Background(), []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{Name: "one"}}}}}})
}

// TestACollectorThatIsDown: that is said once, and that it works again; and neither the
// key nor the password in its URL is.
func TestACollectorThatIsDown(t *testing.T) {
	c := &collector{status: 500}
	server := httptest.NewServer(c)
	defer server.Close()
	to := strings.Replace(server.URL, "http://", "http://user:s3cret@", 1)
	traces, log := begin(t, variables{endpoint: to, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=k3y,broken k3y"})
	for range 3 {
		upload(traces)
	}
	c.status = 0
	upload(traces)
	c.answer = []byte{0x0a, 2, 0x08, 7} // of some it took no notice
	upload(traces)
	server.Close()
	traces.exporter.stop()
	upload(traces)
	text := log.String()
	for what, want := range map[string]int{"traces cannot be exported": 2, "exported again": 1, `"spansLost":3`: 1, "Internal Server Error": 1, "7 spans": 1, "pair 2 is not": 1, "s3cret": 0, "k3y": 0, "user:***@": 1} {
		if got := strings.Count(text, what); got != want {
			t.Errorf("%q is said %d times, not %d: %s", what, got, want, text)
		}
	}
}

func TestACollectorThatIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		asked := 0
		c := config{header: http.Header{}, endpoint: must(http.NewRequest("GET", "http://c/", nil)).URL}
		e := newExporter(c, slog.New(slog.DiscardHandler))
		e.client.Transport = answers(func() int {
			if asked++; asked < 3 {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
		if err := e.send(t.Context(), nil); err != nil || asked != 3 || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %d requests and %v", err, asked, time.Since(began))
		}
		e.client.Transport = answers(func() int { asked++; return http.StatusServiceUnavailable })
		if asked = 0; e.send(t.Context(), nil) == nil || asked != tries {
			t.Errorf("%d requests to one that stays busy", asked)
		}
		e.stop()
		if asked = 0; e.send(t.Context(), nil) == nil || asked != 1 {
			t.Errorf("%d requests at the end", asked)
		}
	})
}

// answers is a transport that answers with a status.
type answers func() int

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a(), Header: http.Header{}, Body: http.NoBody}, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestACollectorThatHangs: nobody who ends a span waits for it, and a stop only for so long.
func TestACollectorThatHangs(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(over)
	traces, log := begin(t, variables{endpoint: server.URL})
	tracer := traces.Tracer()
	began := time.Now()
	for range 10_000 { // five times what the queue has room for
		_, span := tracer.Start(t.Context(), "one")
		span.End()
	}
	if took := time.Since(began); took > 30*time.Second { // to wait for the collector takes minutes
		t.Errorf("10,000 spans took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	traces.Stop(ctx)
	if ctx.Err() == nil || !strings.Contains(log.String(), "the last traces were not exported") {
		t.Errorf("it stopped with %v: %s", ctx.Err(), log)
	}
}

func TestWhatAllSpansHave(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	t.Setenv("OTEL_SERVICE_NAME", "shop")
	text, err := json.Marshal(described("1.2.3").Attributes())
	for _, want := range []string{`"shop"`, `"test"`, `"1.2.3"`, "service.instance.id"} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s, %v", want, text, err)
		}
	}
	if strings.Contains(string(text), `"orderhook"`) {
		t.Errorf("OTEL_SERVICE_NAME has no effect: %s", text)
	}
}

func TestACertificateOfItsOwn(t *testing.T) {
	c := &collector{}
	server := httptest.NewTLSServer(c)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	traces, log := begin(t, variables{endpoint: server.URL, "OTEL_EXPORTER_OTLP_CERTIFICATE": file})
	upload(traces)
	if len(c.spans) != 1 {
		t.Errorf("nothing arrived: %s", log)
	}
}
