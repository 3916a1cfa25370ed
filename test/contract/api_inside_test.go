package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// broken is a store whose lists do not work.
type broken struct{ store.Store }

func (broken) Orders(context.Context, string, store.OrderFilter, store.Page) (store.List[store.Document], error) {
	panic("s3cret of the inside")
}

func (broken) Runs(context.Context, string, store.RunFilter, store.Page) (store.List[*run.Run], error) {
	return store.List[*run.Run]{}, fmt.Errorf("SELECT s3cret: %w", io.ErrUnexpectedEOF)
}

func (broken) Attempts(context.Context, string, store.AttemptFilter, store.Page) (store.List[*attempt.Attempt], error) {
	return store.List[*attempt.Attempt]{}, errors.Join(apierr.Errorf(apierr.Unavailable, "the disk is full"), errors.New("SELECT s3cret"))
}

// deaf is a database that does not answer at all.
type deaf struct{ store.Store }

func (deaf) KeyByHash(context.Context, []byte) (access.Key, error) {
	return access.Key{}, errors.Join(apierr.Errorf(apierr.Unavailable, "the database is busy"), errors.New("SELECT s3cret"))
}

func (deaf) Ping(context.Context) error { return errors.New("SELECT s3cret") }

// over is the same orderhook with another store behind its API.
func (r *rig) over(s store.Store, log io.Writer) *rig {
	r.t.Helper()
	client := outbound.New(outbound.Options{Version: "test", Guard: outbound.Guard{AllowPrivate: true}, Secrets: r.store.Secrets()})
	server := httptest.NewServer(api.New(api.Options{Store: s, Engine: r.engine, Client: client, Clock: r.clock, Log: slog.New(slog.NewTextHandler(log, nil)), Version: "test"}))
	r.t.Cleanup(func() { server.Close(); client.Close() })
	other := *r
	other.url = server.URL
	return &other
}

func TestWithoutADatabaseTheAnswersSaySo(t *testing.T) {
	r := start(t)
	other := r.over(deaf{r.store}, &journal{})
	other.call("GET", "/readyz", "").want(503).says(insideWords...)
	other.get("/healthz")
	equals(t, "Retry-After", other.call("GET", "/api/orders", "").problem(503).Header.Get("Retry-After"), "1")
}

func TestWhatGoesWrongInsideStaysInside(t *testing.T) {
	r := start(t)
	log := &journal{}
	other := r.over(broken{r.store}, log)
	other.call("GET", "/api/orders", "").problem(500)
	if said := log.String(); !strings.Contains(said, "s3cret of the inside") || !strings.Contains(said, "goroutine") {
		t.Errorf("the log says %s", said)
	}
	other.call("GET", "/api/runs", "").problem(500)
	equals(t, "Retry-After", other.call("GET", "/api/attempts", "").problem(503).is("detail", "the disk is full").Header.Get("Retry-After"), "1")
	other.get("/api/settings")
}
