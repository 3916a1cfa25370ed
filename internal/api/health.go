package api

import (
	"context"
	"net/http"
	"time"
)

// healthz says that the process is alive.
func (a *api) healthz(w http.ResponseWriter, _ *http.Request) { answerPlain(w, http.StatusOK, "ok\n") }

// readyTime is how long the database may take to answer.
const readyTime = 5 * time.Second

// readyz says whether requests can be taken: the database answers, and its
// migrations are done.
func (a *api) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := a.Store.Ping(ctx); err != nil {
		a.Log.Error("the database does not answer", "request", idOf(w), "error", err)
		answerPlain(w, http.StatusServiceUnavailable, "the database does not answer\n")
		return
	}
	answerPlain(w, http.StatusOK, "ready\n")
}

func answerPlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
