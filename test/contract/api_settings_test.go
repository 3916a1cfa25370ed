package contract

import (
	"strings"
	"testing"
)

// secretive is settings with a secret in every place that can hold one.
const secretive = `{"connectors":[{"Name":"Webhook","ConnectorId":"c1","Host":"https://one.example.com/a","BearerToken":"t0p-s3cret-value1","Token":"t0p-s3cret-value2",
 "Username":"me","Password":"t0p-s3cret-value3","SigningSecret":"t0p-s3cret-value4","CustomHeaders":[{"Key":"X-One","Value":"t0p-s3cret-value5"}]}],
 "orderTypes":[{"Name":"Online","Default":true,"OrderStatuses":[{"Name":"New","WorkflowSteps":[{"name":"WebhookWorkflowStep","Connector":"Webhook","active":false,
  "Properties":[{"Key":"Host","Value":"https://two.example.com/b"},{"Key":"X-Two","Value":"t0p-s3cret-value6","KeyGroup":"RequestHeaders"},{"Key":"Plain","Value":"shown"}]}]}]}]}`

const aStep = "orderTypes[0].orderStatuses[0].workflowSteps[0]."

func TestNoAnswerTellsASecretOfTheSettings(t *testing.T) {
	r := start(t)
	r.call("PUT", "/api/settings", secretive).want(200).says(topSecret)
	r.call("POST", "/api/settings/check", secretive).want(200).says(topSecret)
	for _, path := range []string{"/api/settings", "/api/settings/1"} {
		a := r.get(path).says(topSecret)
		for _, place := range []string{"connectors[0].bearerToken", "connectors[0].token", "connectors[0].password", "connectors[0].signingSecret",
			"connectors[0].customHeaders[0].value", aStep + "properties[1].value"} {
			a.is(place, "***")
		}
		a.is("connectors[0].username", "me").is(aStep+"properties[0].value", "https://two.example.com/b").is(aStep+"properties[2].value", "shown")
	}
	r.get("/api/settings/history").says(topSecret)
	equals(t, "what the database holds", remains(t, r.path, topSecret), []string{})
	for _, bad := range []string{
		strings.Replace(secretive, `"Connector":"Webhook",`, ``, 1), strings.Replace(secretive, "https://one", "ftp://t0p-s3cret-value", 1),
		strings.Replace(secretive, "value5", `value5\n`, 1), strings.Replace(secretive, `"t0p-s3cret-value3"`, `["t0p-s3cret-value3"]`, 1), secretive + "x", secretive[:300],
	} {
		if a := r.call("PUT", "/api/settings", bad).says(topSecret); a.Status/100 != 4 {
			t.Errorf("%d for %s", a.Status, bad)
		}
	}
	if strings.Contains(r.log.String(), topSecret) {
		t.Errorf("the log tells a secret: %s", r.log)
	}
}

func TestSettingsAsShownSendTheSameSecrets(t *testing.T) {
	s := answering(t, success)
	r := start(t)
	r.settings(with(config(status("New", step{Headers: header("X-Step", topSecret)})), connectors(connector(s.URL+"/a", `,"BearerToken":"`+topSecret+`"`))))
	r.post(`{"id":"before"}`)
	shown := string(r.get("/api/settings").Raw)
	r.settings(strings.Replace(shown, s.URL+"/a", s.URL+"/b", 1)) // another path of the same origin
	r.post(`{"id":"after"}`)
	same(t, "tokens", s.each("Authorization"), []string{"Bearer " + topSecret, "Bearer " + topSecret})
	same(t, "headers", s.each("X-Step"), []string{topSecret, topSecret})
	equals(t, "paths", s.paths(), []string{"/a", "/b"})
	r.get("/api/settings/1").is("connectors[0].host", s.URL+"/a").is("connectors[0].bearerToken", "***")
	r.get("/api/settings/2").is("connectors[0].host", s.URL+"/b").is("connectors[0].bearerToken", "***")
	before := r.settingsStored()
	for _, origin := range []string{"http://evil.example.com", "https://" + strings.TrimPrefix(s.URL, "http://"), "http://127.0.0.1:1"} {
		changed := strings.ReplaceAll(string(r.get("/api/settings").Raw), s.URL, origin)
		for _, call := range []string{"PUT /api/settings", "POST /api/settings/check"} {
			r.callOf(call, changed).problem(422, "body.connectors[0].bearerToken", "body."+aStep+"properties[0].value")
		}
	}
	r.call("PUT", "/api/settings", `{"connectors":[{"name":"new","host":"http://a","token":"***"}]}`).problem(422, "body.connectors[0].token")
	equals(t, "what is stored", r.settingsStored(), before)
}

