package api

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/orderhook/orderhook/internal/store"
)

// answering returns a handler whose one operation answers with what do returns.
func answering[O any](log *slog.Logger, do func() (*O, error)) http.Handler {
	mux := http.NewServeMux()
	a := &api{Options: Options{Log: log}, huma: humago.New(mux, config(Options{}))}
	huma.Register(a.huma, huma.Operation{Method: http.MethodGet, Path: "/x", OperationID: "x"}, func(context.Context, *struct{}) (*O, error) { return do() })
	return a.recovered(mux)
}

// unwritable cannot be encoded, as a time beyond the year 9999 cannot.
type unwritable struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     struct {
		N float64 `json:"n"`
	}
}

// An answer that cannot be written is never a 200, whatever it is an answer to.
func TestAnAnswerThatCannotBeEncoded(t *testing.T) {
	one := func() (*unwritable, error) {
		out := &unwritable{ETag: `"1"`, Location: "/x/1"}
		out.Body.N = math.Inf(1)
		return out, nil
	}
	list := func() (*listOf[time.Time], error) {
		return answerList(store.List[time.Time]{Items: []time.Time{time.Now(), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}, nil, asIs)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for name, h := range map[string]http.Handler{"one": answering(logger, one), "a list": answering(logger, list)} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 500 || p.Status != 500 || p.Detail == "" || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s, as %q: %v", name, w.Code, w.Body, w.Header().Get("Content-Type"), err)
		}
		if w.Header().Get("ETag") != "" || w.Header().Get("Location") != "" {
			t.Errorf("%s: the headers of the other answer are there: %v", name, w.Header())
		}
	}
	if !strings.Contains(log.String(), "the answer to GET /x cannot be encoded") {
		t.Errorf("the log says %s", log.String())
	}
}

func TestAnAnswerIsEncodedAsBefore(t *testing.T) {
	h := answering(slog.New(slog.DiscardHandler), func() (*struct{ Body map[string]any }, error) {
		return &struct{ Body map[string]any }{map[string]any{"t": "<&> æ", "n": 1.5}}, nil
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
	if got := w.Body.String(); w.Code != 200 || got != "{\"n\":1.5,\"t\":\"<&> æ\"}\n" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %q as %q", w.Code, got, w.Header().Get("Content-Type"))
	}
}
