package settings

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
)

// variables are those of a server whose environment has some.
func variables(v Variables) Variables {
	v.Lookup = func(name string) (string, bool) {
		value, set := map[string]string{
			"ERP_TOKEN": "t0p-s3cret", "ERP_HOST": "https://erp.example.com", "SHOP": "Oslo", "MASK": "***", "EMPTY": "", "BREAK": "a\r\nX: y",
			"ORDERHOOK_SECRET_A": "s3cret-a", "ORDERHOOK_API_KEY": "the key", "ORDERHOOK_ENCRYPTION_KEY": "the other key", "PATH": "/bin",
		}[name]
		return value, set
	}
	return v
}

func TestVariablesAreLookedUp(t *testing.T) {
	s, _, err := Incoming{Variables: variables(Variables{Owner: true}), Doc: document(t, `{"connectors":[{"name":"Webhook","host":"${ERP_HOST}/v1","bearerToken":"x-${ERP_TOKEN}","token":"${ORDERHOOK_SECRET_A}",
		"customHeaders":[{"key":"X-Shop","value":"${SHOP} $${SHOP}"}]}],"notes":["${SHOP}",{"a":"${SHOP}"},1],"${SHOP}":"$",`+
		inStatus(webhook + `,"enabledForStores":["${SHOP}"],"properties":[{"key":"Template","value":"Dear $${NAME}"},{"key":"X-A","value":"${ORDERHOOK_SECRET_A}","keyGroup":"RequestHeaders"}]}`)[1:])}.Check()
	if err != nil {
		t.Fatal(err)
	}
	c, step := s.Connectors[0], s.OrderTypes[0].Statuses[0].Steps[0]
	got := []string{c.Host, c.BearerToken.Unsealed(), c.Token.Unsealed(), c.CustomHeaders[0].Value.Unsealed(), step.Limits.EnabledForStores[0], step.Wire.Objects("properties")[0].Text("value"), step.RequestHeaders[0].Value.Unsealed()}
	if diff := cmp.Diff([]string{"https://erp.example.com/v1", "x-t0p-s3cret", "s3cret-a", "Oslo ${SHOP}", "Oslo", "Dear ${NAME}", "s3cret-a"}, got); diff != "" {
		t.Error(diff)
	}
	if got := string(s.doc.JSON()); !strings.Contains(got, `"notes":["Oslo",{"a":"Oslo"},1],"${SHOP}":"$"`) {
		t.Error(got)
	}
}

// What is shown can be sent back, and is the same settings: a ${ that stands in
// a text is none of a variable then.
func TestVariablesStandInWhatIsShownAsTheirValues(t *testing.T) {
	in := Incoming{Variables: variables(Variables{Owner: true}), Doc: document(t, `{"connectors":[{"name":"Webhook","host":"${ERP_HOST}","token":"${ERP_TOKEN}"}],"note":["$${ERP_TOKEN}","$$${","$${"]}`)}
	s, _, err := in.Check()
	if err != nil {
		t.Fatal(err)
	}
	shown := string(s.Masked().JSON())
	if want := `{"connectors":[{"name":"Webhook","host":"https://erp.example.com","token":"***"}],"note":["$${ERP_TOKEN}","$$${","$${"]}`; shown != want {
		t.Errorf("shown is %s", shown)
	}
	again, _, err := Incoming{Doc: document(t, shown), Stored: s}.Check()
	if err != nil || string(again.doc.JSON()) != string(s.doc.JSON()) || again.Connectors[0].Token.Unsealed() != "t0p-s3cret" {
		t.Errorf("sent back: %v, %v", again, err)
	}
}

