package dash

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// settingsAPI keeps settings as the API does, as far as the pages see it.
type settingsAPI struct {
	versions []string
	at       string // the place that it then names; "" is hostile
	refuses  string // what check and PUT refuse documents that hold this
	stored   []string
}

func (a *settingsAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	last := len(a.versions)
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/api/settings/"))
	switch {
	case r.URL.Path == "/api/settings/history" && last == 0:
		_, _ = io.WriteString(w, `{"items":[]}`)
	case r.URL.Path == "/api/settings/history":
		_, _ = fmt.Fprintf(w, `{"items":[{"version":%d,"created":"2026-11-28T10:00:00Z","by":"key 1"}]}`, last)
	case err == nil && n >= 1 && n <= last:
		_, _ = io.WriteString(w, a.versions[n-1])
	case a.refuses != "" && a.at != "" && strings.Contains(string(body), a.refuses):
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = fmt.Fprintf(w, `{"title":"No","errors":[{"location":%q,"message":"is no URL"}]}`, a.at)
	case a.refuses != "" && strings.Contains(string(body), a.refuses):
		refuse(w, http.StatusUnprocessableEntity, "the settings are not valid")
	case r.URL.Path == "/api/settings/check":
		_, _ = io.WriteString(w, `{"warnings":[{"path":"connectors[0].host","message":"is odd"}]}`)
	case strings.HasSuffix(r.URL.Path, "/1/restore") && r.Header.Get("If-Match") == fmt.Sprintf("%q", strconv.Itoa(last)):
		a.versions = append(a.versions, a.versions[0])
		_, _ = fmt.Fprintf(w, `{"version":%d,"warnings":[]}`, last+1)
	case strings.HasSuffix(r.URL.Path, "/1/restore") && r.Header.Get("If-Match") != "":
		refuse(w, http.StatusPreconditionFailed, "the settings are of another version by now")
	case r.Method == http.MethodPut && r.Header.Get("If-Match") != fmt.Sprintf("%q", strconv.Itoa(last)):
		refuse(w, http.StatusPreconditionFailed, "the settings are of another version by now")
	case r.Method == http.MethodPut:
		a.versions, a.stored = append(a.versions, string(body)), append(a.stored, string(body))
		_, _ = fmt.Fprintf(w, `{"version":%d,"warnings":[]}`, last+1)
	default:
		fakeAPI(w, r)
	}
}

const oneConnector = `{"connectors":[{"name":"Webhook","connectorId":"a","host":"https://a.example","bearerToken":"***"}]}`

func settingsSite(t *testing.T, versions ...string) (*site, *settingsAPI) {
	s, a := newSite(t), &settingsAPI{versions: versions}
	s.API = a
	return s, a
}

var sealed = regexp.MustCompile(`name="seal" value="([^"]*)"`)

func sealIn(page string) string {
	m := sealed.FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return m[1]
}

const editFirst = "/workflows/edit?at=connectors%5B0%5D"

// TestSettingsAreStoredOnceTheyWereSeen: exactly those whose differences and warnings this
// session was shown.
func TestSettingsAreStoredOnceTheyWereSeen(t *testing.T) {
	s, a := settingsSite(t, oneConnector)
	b, other := s.as(access.Operator), s.as(access.Operator)
	form := func(host, seal string) url.Values {
		return url.Values{"version": {"1"}, "do": {"save"}, "f.host": {host}, "seal": {seal}}
	}
	seen := b.post(editFirst, form("https://b.example", ""))
	seal := sealIn(seen.Body.String())
	if seen.Code != http.StatusOK || seal == "" || !strings.Contains(seen.Body.String(), "connectors[a].host") || !strings.Contains(seen.Body.String(), "is odd") {
		t.Fatalf("%d %s", seen.Code, seen.Body)
	}
	others := sealIn(other.post(editFirst, form("https://b.example", "")).Body.String())
	for name, try := range map[string]url.Values{"no seal": form("https://b.example", ""), "another document": form("https://c.example", seal), "another session": form("https://b.example", others)} {
		if got := b.post(editFirst, try); got.Code != http.StatusOK || len(a.stored) > 0 {
			t.Errorf("%s: %d, stored %v", name, got.Code, a.stored)
		}
	}
	got := b.post(editFirst, form("https://b.example", seal))
	want := strings.Replace(oneConnector, "a.example", "b.example", 1)
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/workflows/history/2?done=saved" || len(a.stored) != 1 || a.stored[0] != want {
		t.Errorf("%d %s, stored %v", got.Code, got.Header().Get("Location"), a.stored)
	}
}

