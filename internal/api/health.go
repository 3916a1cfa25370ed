package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/nodes"
)

// health describes what says how the server is. The handlers are plain ones, and not
// Huma's: what calls them wants a text, and no key, tenant or limit of requests must be
// in their way. So only the OpenAPI document learns of them here.
func health(a *api) {
	plain := func(description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	}
	refused := func(description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{new(problem).ContentType(""): {
			Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[problem](), true, "")}}}
	}
	for _, op := range []huma.Operation{
		{OperationID: "get-health", Path: "/healthz", Summary: "Say that the process is alive", Responses: map[string]*huma.Response{"200": plain("Alive")}},
		{OperationID: "get-readiness", Path: "/readyz", Summary: "Say whether requests can be taken",
			Responses: map[string]*huma.Response{"200": plain("Ready"), "503": plain("Why the database cannot be worked with, or this node makes no calls")}},
		{OperationID: "get-metrics", Path: "/metrics", Summary: "Say how the server is doing, for Prometheus",
			Description: "Takes a key of any role, of the tenant that `--tenant` names. `--metrics-listen` has an address of its own that needs none.",
			Responses: map[string]*huma.Response{"200": plain("In the text format of Prometheus, or as OpenMetrics"), "401": refused("Unauthorized"),
				"403": refused("Forbidden"), "429": refused("Too Many Requests"), "503": refused("Service Unavailable")}},
	} {
		op.Method, op.Tags = http.MethodGet, []string{"Operating"}
		// An empty list of security requirements means that no key is needed.
		if op.Path != "/metrics" {
			op.Security = []map[string][]string{}
		}
		completeAnswers(&op, map[string]*huma.Response{}, reflect.TypeFor[struct{}]())
		a.huma.OpenAPI().AddOperation(&op)
	}
}

// healthz says that the process is alive. It asks nobody: a database in trouble is no
// reason to restart the process.
func (a *api) healthz(w http.ResponseWriter, _ *http.Request) { answerPlain(w, http.StatusOK, "ok\n") }

// readyTime is how long the database may take to answer. One that takes longer is of no
// use to callers, either.
const readyTime = 5 * time.Second

// readyz says whether requests can be taken: the database answers, its migrations
// are done, it takes writes, and this node can be sure of its leases. Else it says why not.
func (a *api) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := a.Store.Ping(ctx); err != nil {
		a.Log.Error("the server is not ready", "request", idOf(w), "error", err)
		why := "the database does not answer"
		if known, ok := errors.AsType[*apierr.Error](err); ok && known.Kind == apierr.Unavailable {
			why = known.Detail
		}
		answerPlain(w, http.StatusServiceUnavailable, why+"\n")
		return
	}
	if why := unsure(a.Node.Leases()); why != "" {
		a.Log.Error("the server is not ready", "request", idOf(w), "error", why)
		answerPlain(w, http.StatusServiceUnavailable, why+"\n")
		return
	}
	answerPlain(w, http.StatusOK, "ready\n")
}

// unsure says why a node makes no calls, "" if it may. The database may answer requests all
// the same: those have connections of their own.
func unsure(l nodes.Leases) string {
	switch {
	case l.Sure:
		return ""
	case l.Age < l.Lasts:
		return fmt.Sprintf("the leases of this node are not certain: it has not renewed them for %s, and makes no calls", l.Age.Round(time.Second))
	}
	return fmt.Sprintf("this node has been cut off from the database for %s, longer than a lease lasts: other nodes do its work", l.Age.Round(time.Second))
}

// metrics answers with the figures of the whole server, to keys of the tenant whose
// server it is: they say of every tenant how much it does. Where `--metrics-listen` gives
// metrics an address of their own, that address is served without this check.
func (a *api) metrics(w http.ResponseWriter, r *http.Request) {
	key, err := a.keyOf(r)
	if err == nil && key.Tenant != a.VariablesTenant {
		err = apierr.Errorf(apierr.Forbidden, "metrics are of all tenants, and for keys of the tenant %s alone", a.VariablesTenant)
	}
	if err != nil {
		a.refuse(w, err)
		return
	}
	callOf(r.Context()).key = key
	a.Metrics.ServeHTTP(w, r)
}

// answerPlain answers with a line of text.
func answerPlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
