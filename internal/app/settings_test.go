package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// TestASettingsFileWithSecretsIsAppliedOnce: that it holds what is stored is told
// without any secret being shown, and that it does not, too.
func TestASettingsFileWithSecretsIsAppliedOnce(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), sqlite.Options{EncryptionKey: secret.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	path := filepath.Join(t.TempDir(), "settings.json")
	const settings = `{"connectors":[{"name":"ERP","connectorId":"e","host":"https://erp.example","bearerToken":"hush-1","customHeaders":[{"key":"X-Key","value":"hush-2"}]}]}`
	apply := func(file string, atStart bool) string {
		t.Helper()
		f := &SettingsFile{Path: path, Tenant: access.DefaultTenant, AtStart: atStart, MaxBytes: 1 << 20}
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Read(); err != nil {
			t.Fatal(err)
		}
		a, err := f.Apply(t.Context(), st, time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(a.Version, a.Changed, a.Unchanged, a.FileChanged)
	}
	changed := strings.Replace(settings, "hush-2", "hush-3", 1)
	for i, c := range []struct {
		file    string
		atStart bool
		want    string // version, changed, unchanged, file changed
	}{
		{settings, true, "1 true false false"},
		{settings, true, "1 false false false"},
		{settings, false, "1 false false false"},
		{strings.Replace(settings, "hush-1", "***", 1), true, "1 false false false"},
		{changed, true, "2 true false false"},
		{strings.Replace(changed, "erp.example", "erp.example/v2", 1), false, "3 true false false"}, // by hand, which a start leaves alone
		{changed, true, "3 false true false"},
		{settings, true, "3 false true true"},
		{strings.Replace(changed, "hush-1", "***", 1), true, "3 false true false"},
		{`{}`, false, "4 true false false"}, // by hand, which destroys the secrets
		{changed, true, "4 false true false"},
		{strings.Replace(changed, "erp.example", "erp.example/v3", 1), true, "4 false true true"},
	} {
		if got := apply(c.file, c.atStart); got != c.want {
			t.Errorf("%d: %s, want %s", i+1, got, c.want)
		}
	}
}
