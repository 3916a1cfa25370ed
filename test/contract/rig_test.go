// Package contract proves the wire contract row by row: a whole orderhook in
// this process, asked through its HTTP API, against real HTTP endpoints.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
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
}

const adminKey = "contract-admin-key-0123456789"

// start runs an orderhook on a database of its own. Its clock jumps over every
// wait of a workflow.
func start(t *testing.T) *rig {
	t.Helper()
	return startOn(t, filepath.Join(t.TempDir(), "orderhook.db"))
}

func startOn(t *testing.T, path string) *rig {
	t.Helper()
	fake := clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Exclusive: true, Clock: fake.Now})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	client := hook.New(hook.Options{Version: "test", Guard: hook.Guard{AllowPrivate: true}})
	engine := workflow.New(workflow.Options{Store: db, Client: client, Clock: fake, Log: log})
	server := httptest.NewServer(api.New(api.Options{Store: db, Engine: engine, Clock: fake, Log: log, Version: "test"}))
	r := &rig{t: t, url: server.URL, key: adminKey, clock: fake, store: db, engine: engine}
	r.addKey(adminKey, oms.DefaultTenant, oms.Admin)
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		engine.Release()
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		engine.Stop(ctx)
		client.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
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

// answer is what a call of the API came back with.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Raw    []byte
}

// call makes a call; headers come in pairs of name and value.
func (r *rig) call(method, path, body string, headers ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.key != "" {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{r.t, resp.StatusCode, resp.Header, raw}
}

func (r *rig) get(path string) answer { r.t.Helper(); return r.call("GET", path, "").want(200) }

// want fails the test unless the status is the given one.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Raw)
	}
	return a
}

// json returns the answer's value at a path such as order.tags or items[0].
func (a answer) at(path string) any { a.t.Helper(); return at(a.t, a.Raw, path) }

// doc parses the answer as a document.
func (a answer) doc() *oms.Object {
	a.t.Helper()
	o, err := oms.Parse(a.Raw)
	if err != nil {
		a.t.Fatalf("%v in %s", err, a.Raw)
	}
	return o
}

// at finds a value in JSON; nil where there is none. Numbers are json.Number.
func at(t *testing.T, raw []byte, path string) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i := int(step[0] - '0')
			if i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// settings stores a settings document.
func (r *rig) settings(doc string) { r.t.Helper(); r.call("PUT", "/api/settings", doc).want(200) }
