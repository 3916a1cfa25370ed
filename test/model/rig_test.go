package model

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// rig is a whole orderhook in this process, and a key of one tenant. All
// scenarios share the orderhook; each has a tenant of its own.
type rig struct {
	url, key string
	store    store.Store
	clock    *clocktest.Fake
	sink     *sink
	tenants  *int
	stop     func()          // ends the engine; may be called again
	left     map[string]left // by tenant, once its scenario was compared
}

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// openDatabase opens a new database: on a PostgreSQL server of the tests' own with
// ORDERHOOK_TEST_DATABASE=postgres, else a file.
func openDatabase(t *testing.T, clock func() time.Time) (store.Store, error) {
	if os.Getenv("ORDERHOOK_TEST_DATABASE") == "postgres" {
		return postgres.Open(t.Context(), pgtest.Database(t, postgres.Migrate), postgres.Options{EncryptionKey: "key of the model's tests, long enough", Clock: clock})
	}
	return sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orderhook.db"), sqlite.Options{Clock: clock})
}

// start runs an orderhook whose clock jumps over every wait of a workflow.
func start(t *testing.T) *rig {
	r := &rig{sink: newSink(t), tenants: new(int), left: map[string]left{}, clock: clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	db, err := openDatabase(t, r.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	calls := outbound.Options{Version: "test", Guard: outbound.Guard{AllowPrivate: true}, Secrets: db.Secrets()}
	client, shadows, log := outbound.New(calls), outbound.New(app.ShadowRequests(calls)), slog.New(slog.DiscardHandler)
	parts := app.Assemble(app.Wiring{Store: db, Client: client, Shadows: shadows, Work: admission.NewWork(1), Clock: r.clock, Log: log, Version: "test"})
	server, engine := httptest.NewServer(parts.API), parts.Engine // events are not sent: the model says nothing of them
	r.url, r.store = server.URL, db
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		engine.StopWaits()
		engine.Stop(ctx)
	})
	t.Cleanup(func() {
		engine.StopWaits()
		server.Close()
		r.stop()
		client.Close()
		shadows.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// tenant returns the orderhook with a key of a new tenant.
func (r *rig) tenant(t *rapid.T) *rig {
	out := *r
	*r.tenants++
	tenant := fmt.Sprintf("tenant-%d", *r.tenants)
	out.key = "model-key-0123456789-" + tenant
	err := r.store.Write(t.Context(), func(tx store.Tx) error {
		return tx.InsertKey(t.Context(), access.Key{ID: ids.New(ids.Key), Tenant: tenant, Role: access.Admin, Created: r.clock.Now(), Hash: access.HashKey(out.key)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return &out
}

// call asks the API.
func (r *rig) call(method, path, body string) (code int, raw []byte, err error) {
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err = io.ReadAll(resp.Body)
	return resp.StatusCode, raw, err
}

// ask is call that must not fail to be answered.
func (r *rig) ask(t *rapid.T, method, path, body string) (code int, raw []byte) {
	code, raw, err := r.call(method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return code, raw
}
