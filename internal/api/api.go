// Package api is orderhook's HTTP API: one file per noun. A handler reads what the
// request says, asks the store or the package that has the rules (workflow, event,
// settings, validate), and shows what came of it. Handlers return errors; problem.go
// alone turns them into answers.
//
// The package has no rules of its own about orders, runs or deliveries, and it knows
// neither SQL nor the dashboard, which calls the handler of [New] as any other client
// does ([WithKey]). It makes no outgoing request by itself: what is sent again goes
// through [Client].
//
// handle, in auth.go, is the place to begin reading: every operation passes through it.
// order.go is an example of a noun.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/intercept"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// Options of the API. All but Node, Board, Variables, Admission, Work, Limits, Observer, Metrics,
// Tracer, KeyUses, PublicURL, KeyRates and WrongKeys are needed.
type Options struct {
	// Handlers read and write the store. Whatever they change is durable before they
	// answer (docs/contract.md#running).
	Store store.Store
	// The API claims Idempotency-Keys through the node, and hears through it that others
	// have changed endpoints.
	Node *nodes.Node // this process among those of the database; nil: it is alone
	// The next five do work that an answer does not wait for, or waits for only as long as the
	// caller asks.
	Engine     *workflow.Engine
	Board      *intercept.Board // the engine's; nil: one that no call is offered to
	Validator  *validate.Validator
	Deliveries *delivery.Dispatcher
	Jobs       *jobrunner.Runner
	// Client is for replays, and checks TLS files of endpoints. Guard is the one that
	// Client goes by: with it a URL is refused when it comes in, and not only when it is
	// called.
	Client Client // sends attempts again
	// Tests set the clock; all times that are stored come from it. How slowly callers may
	// send goes by the real time, because connections know no other.
	Clock   clock.Clock
	Log     *slog.Logger
	Version string // of orderhook
	// Variables are the environment variables that the settings of VariablesTenant may
	// name. Other tenants may name none, since variables belong to whoever runs the
	// process.
	Variables       settings.Variables
	VariablesTenant string
	// Admission limits how many requests and bytes are taken on at all, and Work how many
	// large documents are worked on at a time. The engine has the same Work, so that
	// requests and runs keep to it together.
	Admission *admission.Gate // what requests may hold; nil: [admission.DefaultLimits]
	Work      *admission.Work // on large documents; nil: one of the API's own
	Limits    Limits
	// Observer is told of each request that was answered, and Metrics answers GET
	// /metrics; nil: nobody, and nothing.
	Observer Observer
	Metrics  http.Handler
	Tracer   trace.Tracer // makes a span of each request; nil: nobody does
	// Install has what a tenant has be as a document says, which is an [InstallationShape];
	// by is who asks for it. It changes the document. What it has done before an error
	// comes with the error.
	Install func(ctx context.Context, tenant, by string, doc *jsondoc.Object, dryRun bool) (Installed, error)
	// KeyUses is told of each request that came with a key; nil: nobody is.
	KeyUses   KeyUses
	PublicURL string // where callers reach the API, for the OpenAPI document; "" leaves it open
	// KeyRates holds keys to their rateLimit. The dashboard has the same, so that a key has
	// one rate for both. WrongKeys counts the wrong ones. nil: the API has its own.
	KeyRates  *admission.KeyRates
	WrongKeys *admission.WrongKeys
}

// Observer counts requests. route is the pattern of the path, "" if it matched none. It
// is called on the goroutine of each request, after the answer, so it must be quick and
// safe for concurrent use. The route has no ids, so that there are as many counters as
// routes.
type Observer interface {
	Request(method, route string, status int, took time.Duration)
}

// KeyUses keeps when keys were used last.
type KeyUses interface {
	Note(tenant, id string, at time.Time)
}

// Client makes requests and knows secrets. [outbound.Client] is the real one.
type Client interface {
	Post(ctx context.Context, r outbound.Request) outbound.Exchange
	// Guard says where it sends requests; a reload may give it another one.
	Guard() outbound.Guard
	CheckTLS(ctx context.Context, tenant, url string, t event.EndpointTLS) error
	PublicKey(ctx context.Context, tenant string, v secret.Value) (string, error)
}

// api is what the handlers share. There is one for the life of the process. What it has
// in memory can be lost: all of it is counted or read anew. Each of its parts guards
// itself, since requests are served by many goroutines.
type api struct {
	Options
	huma huma.API
	// turns lets one request at a time through for each Idempotency-Key, where that
	// cannot be left to the database (see onceOutside).
	turns *turns
	// keys has the keys that publish, for a second.
	keys keyCache
	// The two doors admit requests that must get in when all else is full.
	door          *admission.Gate // of operators, see doorLimits
	runDoor       *admission.Gate // of those who ask about runs, or end them
	endpointCount *endpointCount
}

// Limits of what may be stored; a zero one is that of [DefaultLimits]. Unlike those of
// [admission.Limits] they are about what is there for good, so waiting does not help
// whoever reaches one: the answer is 422 or 413.
type Limits struct {
	Endpoints     admission.Limit
	SettingsBytes int64 // of a settings document as it is sent
}

