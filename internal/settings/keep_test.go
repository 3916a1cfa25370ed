package settings

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const webhook = `{"name":"WebhookWorkflowStep","connector":"Webhook"`

// stepTo has a Host of its own, a header's value, and more fields.
func stepTo(host, value, more string) string {
	return webhook + more + `,"properties":[{"key":"Host","value":"` + host + `"},{"key":"X-Key","value":"` + value + `","keyGroup":"RequestHeaders"}]}`
}

// headers are the values of all RequestHeaders of the one status's steps.
func headers(s *Settings) []string {
	var out []string
	for _, st := range s.OrderTypes[0].Statuses[0].Steps {
		for _, h := range st.RequestHeaders {
			out = append(out, h.Value.Unsealed())
		}
	}
	return out
}

// tokens are those of all connectors.
func tokens(s *Settings) []string {
	var out []string
	for _, c := range s.Connectors {
		out = append(out, c.Token.Unsealed())
	}
	return out
}

// docs/contract.md#secrets: a "***" sent back keeps the stored secret.
func TestKeepRoundTrip(t *testing.T) {
	s := mustParse(t, everySecret)
	doc := document(t, string(s.Masked().JSON()))
	if err := Keep(doc, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain(s.doc), plain(doc)); diff != "" {
		t.Error(diff)
	}
}

func TestKeepChangesOnlyMasks(t *testing.T) {
	s := mustParse(t, everySecret)
	sent := strings.NewReplacer("s3cret-2", "new", "s3cret-3", mask, "s3cret-6", "", "shown", mask, "s3cret-5", mask).Replace(everySecret)
	want := strings.NewReplacer("s3cret-2", "new", "s3cret-6", "", "shown", mask).Replace(everySecret)
	doc := document(t, sent)
	if err := Keep(doc, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(document(t, want).JSON()), plain(doc)); diff != "" {
		t.Error(diff)
	}
}

func TestKeepWithNothingStored(t *testing.T) {
	masked := string(mustParse(t, everySecret).Masked().JSON())
	for name, stored := range map[string]*Settings{"nil": nil, "empty": Empty()} {
		err := Keep(document(t, masked), stored)
		if at := locations(t, err); len(at) != 7 || at[0] != "connectors[0].bearerToken" {
			t.Errorf("%s: errors at %v", name, at)
		}
	}
}

func TestKeepOfConnectors(t *testing.T) {
	list := func(connectors ...string) string { return `{"connectors":[` + strings.Join(connectors, ",") + `]}` }
	conn := func(name, id, host, token string) string {
		return `{"name":"` + name + `","connectorId":"` + id + `","host":"` + host + `","token":"` + token + `"}`
	}
	stored := list(conn("W", "a", "https://a/1", "A"), conn("W", "", "https://b", "B"), conn("W", "", "https://c", "C"), conn("V", "", "https://d", ""))
	for name, c := range map[string]struct {
		sent      string
		tokens    []string
		wantError string
	}{
		"by id, in any case, whatever the name":   {list(conn("X", "A", "https://a/2", mask)), []string{"A"}, ""},
		"by id wherever it stands":                {list(conn("W", "", "https://b", mask), conn("W", "a", "https://a/1", mask)), []string{"B", "A"}, ""},
		"another id is another connector":         {list(conn("W", "b", "https://a/1", mask)), nil, "connectors[0].token"},
		"without id by name":                      {list(conn("w", "", "https://b/path", mask)), []string{"B"}, ""},
		"without id, first one removed":           {list(conn("W", "", "https://c", mask)), []string{"C"}, ""},
		"without id, in another order":            {list(conn("W", "", "https://c", mask), conn("W", "", "https://b", mask)), []string{"C", "B"}, ""},
		"without id, a path changed":              {list(conn("W", "", "https://c", mask), conn("W", "", "https://b/new", mask)), []string{"C", "B"}, ""},
		"without id, all paths changed: by order": {list(conn("W", "", "https://b/1", mask), conn("W", "", "https://c/1", mask)), []string{"B", "C"}, ""},
		"one more than there were":                {list(conn("W", "", "https://b", mask), conn("W", "", "https://c", mask), conn("W", "", "https://c", mask)), nil, "connectors[2].token"},
		"a new one gets no other's secret":        {list(conn("New", "", "https://b", mask)), nil, "connectors[0].token"},
		"an empty secret is none":                 {list(conn("V", "", "https://d", mask)), nil, "connectors[0].token"},
		"the default port is the same origin":     {list(conn("W", "a", "HTTPS://A:443/", mask)), []string{"A"}, ""},
		"another host":                            {list(conn("W", "a", "https://evil", mask)), nil, "connectors[0].token"},
		"another port":                            {list(conn("W", "a", "https://a:8443/1", mask)), nil, "connectors[0].token"},
		"another scheme":                          {list(conn("W", "a", "http://a/1", mask)), nil, "connectors[0].token"},
		"another host, new secret":                {list(conn("W", "a", "https://other", "new")), []string{"new"}, ""},
		"another host, secret removed":            {list(conn("W", "a", "https://other", "")), []string{""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			checkKeep(t, stored, c.sent, tokens, c.tokens, c.wantError)
		})
	}
}

