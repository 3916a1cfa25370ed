// Package telemetry tells Prometheus how a server is doing. It counts what it is told of as
// it happens: requests, calls. What is a state, such as how much waits, it asks for when
// somebody scrapes (state.go).
//
// It knows no HTTP server and no database: others give it what it asks. No metric has an
// order, an endpoint or a URL as a label, only tenants, and not too many of these
// (names.go). Start reading at [New].
package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/orderhook/orderhook/internal/attempt"
)

// Metrics are those of one server. They are in a registry of their own, so that two servers
// in one process, as in tests, do not share any. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	tenants  *names
	// Labels are the route and not the path: paths have ids in them.
	requests *prometheus.HistogramVec
	calls    *prometheus.HistogramVec
	// own counts what is this server's own trouble, and no endpoint's.
	own *prometheus.CounterVec
	// skipped counts the shadow calls that were not made.
	skipped *prometheus.CounterVec
}

// New returns the metrics of a server of a version. Nothing is counted yet.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), tenants: newNames(),
		requests: prometheus.NewHistogramVec(histogram("orderhook_http_request_duration_seconds",
			"Requests by route and status, and how long each took until its answer had ended. A caller that waits for a run is counted with its waiting."), []string{"method", "route", "status"}),
		calls: prometheus.NewHistogramVec(histogram("orderhook_call_duration_seconds",
			"Outgoing calls by tenant, kind and outcome, and how long each took."), []string{"tenant", "kind", "outcome"}),
		own: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orderhook_call_own_troubles_total",
			Help: "Calls that could not be made since this server has too few descriptors, ports or memory. They use up no attempt."}, []string{"kind"}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orderhook_shadow_calls_skipped_total",
			Help: "Calls of shadow steps that were not made: too many of them waited, or a breaker was open."}, []string{"tenant"}),
	}
	for _, kind := range attempt.Kinds {
		m.own.WithLabelValues(kind) // of a series that begins with the first one, Prometheus sees no increase
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "orderhook_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 })
	m.registry.MustRegister(m.requests, m.calls, m.own, m.skipped, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// histogram has native buckets, and for those who do not scrape these the ones that the
// bars of docs/design.md#aims lie between.
func histogram(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: help, Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour}
}

// Request counts a request that was answered. route is its pattern, "" if it matched none.
// It is called once for each request, when its answer has ended.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	if route == "" {
		method, route = "", "none" // else callers could make up methods and paths without end
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Call counts an attempt at a call that was made, of a kind of [attempt.Attempt]. It is
// called for each attempt, so it must be quick.
func (m *Metrics) Call(tenant, kind string, succeeded bool, took time.Duration) {
	// The same words as in the API.
	outcome := attempt.OutcomeFailed
	if succeeded {
		outcome = attempt.OutcomeSucceeded
	}
	m.calls.WithLabelValues(m.tenants.of(tenant), kind, string(outcome)).Observe(took.Seconds())
}

// OwnTrouble counts a call that this server could not make: kind says what it lacked, such
// as descriptors.
func (m *Metrics) OwnTrouble(kind string) { m.own.WithLabelValues(kind).Inc() }

// ShadowSkipped counts a call of a shadow step that was not made.
func (m *Metrics) ShadowSkipped(tenant string) {
	m.skipped.WithLabelValues(m.tenants.of(tenant)).Inc()
}

// Handler answers with all metrics, in the format that the one who asks prefers. Whoever
// may reach it is up to the caller.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: mostScrapes})
}

// mostScrapes is how many may be answered at once: each asks the database.
const mostScrapes = 2
