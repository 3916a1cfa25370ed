// Package api is orderhook's HTTP API: one file per noun. Handlers return
// errors; problem.go alone turns them into answers.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// Options of the API. All but PublicURL, Variables, Admission and Limits are needed.
type Options struct {
	Store     store.Store
	Engine    *workflow.Engine
	Validator *validate.Validator
	Notify    *notify.Dispatcher
	Jobs      *job.Runner
	Client    Client     // sends attempts again
	Guard     hook.Guard // of Client
	Clock     clock.Clock
	Log       *slog.Logger
	Version   string // of orderhook
	// Variables are those of the environment that settings may name, if they are
	// the settings of VariablesTenant.
	Variables       settings.Variables
	VariablesTenant string
	Admission       *admission.Gate // what requests may hold; nil: [admission.DefaultLimits]
	Work            *admission.Work // on large documents; nil: one of the API's own
	Limits          Limits
	PublicURL       string // where callers reach the API, for the OpenAPI document; "" leaves it open
}

// Client makes requests and knows secrets; [hook.Client] is the real one.
type Client interface {
	Post(ctx context.Context, r hook.Request) hook.Exchange
	CheckTLS(ctx context.Context, tenant, url string, t oms.EndpointTLS) error
	PublicKey(ctx context.Context, tenant string, v secret.Value) (string, error)
}

// api is what the handlers share.
type api struct {
	Options
	huma          huma.API
	turns         *turns
	keys          keyCache
	wrong         admission.WrongKeys
	door          *admission.Gate // of operators, see doorLimits
	runDoor       *admission.Gate // of those who ask about runs, or end them
	endpointCount *endpointCount
}

// Limits of what may be stored; a zero one is that of [DefaultLimits].
type Limits struct {
	Endpoints     admission.Limit
	SettingsBytes int64 // of a settings document as it is sent
}

// DefaultLimits are those of a server that was told nothing else (API.md, "Limits").
var DefaultLimits = Limits{Endpoints: admission.Limit{All: 100_000, PerTenant: 10_000}, SettingsBytes: 4 << 20}

// doorLimits bound the operator's door: who wants to know what a key is, or to
// take one away, gets in when ordinary requests have used up their limits. It has
// limits of its own, so that it is no way around those. So have requests about runs:
// callers who wait for runs that hang may be all that a tenant can have, and to cancel
// these is what frees them.
var doorLimits = admission.Limits{Requests: admission.Limit{All: 64, PerTenant: 16}, Bytes: admission.Limit{All: 64 << 20, PerTenant: 16 << 20}}

// New returns the handler of everything under /api, and of /healthz and /readyz.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	a := newAPI(o, mux)
	describeDocuments(a.huma.OpenAPI())
	for _, noun := range []func(*api){orders, status, shipments, returns, carts, validation, history, blames, runs, controls, resumes, attempts, replays,
		endpoints, endpointSecrets, endpointCalls, explanations, events, deliveries, bulkRedelivery, jobs, stock, settingsOperations, connectors, workflowSteps, keys, audit, overviews, health} {
		noun(a)
	}
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	finish(a.huma.OpenAPI())
	serveOpenAPI(mux, a.huma.OpenAPI())
	serveDocs(mux)
	mux.HandleFunc("/", noRoute(mux))
	return a.observed(a.recovered(a.authenticated(mux)))
}

func newAPI(o Options, mux *http.ServeMux) *api {
	if o.Admission == nil {
		o.Admission = admission.New(admission.DefaultLimits)
	}
	if o.Work == nil {
		o.Work = admission.NewWork(admission.DefaultAtOnce())
	}
	o.Limits.Endpoints = cmp.Or(o.Limits.Endpoints, DefaultLimits.Endpoints)
	o.Limits.SettingsBytes = cmp.Or(o.Limits.SettingsBytes, DefaultLimits.SettingsBytes)
	return &api{Options: o, huma: humago.New(mux, config(o)), turns: newTurns(), door: admission.New(doorLimits), runDoor: admission.New(doorLimits), endpointCount: &endpointCount{limit: o.Limits.Endpoints}}
}

func config(o Options) huma.Config {
	c := huma.DefaultConfig("orderhook", o.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", "" // openapi.go and docs.go serve them
	c.CreateHooks = nil                                   // no $schema in answers
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{named, encodeFirst}
	c.Formats = map[string]huma.Format{"application/json": encodedFormat, "json": encodedFormat}
	introduce(c.OpenAPI, o.PublicURL)
	return c
}

// openPath says what can be asked without a key.
func openPath(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == docsPath || strings.HasPrefix(path, docsPath+"/") || strings.HasPrefix(path, "/api/openapi") || !strings.HasPrefix(path, "/api/")
}

// noRoute answers for a path that is not there, or not with this method.
func noRoute(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
			if _, pattern := mux.Handler(probe); pattern != "/" {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 {
			writeProblem(w, http.StatusNotFound, "there is nothing at this path", nil)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, http.StatusMethodNotAllowed, "this path takes "+strings.Join(allowed, ", "), nil)
	}
}
