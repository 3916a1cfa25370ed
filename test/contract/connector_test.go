package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#connectors.

// shop is settings of the given connectors, each called at a path of its own
// (its place in the list), with two groups of markets.
func shop(s step, url string, fields ...string) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = fmt.Sprintf(`{"Host":"%s/%d",%s}`, url, i, f)
	}
	groups := `"marketGroups":[{"groupId":"nordics","marketIds":["NOR","SWE"]},{"groupId":"empty","marketIds":[]}]`
	return with(with(config(status("New", s)), connectors(all...)), groups)
}

func TestConnectorChoice(t *testing.T) {
	const webhook, erp = `"Name":"Webhook"`, `"Name":"Erp"`
	for _, row := range []struct {
		name       string
		step       step
		connectors []string
		called     string // the path, "" for connector not found
	}{
		{"by Name alone", step{}, []string{erp, webhook}, "/1"},
		{"by Name in any case", step{Connector: "WEBHOOK"}, []string{erp, `"name":"webhook"`}, "/1"},
		{"another Name", step{}, []string{erp}, ""},
		{"by ConnectorId", step{ID: "b"}, []string{webhook + `,"ConnectorId":"a"`, webhook + `,"ConnectorId":"b"`}, "/1"},
		{"ConnectorId in any case", step{ID: "My-Service"}, []string{webhook, webhook + `,"connectorid":"my-service"`}, "/1"},
		{"ConnectorId over Name", step{ID: "b"}, []string{webhook, erp + `,"ConnectorId":"b"`}, "/1"},
		{"ConnectorId over market", step{ID: "b"}, []string{webhook + `,"EnabledForMarkets":["NOR"]`, webhook + `,"ConnectorId":"b"`}, "/1"},
		{"ConnectorId not found, never another one", step{ID: "gone"}, []string{webhook, webhook + `,"ConnectorId":"a"`}, ""},
		{"ConnectorId whose market is excluded, never another one", step{ID: "b"}, []string{webhook, webhook + `,"ConnectorId":"b","DisabledForMarkets":["NOR"]`}, ""},
		{"ConnectorId enabled for another market", step{ID: "b"}, []string{webhook + `,"ConnectorId":"b","EnabledForMarkets":["SWE"]`}, ""},
		{"market over Name", step{}, []string{webhook, webhook + `,"EnabledForMarkets":["NOR"]`}, "/1"},
		{"market in any case", step{}, []string{webhook, webhook + `,"EnabledForMarkets":["nor"]`}, "/1"},
		{"another market's is set aside", step{}, []string{webhook + `,"EnabledForMarkets":["SWE"]`, webhook}, "/1"},
		{"no connector for the market", step{}, []string{webhook + `,"EnabledForMarkets":["SWE"]`}, ""},
		{"disabled beats enabled", step{}, []string{webhook + `,"EnabledForMarkets":["NOR"],"DisabledForMarkets":["NOR"]`, webhook}, "/1"},
		{"the group of the market", step{}, []string{webhook, webhook + `,"EnabledForMarketGroups":["nordics"]`}, "/1"},
		{"the disabled group of the market", step{}, []string{webhook + `,"DisabledForMarketGroups":["Nordics"]`}, ""},
		{"disabled group beats enabled market", step{}, []string{webhook + `,"EnabledForMarkets":["NOR"],"DisabledForMarketGroups":["nordics"]`}, ""},
		{"empty lists mean everywhere", step{}, []string{webhook + `,"EnabledForMarkets":[],"DisabledForMarkets":[],"EnabledForMarketGroups":[]`}, "/0"},
		{"a group without markets admits none", step{}, []string{webhook + `,"EnabledForMarketGroups":["empty"]`}, ""},
		{"the first of several", step{}, []string{webhook + `,"ConnectorId":"a"`, webhook + `,"ConnectorId":"b"`}, "/0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(shop(row.step, s.URL, row.connectors...))
			res := r.post(order)
			equals(t, "called", strings.Join(s.paths(), " "), row.called)
			res.is("orderActionExecutionResults[0].actionStatus", map[bool]string{true: "Error", false: "Success"}[row.called == ""])
		})
	}
}

func TestAnOrderWithoutAMarket(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(shop(step{}, s.URL, `"Name":"Webhook","EnabledForMarkets":["NOR"]`, `"Name":"Webhook","DisabledForMarkets":["NOR"]`))
	r.post(`{"id":"ORD-12345"}`)
	equals(t, "called", s.paths(), []string{"/1"})
}

func TestConnectorNotFoundIsAnErrorAndTheWorkflowGoesOn(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(fmt.Sprint("StopOnError ", stop), func(t *testing.T) {
			s := answering(t, success)
			r, res := placed(t, step{ID: "gone", Stop: stop, ErrorStatus: "Unchecked"}, step{Host: s.URL})
			res.is("isAborted", false).is("order.status", "New")
			const reason = "connector not found: Webhook with the ConnectorId gone"
			res.is("orderActionExecutionResults[0].actionStatus", "Error").is("orderActionExecutionResults[0].errorReason", reason)
			res.is("orderActionExecutionResults[0].attempts", 0).is("orderActionExecutionResults[1].actionStatus", "Success")
			res.is("order.errors[0].key", "WebhookWorkflowStep").is("order.errors[0].message", ofStep(1, 2, reason))
			e := r.entry("WorkflowStepFailed")
			equals(t, "entry", fmt.Sprint(e.Message, e.IsError, e.Step, e.RunID == res.at("runId")), ofStep(1, 2, reason)+"trueWebhookWorkflowSteptrue")
			equals(t, "called", len(s.got()), 1)
		})
	}
}

func TestOwnHostReplacesTheConnectors(t *testing.T) {
	for _, row := range []struct {
		name string
		id   string
		auth string
		most string
	}{
		{"without ConnectorId nothing of the connector applies", "", "", "4"},
		{"with ConnectorId all else of the connector applies", "b", "Bearer bear", "1"},
		{"with a ConnectorId that is not found", "gone", "", "4"},
	} {
		t.Run(row.name, func(t *testing.T) {
			own, other, r := answering(t, ""), answering(t, ""), lease(t)
			r.settings(shop(step{Host: own.URL + "/mine", ID: row.id}, other.URL,
				`"Name":"Webhook","ConnectorId":"b","BearerToken":"bear","SigningSecret":"s","CustomHeaders":[{"key":"X-Shop","value":"nord"}],"DisableStandardErrorPolicy":true`))
			r.post(order).is("orderActionExecutionResults[0].actionStatus", "Success")
			got := own.only(t)
			equals(t, "called", fmt.Sprint(got.Path, len(other.got())), "/mine0")
			equals(t, "Authorization", got.Header.Get("Authorization"), row.auth)
			equals(t, "X-Max-Delivery-Count", got.Header.Get("X-Max-Delivery-Count"), row.most)
			equals(t, "of the connector", got.Header.Get("X-Shop") != "" && got.Header.Get("Webhook-Signature") != "", row.id == "b")
		})
	}
}