func TestKeepOfSteps(t *testing.T) {
	stored := inStatus(stepTo("https://a/1", "A", "") + "," + stepTo("https://b/1", "B", "") + "," + stepTo("https://b/2", "C", ""))
	for name, c := range map[string]struct {
		sent      []string
		values    []string
		wantError string
	}{
		"same host first":               {[]string{stepTo("https://b/2", mask, ""), stepTo("https://a/1", mask, ""), stepTo("https://b/1", mask, "")}, []string{"C", "A", "B"}, ""},
		"some removed":                  {[]string{stepTo("https://b/2", mask, "")}, []string{"C"}, ""},
		"some other field changed":      {[]string{stepTo("https://b/2", mask, `,"stopOnError":true`)}, []string{"C"}, ""},
		"path changed, else by ordinal": {[]string{stepTo("https://a/new", mask, ""), stepTo("https://b/1", mask, "")}, []string{"A", "B"}, ""},
		"a new one in front":            {[]string{stepTo("https://n/", "N", ""), stepTo("https://a/1", mask, "")}, []string{"N", "A"}, ""},
		"origin changed":                {[]string{stepTo("https://evil/1", mask, "")}, nil, stepAt + ".properties[1].value"},
		"origin of another step":        {[]string{stepTo("https://b/3", mask, "")}, nil, stepAt + ".properties[1].value"},
		"step of another name":          {[]string{strings.Replace(stepTo("https://a/1", mask, ""), "WebhookWorkflowStep", "ExportOrder", 1)}, nil, stepAt + ".properties[1].value"},
		"header of another name":        {[]string{strings.Replace(stepTo("https://a/1", mask, ""), "X-Key", "X-Other", 1)}, nil, stepAt + ".properties[1].value"},
		"header in other case":          {[]string{strings.Replace(stepTo("https://a/1", mask, ""), "X-Key", "x-key", 1)}, []string{"A"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			checkKeep(t, stored, inStatus(strings.Join(c.sent, ",")), headers, c.values, c.wantError)
		})
	}
}

func TestKeepWithinOneStatus(t *testing.T) {
	stored := mustParse(t, inStatus(stepTo("https://a", "A", "")))
	for name, change := range map[string][2]string{"order type": {`"Web"`, `"Store"`}, "status": {`"New"`, `"Paid"`}} {
		sent := strings.Replace(inStatus(stepTo("https://a", mask, "")), change[0], change[1], 1)
		if err := Keep(document(t, sent), stored); err == nil {
			t.Errorf("a secret was kept from another %s", name)
		}
	}
	sent := strings.NewReplacer(`"Web"`, `"WEB"`, `"New"`, `"new"`).Replace(inStatus(stepTo("https://a", mask, "")))
	if err := Keep(document(t, sent), stored); err != nil {
		t.Errorf("in other case: %v", err)
	}
}

func TestKeepOfHeadersWithOneName(t *testing.T) {
	two := func(a, b string) string {
		return inStatus(webhook + `,"properties":[{"key":"X","value":"` + a + `","keyGroup":"RequestHeaders"},{"key":"x","value":"` + b + `","keyGroup":"RequestHeaders"}]}`)
	}
	checkKeep(t, two("1", "2"), two(mask, mask), headers, []string{"1", "2"}, "")
	checkKeep(t, two("1", "2"), two("new", mask), headers, []string{"new", "2"}, "")
}

