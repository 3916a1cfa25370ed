package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
)

// health describes what can be asked without a key.
func health(a *api) {
	plain := func(description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	}
	for _, op := range []huma.Operation{
		{OperationID: "get-health", Path: "/healthz", Summary: "Say that the process is alive", Responses: map[string]*huma.Response{"200": plain("Alive")}},
		{OperationID: "get-readiness", Path: "/readyz", Summary: "Say whether requests can be taken",
			Responses: map[string]*huma.Response{"200": plain("Ready"), "503": plain("Why the database cannot be worked with")}},
	} {
		op.Method, op.Tags, op.Security = http.MethodGet, []string{"Operating"}, []map[string][]string{}
		completeAnswers(&op, map[string]*huma.Response{}, reflect.TypeFor[struct{}]())
		a.huma.OpenAPI().AddOperation(&op)
	}
}

// healthz says that the process is alive.
func (a *api) healthz(w http.ResponseWriter, _ *http.Request) { answerPlain(w, http.StatusOK, "ok\n") }

// readyTime is how long the database may take to answer.
const readyTime = 5 * time.Second

// readyz says whether requests can be taken: the database answers, its migrations
// are done, and it takes writes. Else it says why not.
func (a *api) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := a.Store.Ping(ctx); err != nil {
		a.Log.Error("the server is not ready", "request", idOf(w), "error", err)
		why := "the database does not answer"
		if known, ok := errors.AsType[*oms.Error](err); ok && known.Kind == oms.Unavailable {
			why = known.Detail
		}
		answerPlain(w, http.StatusServiceUnavailable, why+"\n")
		return
	}
	answerPlain(w, http.StatusOK, "ready\n")
}

func answerPlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