// TestSettingsAreTriedOnAnOrder: with the settings of today and with these, for the same
// status and return, and nothing is stored.
func TestSettingsAreTriedOnAnOrder(t *testing.T) {
	s, a := settingsSite(t, oneConnector)
	var asked []string
	before := s.API
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || strings.HasPrefix(r.URL.Path, "/api/me") {
			before.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/api/settings/check" {
			asked = append(asked, r.URL.RequestURI())
			_, _ = io.WriteString(w, `{"warnings":[],"dryRun":{"order":{"id":"1","status":"Packed"}}}`)
			return
		}
		asked = append(asked, r.URL.RequestURI()+" "+string(body))
		_, _ = io.WriteString(w, `{"order":{"id":"1","status":"Packed"}}`)
	})
	b := s.as(access.Operator)
	form := url.Values{"version": {"1"}, "f.host": {"https://b.example"}, "orderId": {" a/b "}, "returnId": {"R1"}}
	for status, want := range map[string]string{
		"New": `/api/settings/check?orderId=a%2Fb&returnId=R1&status=New /api/orders/a%2Fb/status {"dryRun":true,"returnId":"R1","status":"New"}`,
		"":    `/api/settings/check?orderId=a%2Fb&returnId=R1 /api/orders/a%2Fb/status {"dryRun":true,"returnId":"R1","status":"Packed"}`,
	} {
		asked = nil
		form.Set("status", status)
		got := b.post(editFirst, form)
		if strings.Join(asked, " ") != want || got.Code != http.StatusOK || len(a.stored) > 0 {
			t.Errorf("%d, asked %v, stored %v", got.Code, asked, a.stored)
		}
		for _, title := range []string{"With the settings of today", "With these settings"} {
			if !strings.Contains(got.Body.String(), title) {
				t.Errorf("the page does not say %q", title)
			}
		}
	}
}

func TestSomebodyStoredSettingsMeanwhile(t *testing.T) {
	s, a := settingsSite(t, oneConnector)
	b := s.as(access.Operator)
	form := url.Values{"version": {"1"}, "do": {"save"}, "f.host": {"https://b.example"}}
	form.Set("seal", sealIn(b.post(editFirst, form).Body.String()))
	a.versions = append(a.versions, `{"connectors":[]}`)
	got := b.post(editFirst, form)
	if got.Code != http.StatusPreconditionFailed || len(a.stored) > 0 {
		t.Errorf("%d, stored %v", got.Code, a.stored)
	}
	for _, want := range []string{"Somebody stored other settings meanwhile", `value="https://b.example"`, `name="version" value="1"`} {
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("the page does not have %s: %s", want, got.Body)
		}
	}
}