// A step without a Host of its own takes its headers to the connector that it
// selects, and one with a ConnectorId takes that connector's credentials to
// its own Host: neither may be a way to read a secret.
func TestKeepFollowsSecrets(t *testing.T) {
	const ofStep = "orderTypes[0].orderStatuses[0].workflowSteps[0]" // whose Host is to blame
	settings := func(connectors, steps string) string {
		return strings.Replace(inStatus(steps), "{", `{"connectors":[`+connectors+`],`, 1)
	}
	const (
		a      = `{"name":"Webhook","connectorId":"a","host":"https://a","token":"***"}`
		evil   = `{"name":"Webhook","connectorId":"evil","host":"https://evil","token":"new"}`
		header = `,"properties":[{"key":"X","value":"***","keyGroup":"RequestHeaders"}]}`
		byID   = webhook + `,"connectorId":"a"` + header
		byName = webhook + header
	)
	const connectorValue, stepValue = "connectors[0].token", stepAt + ".properties[0].value"
	for name, c := range map[string]struct {
		stored, sent string
		wantError    string
	}{
		"by id, unchanged":               {settings(a, byID), settings(a, byID), ""},
		"by id, another name":            {settings(a, byID), settings(a, strings.Replace(byID, `"Webhook"`, `"Other"`, 1)), ""},
		"by id, another connector too":   {settings(a, byID), settings(a+","+evil, byID), ""},
		"by id, to another connector":    {settings(a, byID), settings(a+","+evil, strings.Replace(byID, `"a"`, `"evil"`, 1)), stepValue},
		"by id, the connector moved":     {settings(a, byID), settings(strings.NewReplacer("https://a", "https://evil", mask, "new").Replace(a), byID), stepValue},
		"by id, the connector is gone":   {settings(a, byID), settings("", byID), ""},
		"by id, a connector comes":       {settings("", byID), settings(strings.Replace(a, mask, "new", 1), byID), stepValue},
		"by name, unchanged":             {settings(a, byName), settings(a, byName), ""},
		"by name, another could be it":   {settings(a, byName), settings(a+","+evil, byName), stepValue},
		"to an own Host elsewhere":       {settings(a, byID), settings(a, strings.Replace(byID, "[", `[{"key":"Host","value":"https://evil"},`, 1)), ofStep},
		"own Host, same origin":          {settings(a, byID), settings(a, strings.Replace(byID, "[", `[{"key":"Host","value":"https://a/x"},`, 1)), ""},
		"a new step diverts the token":   {settings(a, ""), settings(a, strings.Replace(stepTo("https://evil", "v", `,"connectorId":"A"`), "X-Key", "Y", 1)), ofStep},
		"a step that diverted before":    {settings(a, stepTo("https://b", "v", `,"connectorId":"a"`)), settings(a, stepTo("https://b/2", mask, `,"connectorId":"a"`)), ""},
		"own Host without a ConnectorId": {settings(a, ""), settings(a, stepTo("https://elsewhere", "v", "")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			stored := mustParse(t, strings.ReplaceAll(c.stored, mask, "s3cret"))
			err := Keep(document(t, c.sent), stored)
			at := locations(t, err)
			if c.wantError == "" && err != nil || c.wantError != "" && (len(at) == 0 || at[0] != c.wantError) {
				t.Errorf("got %v, want an error at %q", err, c.wantError)
			}
		})
	}
}

// checkKeep sends a document over stored settings and compares the secrets
// that are then there, or where the one error is.
func checkKeep(t *testing.T, stored, sent string, secrets func(*Settings) []string, want []string, wantError string) {
	t.Helper()
	doc := document(t, sent)
	err := Keep(doc, mustParse(t, stored))
	if wantError != "" {
		if diff := cmp.Diff([]string{wantError}, locations(t, err)); diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, secrets(mustParse(t, plain(doc)))); diff != "" {
		t.Error(diff)
	}
}

// Keep comes before Parse, so it meets documents of any shape.
func TestKeepOfWrongTypes(t *testing.T) {
	stored := mustParse(t, everySecret)
	for _, sent := range []string{
		`{"connectors":[null,1,{"name":1,"connectorId":{},"host":[],"token":7,"customHeaders":[null,{"key":1,"value":{}}]}]}`,
		`{"connectors":"***","orderTypes":[{"orderStatuses":[{"workflowSteps":[{"properties":{"keyGroup":"RequestHeaders"}}]}]}]}`,
		`{"returnStatuses":{"name":"***"}}`,
	} {
		doc := document(t, sent)
		if err := Keep(doc, stored); err != nil {
			t.Errorf("%s: %v", sent, err)
		}
		if got := string(doc.JSON()); got != string(document(t, sent).JSON()) {
			t.Errorf("%s became %s", sent, got)
		}
	}
}

// A step whose Host leads the secrets of its connector elsewhere is named, once, and what to do about it.
func TestTheStepThatLeadsSecretsElsewhereIsNamed(t *testing.T) {
	const doc = `{"connectors":[{"name":"w","connectorId":"fraud","host":"https://a","signingSecret":"S","token":"S"}],"orderTypes":[{"name":"t","default":true,"orderStatuses":[{"name":"New","workflowSteps":[
		{"name":"WebhookWorkflowStep","connector":"w","connectorId":"fraud"},{"name":"WebhookWorkflowStep","displayName":"v2","connector":"w","connectorId":"Fraud","properties":[{"key":"Host","value":"https://TO/v2"}]}]}]}]}`
	stored := mustParse(t, strings.NewReplacer(`"S"`, `"s3cret"`, "TO", "a").Replace(doc))
	err := Keep(document(t, strings.NewReplacer(`"S"`, `"***"`, "TO", "b").Replace(doc)), stored)
	if at := locations(t, err); !slices.Equal(at, []string{"orderTypes[0].orderStatuses[0].workflowSteps[1]"}) ||
		!strings.Contains(err.Error(), `its Host leads the secrets of the connector "fraud"`) || !strings.Contains(err.Error(), "give the step a connector of its own") {
		t.Errorf("%v", err)
	}
}
