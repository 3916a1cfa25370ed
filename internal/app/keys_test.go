package app

import (
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/store"
)

// TestAnExpiredKeyLetsNobodyIn: serve does not take it for the one that it is given, and makes
// another where no other key lasts.
func TestAnExpiredKeyLetsNobodyIn(t *testing.T) {
	st, now := openTemp(t, "a.db"), time.Now()
	k := access.Key{ID: "key_1", Tenant: access.DefaultTenant, Role: access.Admin, Created: now.Add(-time.Hour), ExpiresAt: now.Add(-time.Minute), Hash: access.HashKey("an-admin-key-of-old")}
	if err := st.Write(t.Context(), func(tx store.Tx) error { return tx.InsertKey(t.Context(), k) }); err != nil {
		t.Fatal(err)
	}
	if _, err := adminKey(t.Context(), st, "an-admin-key-of-old", now); err == nil || !IsUserError(err) || !strings.Contains(err.Error(), "key_1, which expired at") {
		t.Errorf("serve takes an expired key: %v", err)
	}
	made, err := adminKey(t.Context(), st, "", now)
	if err != nil || made == "" {
		t.Fatalf("%q %v", made, err)
	}
	if again, err := adminKey(t.Context(), st, "", now); err != nil || again != "" {
		t.Errorf("serve makes another one at each start: %q %v", again, err)
	}
}