// hiddenIn are the hidden fields of the form of a page of the settings.
func hiddenIn(page string) url.Values {
	out := url.Values{}
	for _, m := range regexp.MustCompile(`name="(version|seal|typed)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		out.Set(m[1], m[2])
	}
	return out
}

// TestATypedSecretIsNotShown: it is stored as it was typed, though no page has it; after an
// error, and however often somebody looks again.
func TestATypedSecretIsNotShown(t *testing.T) {
	const asJSON, steps = editFirst + "&as=json", `{"orderTypes":[{"name":"A","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep"}]}]}]}`
	for name, c := range map[string]struct {
		path, before string
		typed, again url.Values // again is what then stands in the fields with secrets
		has          string
		want         string
	}{
		"form": {editFirst, oneConnector, url.Values{"f.bearerToken": {"s3cret-1"}, "f.password": {"***"}, "r.customHeaders.0.key": {"X-Key"}, "r.customHeaders.0.value": {`s3cret"2`}},
			url.Values{"f.bearerToken": {"(secret 1, as typed)"}, "f.password": {"***"}, "r.customHeaders.0.key": {"X-Key"}, "r.customHeaders.0.value": {"(secret 2, as typed)"}},
			`type="password" name="f.bearerToken" value="(secret 1, as typed)"`,
			`{"connectors":[{"name":"Webhook","connectorId":"a","host":"https://a.example","bearerToken":"s3cret-1","password":"***","customHeaders":[{"key":"X-Key","value":"s3cret\"2"}]}]}`},
		"JSON": {asJSON, oneConnector, url.Values{"json": {`{"name":"Webhook","bearerToken":"s3cret-1","properties":[{"key":"Shop","value":"north"}],"customHeaders":[{"key":"X-Key","value":"s3cret\"2"}]}`}},
			url.Values{"json": {`{"name":"Webhook","bearerToken":"(secret 1, as typed)","properties":[{"key":"Shop","value":"north"}],"customHeaders":[{"key":"X-Key","value":"(secret 2, as typed)"}]}`}},
			`"value": "north"`,
			`{"connectors":[{"name":"Webhook","bearerToken":"s3cret-1","properties":[{"key":"Shop","value":"north"}],"customHeaders":[{"key":"X-Key","value":"s3cret\"2"}]}]}`},
		"all as JSON": {"/workflows/edit", `{}`, url.Values{"json": {`{"connectors":[{"name":"Webhook","password":"s3cret-1"},{"token":"s3cret-2"}]}`}},
			url.Values{"json": {`{"connectors":[{"name":"Webhook","password":"(secret 1, as typed)"},{"token":"(secret 2, as typed)"}]}`}}, `"name": "Webhook"`,
			`{"connectors":[{"name":"Webhook","password":"s3cret-1"},{"token":"s3cret-2"}]}`},
		"a step's header": {"/workflows/edit?at=" + url.QueryEscape(aStep), steps,
			url.Values{"r.properties.0.key": {"X-Key"}, "r.properties.0.value": {"s3cret-1"}, "r.properties.0.keyGroup": {"requestheaders "}, "r.properties.1.key": {"Host"}, "r.properties.1.value": {"https://b.example"}},
			url.Values{"r.properties.0.key": {"X-Key"}, "r.properties.0.value": {"(secret 1, as typed)"}, "r.properties.0.keyGroup": {"requestheaders "}, "r.properties.1.key": {"Host"}, "r.properties.1.value": {"https://b.example"}},
			`value="https://b.example"`,
			strings.Replace(steps, `Step"}`, `Step","properties":[{"key":"X-Key","value":"s3cret-1","keyGroup":"requestheaders "},{"key":"Host","value":"https://b.example"}]}`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			s, a := settingsSite(t, c.before)
			b := s.as(access.Operator)
			send := func(form url.Values, do string, more url.Values) string {
				all := url.Values{"version": {"1"}, "do": {do}}
				maps.Copy(all, more)
				maps.Copy(all, form)
				got := b.post(c.path, all)
				page := html.UnescapeString(got.Body.String())
				if strings.Contains(page, "s3cret") {
					t.Fatalf("%d, the page has a secret: %s", got.Code, page)
				}
				return page
			}
			a.refuses = "s3cret" // nothing that holds them: the form comes back with an error
			page := send(c.typed, "review", nil)
			if !strings.Contains(page, "(secret 1, as typed)") || !strings.Contains(page, c.has) || sealIn(page) != "" {
				t.Fatal(page)
			}
			a.refuses = ""
			page = send(c.again, "review", hiddenIn(page))
			page = send(c.again, "save", hiddenIn(page))
			if len(a.stored) != 1 || a.stored[0] != c.want {
				t.Errorf("stored %v, want %s: %s", a.stored, c.want, page)
			}
		})
	}
}

