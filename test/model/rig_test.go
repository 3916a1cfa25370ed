package model

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// rig is a whole orderhook in this process, and a key of one tenant. All
// scenarios share the orderhook; each has a tenant of its own.
type rig struct {
	url, key string
	store    store.Store
	clock    *clock.Fake
	sink     *sink
	tenants  *int
}

// start runs an orderhook whose clock jumps over every wait of a workflow.
func start(t *testing.T) *rig {
	r := &rig{sink: newSink(t), tenants: new(int), clock: clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orderhook.db"), sqlite.Options{Clock: r.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	client, log := hook.New(hook.Options{Version: "test", Guard: hook.Guard{AllowPrivate: true}, Secrets: db.Secrets()}), slog.New(slog.DiscardHandler)
	engine := workflow.New(workflow.Options{Store: db, Client: client, Work: admission.NewWork(1), Clock: r.clock, Log: log})
	validator := &validate.Validator{Store: db, Client: client, Clock: r.clock, Log: log}
	server := httptest.NewServer(api.New(api.Options{Store: db, Engine: engine, Validator: validator, Clock: r.clock, Log: log, Version: "test"}))
	r.url, r.store = server.URL, db
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		engine.Release()
		server.Close()
		engine.Stop(ctx)
		client.Close()
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
		return tx.InsertKey(t.Context(), oms.Key{ID: oms.NewID(oms.KeyID), Tenant: tenant, Role: oms.Admin, Created: r.clock.Now(), Hash: oms.HashKey(out.key)})
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