func TestACheckOfSettingsStoresNothing(t *testing.T) {
	r, _ := furnished(t)
	before := r.stored()
	doc := `{"MARKETS":[{"MarketID":"NOR"}],"ORDERTYPES":[{"NAME":"Online","ORDERSTATUSES":[{"name":"New","WORKFLOWSTEPS":[{"NAME":"webhookworkflowstep","CONNECTOR":"Fax","EnabledForMarkets":["SWE"]}]}]}]}`
	a := r.call("POST", "/api/settings/check", doc).want(200).is("version", nil)
	a.is("warnings[0].path", aStep+"enabledForMarkets[0]").is("warnings[1].path", aStep+"connector").is("warnings[2]", nil)
	equals(t, "what is stored", r.stored(), before)
	put := r.call("PUT", "/api/settings", doc).want(200).is("version", 2)
	equals(t, "warnings", put.at("warnings"), a.at("warnings"))
	r.get("/api/settings").is("orderTypes[0].orderStatuses[0].workflowSteps[0].connector", "Fax").is("markets[0].marketId", "NOR")
	r.call("PUT", "/api/settings", `{}`).want(200).is("warnings[0].path", "orderTypes").is("warnings[1]", nil)
	r.call("PUT", "/api/settings", `{}`).want(200).is("warnings", []string{})
}

func TestEveryErrorInSettingsNamesItsPath(t *testing.T) {
	r := start(t)
	r.settings(secretive)
	before := r.settingsStored()
	for name, c := range map[string]struct{ doc, place string }{
		"a step without a name":              {strings.Replace(secretive, `"name":"WebhookWorkflowStep",`, "", 1), aStep + "name"},
		"a webhook step without a connector": {strings.Replace(secretive, `"Connector":"Webhook",`, "", 1), aStep + "connector"},
		"a Host that is no URL":              {strings.Replace(secretive, "https://two.example.com", "two.example.com", 1), aStep + "properties[0].value"},
		"a Host that is no http":             {strings.Replace(secretive, "https://one", "file://one", 1), "connectors[0].host"},
		"a Timeout of no sense":              {strings.Replace(secretive, `"Username"`, `"Timeout":"soon","Username"`, 1), "connectors[0].timeout"},
		"two connectors of one id":           {strings.Replace(secretive, `"connectors":[`, `"connectors":[{"name":"A","host":"http://a","connectorId":"C1"},`, 1), "connectors[1].connectorId"},
		"a list that is none":                {`{"connectors":{}}`, "connectors"},
		"two order types":                    {`{"orderTypes":[{"name":"a"},{"name":"A"}]}`, "orderTypes[1].name"},
	} {
		t.Run(name, func(t *testing.T) {
			r := r.in(t)
			r.call("PUT", "/api/settings", c.doc).problem(422, "body."+c.place).says(topSecret)
			r.call("POST", "/api/settings/check", c.doc).problem(422, "body."+c.place).says(topSecret)
		})
	}
	equals(t, "what is stored", r.settingsStored(), before)
}

func (r *rig) settingsStored() string {
	r.t.Helper()
	return string(r.get("/api/settings").Raw) + string(r.get("/api/settings/history").Raw)
}

func TestSettingsHistorySaysWhoAndWhen(t *testing.T) {
	r := start(t)
	me := r.get("/api/me").text("id")
	r.settings(`{"markets":[{"marketId":"A"}],"myOwn":{"kept":0.10}}`)
	r.settings(`{}`)
	r.get("/api/settings/history").is("items[0].version", 2).is("items[1].version", 1).is("items[1].by", "key "+me).is("items[1].created", "2026-11-21T09:00:00Z").is("items[2]", nil)
	named := r.call("POST", "/api/keys", `{"role":"operator","name":"ERP team"}`).want(201)
	r.as(named.text("key")).settings(`{"markets":[]}`)
	r.get("/api/settings/history").is("items[0].keyName", "ERP team")
	r.call("DELETE", "/api/keys/"+named.text("id"), "").want(204)
	r.get("/api/settings/history").is("items[0].by", "key "+named.text("id")).is("items[0].keyName", nil)
	r.get("/api/settings/1").is("markets[0].marketId", "A").is("myOwn.kept", number("0.10"))
	r.get("/api/settings/2").is("markets", nil)
}

// TestSettingsOfVeryManyStepsAreRefusedAtOnce: with one error that names the limit.
func TestSettingsOfVeryManyStepsAreRefusedAtOnce(t *testing.T) {
	r := lease(t)
	steps := strings.TrimSuffix(strings.Repeat("{},", 1_000_000), ",")
	doc := `{"orderTypes":[{"name":"d","orderStatuses":[{"name":"x","workflowSteps":[` + steps + `]}]}]}`
	for _, call := range []string{"PUT /api/settings", "POST /api/settings/check"} {
		method, path, _ := strings.Cut(call, " ")
		if a := r.call(method, path, doc).want(422); len(a.Raw) > 1000 || !strings.Contains(string(a.Raw), "at most 10000") {
			t.Errorf("%s: %s", call, a.Raw[:min(len(a.Raw), 500)])
		}
	}
}
