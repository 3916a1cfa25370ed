package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#settings.

func TestWhichStepsRun(t *testing.T) {
	types := func(url string) string {
		t := func(name, more, path string) string {
			return fmt.Sprintf(`{"name":%q%s,"orderStatuses":[%s]}`, name, more, status("New", step{Host: url + path}))
		}
		return `{"orderTypes":[` + t("Online", "", "/online") + "," + t("Store", `,"default":true`, "/store") + `]}`
	}
	for _, row := range []struct{ name, settings, order, called string }{
		{"the order's type", "", `{"id":"A","orderType":"Online"}`, "/online"},
		{"the order's type in any case", "", `{"id":"A","orderType":"ONLINE"}`, "/online"},
		{"a type nobody names: the default", "", `{"id":"A","orderType":"Wholesale"}`, "/store"},
		{"no type: the default", "", `{"id":"A"}`, "/store"},
		{"none marked as default: the first", `,"default":true`, `{"id":"A"}`, "/online"},
		{"no status: New", "", `{"id":"A","orderType":"Online"}`, "/online"},
		{"the status in any case", "", `{"id":"A","orderType":"Online","status":"nEW"}`, "/online"},
		{"a status that settings do not name", "", `{"id":"A","orderType":"Online","status":"Parked"}`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(strings.Replace(types(s.URL), row.settings, "", min(1, len(row.settings))))
			r.post(row.order).is("isAborted", false)
			equals(t, "called", strings.Join(s.paths(), " "), row.called)
		})
	}
}

func TestActiveStepsRunInOrder(t *testing.T) {
	s := answering(t, "")
	r := lease(t)
	off := strings.Replace(step{Host: s.URL + "/off"}.String(), `"active":true`, `"active":false`, 1)
	unsaid := strings.Replace(step{Host: s.URL + "/unsaid"}.String(), `"active":true,`, ``, 1)
	r.settings(workflowOf(step{Host: s.URL + "/1"}.String() + "," + off + "," + step{Host: s.URL + "/2"}.String() + "," + unsaid))
	r.post(order).is("orderActionExecutionResults[2].actionStatus", "Success").is("orderActionExecutionResults[3]", nil)
	equals(t, "called", s.paths(), []string{"/1", "/2", "/unsaid"})
}

func TestASettingsDocumentInAnyLetterCase(t *testing.T) {
	s := answering(t, canceled)
	for _, change := range []func(string) string{strings.ToLower, strings.ToUpper} {
		r := lease(t)
		doc := config(status("NEW", step{ID: "SERVICE", Stop: true, ErrorStatus: "REFUSED", Headers: header("X-WAREHOUSE", "OSLO")}))
		doc = with(doc, connectors(`{"Name":"WEBHOOK","ConnectorId":"SERVICE","BearerToken":"TOP","Host":"HOST"}`))
		doc = strings.NewReplacer("TRUE", "true", "FALSE", "false", "HOST\"}", s.URL+"\"}", "host\"}", s.URL+"\"}").Replace(change(doc))
		r.settings(doc)
		res := r.post(order).is("isAborted", true)
		if got := res.at("order.status"); !strings.EqualFold(got.(string), "refused") {
			t.Errorf("status %v", got)
		}
	}
	for _, got := range s.got() {
		equals(t, "headers", strings.ToLower(got.Header.Get("Authorization")+got.Header.Get("X-Warehouse")), "bearer toposlo")
	}
	equals(t, "calls", len(s.got()), 2)
}

func TestAStepNeedsAConnector(t *testing.T) {
	r := lease(t)
	for _, field := range []string{"", `"Connector":"",`, `"Connector":null,`, `"Connector":"  ",`} {
		doc := workflowOf(strings.Replace(step{Host: "https://example.com"}.String(), `"Connector":"Webhook",`, field, 1))
		r.call("PUT", "/api/settings", doc).want(422).
			is("errors[0].location", "body.orderTypes[0].orderStatuses[0].workflowSteps[0].connector")
	}
}

func TestAConnectorThatIsNotActiveIsRefused(t *testing.T) {
	r := lease(t)
	for _, field := range []string{`,"active":false`, `,"isActive":false`, `,"enabled":false`} {
		r.call("PUT", "/api/settings", `{`+connectors(connector("https://example.com", field))+`}`).want(422)
	}
	r.call("PUT", "/api/settings", `{`+connectors(connector("https://example.com", `,"active":true`))+`}`).want(200)
}

func TestWhatIsOnlyShownIsStoredAndSent(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	const shown = `,"translateKey":"steps.fraud","displayName":"Fraud check","implementations":["IStep"]`
	r.settings(with(config(status("New", step{Host: s.URL, More: shown})), connectors(connector("https://example.com", shown))))
	r.post(order).is("orderActionExecutionResults[0].translateKey", "steps.fraud")
	settings := r.get("/api/settings")
	for _, at := range []string{"orderTypes[0].orderStatuses[0].workflowSteps[0].", "connectors[0]."} {
		settings.is(at+"translateKey", "steps.fraud").is(at+"displayName", "Fraud check").is(at+"implementations", []string{"IStep"})
	}
	for path, want := range map[string]any{"TranslateKey": "steps.fraud", "DisplayName": "Fraud check", "Implementations": []string{"IStep"}} {
		is(t, s.only(t).Body, "WorkflowStep."+path, want)
	}
}

// docs/contract.md#which-steps-run and docs/contract.md#settings.
func TestTheStepDescribesItself(t *testing.T) {
	steps := lease(t).get("/api/workflow-steps")
	steps.is("items[0].key", "WebhookWorkflowStep").is("items[0].group", "Export").is("items[0].applicableStatuses", []string{"All"})
	listed := map[string]string{}
	for _, p := range steps.doc().Objects("items")[0].Objects("properties") {
		fallback, _ := p.Get("default")
		listed[p.Text("name")] = fmt.Sprint(p.Text("type"), " ", p.True("required"), " ", fallback)
	}
	for name, want := range map[string]string{
		"connector": "string true <nil>", "connectorId": "string false <nil>", "runAfterOrderIsSaved": "bool false false",
		"stopOnError": "bool false false", "translateKey": "string false <nil>",
	} {
		equals(t, name, listed[name], want)
	}
}

func TestStepsThatDoNotRunInOrderWorkflows(t *testing.T) {
	s := answering(t, "")
	r, res := placed(t, step{Name: "WebhookReturnWorkflowStep", Host: s.URL + "/return"}, step{Name: "NoSuchStep", Host: s.URL + "/none"}, step{Host: s.URL + "/order"})
	res.is("orderActionExecutionResults[0].step", "WebhookWorkflowStep").is("orderActionExecutionResults[1]", nil)
	equals(t, "called", s.paths(), []string{"/order"})
	equals(t, "skipped in the history", len(r.history("WorkflowStepSkipped")), 2)
}