// TestWhoseSecretsATypedFieldHas: it opens in the session that typed them, for the place
// that they were typed for, and puts them back where the settings have secrets alone.
func TestWhoseSecretsATypedFieldHas(t *testing.T) {
	s, a := settingsSite(t, strings.Replace(oneConnector, `]}`, `,{"name":"Webhook","connectorId":"b"}]}`, 1))
	b := s.as(access.Operator)
	typed := hiddenIn(b.post(editFirst, url.Values{"version": {"1"}, "f.bearerToken": {"s3cret"}}).Body.String()).Get("typed")
	if typed == "" {
		t.Fatal("there is no field with what was typed")
	}
	const text = "(secret 1, as typed)"
	for name, c := range map[string]struct {
		by   *browserOf
		path string
		form url.Values
		code int
		says string
	}{
		"another session":     {s.as(access.Operator), editFirst, url.Values{"f.bearerToken": {text}}, 400, "open the page again"},
		"another place":       {b, strings.Replace(editFirst, "0", "1", 1), url.Values{"f.bearerToken": {text}}, 400, "open the page again"},
		"no secret's field":   {b, editFirst, url.Values{"f.displayName": {text}}, 422, `<a href="#field-displayName">Name for people</a>: has (secret 1`},
		"a part of a field":   {b, editFirst, url.Values{"f.bearerToken": {text + "x"}}, 422, `<a href="#field-bearerToken">Bearer token</a>: has (secret 1`},
		"no such secret":      {b, editFirst, url.Values{"f.bearerToken": {"(secret 2, as typed)"}}, 422, "has (secret 2, as typed)"},
		"in JSON":             {b, editFirst + "&as=json", url.Values{"json": {`{"host":"` + text + `"}`}}, 422, "has (secret 1, as typed)"},
		"what was not sealed": {b, editFirst, url.Values{"typed": {"x"}, "f.bearerToken": {text}}, 400, "open the page again"},
	} {
		form := url.Values{"version": {"1"}, "typed": {typed}}
		maps.Copy(form, c.form)
		got := c.by.post(c.path, form)
		if page := got.Body.String(); got.Code != c.code || !strings.Contains(page, c.says) || strings.Contains(page, "s3cret") || len(a.stored) > 0 {
			t.Errorf("%s: %d: %s", name, got.Code, page)
		}
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	s, a := settingsSite(t, oneConnector)
	a.refuses = "ftp:"
	b := s.as(access.Operator)
	for name, try := range map[string]struct {
		path string
		form url.Values
		code int
		says string
	}{
		"a form":        {editFirst, url.Values{"version": {"1"}, "f.host": {"ftp://x"}}, 422, `value="ftp://x"`},
		"JSON":          {editFirst + "&as=json", url.Values{"version": {"1"}, "json": {`{"host":"ftp://x"}`}}, 422, `{&#34;host&#34;:&#34;ftp://x&#34;}`},
		"no JSON":       {"/workflows/edit", url.Values{"version": {"1"}, "json": {`{"connectors`}}, 400, `{&#34;connectors`},
		"a position":    {editFirst, url.Values{"version": {"1"}, "position": {"first"}}, 422, "must be a number from 1 on"},
		"position 0":    {editFirst, url.Values{"version": {"1"}, "position": {"0"}}, 422, "must be a number from 1 on"},
		"no version":    {editFirst, url.Values{"f.host": {"https://b"}}, 400, "open the page again"},
		"not there":     {"/workflows/edit?at=connectors%5B7%5D", url.Values{"version": {"1"}}, 404, "have nothing at connectors[7]"},
		"a new version": {editFirst, url.Values{"version": {"9"}}, 404, "there is no"},
	} {
		got := b.post(try.path, try.form)
		if got.Code != try.code || !strings.Contains(got.Body.String(), try.says) || sealIn(got.Body.String()) != "" || len(a.stored) > 0 {
			t.Errorf("%s: %d, stored %v: %s", name, got.Code, a.stored, got.Body)
		}
		harmless(t, got.Body.String())
	}
}

// TestAnErrorInSettingsIsShownAtItsField: the form names it by its label, marks it, and
// opens the group that it is in; so it is of what is new, whose place only the API knows.
func TestAnErrorInSettingsIsShownAtItsField(t *testing.T) {
	s, a := settingsSite(t, oneConnector)
	b := s.as(access.Operator)
	for path, location := range map[string]string{editFirst: "body.connectors[0].host", "/workflows/edit?at=connectors%5B%2B%5D": "body.connectors[1].host"} {
		a.refuses, a.at = "ftp:", location
		page := b.post(path, url.Values{"version": {"1"}, "f.host": {"ftp://x"}, "f.name": {"Webhook"}}).Body.String()
		field := regexp.MustCompile(`<input id="field-host" name="f.host" aria-invalid="true" aria-describedby="field-host-error" autofocus value="ftp://x"`)
		if !field.MatchString(page) || !strings.Contains(page, `<a href="#field-host">`) || !strings.Contains(page, `<small class="err" id="field-host-error">is no URL</small>`) || strings.Contains(page, "<code>"+location) {
			t.Errorf("%s: %s", path, page)
		}
	}
}

func TestSettingsAreRemoved(t *testing.T) {
	s, a := settingsSite(t, oneConnector)
	b := s.as(access.Operator)
	const path = "/workflows/remove?at=connectors%5B0%5D"
	page := b.get(path).Body.String()
	if !strings.Contains(page, "This takes away the connector a") || len(a.stored) > 0 {
		t.Errorf("stored %v: %s", a.stored, page)
	}
	got := b.post(path, url.Values{"version": {"1"}, "do": {"save"}, "seal": {sealIn(page)}})
	if got.Code != http.StatusSeeOther || len(a.stored) != 1 || a.stored[0] != `{"connectors":[]}` {
		t.Errorf("%d, stored %v", got.Code, a.stored)
	}
	for _, at := range []string{"", "?at=connectors%5B%2B%5D"} {
		if got := b.get("/workflows/remove" + at); got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", at, got.Code)
		}
	}
}

