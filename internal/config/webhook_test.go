package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
)

// enabled loads a file with the section, enabled, and with more of it, each
// member with a comma in front.
func enabled(t *testing.T, more string) (*File, error) {
	t.Helper()
	return load(t, `{"webHook": {"enabled": true`+more+`}}`)
}

const toExample = `, "endpoint": "http://www.example.org/automation"`

func TestTheSectionByDefault(t *testing.T) {
	f, err := enabled(t, toExample)
	if err != nil {
		t.Fatal(err)
	}
	want := WebHook{Tenant: access.DefaultTenant, URL: "http://www.example.org/automation", TLS: outbound.FileTrust{TrustAll: true}, timeout: 30 * time.Second, path: f.Path}
	if *f.WebHook != want {
		t.Errorf("%+v, want %+v", *f.WebHook, want)
	}
}

func TestEveryKeyOfTheSectionInAnyCase(t *testing.T) {
	f, err := load(t, `{"WEBHOOK": {"ENABLED": true, "Endpoint": "https://www.example.org/automation", "KEY": "k", "sECRET": "HeaderSecret", "ConnectionTimeout": "PT60S",
		"Tenant": "acme", "usessltrustall": false, "UseSSLClientCert": true, "SslTrustFile": "t.pem", "SSLTRUSTPASSWORD": "q", "SSLKEYFILE": "k.p12", "sslkeypassword": "p"}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := WebHook{Tenant: "acme", URL: "https://www.example.org/automation/?key=k", secret: "HeaderSecret", timeout: time.Minute, path: f.Path,
		TLS: outbound.FileTrust{ClientCert: true, TrustFile: "t.pem", TrustPassword: "q", KeyFile: "k.p12", KeyPassword: "p"}}
	if *f.WebHook != want {
		t.Errorf("%+v, want %+v", *f.WebHook, want)
	}
}

func TestWhatIsEmptyIsAsGoodAsAbsent(t *testing.T) {
	for _, empty := range []string{`null`, `""`} {
		var more string
		for _, f := range webHookShape.Fields {
			if key := f.Name; f.Type == schema.ShapeText && key != "endpoint" && key != "connectionTimeout" || empty == "null" && f.Type == schema.ShapeFlag && key != "enabled" {
				more += fmt.Sprintf(", %q: %s", key, empty)
			}
		}
		f, err := enabled(t, toExample+more)
		if err != nil {
			t.Fatal(err)
		}
		without, _ := enabled(t, toExample)
		without.WebHook.path = f.Path
		if *f.WebHook != *without.WebHook {
			t.Errorf("with %s: %+v", empty, *f.WebHook)
		}
	}
}

func TestTheSectionIsOff(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"webHook": null}`, `{"webHook": {}}`, `{"webHook": {"endpoint": "http://www.example.org/automation"}}`,
		`{"webHook": {"enabled": false, "endpoint": "to do", "connectionTimeout": "soon", "useSslClientCert": true, "sslTrustFile": "none"}}`,
		`{"webHook": {"enabled": null, "secret": null}}`,
	} {
		if f, err := load(t, text); err != nil || f.WebHook != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTheKeyInTheURL(t *testing.T) {
	for _, c := range []struct{ endpoint, key, want string }{
		{"http://www.example.org/automation", "QueryParameterKey", "http://www.example.org/automation/?key=QueryParameterKey"}, // as the specification has it
		{"http://www.example.org/automation/", "k", "http://www.example.org/automation/?key=k"},
		{"http://www.example.org", "k", "http://www.example.org/?key=k"},
		{"http://www.example.org/a?shop=1&x=%2F", "k", "http://www.example.org/a/?shop=1&x=%2F&key=k"},
		{"http://www.example.org/a/?", "k", "http://www.example.org/a/?key=k"},
		{"http://www.example.org/a%2Fb%2F", "k", "http://www.example.org/a%2Fb%2F/?key=k"},
		{"http://www.example.org//a/../b", "k", "http://www.example.org//a/../b/?key=k"},
		{"http://www.example.org/a", "å&=/ ?#+", "http://www.example.org/a/?key=%C3%A5%26%3D%2F+%3F%23%2B"},
		{"HTTPS://user:pass@[::1]:8443/a", "k", "https://user:pass@[::1]:8443/a/?key=k"},
		{"http://www.example.org/a?shop=1", "", "http://www.example.org/a?shop=1"},
		{"http://BÜCHER.example/a b?c d", "k", "http://xn--bcher-kva.example/a%20b/?c%20d&key=k"},
	} {
		f, err := enabled(t, fmt.Sprintf(`, "endpoint": %q, "key": %q`, c.endpoint, c.key))
		if err != nil || f.WebHook.URL != c.want {
			t.Errorf("%s with %q: %v, %v, want %s", c.endpoint, c.key, f, err, c.want)
		}
	}
}

func TestErrorsInTheSection(t *testing.T) {
	const rest = `, "secret": "hush-secret", "sslKeyPassword": "hush-password"`
	for more, want := range map[string]string{
		``:                                       "webHook.endpoint: is needed",
		`, "endpoint": ""`:                       "webHook.endpoint: is needed",
		`, "endpoint": "www.example.org"`:        "webHook.endpoint: must be an absolute http or https URL",
		`, "endpoint": "ftp://hush@example.org"`: "webHook.endpoint: must be an absolute http or https URL",
		`, "endpoint": "http://a:hush@:80/"`:     "webHook.endpoint: must be an absolute http or https URL",
		`, "endpoint": "http://a:hush%/b"`:       "webHook.endpoint: must be an absolute http or https URL",
		`, "endpoint": "http://a:hush@127.1/"`:   "webHook.endpoint: must have a name or a plain IP address",
		`, "endpoint": ["http://a"]`:             "webHook.endpoint: must be text",
		`, "Enabled": true`:                      "webHook.enabled: the field is there twice",
		`, "endpont": "http://a"`:                "webHook.endpont: is no field of webHook; is endpoint meant?",
		`, "UseSslTrustAll": "hush"`:             "webHook.useSslTrustAll: must be true or false",
		`, "useSslClientCert": 1`:                "webHook.useSslClientCert: must be true or false",
		`, "key": 17`:                            "webHook.key: must be text",
		`, "tenant": {}`:                         "webHook.tenant: must be text",
		`, "sslTrustFile": true`:                 "webHook.sslTrustFile: must be text",
		`, "sslTrustPassword": 1`:                "webHook.sslTrustPassword: must be text",
		`, "sslKeyFile": []`:                     "webHook.sslKeyFile: must be text",
		toExample + `, "connectionTimeout": 30`:  "webHook.connectionTimeout: must be text",
	} {
		_, err := enabled(t, rest+more)
		expectError(t, more, err, want)
	}
	for _, timeout := range []string{"", "30", "30s", "PT", "PT0S", "-PT30S", "P1M", "P1DT1S", "P1000000000W", "hush"} {
		_, err := enabled(t, rest+toExample+fmt.Sprintf(`, "connectionTimeout": %q`, timeout))
		expectError(t, timeout, err, "webHook.connectionTimeout: must be a duration over 0")
	}
	for text, want := range map[string]string{
		`{"webHook": true}`:                            "webHook: must be an object",
		`{"webHook": [{"enabled": true}]}`:             "webHook: must be an object",
		`{"webHook": {"enabled": "true"}}`:             "webHook.enabled: must be true or false",
		`{"webHook": {"enabled": false, "secret": 1}}`: "webHook.secret: must be text",
		`{"webHook": {"password": "hush"}}`:            "webHook.password: is no field of webHook",
		`{"webHook": {}, "Webhook": {}}`:               "there twice",
	} {
		_, err := load(t, text)
		expectError(t, text, err, want)
	}
}

// expectError wants one line that says where the error is, and nothing of a
// value.
func expectError(t *testing.T, in string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "c.json: ") || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "hush") {
		t.Errorf("%s: %v, want %s", in, err, want)
	}
}

