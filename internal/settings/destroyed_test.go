package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
)

// removed names what a change of settings has destroyed of secrets that went to a and
// of those that went to b: `place: a b`.
func removed(t *testing.T, before, after string) (all []string) {
	t.Helper()
	for _, r := range mustParse(t, before).Removals(mustParse(t, after)) {
		line := strings.TrimPrefix(r.Place, "settings/") + ":"
		for _, host := range []string{"a", "b"} {
			if r.Destroys([]string{"https://" + host + ":443"}) {
				line += " " + host
			}
		}
		if r.Destroys([]string{"https://a:443", "https://b:443"}) {
			line += " both"
		}
		if !r.Destroys(nil) {
			t.Errorf("%s keeps what may go nowhere", r.Place)
		}
		all = append(all, line)
	}
	return all
}

func TestRemovals(t *testing.T) {
	const (
		header = `"properties":[{"key":"X","value":"1","keyGroup":"RequestHeaders"}]`
		toB    = `"properties":[{"key":"Host","value":"https://b"},{"key":"X","value":"1","keyGroup":"RequestHeaders"}]`
	)
	steps := func(all ...string) string {
		for i := range all {
			all[i] = webhook + `,"connectorId":"a",` + all[i] + `}`
		}
		return inStatus(strings.Join(all, ","))
	}
	connectors := func(all, in string) string { return strings.Replace(in, "{", `{"connectors":[`+all+`],`, 1) }
	c := func(host, more string) string {
		return `{"name":"Webhook","connectorId":"a","host":"https://` + host + `"` + more + `}`
	}
	one := connectors(c("a", `,"token":"1"`)+`,{"name":"Other","host":"https://b","token":"2"}`, steps(header))
	const step = "orderTypes/web/new/webhookworkflowstep/headers/x/0:"
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"nothing changes":     {one, one, nil},
		"another value":       {one, strings.Replace(one, `"token":"1"`, `"token":"9"`, 1), nil},
		"another path":        {one, strings.Replace(one, `"https://a"`, `"https://a/path"`, 1), nil},
		"a secret more":       {one, strings.Replace(one, `"token":"1"`, `"token":"1","signingSecret":"9"`, 1), nil},
		"the secret is empty": {one, strings.Replace(one, `"token":"1"`, `"token":""`, 1), []string{"connectors/id/a/token: a b both"}},
		"a connector is gone": {one, connectors(c("a", `,"token":"1"`), steps(header)), []string{"connectors/name/other/token: a b both"}},
		"another host":        {one, strings.Replace(one, `"https://a"`, `"https://b"`, 1), []string{"connectors/id/a/token: a", step + " a"}},
		"another scheme":      {one, strings.Replace(one, `"https://a"`, `"http://a"`, 1), []string{"connectors/id/a/token: a b both", step + " a b both"}},
		"the step is gone":    {one, connectors(c("a", `,"token":"1"`)+`,{"name":"Other","host":"https://b","token":"2"}`, steps(`"displayName":"Other"`)), []string{step + " a b both"}},
		"the connector of a step's headers is gone": {one, connectors(`{"name":"Other","host":"https://b","token":"2"}`, steps(header)), []string{"connectors/id/a/token: a b both", step + " a b both"}},
		"the step goes elsewhere, its connector too": {one, connectors(c("a", `,"token":"1"`)+`,{"name":"Other","host":"https://b","token":"2"}`, steps(toB)),
			[]string{"connectors/id/a/token:", step + " a"}},
		"one of two steps of one name": {connectors(c("a", ""), steps(header, header)), connectors(c("a", ""), steps(header)), []string{step + " a b both"}},
		"one step of a name more":      {connectors(c("a", ""), steps(header)), connectors(c("a", ""), steps(header, header)), nil},
		"all":                          {one, `{}`, []string{"connectors/id/a/token: a b both", "connectors/name/other/token: a b both", step + " a b both"}},
		"from none":                    {`{}`, one, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, removed(t, c.before, c.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestADestroyedSecretIsNamed in a warning, each time, until it is given again.
func TestADestroyedSecretIsNamed(t *testing.T) {
	doc, ids := mustParse(t, everySecret).Sealed((&sealing{}).seal)
	was := ParseStored(doc)
	if diff := cmp.Diff(ids, was.SecretIDs()); diff != "" {
		t.Error(diff)
	}
	const token, header = "connectors[0].token", "orderTypes[0].orderStatuses[0].workflowSteps[0].properties[0].value"
	check := func(in Incoming, want ...string) *Settings {
		t.Helper()
		s, warnings, err := in.Check()
		if err != nil {
			t.Fatal(err)
		}
		var at []string
		for _, w := range warnings {
			if strings.Contains(w.Message, "the secret was destroyed") {
				at = append(at, w.Path)
			}
		}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Error(diff)
		}
		return s
	}
	next := check(Incoming{Doc: was.Document(), Literal: true, Destroyed: []string{ids[1], ids[5], "sec_99"}}, token, header)
	if got := len(next.SecretIDs()); got != 5 || !next.Connectors[0].Token.IsDestroyed() || next.Connectors[0].BearerToken.ID() != ids[0] {
		t.Errorf("%d secrets are left: %v", got, next.Connectors[0])
	}
	stored, left := next.Sealed((&sealing{}).seal)
	if strings.Count(string(stored.JSON()), `"destroyed"`) != 2 || len(left) != 5 {
		t.Errorf("stored:\n%s", stored.JSON())
	}
	again := ParseStored(stored)
	check(Incoming{Doc: again.Masked(), Stored: again}, token, header)
	given := document(t, strings.Replace(string(again.Masked().JSON()), `"token":"***"`, `"token":"new"`, 1))
	if s := check(Incoming{Doc: given, Stored: again}, header); s.Connectors[0].Token.IsDestroyed() {
		t.Error("what is given again is none")
	}
	moved := document(t, strings.Replace(string(again.Masked().JSON()), "h.example", "other.example", 1))
	_, _, err := Incoming{Doc: moved, Stored: again}.Check()
	if e, ok := err.(*apierr.Error); !ok || len(e.Fields) != 7 {
		t.Errorf("another host: %v", err)
	}
}
