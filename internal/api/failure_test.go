package api

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock"
)

// TestTheLogSaysWhichOperationFailed; the caller is told nothing of it, and an error
// that is meant for callers is answered as it is.
func TestTheLogSaysWhichOperationFailed(t *testing.T) {
	for _, row := range []struct {
		err         error
		status      int
		log, answer string
	}{
		{errors.New("no such table"), 500, `error="look-at-x: no such table"`, "something went wrong inside; the log says what"},
		{apierr.Errorf(apierr.NotFound, "there is no x"), 404, "", `"detail":"there is no x"`},
	} {
		var log bytes.Buffer
		mux := http.NewServeMux()
		a := newAPI(Options{Clock: clock.Real{}, Log: slog.New(slog.NewTextHandler(&log, nil))}, mux)
		op := huma.Operation{Method: http.MethodGet, Path: "/x", OperationID: "look-at-x"}
		handle(a, access.Reader, op, func(context.Context, *struct{}) (*struct{}, error) { return nil, row.err })
		c := &call{id: "req-1", key: access.Key{Tenant: "acme", Role: access.Reader}}
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil)
		mux.ServeHTTP(w, r.WithContext(context.WithValue(t.Context(), callKey{}, c)))
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.answer) || strings.Contains(w.Body.String(), "look-at-x") {
			t.Errorf("%v: %d %s", row.err, w.Code, w.Body)
		}
		if got := log.String(); !strings.Contains(got, row.log) || row.log == "" && got != "" {
			t.Errorf("%v: the log says %q", row.err, got)
		}
	}
}
