package contract

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// docs/contract.md#settings: `${NAME}` in a value of the settings.

// environment is that of every orderhook here.
func environment(name string) (string, bool) {
	value, set := map[string]string{"ORDERHOOK_SECRET_ERP": topSecret, "ORDERHOOK_ENCRYPTION_KEY": "s3cret", "SHOP_MARKET": "NOR", "HOME": "/s3cret"}[name]
	return value, set
}

func TestAVariableIsLookedUpWhenSettingsAreStored(t *testing.T) {
	s := answering(t, "")
	r := start(t)
	doc := with(config(status("New", step{ID: "erp", Headers: header("X-Step", "${ORDERHOOK_SECRET_ERP}") + prop("Text", "$${HOME} costs $5"), More: `,"enabledForMarkets":["${SHOP_MARKET}"]`})),
		connectors(connector(s.URL, `,"ConnectorId":"erp","BearerToken":"${ORDERHOOK_SECRET_ERP}"`)))
	r.call("POST", "/api/settings/check", doc).want(200).says(topSecret)
	r.call("PUT", "/api/settings", doc).want(200).says(topSecret)
	r.post(order)
	equals(t, "token", s.only(t).Header.Get("Authorization"), "Bearer "+topSecret)
	equals(t, "header", s.only(t).Header.Get("X-Step"), topSecret)
	is(t, s.only(t).Body, "WorkflowStep.Properties[0].Value", "${HOME} costs $5")
	shown := r.get("/api/settings").says(topSecret).is("connectors[0].bearerToken", "***").is(aStep+"enabledForMarkets[0]", "NOR")
	equals(t, "what the database holds", remains(t, r.path, topSecret), []string{})
	r.settings(string(shown.Raw))
	again := r.get("/api/settings")
	equals(t, "sent back as it was shown", string(again.Raw), string(shown.Raw))
	r.call("POST", theOrder+"/status", `{"status":"New"}`).want(200)
	same(t, "tokens", s.each("Authorization"), []string{"Bearer " + topSecret, "Bearer " + topSecret})
	is(t, s.got()[1].Body, "WorkflowStep.Properties[0].Value", "${HOME} costs $5")
}

// An operator is not the owner of the server's environment.
func TestVariablesThatSettingsMayNotName(t *testing.T) {
	r := start(t)
	r.addKey("operator-of-acme-0123", "acme", access.Operator)
	before := r.settingsStored()
	const token = `{"connectors":[{"name":"W","host":"https://me.example.com","token":"${NAME}"}]}`
	for _, row := range []struct{ doc, name, place, says string }{
		{token, "ORDERHOOK_SECRET_NONE", "body.connectors[0].token", "is not set"},
		{token, "ORDERHOOK_ENCRYPTION_KEY", "body.connectors[0].token", "never given out"},
		{token, "HOME", "body.connectors[0].token", "--settings-variables"},
		{token, "NO_SUCH", "body.connectors[0].token", "--settings-variables"},
		{`{"connectors":[{"name":"W","host":"https://h/${NAME}"}]}`, "ORDERHOOK_SECRET_ERP", "body.connectors[0].host", "only in the place of a secret"},
		{`{"connectors":[{"name":"${NAME}","host":"https://h"}]}`, "ORDERHOOK_SECRET_ERP", "body.connectors[0].name", "only in the place of a secret"},
		{`{"my":{"own":["${NAME}"]}}`, "ORDERHOOK_SECRET_ERP", "body.my.own[0]", "only in the place of a secret"},
		{workflowOf(`{"name":"WebhookWorkflowStep","connector":"W","properties":[{"key":"X","value":"${NAME}","keyGroup":"RequestHeader"}]}`), "ORDERHOOK_SECRET_ERP", "body." + aStep + "properties[0].value", "only in the place of a secret"},
		{`{"note":"${NAME"}`, "SHOP_MARKET", "body.note", "begins no variable"},
	} {
		doc := strings.ReplaceAll(row.doc, "NAME", row.name)
		for _, call := range []string{"PUT /api/settings", "POST /api/settings/check"} {
			a := r.callOf(call, doc).problem(422, row.place).says(topSecret, "/s3cret")
			if !strings.Contains(string(a.Raw), row.says) {
				t.Errorf("%s: %s", doc, a.Raw)
			}
		}
	}
	acme := r.as("operator-of-acme-0123")
	acme.call("PUT", "/api/settings", strings.ReplaceAll(token, "NAME", "ORDERHOOK_SECRET_ERP")).problem(422, "body.connectors[0].token")
	acme.call("PUT", "/api/settings", `{"note":"${SHOP_MARKET}"}`).problem(422, "body.note")
	equals(t, "what is stored", r.settingsStored(), before)
}
