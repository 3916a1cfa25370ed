package e2e

import (
	"strings"
	"testing"
)

func TestASecondServerIsRefused(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	w.refuses(t, "is in use by another orderhook", "serve")
	w.succeeds(t, "migrate")
	s.stop(t)
	w.serve(t).stop(t)
}

func TestTheEncryptionKey(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	const key = "the right key, of 32 characters."
	w.with("ORDERHOOK_ENCRYPTION_KEY=" + key).serve(t).stop(t)
	if w.has("orderhook.db.key") {
		t.Error("a key file was made beside the given key")
	}
	w.refuses(t, "encryption key", "serve", "--encryption-key", "another key, of 32 characters too")
	w.refuses(t, "orderhook.db.key is missing", "serve")
	w.serve(t, "--encryption-key", key).stop(t)
}

func TestTheKeyFile(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.serve(t).stop(t)
	if !w.has("orderhook.db.key") {
		t.Fatal("no key file was made")
	}
	w.file(t, "orderhook.db.key", "another key, of 32 characters too\n")
	w.refuses(t, "encryption key", "serve")
	w.file(t, "orderhook.db.key", "short\n")
	w.refuses(t, "orderhook.db.key is too short", "serve")
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	for range 2 {
		if out := w.succeeds(t, "migrate", "--database", "new.db"); !strings.Contains(out, "new.db") {
			t.Errorf("migrate prints %q", out)
		}
	}
}