// DefaultLimits are those of a server that was told nothing else
// (docs/contract.md#limits). `--max-endpoints` and `--max-settings-bytes` set others.
var DefaultLimits = Limits{Endpoints: admission.Limit{All: 100_000, PerTenant: 10_000}, SettingsBytes: 4 << 20}

// doorLimits are the limits of separate gates for some requests that must get in when
// ordinary requests have used up their limits. One is for requests about keys: an
// operator must be able to look at a key and to delete it. The other is for requests
// about runs: callers that wait for hanging runs may be all that a tenant can have, and
// canceling these runs is what frees them. The gates have limits, too, so that they are
// no way around the ordinary ones.
var doorLimits = admission.Limits{Requests: admission.Limit{All: 64, PerTenant: 16}, Bytes: admission.Limit{All: 64 << 20, PerTenant: 16 << 20}}

// New returns the handler of everything under /api, and of /healthz and /readyz. Each
// request passes the outermost handler first: observed gives it an id, recovered answers
// if anything within panics, authenticated finds its key; then the mux picks the
// operation, whose middleware (admitted) decides on role and room. New starts no
// goroutine, so there is nothing to stop but the server that calls the handler.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	a := newAPI(o, mux)
	registerAll(a)
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	if o.Metrics != nil {
		mux.HandleFunc("GET /metrics", a.metrics)
	}
	finish(a.huma.OpenAPI())
	serveOpenAPI(mux, a.huma.OpenAPI())
	serveDocs(mux)
	mux.HandleFunc("/", noRoute(mux))
	return a.observed(a.recovered(a.authenticated(mux)))
}

// registerAll registers every operation. describeDocuments makes the schemas that the
// operations refer to by name. The order of the nouns does not matter, since the document
// sorts its paths.
func registerAll(a *api) {
	describeDocuments(a.huma.OpenAPI())
	for _, noun := range []func(*api){orders, status, shipments, returns, carts, validation, history, blames, runs, controls, resumes, interceptions, attempts, calls, replays,
		endpoints, endpointSecrets, endpointCalls, feeds, explanations, events, deliveries, bulkRedelivery, bulkCancel, jobs, stockItems, settingsOperations, connectors, connectorTries, workflowSteps, shadows, installations, keys, audit, nodeOperations, overviews, health} {
		noun(a)
	}
}

// newAPI gives what is left out of the options its default. Tests of single parts use the
// result without its handler.
func newAPI(o Options, mux *http.ServeMux) *api {
	if o.Admission == nil {
		o.Admission = admission.New(admission.DefaultLimits)
	}
	if o.Node == nil {
		o.Node = nodes.Alone()
	}
	if o.Work == nil {
		o.Work = admission.NewWork(admission.DefaultAtOnce())
	}
	if o.Board == nil {
		o.Board = intercept.New(0)
	}
	if o.KeyRates == nil {
		o.KeyRates = new(admission.KeyRates)
	}
	if o.WrongKeys == nil {
		o.WrongKeys = new(admission.WrongKeys)
	}
	o.Limits.Endpoints = cmp.Or(o.Limits.Endpoints, DefaultLimits.Endpoints)
	o.Limits.SettingsBytes = cmp.Or(o.Limits.SettingsBytes, DefaultLimits.SettingsBytes)
	// All three gates count for themselves: what fills one leaves the others open.
	return &api{Options: o, huma: humago.New(mux, config(o)), turns: newTurns(), door: admission.New(doorLimits), runDoor: admission.New(doorLimits), endpointCount: &endpointCount{limit: o.Limits.Endpoints, node: o.Node}}
}

// config sets up Huma so that an answer is what the contract says: problems in one form,
// with the id of the request, and encoded before the status is sent. The transformers run
// in this order, so named and encodeFirst see the problem that asProblem has made.
func config(o Options) huma.Config {
	c := huma.DefaultConfig("orderhook", o.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", "" // openapi.go and docs.go serve them
	c.CreateHooks = nil                                   // no $schema in answers
	// A parameter that nobody reads is an error: a slip in its name would pick everything
	// (docs/contract.md#calls-of-the-api).
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{asProblem, named, encodeFirst}
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[problem]()) // see asProblem
	c.Formats = map[string]huma.Format{"application/json": encodedFormat, "json": encodedFormat}
	introduce(c.OpenAPI, o.PublicURL)
	return c
}

// openPath reports whether a path needs no key. The OpenAPI document and its pages say
// nothing about any tenant, and health checks come from load balancers that have no key.
// What lies outside of /api is not the API's, except /metrics, which asks for a key by
// itself (metrics).
func openPath(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == docsPath || strings.HasPrefix(path, docsPath+"/") || strings.HasPrefix(path, "/api/openapi") || !strings.HasPrefix(path, "/api/")
}

// noRoute answers for a path that is not there, or not with this method. The standard mux
// answers 405 by itself only where no pattern for all methods matches; there is one, "/",
// so that the answers are problems as all others. So the mux is asked for each method
// what it would do.
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