func TestWorkflowsBeforeAnySettings(t *testing.T) {
	s, a := settingsSite(t)
	for role, want := range map[access.Role]string{access.Reader: "An operator can send", access.Operator: "Begin with"} {
		got := s.as(role).get("/workflows")
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) || !strings.Contains(got.Body.String(), "curl -X PUT http://example.com/api/settings") {
			t.Errorf("as %s: %d %s", role, got.Code, got.Body)
		}
	}
	b := s.as(access.Operator)
	form := url.Values{"version": {"0"}, "do": {"save"}, "f.name": {"Online"}}
	form.Set("seal", sealIn(b.post("/workflows/edit?at=orderTypes%5B%2B%5D", form).Body.String()))
	if got := b.post("/workflows/edit?at=orderTypes%5B%2B%5D", form); got.Code != http.StatusSeeOther || a.stored[0] != `{"orderTypes":[{"name":"Online"}]}` {
		t.Errorf("%d, stored %v", got.Code, a.stored)
	}
	for path, want := range map[string]string{"/workflows/connectors": "curl http://example.com/api/settings -H &#39;Authorization: Bearer YOUR-KEY&#39; -o settings.json", "/workflows?type=online": "There are no statuses here"} {
		if got := b.get(path); !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	if got := b.get("/workflows?type=none"); got.Code != http.StatusNotFound {
		t.Errorf("an order type that is not there: %d", got.Code)
	}
}

// TestReadersSeeNoButtons: what a role may not do it is not offered.
func TestReadersSeeNoButtons(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/workflows", "/workflows?tab=returns", "/workflows/connectors", "/workflows/history", "/workflows/history/1"} {
		for role, offered := range map[access.Role]bool{access.Reader: false, access.Publisher: false, access.Operator: true} {
			page := s.as(role).get(path).Body.String()
			if found := strings.Contains(page, "/workflows/edit") || strings.Contains(page, "/workflows/remove") || strings.Contains(page, "/restore"); found != offered {
				t.Errorf("%s as %s offers it: %v", path, role, found)
			}
		}
	}
}

