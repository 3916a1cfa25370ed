package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDerivedFieldsAreNotImported: derived fields are never stored, wherever they come in
// (docs/contract.md#documents).
func TestDerivedFieldsAreNotImported(t *testing.T) {
	st := openTemp(t, "a.db")
	imported := func(line string) error {
		file := filepath.Join(t.TempDir(), "orders.jsonl")
		if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := (&Import{Kind: "orders", Tenant: "default", File: file, MaxBytes: 1 << 20}).Run(t.Context(), st)
		return err
	}
	const head = `{"status":"New","version":3,"created":"2026-11-21T08:00:00Z","modified":"2026-11-22T08:00:00Z",`
	for id, tc := range map[string]struct{ line, want string }{
		"lines":   {`"orderLines":[{"code":"A"}]`, `"orderForm":{"lineItems":[{"code":"A"}]}`},
		"both":    {`"orderLines":[{"code":"A"}],"orderForm":{"lineItems":[{"code":"A"}]}`, `"orderForm":{"lineItems":[{"code":"A"}]}`},
		"address": {`"shippingAddress":{"city":"Oslo"},"orderForm":{"shipments":[{"address":{"city":"Oslo"}}]}`, `"orderForm":{"shipments":[{"address":{"city":"Oslo"}}]}`},
		"own":     {`"shippingAddress":{"city":"Oslo"}`, `"shippingAddress":{"city":"Oslo"}`},
	} {
		if err := imported(head + `"id":"` + id + `",` + tc.line + `}`); err != nil {
			t.Fatal(err)
		}
		o, err := st.Order(t.Context(), "default", id)
		if err != nil {
			t.Fatal(err)
		}
		if doc := string(o.Doc.JSON()); doc != head+`"id":"`+id+`",`+tc.want+`}` {
			t.Errorf("%s: stored as %s", id, doc)
		}
	}
	err := imported(head + `"id":"other","orderLines":[{"code":"B"}],"orderForm":{"lineItems":[{"code":"A"}]}}`)
	if err == nil || !strings.Contains(err.Error(), "line 1.orderLines") {
		t.Errorf("two lists of lines that differ: %v", err)
	}
}
