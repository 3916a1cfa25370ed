package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysFromFiles(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		env    []string
		args   []string
	}{
		"flags":       {"{}", nil, []string{"--api-key-file", "api.txt", "--encryption-key-file", "enc.txt"}},
		"variables":   {"{}", []string{"ORDERHOOK_API_KEY_FILE=api.txt", "ORDERHOOK_ENCRYPTION_KEY_FILE=enc.txt"}, nil},
		"config file": {`{"apiKeyFile": "${SECRETS}/api.txt", "encryptionKeyFile": "enc.txt"}`, []string{"SECRETS=."}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWhere(t)
			w.file(t, "api.txt", "admin-key-from-a-file\r\n")
			w.file(t, "enc.txt", "encryption-key-from-a-file-012345\n")
			w.file(t, "orderhook.json", c.config)
			s := w.with(c.env...).serve(t, c.args...)
			s.expect(t, http.StatusOK, "GET", "/api/me", "admin-key-from-a-file", "")
			s.expect(t, http.StatusOK, "PUT", "/api/settings", "admin-key-from-a-file", workflow("https://a.example"))
			s.stop(t)
			if w.has("orderhook.db.key") {
				t.Error("a key was made beside the given one")
			}
			plain := w.with("ORDERHOOK_CONFIG=none.txt")
			w.file(t, "none.txt", "{}")
			plain.with("ORDERHOOK_ENCRYPTION_KEY=encryption-key-from-a-file-012345").succeeds(t, "keys", "list")
			plain.succeeds(t, "keys", "list", "--encryption-key-file", "enc.txt")
			w.file(t, "other.txt", "another-encryption-key-0123456789")
			plain.refuses(t, "encryption key", "keys", "list", "--encryption-key-file", "other.txt")
			for _, file := range []string{"orderhook.db", "orderhook.db-wal"} {
				if data, err := os.ReadFile(filepath.Join(w.dir, file)); err == nil && strings.Contains(string(data), "key-from-a-file") {
					t.Errorf("%s holds a key", file)
				}
			}
		})
	}
}

func TestErrorsWithKeyFiles(t *testing.T) {
	w := newWhere(t)
	w.file(t, "empty.txt", "\n")
	w.file(t, "key.txt", "a-key-that-nobody-is-to-see")
	w.file(t, "short.txt", "hidden-key\n")
	w.file(t, "large.txt", strings.Repeat("x", 65<<10))
	for _, flag := range []string{"api-key", "encryption-key"} {
		for _, c := range []struct {
			want string
			args []string
		}{
			{"--" + flag + "-file: open none.txt", []string{"--" + flag + "-file", "none.txt"}},
			{"--" + flag + "-file: empty.txt is empty", []string{"--" + flag + "-file", "empty.txt"}},
			{"--" + flag + "-file: large.txt is larger than", []string{"--" + flag + "-file", "large.txt"}},
			{"--" + flag + "-file: read .", []string{"--" + flag + "-file", "."}},
			{"--" + flag + " and --" + flag + "-file are both given", []string{"--" + flag, "another-key-that-nobody-is-to-see", "--" + flag + "-file", "key.txt"}},
		} {
			if r := w.refuses(t, c.want, append([]string{"serve"}, c.args...)...); strings.Contains(r.errOut+r.out, "nobody-is-to-see") {
				t.Errorf("%v shows the key: %s", c.args, r.errOut)
			}
		}
	}
	for flag, want := range map[string]string{"api-key": "needs 16", "encryption-key": "needs 32"} {
		if r := w.refuses(t, want, "serve", "--"+flag+"-file", "short.txt"); strings.Contains(r.errOut+r.out, "hidden-key") {
			t.Errorf("it shows the key: %s", r.errOut)
		}
	}
	if w.has("orderhook.db") {
		t.Error("a database was made")
	}
}

// Settings may name variables of the server, if its owner lets them.
func TestSettingsVariables(t *testing.T) {
	const key = "admin-key-of-mine-0123"
	w := newWhere(t, "ORDERHOOK_API_KEY="+key, "ERP_HOST=https://erp.example", "ORDERHOOK_SECRET_ERP=s3cret-of-erp", "OTHER=x")
	named := strings.Replace(workflow("${ERP_HOST}"), "s3cret", "${ORDERHOOK_SECRET_ERP}", 1)
	s := w.serve(t)
	s.expect(t, http.StatusUnprocessableEntity, "PUT", "/api/settings", key, named)
	s.expect(t, http.StatusOK, "PUT", "/api/settings", key, strings.Replace(named, "${ERP_HOST}", "https://a.example", 1))
	s.expect(t, http.StatusUnprocessableEntity, "PUT", "/api/settings", key, strings.Replace(named, "ORDERHOOK_SECRET_ERP", "ORDERHOOK_API_KEY", 1))
	s.stop(t)
	s = w.serve(t, "--settings-variables", "SHOP, ERP_*")
	s.expect(t, http.StatusOK, "PUT", "/api/settings", key, named)
	s.expect(t, http.StatusUnprocessableEntity, "PUT", "/api/settings", key, `{"note": "${OTHER}"}`)
	if got := s.expect(t, http.StatusOK, "GET", "/api/settings", key, "").text; !strings.Contains(got, "https://erp.example") || strings.Contains(got, "s3cret") {
		t.Errorf("the settings are %s", got)
	}
	s.stop(t)
	w.file(t, "settings.json", strings.Replace(named, "ERP_HOST", "HOME_PAGE", 1))
	w.refuses(t, "settings.json: connectors[0].host: ${HOME_PAGE} is not set", "serve", "--settings", "settings.json")
	w.refuses(t, `--settings-variables: "ORDERHOOK_API_KEY" would admit`, "serve", "--settings-variables", "ERP_*,ORDERHOOK_API_KEY")
	w.refuses(t, `--settings-variables: "*" would admit`, "serve", "--settings-variables", "*")
}

func TestVariablesInTheConfigFile(t *testing.T) {
	w := newWhere(t, "NAME=from-the-file", "HOST=erp.internal")
	w.file(t, "orderhook.json", `{"database": "${NAME}.db", "outgoing": {"allowHosts": ["${HOST}"]}, "userAgent": "costs $${NAME}"}`)
	w.succeeds(t, "migrate")
	if !w.has("from-the-file.db") {
		t.Error("the variable was not looked up")
	}
	for config, want := range map[string]string{
		`{"database": "${NONE}.db"}`:                         "orderhook.json: database: ${NONE} is not set, or empty",
		`{"outgoing": {"allowHosts": ["a", "${NONE}"]}}`:     "orderhook.json: outgoing.allowHosts[1]: ${NONE} is not set, or empty",
		`{"webHook": {"enabled": true, "secret": "${none"}}`: `orderhook.json: webHook.secret: holds a "${" that begins no variable`,
	} {
		w.file(t, "orderhook.json", config)
		w.refuses(t, want, "migrate")
	}
}
