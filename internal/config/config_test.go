package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/schema"
)

var testKeys = []schema.ShapeField{{Name: "listen"}, {Name: "tlsCert"}, {Name: "allowPrivateTargets", Type: schema.ShapeFlag}, {Name: "maxStatusChanges", Type: schema.ShapeNumber},
	{Name: "maxRequests", Type: schema.ShapeAmount}, {Name: "maxOrderBytes", Type: schema.ShapeAmount}}

func load(t *testing.T, text string) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, testKeys)
}

func TestLoad(t *testing.T) {
	f, err := load(t, `{"LISTEN": ":1", "TlsCert": null, "allowprivatetargets": false, "maxstatuschanges": 7, "MaxRequests": "5/1", "maxorderbytes": 1000,
		"Outgoing": {"AllowHosts": ["a.example", "a.example:8080", "10.0.0.0/8", "::1", "[::1]:80", "fd00::/8"]},
		"webhook": {"enabled": false, "endpoint": "http://www.example.org/automation"}}`)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"listen": ":1", "tlsCert": "", "allowPrivateTargets": "false", "maxStatusChanges": "7", "maxRequests": "5/1", "maxOrderBytes": "1000", "database": ""} {
		if got, given := f.Value(key); got != want || given != (want != "") {
			t.Errorf("%s is %q, %v", key, got, given)
		}
	}
	if want := []string{"a.example", "a.example:8080", "10.0.0.0/8", "::1", "[::1]:80", "fd00::/8"}; !slices.Equal(f.Outgoing.AllowHosts, want) {
		t.Errorf("allowHosts are %v", f.Outgoing.AllowHosts)
	}
}

func TestNoFileSaysNothing(t *testing.T) {
	var f *File
	if v, given := f.Value("listen"); given {
		t.Errorf("it says %q", v)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.json"), testKeys); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}

func TestUserErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, "the file is empty"},
		{" \n", "the file is empty"},
		{`[]`, "a JSON object is needed, not a list"},
		{`{"listen": ":1",}`, "malformed JSON at line 1, column"},
		{`{"listen": ":1"} x`, "malformed JSON"},
		{`{"listen": ":1", "Listen": ":2"}`, "listen: the field is there twice"},
		{`{"lisen": ":1"}`, "lisen: is no field of the config file; is listen meant?"},
		{`{"listen": 8080}`, "listen: must be text"},
		{`{"tlsCert": ["a"]}`, "tlsCert: must be text"},
		{`{"allowPrivateTargets": "yes"}`, "allowPrivateTargets: must be true or false"},
		{`{"maxStatusChanges": "7"}`, "maxStatusChanges: must be a number"},
		{`{"maxRequests": true}`, "maxRequests: must be a number, or text such as 10MiB or 1024/256"},
		{`{"outgoing": []}`, "outgoing: must be an object"},
		{`{"outgoing": {"allow": []}}`, "outgoing.allow: is no field of outgoing; there are allowHosts"},
		{`{"outgoing": {"allowHosts": "a"}}`, "outgoing.allowHosts: must be a list of texts"},
		{`{"outgoing": {"allowHosts": ["a", 1]}}`, "outgoing.allowHosts[1]: must be text, not a number"},
		{`{"outgoing": {"allowHosts": ["http://a"]}}`, "outgoing.allowHosts[0]: must be a host name"},
		{`{"outgoing": {"allowHosts": ["10.0.0.0/33"]}}`, "outgoing.allowHosts[0]: must be a host name"},
		{`{"outgoing": {"allowHosts": ["*example"]}}`, "outgoing.allowHosts[0]: must be a host name"},
		{`{"outgoing": {"onlyHosts": []}}`, "outgoing.onlyHosts: must have an entry"},
		{`{"outgoing": {"denyHosts": ["a/b"]}}`, "outgoing.denyHosts[0]: must be a host name"},
		{`{"outgoing": {"tenants": {"acme": []}}}`, "outgoing.tenants.acme: must be an object"},
		{`{"outgoing": {"tenants": {"acme": {"allowHosts": []}}}}`, "outgoing.tenants.acme.allowHosts: is no field of the limits of a tenant"},
		{`{"outgoing": {"tenants": {"acme": {"onlyHosts": ["a", ""]}}}}`, "outgoing.tenants.acme.onlyHosts[1]: must be a host name"},
		{`{"outgoing": {"allowHosts": [""]}}`, "outgoing.allowHosts[0]: must be a host name"},
		{`{"webHook": true}`, "webHook: must be an object"},
	} {
		_, err := load(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "c.json: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}