// TestSettingsOfBefore: what a check of today refuses of what is in force is said, and is
// shown all the same.
func TestSettingsOfBefore(t *testing.T) {
	s, a := settingsSite(t, oneConnector)
	a.refuses = "a.example"
	got := s.as(access.Operator).get("/workflows")
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "1 warning about these settings") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestBack: who stores nothing comes back to where the object is seen.
func TestBack(t *testing.T) {
	doc := document(t, `{"orderTypes":[{"name":"A b","orderStatuses":[{"name":"New","workflowSteps":[{}]}]}],"returnStatuses":[{"name":"Returned"}],"connectors":[{}]}`)
	for at, want := range map[string]string{"": "/workflows", "connectors[0]": "/workflows/connectors", "connectors[+]": "/workflows/connectors", "returnStatuses[0]": "/workflows?tab=returns", "orderTypes[+]": "/workflows?type=",
		"orderTypes[0]": "/workflows?type=A+b", aStep: "/workflows?type=A+b", "markets[+]": "/workflows"} {
		if got := place1(t, at).back(doc); got != strings.TrimSuffix(want, "?type=") {
			t.Errorf("%q: %s", at, got)
		}
	}
}

func TestWhatIsInForceIsNotRestored(t *testing.T) {
	s, a := settingsSite(t, oneConnector, `{}`)
	b := s.as(access.Operator)
	if page := b.get("/workflows/history").Body.String(); strings.Contains(page, "/history/2/restore") {
		t.Error(page)
	}
	if page := b.get("/workflows/history/2/restore").Body.String(); !strings.Contains(page, "in force already") || strings.Contains(page, "becomes the next version") {
		t.Error(page)
	}
	got := b.post("/workflows/history/1/restore", url.Values{"version": {"2"}})
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/workflows/history/3?done=restored" {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	got = b.post("/workflows/history/1/restore", url.Values{"version": {"2"}}) // version 3 was never looked at
	if got.Code != http.StatusPreconditionFailed || len(a.versions) != 3 {
		t.Errorf("%d, %d versions", got.Code, len(a.versions))
	}
}

