package e2e

import (
	"net"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	if out := newWhere(t).succeeds(t, "version"); !strings.HasPrefix(out, "orderhook 1.2.3 (go") {
		t.Errorf("version prints %q", out)
	}
}

func TestHelp(t *testing.T) {
	out := newWhere(t).succeeds(t, "serve", "--help")
	for _, want := range []string{"--listen", "$ORDERHOOK_LISTEN", "--[no-]allow-private-targets", "--grace"} {
		if !strings.Contains(out, want) {
			t.Errorf("the help of serve says nothing of %s", want)
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w := newWhere(t)
	w.file(t, "text.txt", "this is no database, and no certificate; it is longer than a header of SQLite would be, which has 100 bytes.")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"expected one of", nil},
		{"unexpected argument sevre", []string{"sevre"}},
		{"unknown flag --lisen", []string{"serve", "--lisen", "x"}},
		{"--listen", []string{"serve", "--listen"}},
		{"unexpected argument more", []string{"serve", "more"}},
		{`--grace: "soon" is no duration`, []string{"serve", "--grace", "soon"}},
		{"--log-level", []string{"serve", "--log-level", "loud"}},
		{"--log-format", []string{"serve", "--log-format", "xml"}},
		{"bool value", []string{"serve", "--allow-private-targets=perhaps"}},
		{"address", []string{"serve", "--listen", "nowhere"}},
		{"address already in use", []string{"serve", "--listen", taken.Addr().String()}},
		{"needs 16 characters", []string{"serve", "--api-key", "key-of-15-chars"}},
		{"no spaces", []string{"serve", "--api-key", "admin key of mine"}},
		{"no spaces", []string{"serve", "--api-key", "schlüssel-von-mir"}},
		{"encryption key is too short: it needs 32 characters", []string{"serve", "--encryption-key", "1234567890123456789012345678901"}},
		{"encryption key is too short", []string{"keys", "create", "--role", "admin", "--encryption-key", "short"}},
		{`--max-requests: "none" is no whole number over 0`, []string{"serve", "--max-requests", "none"}},
		{`--max-requests: "0" is no whole number over 0`, []string{"serve", "--max-requests", "5/0"}},
		{"more than all together", []string{"serve", "--max-endpoints", "5/6"}},
		{`--max-request-bytes-in-flight: "2apples" is no number of bytes`, []string{"serve", "--max-request-bytes-in-flight", "1MiB/2apples"}},
		{`--max-order-bytes: "much" is no number of bytes`, []string{"serve", "--max-order-bytes", "much"}},
		{"text.txt is larger than 10 bytes, which is the most that --max-settings-bytes allows", []string{"serve", "--settings", "text.txt", "--max-settings-bytes", "10"}},
		{"text.txt is larger than 10 bytes", []string{"settings", "check", "text.txt", "--max-settings-bytes", "10"}},
		{"text.txt is larger than 10 bytes", []string{"settings", "apply", "text.txt", "--max-settings-bytes", "10"}},
		{"--tls-cert needs --tls-key", []string{"serve", "--tls-cert", "a.pem"}},
		{"--tls-key needs --tls-cert", []string{"serve", "--tls-key", "a.pem"}},
		{"a.pem", []string{"serve", "--tls-cert", "a.pem", "--tls-key", "b.pem"}},
		{"text.txt", []string{"serve", "--tls-cert", "text.txt", "--tls-key", "text.txt"}},
		{"absolute http or https URL", []string{"serve", "--public-url", "orderhook.example"}},
		{"absolute http or https URL", []string{"serve", "--public-url", "ftp://orderhook.example"}},
		{"no user, query or fragment", []string{"serve", "--public-url", "https://orderhook.example/?a=b"}},
		{"PostgreSQL comes later", []string{"serve", "--database", "postgres://u:secret@db/orderhook"}},
		{"PostgreSQL comes later", []string{"migrate", "--database", "postgresql://db/orderhook"}},
		{"mysql://", []string{"migrate", "--database", "mysql://u:secret@db/orderhook"}},
		{"no/such/folder", []string{"serve", "--database", "no/such/folder/orderhook.db"}},
		{"text.txt is not a database", []string{"migrate", "--database", "text.txt"}},
		{"none.json", []string{"serve", "--config", "none.json"}},
		{"none.json", []string{"serve", "--settings", "none.json"}},
		{"--role", []string{"keys", "create"}},
		{"must be one of", []string{"keys", "create", "--role", "boss"}},
		{"tenant", []string{"keys", "create", "--role", "admin", "--tenant", ""}},
		{"there is no database typo.db", []string{"keys", "list", "--database", "typo.db"}},
		{"there is no database typo.db", []string{"keys", "revoke", "key_1", "--database", "typo.db"}},
		{"<file>", []string{"settings", "check"}},
		{"none.json", []string{"settings", "check", "none.json"}},
		{"none.json", []string{"settings", "apply", "none.json"}},
	} {
		w.refuses(t, c.want, c.args...)
	}
	if r := w.run(t, "serve", "--database", "postgres://u:secret@db/orderhook"); strings.Contains(r.errOut, "secret") {
		t.Errorf("a password is shown: %s", r.errOut)
	}
}
