package app

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const encryptionKey = "key of the tests, which is long enough"

// hears is a worker that notes what it is told.
type hears struct {
	hearer
	mu   sync.Mutex
	news map[nodes.Kind]int
}

func (h *hears) Hear(_ context.Context, news []nodes.News) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range news {
		h.news[n.Kind]++
	}
}

func (h *hears) heard(kind nodes.Kind) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.news[kind]
}

// TestCommandsTellTheNodes of a PostgreSQL database what they change beside them: `settings
// apply` and `apply` have them read secrets anew, and show the new settings.
func TestCommandsTellTheNodes(t *testing.T) {
	url, ctx := pgtest.Database(t, postgres.Migrate), t.Context()
	open := func() *postgres.DB {
		st, err := OpenStore(ctx, url, StoreOptions{EncryptionKey: encryptionKey})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = st.Close() })
		return st.(*postgres.DB)
	}
	h := &hears{news: map[nodes.Kind]int{}}
	node, err := nodes.Join(ctx, nodes.Options{Database: open().Nodes()})
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(ctx, h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Stop(context.Background()) })
	settings := func(token string) string {
		return `{"connectors":[{"name":"Webhook","connectorId":"erp","host":"https://erp.example.com","bearerToken":"` + token + `"}]}`
	}
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "file.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, apply := range map[string]func(st *postgres.DB) error{
		"settings apply": func(st *postgres.DB) error {
			f := &SettingsFile{Path: file(settings("the first")), Tenant: access.DefaultTenant, MaxBytes: 1 << 20}
			if err := f.Read(); err != nil {
				return err
			}
			_, err := f.Apply(ctx, st, time.Now())
			return err
		},
		"apply": func(st *postgres.DB) error {
			in := &Installation{Path: file(`{"settings":` + settings("the second") + `}`), Tenant: access.DefaultTenant, Listen: "127.0.0.1:0", MaxBytes: 1 << 20}
			if err := in.Read(); err != nil {
				return err
			}
			_, err := in.Apply(ctx, st, time.Now(), false)
			return err
		},
	} {
		secrets, touched := h.heard(nodes.Secrets), h.heard(nodes.Touched)
		if err := apply(open()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for end := time.Now().Add(30 * time.Second); h.heard(nodes.Secrets) == secrets || h.heard(nodes.Touched) == touched; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: the node does not hear that secrets and settings have changed", name)
			}
		}
	}
}

// TestAServerWithTheKeyOfBefore, which was cut off while the encryption key was replaced, ends by
// itself, and says why.
func TestAServerWithTheKeyOfBefore(t *testing.T) {
	url, ctx := pgtest.Database(t, postgres.Migrate), t.Context()
	a, err := start(t, Options{Listen: "127.0.0.1:0", Database: url, EncryptionKey: encryptionKey, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	defer func() {
		if !stopped {
			_ = a.Stop(context.Background())
		}
	}()
	db, err := postgres.Open(ctx, url, postgres.Options{EncryptionKey: encryptionKey})
	if err != nil {
		t.Fatal(err)
	}
	// As `keys rotate-encryption` does, once the node was silent for longer than its lease lasts.
	if _, err := db.Reseal(ctx, encryptionKey+" which is new"); err != nil {
		t.Fatal(err)
	}
	bury(t, db)
	select {
	case err := <-a.Failed:
		if !errors.Is(err, core.ErrKeyReplaced) {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on")
	}
	if resp, err := http.Get(a.URL + "/readyz"); err == nil {
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("readyz: %d", resp.StatusCode)
		}
	}
	stopped = true
	if err := errors.Join(a.Stop(ctx), db.Close()); err != nil {
		t.Error(err)
	}
}

// bury has all nodes be taken for dead.
func bury(t *testing.T, db *postgres.DB) {
	t.Helper()
	n := db.Nodes()
	v, err := n.Look(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range v.Nodes {
		if err := n.Leave(t.Context(), one.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