func TestARestoreThatIsRefused(t *testing.T) {
	s, _ := settingsSite(t, oneConnector, `{}`)
	got := s.as(access.Operator).post("/workflows/history/7/restore", url.Values{"version": {"2"}})
	if got.Code != http.StatusNotFound {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := s.as(access.Operator).get("/workflows/history/x"); got.Code != http.StatusNotFound {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	page := s.as(access.Operator).get("/workflows/history/1/restore").Body.String()
	if !strings.Contains(page, "What would change from version 2") || !strings.Contains(page, "https://a.example") || !strings.Contains(page, `name="version" value="2"`) {
		t.Error(page)
	}
}

func TestFlowMap(t *testing.T) {
	doc := document(t, `{"s":[{"name":"New","workflowSteps":[{"name":"x","properties":[{"key":"errorstatus","value":"ON HOLD"}]},{"name":"x","properties":[{"key":"ErrorStatus","value":"nowhere"}]}]},
		{"name":"Shipped","mainOrderStatus":"new"},{"name":"On hold","mainOrderStatus":"on hold"}]}`)
	f := (&flowDrawer{doc: doc}).flow(doc, nil, "s")
	if len(f.Map.Edges) != 2 || f.Map.Edges[0].Says != "an error in New leads to On hold" || f.Map.Edges[1].Says != "all shipments in Shipped: the order enters New" {
		t.Errorf("%+v", f.Map.Edges)
	}
	if f.Columns[0].Steps[0].OnErrorAt != "status-2" || f.Columns[0].Steps[1].OnErrorAt != "" {
		t.Errorf("%+v", f.Columns[0].Steps)
	}
	if none := newFlowMap(doc.Objects("s")[2:], f.Columns[2:]); len(none.Nodes) != 0 {
		t.Errorf("a picture of nothing: %+v", none)
	}
}

// TestLargeSettingsAreCut: a page has a number of columns and steps, and says that there
// are more.
func TestLargeSettingsAreCut(t *testing.T) {
	many := strings.Repeat(`{"name":"S","workflowSteps":[`+strings.Repeat(`{"name":"x","connector":"W"},`, 19)+`{"name":"x"}]},`, 200)
	s, _ := settingsSite(t, `{"orderTypes":[{"name":"A","orderStatuses":[`+strings.TrimSuffix(many, ",")+`]}]}`)
	page := s.as(access.Reader).get("/workflows").Body.String()
	if n := strings.Count(page, `class="flow-step`); n != mostSteps {
		t.Errorf("%d steps", n)
	}
	if n := strings.Count(page, `class="flow-column`); n > mostColumns || !strings.Contains(page, "Not all is shown") {
		t.Errorf("%d columns", n)
	}
}

// TestTheLargestSettingsCanBeEdited: the form with all of a document of 4 MiB, which the API
// takes at most, is one that the dashboard takes.
func TestTheLargestSettingsCanBeEdited(t *testing.T) {
	const most = 4 << 20
	var doc strings.Builder
	doc.WriteString(`{"markets":[{"marketId":"M0"}`)
	for i := 1; doc.Len() < most-50; i++ {
		_, _ = fmt.Fprintf(&doc, `,{"marketId":"M%d"}`, i)
	}
	doc.WriteString("]}")
	s, _ := settingsSite(t, doc.String())
	b := s.as(access.Operator)
	if got := b.get("/workflows/edit"); got.Code != http.StatusOK {
		t.Fatalf("%d", got.Code)
	}
	edited := strings.Replace(doc.String(), "M0", "M-new", 1)
	got := b.post("/workflows/edit", url.Values{"version": {"1"}, "json": {edited}})
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "markets[M-new]") || sealIn(got.Body.String()) == "" {
		t.Errorf("%d", got.Code)
	}
}

// TestARefusedFormForgetsSecrets that were typed into it, in a form and as JSON, be it valid
// or not. What was no secret stays.
func TestARefusedFormForgetsSecrets(t *testing.T) {
	const at, edit = "connectors[0]", "/workflows/edit?at=connectors%5B0%5D"
	for name, c := range map[string]struct {
		path string
		form url.Values
		has  []string
	}{
		"form": {edit, url.Values{"f.host": {"https://bad.example"}, "f.bearerToken": {"s3cret-1"}, "r.customHeaders.0.key": {"X-Key"}, "r.customHeaders.0.value": {"s3cret-2"},
			"r.properties.0.key": {"plain"}, "r.properties.0.value": {"stays"}}, []string{"https://bad.example", "X-Key", `value="stays"`, `value="(secret 1, as typed)"`}},
		"JSON":        {edit + "&as=json", url.Values{"json": {`{"name":"Webhook","host":"https://bad.example","bearerToken":"s3cret-1","PASSWORD" : "s3cret-2\"x","customHeaders":[{"key":"X-Key","value":"s3cret-3"}]}`}}, []string{"https://bad.example", "X-Key", "(secret 3, as typed)"}},
		"broken JSON": {edit + "&as=json", url.Values{"json": {"{\"host\":\"https://bad.example\",\"bearerToken\":\"s3cret-1\n"}}, []string{"https://bad.example", `"bearerToken":"(secret 1, as typed)`}},
		"unchanged":   {edit + "&as=json", url.Values{"json": {`{"name":"Webhook","host":"https://bad.example","bearerToken":"***"}`}}, []string{`***`}},
	} {
		s, settings := settingsSite(t, oneConnector)
		settings.refuses, settings.at = "bad.example", "body."+at+".host"
		b := s.as(access.Operator)
		c.form.Set("version", "1")
		c.form.Set("do", "review")
		got := b.post(c.path, c.form)
		page := html.UnescapeString(got.Body.String())
		if got.Code != http.StatusUnprocessableEntity && got.Code != http.StatusBadRequest || strings.Contains(page, "s3cret") {
			t.Errorf("%s: %d: %s", name, got.Code, page)
		}
		for _, text := range c.has {
			if !strings.Contains(page, text) {
				t.Errorf("%s: no %s: %s", name, text, page)
			}
		}
	}
	s := newSite(t)
	asksOf(s, map[string]string{"POST /api/endpoints/1/rotate-secret": `422|{"status":422,"errors":[{"location":"body.secret","message":"is too short"}]}`})
	if page := s.as(access.Operator).post("/endpoints/1/rotate-secret", url.Values{"overlap": {"PT1H"}, "secret": {"s3cret"}}).Body.String(); strings.Contains(page, "s3cret") || !strings.Contains(page, typeAgain) {
		t.Error(page)
	}
}
