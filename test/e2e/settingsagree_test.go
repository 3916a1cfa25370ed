package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// warned is settings with a warning, and withErrors is settings with two errors and a warning.
func warned(url string) string {
	return strings.Replace(workflow(url), `"connector": "Shop"`, `"connector": "Shup"`, 1)
}

func withErrors() string { return strings.Replace(warned("nowhere"), `"Online"`, `" "`, 1) }

// What settings check says of a file, settings apply says, too, with the same
// exit code, whatever only the database or the environment knows.
func TestSettingsCheckAndApplyAgree(t *testing.T) {
	masked := strings.Replace(workflow("https://a.example"), "s3cret", "***", 1)
	named := strings.Replace(workflow("https://a.example"), "s3cret", "${ERP_TOKEN}", 1)
	for name, c := range map[string]struct {
		file   string
		stored bool // settings of the same origin are
		env    []string
		args   []string
		code   int
		says   string // on either output
	}{
		"sound":                           {workflow("https://a.example"), false, nil, nil, 0, ""},
		"a warning":                       {warned("https://a.example"), false, nil, nil, 0, `warning: orderTypes[0].orderStatuses[0].workflowSteps[0].connector: no connector is named "Shup"; is Shop meant?`},
		"a warning, strictly":             {warned("https://a.example"), false, nil, []string{"--strict"}, 1, "orderhook: s.json: 1 warning, and --strict is given\n"},
		"sound, strictly":                 {workflow("https://a.example"), false, nil, []string{"--strict"}, 0, ""},
		"errors":                          {withErrors(), false, nil, nil, 2, "orderhook: s.json: 2 errors\n"},
		"errors, strictly":                {withErrors(), false, nil, []string{"--strict"}, 2, "orderhook: s.json: 2 errors\n"},
		"no JSON":                         {"{\n,", false, nil, nil, 2, "s.json: malformed JSON at line 2, column 1: "},
		"a mask, nothing stored":          {masked, false, nil, nil, 2, "connectors[0].token: \"***\" stands for a stored secret, and none is stored here"},
		"a mask of what is stored":        {masked, true, nil, nil, 0, ""},
		"a mask for another origin":       {strings.Replace(masked, "a.example", "b.example", 1), true, nil, nil, 2, "connectors[0].token: \"***\" keeps a stored secret only while"},
		"no order types any more":         {`{"connectors": []}`, true, nil, []string{"--strict"}, 1, "warning: orderTypes: there are none"},
		"a variable":                      {named, false, []string{"ERP_TOKEN=s3cret"}, nil, 0, ""},
		"a variable that is not set":      {named, false, nil, nil, 2, "connectors[0].token: ${ERP_TOKEN} is not set, or empty\n"},
		"orderhook's own variable":        {strings.Replace(named, "ERP_TOKEN", "ORDERHOOK_LISTEN", 1), false, nil, nil, 2, "connectors[0].token: ${ORDERHOOK_LISTEN} is one of orderhook's own"},
		"a private Host, on loopback":     {workflow("http://10.0.0.1"), false, nil, nil, 0, ""},
		"a private Host, elsewhere":       {workflow("http://10.0.0.1"), false, []string{"ORDERHOOK_LISTEN=:8080"}, nil, 0, "warning: connectors[0].host: no call will be made there: "},
		"a private Host, refused":         {workflow("http://10.0.0.1"), false, nil, []string{"--no-allow-private-targets", "--strict"}, 1, "--allow-private-targets (allowPrivateTargets), or outgoing.allowHosts"},
		"a tenant that is not there":      {workflow("https://a.example"), true, nil, []string{"--tenant", "acme"}, 2, `there is no tenant "acme"`},
		"a tenant, and no database":       {workflow("https://a.example"), false, nil, []string{"--tenant", "acme"}, 2, `there is no tenant "acme"`},
		"another key than the database's": {workflow("https://a.example"), true, []string{"ORDERHOOK_ENCRYPTION_KEY=another-key-of-32-characters-000"}, nil, 2, "encryption key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWhere(t)
			if c.stored {
				w.file(t, "first.json", workflow("https://a.example"))
				w.succeeds(t, "settings", "apply", "first.json")
			}
			w.file(t, "s.json", c.file)
			w = w.with(c.env...)
			check := w.run(t, append([]string{"settings", "check", "s.json"}, c.args...)...)
			if !c.stored && w.has("orderhook.db") {
				t.Error("a check makes a database")
			}
			apply := w.run(t, append([]string{"settings", "apply", "s.json"}, c.args...)...)
			if check.code != c.code || apply.code != c.code || check.errOut != apply.errOut || found(check.out) != found(apply.out) {
				t.Errorf("check ends with %d and says\n%s%s\napply ends with %d and says\n%s%s\nwant %d", check.code, check.out, check.errOut, apply.code, apply.out, apply.errOut, c.code)
			}
			if !strings.Contains(check.out+check.errOut, c.says) || strings.Contains(check.out+check.errOut+apply.out+apply.errOut, "s3cret") {
				t.Errorf("it says %s%s, want %q", check.out, check.errOut, c.says)
			}
		})
	}
}

