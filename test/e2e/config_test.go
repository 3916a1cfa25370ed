package e2e

import (
	"testing"
)

// TestStrengthOfTheSources names another database in each of the four sources;
// which one is made says which one won.
func TestStrengthOfTheSources(t *testing.T) {
	const file = `{"DATABASE": "file.db"}`
	for _, c := range []struct {
		name, config string
		env, args    []string
		want         string
	}{
		{"nothing", "", nil, nil, "orderhook.db"},
		{"an empty variable", "", []string{"ORDERHOOK_DATABASE="}, nil, "orderhook.db"},
		{"file", file, nil, nil, "file.db"},
		{"file and an empty variable", file, []string{"ORDERHOOK_DATABASE="}, nil, "file.db"},
		{"variable over file", file, []string{"ORDERHOOK_DATABASE=env.db"}, nil, "env.db"},
		{"variable alone", "", []string{"ORDERHOOK_DATABASE=env.db"}, nil, "env.db"},
		{"flag over all", file, []string{"ORDERHOOK_DATABASE=env.db"}, []string{"--database", "flag.db"}, "flag.db"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWhere(t, c.env...)
			if c.config != "" {
				w.file(t, "orderhook.json", c.config)
			}
			w.succeeds(t, append([]string{"migrate"}, c.args...)...)
			if !w.has(c.want) {
				t.Errorf("%s was not made", c.want)
			}
		})
	}
}

func TestWhichConfigFile(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.file(t, "orderhook.json", `{"database": "default.db"}`)
	w.file(t, "env.json", `{"database": "env.db"}`)
	w.file(t, "flag.json", `{"database": "flag.db"}`)
	w.with("ORDERHOOK_CONFIG=env.json").succeeds(t, "migrate", "--config", "flag.json")
	w.with("ORDERHOOK_CONFIG=env.json").succeeds(t, "migrate")
	if !w.has("flag.db") || !w.has("env.db") || w.has("default.db") {
		t.Error("not the config file that was named")
	}
	w.with("ORDERHOOK_CONFIG=none.json").refuses(t, "none.json", "migrate")
}

func TestErrorsInTheConfigFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`{"listen": `, "orderhook.json: malformed JSON"},
		{`{"lisen": "127.0.0.1:0"}`, "orderhook.json: lisen: is no field of the config file; is listen meant?"},
		{`{"config": "other.json"}`, "orderhook.json: config: is no field of the config file"},
		{`{"listen": 8080}`, "orderhook.json: listen: must be text"},
		{`{"grace": "soon"}`, `orderhook.json: grace: "soon" is no duration`},
		{`{"logLevel": "loud"}`, `orderhook.json: logLevel: "loud" is no log level`},
		{`{"outgoing": {"allowHosts": ["http://a"]}}`, "orderhook.json: outgoing.allowHosts[0]: must be"},
		{`{"disableEndpointsAfter": "PT0S"}`, `orderhook.json: disableEndpointsAfter: "PT0S" is not over 0`},
		{`{"webHook": {"enabled": true}}`, "orderhook.json: webHook.endpoint: is needed"},
	} {
		w := newWhere(t)
		w.file(t, "orderhook.json", c.text)
		w.refuses(t, c.want, "serve")
	}
	newWhere(t, "ORDERHOOK_GRACE=soon").refuses(t, `ORDERHOOK_GRACE: "soon" is no duration`, "serve")
	newWhere(t, "ORDERHOOK_ALLOW_PRIVATE_TARGETS=perhaps").refuses(t, "ORDERHOOK_ALLOW_PRIVATE_TARGETS: ", "serve")
}