// Somebody who may store settings learns the values of the variables that they may name, by a
// Host of their own. See docs/configuring-workflows.md#variables.
func TestWhichVariablesSettingsMayName(t *testing.T) {
	const token, plain = `{"connectors":[{"name":"W","host":"http://h","token":"${%s}"}]}`, `{"note":"${%s}"}`
	for _, c := range []struct {
		who             Variables
		doc, name, want string // want begins the error; "" for none
	}{
		{variables(Variables{Owner: true}), token, "ERP_TOKEN", ""},
		{variables(Variables{Owner: true}), plain, "PATH", ""},
		{variables(Variables{Owner: true}), token, "ORDERHOOK_SECRET_A", ""},
		{variables(Variables{Owner: true}), plain, "ORDERHOOK_SECRET_A", "${ORDERHOOK_SECRET_A} may stand only in the place of a secret"},
		{variables(Variables{Owner: true}), token, "ORDERHOOK_API_KEY", "${ORDERHOOK_API_KEY} is one of orderhook's own"},
		{variables(Variables{Owner: true}), token, "orderhook_encryption_key", "${orderhook_encryption_key} is one of orderhook's own"},
		{variables(Variables{Owner: true}), token, "NO_SUCH", "${NO_SUCH} is not set, or empty"},
		{variables(Variables{Owner: true}), token, "EMPTY", "${EMPTY} is not set, or empty"},
		{variables(Variables{Owner: true}), token, "MASK", `${MASK} is "***"`},
		{variables(Variables{Owner: true}), token, "BREAK", badHeaderValue},
		{variables(Variables{}), token, "ORDERHOOK_SECRET_A", ""},
		{variables(Variables{}), plain, "ORDERHOOK_SECRET_A", "${ORDERHOOK_SECRET_A} may stand only in the place of a secret"},
		{variables(Variables{}), token, "ORDERHOOK_SECRET_NONE", "${ORDERHOOK_SECRET_NONE} is not set, or empty"},
		{variables(Variables{}), token, "ORDERHOOK_ENCRYPTION_KEY", "${ORDERHOOK_ENCRYPTION_KEY} is one of orderhook's own"},
		{variables(Variables{}), token, "PATH", "${PATH} cannot be used: settings that come through the API"},
		{variables(Variables{}), plain, "PATH", "${PATH} cannot be used: settings that come through the API"},
		{variables(Variables{}), plain, "NO_SUCH", "${NO_SUCH} cannot be used: settings that come through the API"}, // whether it is set is not told
		{variables(Variables{Allowed: []string{"SHOP", "ERP_*"}}), plain, "SHOP", ""},
		{variables(Variables{Allowed: []string{"SHOP", "ERP_*"}}), token, "ERP_TOKEN", ""},
		{variables(Variables{Allowed: []string{"SHOP", "ERP_*"}}), plain, "SHOPS", "${SHOPS} cannot be used"},
		{variables(Variables{Allowed: []string{"SHOP", "ERP_*"}}), plain, "ERP", "${ERP} cannot be used"},
		{variables(Variables{Allowed: []string{"ORDERHOOK_API_KEY", "*"}}), plain, "ORDERHOOK_API_KEY", "${ORDERHOOK_API_KEY} is one of orderhook's own"},
		{Variables{}, token, "ORDERHOOK_SECRET_A", "${ORDERHOOK_SECRET_A} cannot be used: the variables are the server's"},
		{Variables{Owner: true}, plain, "SHOP", "${SHOP} cannot be used: the variables are the server's"},
	} {
		_, _, err := Incoming{Doc: document(t, fmt.Sprintf(c.doc, c.name)), Variables: c.who}.Check()
		at := map[string]string{token: "connectors[0].token", plain: "note"}[c.doc]
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), at+": "+c.want)):
			t.Errorf("%s in %s: %v", c.name, c.doc, err)
		case err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "key\"")):
			t.Errorf("the error tells a value: %v", err)
		}
	}
}

func TestWhichVariablesMayBeAllowed(t *testing.T) {
	for entry, ok := range map[string]bool{
		"ERP_TOKEN": true, "ERP_*": true, "o*": false, "O*": false, "ORDERHOOK_*": false, "ORDERHOOK_API_KEY": false, "orderhook_x": false, "ORDER*": false, "ORDERS_*": true,
		"": false, "*": false, "A-B": false, "A*B": false, "${A}": false, "A **": false,
	} {
		if why := CheckAllowed(entry); (why == "") != ok {
			t.Errorf("%q: %q", entry, why)
		}
	}
}

