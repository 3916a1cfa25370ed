package app

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// TestAnExportThatFailsOnItsFirstPageCanBeRepeated: what cannot be gone on with must not be in the
// way of the next call. A file of somebody else is never removed.
func TestAnExportThatFailsOnItsFirstPageCanBeRepeated(t *testing.T) {
	st := openTemp(t, "a.db")
	x := func() *Export {
		return &Export{Kind: "orders", Format: "csv", Tenant: access.DefaultTenant, File: filepath.Join(t.TempDir(), "orders.csv")}
	}
	first := x()
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := first.Run(ended, st); err == nil {
		t.Fatal("an export whose context has ended succeeds")
	}
	if _, err := (&Export{Kind: "orders", Format: "csv", Tenant: access.DefaultTenant, File: first.File}).Run(t.Context(), st); err != nil {
		t.Errorf("the same once more: %v", err)
	}
	other := x()
	if err := os.WriteFile(other.File, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Run(t.Context(), st); !IsUserError(err) {
		t.Errorf("over a file of somebody else: %v", err)
	}
	if data, err := os.ReadFile(other.File); string(data) != "mine" {
		t.Errorf("it is %q, %v", data, err)
	}
}