func TestOpen(t *testing.T) {
	if f, err := enabled(t, toExample+`, "connectionTimeout": "00:01:30"`); err != nil || f.WebHook.timeout != 90*time.Second {
		t.Errorf("a time span: %v", err)
	}
	f, err := enabled(t, toExample+`, "secret": "s", "key": "k", "tenant": "acme", "connectionTimeout": "PT1M"`)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.WebHook.Open()
	if err != nil || w.Tenant != "acme" || w.URL != "http://www.example.org/automation/?key=k" || w.Secret != "s" || w.Timeout != time.Minute || w.Trust == nil {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "hush.pem")
	if err := os.WriteFile(garbage, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	quoted, _ := json.Marshal(garbage)
	for more, want := range map[string]string{
		`, "sslTrustFile": "none.pem"`:                          "c.json: webHook.sslTrustFile: none.pem: no such file",
		`, "sslKeyFile": "none.p12"`:                            "c.json: webHook.sslKeyFile: none.p12: no such file",
		`, "sslKeyFile": ` + string(quoted):                     "c.json: webHook.sslKeyFile: " + garbage + ": neither PEM nor PKCS#12 nor JKS",
		`, "useSslClientCert": true`:                            "c.json: webHook.sslKeyFile: missing: useSslClientCert needs a key",
		`, "useSslClientCert": true, "useSslTrustAll": false`:   "c.json: webHook.sslKeyFile: missing: useSslClientCert needs a key",
		`, "useSslTrustAll": false, "sslTrustFile": "none.jks"`: "c.json: webHook.sslTrustFile: none.jks: no such file",
	} {
		f, err := enabled(t, toExample+`, "sslKeyPassword": "hush-password"`+more)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WebHook.Open()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush-password") {
			t.Errorf("%s: %v, want %s", more, err, want)
		}
	}
}
