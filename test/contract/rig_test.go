// Package contract proves the wire contract row by row: a whole orderhook in
// this process, asked through its HTTP API, against real HTTP endpoints.
package contract

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// rig is one orderhook and a key to it.
type rig struct {
	t      *testing.T
	url    string
	key    string
	clock  *clock.Fake
	store  store.Store
	engine *workflow.Engine
	log    *journal
	path   string // of the database
	stop   func(grace time.Duration)
}

const adminKey = "contract-admin-key-0123456789"

// start runs an orderhook on a database of its own. Its clock jumps over every
// wait of a workflow.
func start(t *testing.T, change ...func(*hook.Options)) *rig {
	t.Helper()
	return startOn(t, filepath.Join(t.TempDir(), "orderhook.db"), change...)
}

// startOn runs an orderhook on a database file; change alters how it makes its
// requests, which may go to this machine otherwise.
func startOn(t *testing.T, path string, change ...func(*hook.Options)) *rig {
	t.Helper()
	o := hook.Options{Version: "test", Guard: hook.Guard{AllowPrivate: true}}
	for _, c := range change {
		c(&o)
	}
	r := &rig{t: t, key: adminKey, path: path, log: &journal{},
		clock: clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	r.run(o)
	return r
}

// run sets the orderhook going, and ends it with the test.
func (r *rig) run(o hook.Options) {
	r.t.Helper()
	db, err := sqlite.Open(r.t.Context(), r.path, sqlite.Options{Exclusive: true, Clock: r.clock.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client := hook.New(o)
	engine := workflow.New(workflow.Options{Store: db, Client: client, Clock: r.clock, Log: log})
	server := httptest.NewServer(api.New(api.Options{Store: db, Engine: engine, Validator: &validate.Validator{Store: db, Client: client, Clock: r.clock}, Clock: r.clock, Log: log, Version: "test"}))
	r.url, r.store, r.engine = server.URL, db, engine
	r.addKey(adminKey, oms.DefaultTenant, oms.Admin)
	if err := engine.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	stopped := false
	r.stop = func(grace time.Duration) {
		if stopped {
			return
		}
		stopped = true
		engine.Release()
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		engine.Stop(ctx)
		client.Close()
		if err := db.Close(); err != nil {
			r.t.Error(err)
		}
	}
	stop := r.stop
	r.t.Cleanup(func() { stop(10 * time.Second) })
}

// restart ends the orderhook, which gives up the calls that take longer than
// grace, and starts another one on the same database.
func (r *rig) restart(grace time.Duration) {
	r.t.Helper()
	r.stop(grace)
	r.run(hook.Options{Version: "test", Guard: hook.Guard{AllowPrivate: true}})
}

// addKey installs a key, as `keys create` does.
func (r *rig) addKey(secret, tenant string, role oms.Role) {
	r.t.Helper()
	err := r.store.Write(r.t.Context(), func(tx store.Tx) error {
		return tx.InsertKey(r.t.Context(), oms.Key{ID: oms.NewID(oms.KeyID), Tenant: tenant, Role: role, Created: r.clock.Now(), Hash: oms.HashKey(secret)})
	})
	if err != nil && oms.KindOf(err) != oms.Conflict {
		r.t.Fatal(err)
	}
}

// as returns the same orderhook with another key.
func (r *rig) as(secret string) *rig {
	other := *r
	other.key = secret
	return &other
}