// found is what a command found in a file: all but what became of it.
func found(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "applied as") && !strings.HasPrefix(line, "nothing to change") && !strings.HasSuffix(line, ": no errors\n") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestAStrictApplyStoresNothing(t *testing.T) {
	w := newWhere(t)
	w.file(t, "first.json", workflow("https://a.example"))
	w.succeeds(t, "settings", "apply", "first.json")
	w.file(t, "s.json", warned("https://b.example"))
	if r := w.run(t, "settings", "apply", "--strict", "s.json"); r.code != 1 {
		t.Errorf("code %d: %s", r.code, r.errOut)
	}
	if out := w.succeeds(t, "settings", "apply", "first.json"); out != "nothing to change in version 1\n" {
		t.Errorf("it prints %q", out)
	}
	if out := w.succeeds(t, "settings", "apply", "s.json"); !strings.Contains(out, "applied as version 2\n") {
		t.Errorf("it prints %q", out)
	}
}

// A start replaces what a start has made, and nothing that was stored since.
func TestServeLeavesNewerSettingsAlone(t *testing.T) {
	const key = "admin-key-of-mine-0123"
	w := newWhere(t, "ORDERHOOK_API_KEY="+key, "ORDERHOOK_SETTINGS=settings.json")
	host := func(s *server) string {
		connectors, _ := s.expect(t, http.StatusOK, "GET", "/api/settings", key, "").body["connectors"].([]any)
		c, _ := connectors[0].(map[string]any)
		return fmt.Sprint(c["host"])
	}
	// begin starts a server with a file, and ends it once it has stored the
	// settings of others, if there are any.
	begin := func(file, want, warning, others string, args ...string) {
		t.Helper()
		w.file(t, "settings.json", workflow("https://"+file))
		s := w.serve(t, args...)
		if got := host(s); got != "https://"+want {
			t.Errorf("after a start with %s the host is %s, want %s", file, got, want)
		}
		if others != "" {
			s.expect(t, http.StatusOK, "PUT", "/api/settings", key, workflow("https://"+others))
		}
		s.stop(t)
		if said := s.errOut.String(); (warning != "") != strings.Contains(said, "the settings file was not applied") || !strings.Contains(said, warning) {
			t.Errorf("after a start with %s the log says %s", file, said)
		}
	}
	begin("one", "one", "", "")
	begin("two", "two", "", "api") // its own, so it may replace them
	begin("two", "api", "level=WARN", "")
	begin("two", "api", "version=3 fileAppliedAs=2 fileChanged=false", "")
	begin("three", "api", "version=3 fileAppliedAs=2 fileChanged=true", "")
	begin("three", "three", "", "", "--settings-replace")
	begin("four", "four", "", "five") // the ones it made last
	begin("five", "five", "", "")     // the file was brought up to what is stored
	begin("six", "six", "", "")
	w.file(t, "by-hand.json", workflow("https://hand"))
	w.succeeds(t, "settings", "apply", "by-hand.json")
	begin("seven", "hand", "fileAppliedAs=7", "")
	w = w.with("ORDERHOOK_SETTINGS_REPLACE=true")
	begin("eight", "eight", "", "")
}

// The first start on a database whose settings somebody else has made.
func TestServeWithSettingsThatItNeverMade(t *testing.T) {
	const key = "admin-key-of-mine-0123"
	w := newWhere(t, "ORDERHOOK_API_KEY="+key)
	s := w.serve(t)
	s.expect(t, http.StatusOK, "PUT", "/api/settings", key, workflow("https://api"))
	s.stop(t)
	w.file(t, "settings.json", workflow("https://file"))
	s = w.serve(t, "--settings", "settings.json")
	got := s.expect(t, http.StatusOK, "GET", "/api/settings", key, "").text
	if s.stop(t); !strings.Contains(got, "https://api") || !strings.Contains(s.errOut.String(), "fileAppliedAs=0") {
		t.Errorf("%s: %s", got, s.errOut)
	}
}
