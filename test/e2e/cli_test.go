package e2e

import (
	"net"
	"runtime"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_VERSION=the variable of somebody's image")
	want := "orderhook 1.2.3 (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ", commit 0123456789abcdef)\n"
	for _, ask := range [][]string{{"version"}, {"--version"}, {"serve", "--version"}} {
		if out := w.succeeds(t, ask...); out != want {
			t.Errorf("%v prints %q, want %q", ask, out, want)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	out := newWhere(t).succeeds(t, "serve", "--help")
	for _, want := range []string{"--listen", "$ORDERHOOK_LISTEN", "--[no-]allow-private-targets", "--grace"} {
		if !strings.Contains(out, want) {
			t.Errorf("the help of serve says nothing of %s", want)
		}
	}
}

func TestErrorsOnTheCommandLine(t *testing.T) {
	t.Parallel()
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
		{"needs an encryption key", []string{"serve", "--database", "postgres://u:secret@db/orderhook"}},
		{"cannot be reached", []string{"migrate", "--database", "postgresql://127.0.0.1:1/orderhook"}},
		{"cannot be read", []string{"migrate", "--database", "postgres://u:secret@db:many/orderhook"}},
		{"mysql://", []string{"migrate", "--database", "mysql://u:secret@db/orderhook"}},
		{"no/such/folder", []string{"serve", "--database", "no/such/folder/orderhook.db"}},
		{"text.txt is not a database", []string{"migrate", "--database", "text.txt"}},
		{"none.json", []string{"serve", "--config", "none.json"}},
		{"none.json", []string{"serve", "--settings", "none.json"}},
		{"missing port", []string{"healthcheck", "--listen", "127.0.0.1"}},
		{"nobody can know where to ask it", []string{"healthcheck", "--listen", "127.0.0.1:0"}},
		{`--timeout: "soon" is no duration`, []string{"healthcheck", "--timeout", "soon"}},
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
	for _, database := range []string{"postgres://u:secret@127.0.0.1:1/orderhook", "postgres://u:secret@db:many/orderhook", "postgres://u:secret@[/orderhook", "mysql://u:secret@db/x"} {
		r := w.run(t, "serve", "--database", database, "--encryption-key", "a key of thirty-two characters, or more")
		if strings.Contains(r.errOut+r.out, "secret") {
			t.Errorf("a password is shown: %s%s", r.errOut, r.out)
		}
	}
}