// Many places may name one large variable.
func TestWhatVariablesComeToIsBounded(t *testing.T) {
	large := strings.Repeat("x", 1<<20)
	v := Variables{Owner: true, Lookup: func(string) (string, bool) { return large, true }}
	_, _, err := Incoming{Doc: document(t, `{"a":["`+strings.Repeat("${A}", 3)+`","${A}","${A}","${A}"]}`), Variables: v}.Check()
	if at := locations(t, err); !slices.Equal(at, []string{"a[2]", "a[3]"}) {
		t.Errorf("errors at %v", at)
	}
}

func TestALiteralDocumentNamesNoVariables(t *testing.T) {
	s, _, err := Incoming{Doc: document(t, `{"note":"${PATH} $${"}`), Literal: true}.Check()
	if err != nil || s.doc.Text("note") != "${PATH} $${" {
		t.Errorf("%v, %v", s, err)
	}
}

func TestSettingsWithoutOrderTypes(t *testing.T) {
	some := mustParse(t, inStatus(""))
	some.Version = 7
	for name, c := range map[string]struct {
		doc    string
		stored *Settings
		want   []string
	}{
		"the first settings":      {`{}`, nil, nil},
		"after none":              {`{"orderTypes":[]}`, Empty(), nil},
		"after some":              {`{}`, some, []string{"orderTypes: there are none, so no step runs for an order any more; version 7 had 1"}},
		"of an empty list":        {`{"orderTypes":[],"returnStatuses":[{"name":"Returned"}]}`, some, []string{"orderTypes: there are none, so no step runs for an order any more; version 7 had 1"}},
		"with statuses elsewhere": {`{"returnStatuses":[{"name":"Returned"}]}`, nil, []string{"orderTypes: there are none, so no step runs for an order, only for its return"}},
		"still there":             {inStatus(""), some, nil},
	} {
		_, warnings, err := Incoming{Doc: document(t, c.doc), Stored: c.stored}.Check()
		var got []string
		for _, w := range warnings {
			got = append(got, w.Path+": "+w.Message)
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestHostsThatTheGuardRefuses(t *testing.T) {
	refused := func(u *url.URL) string {
		if u.Hostname() == "10.0.0.1" {
			return "refused"
		}
		return ""
	}
	doc := `{"connectors":[{"name":"Webhook","host":"http://10.0.0.1:8080/x?key=s3cret"},{"name":"Other","host":"https://ok.example"},{"name":"None"}],` +
		inStatus(webhook + `,"properties":[{"key":"HOST","value":"https://10.0.0.1"}]},` + webhook + `,"properties":[{"key":"Host","value":"https://ok.example"}]}`)[1:]
	_, warnings, err := Incoming{Doc: document(t, doc), Refused: refused}.Check()
	var got []string
	for _, w := range warnings {
		got = append(got, w.Path)
		if strings.Contains(w.Message, "s3cret") {
			t.Errorf("a warning tells the URL's query: %v", w)
		}
	}
	if diff := cmp.Diff([]string{"connectors[0].host", "connectors[2].host", stepAt + ".properties[0].value"}, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if _, warnings, _ = (Incoming{Doc: document(t, doc)}).Check(); len(warnings) != 1 {
		t.Errorf("without a guard: %v", warnings)
	}
}

// A document that was stored passed the checks of its day.
func TestStoredSettingsAreReadWhateverTodaysChecksSay(t *testing.T) {
	s := ParseStored(document(t, `{"connectors":[{"name":"W","host":"http://h","enabledForStores":["1"],"token":"t"}],"markets":7,`+
		inStatus(webhook + `,"enabledForRegions":["EU"],"enabledForTags":["a"],"properties":[{"key":"ErrorStatus","value":" "}]}`)[1:]))
	step := s.OrderType("Web").Status("New").Steps[0]
	if s.Connectors[0].Token.ID() != "t" || step.ErrorStatus != "" || step.Limits.EnabledForTags[0] != "a" || s.Version != 0 {
		t.Errorf("%+v", s)
	}
	if _, _, err := (Incoming{Doc: s.Document(), Literal: true}).Check(); apierr.KindOf(err) != apierr.Invalid {
		t.Errorf("today's checks: %v", err)
	}
}
