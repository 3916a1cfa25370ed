package contract

import (
	"fmt"
	"strings"
	"testing"
)

// CONTRACT.md, "Configuration".

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
			s, r := answering(t, ""), start(t)
			r.settings(strings.Replace(types(s.URL), row.settings, "", min(1, len(row.settings))))
			r.post(row.order).is("isAborted", false)
			equals(t, "called", strings.Join(s.paths(), " "), row.called)
		})
	}
}

func TestActiveStepsRunInOrder(t *testing.T) {
	s := answering(t, "")
	r := start(t)
	off := strings.Replace(step{Host: s.URL + "/off"}.String(), `"active":true`, `"active":false`, 1)
	unsaid := strings.Replace(step{Host: s.URL + "/unsaid"}.String(), `"active":true,`, ``, 1)
	r.settings(workflowOf(step{Host: s.URL + "/1"}.String() + "," + off + "," + step{Host: s.URL + "/2"}.String() + "," + unsaid))
	r.post(order).is("orderActionExecutionResults[2].actionStatus", "Success").is("orderActionExecutionResults[3]", nil)
	equals(t, "called", s.paths(), "[/1 /2 /unsaid]")
}

func TestASettingsDocumentInAnyLetterCase(t *testing.T) {
	s := answering(t, canceled)
	for _, change := range []func(string) string{strings.ToLower, strings.ToUpper} {
		r := start(t)
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

func TestLimitsOfAStep(t *testing.T) {
	const groups = `"marketGroups":[{"groupId":"nordics","marketIds":["NOR","SWE"]},{"groupId":"baltics","marketIds":["EST"]}]`
	for _, row := range []struct {
		limits string
		runs   bool
	}{
		{`"enabledForMarkets":["NOR"]`, true},
		{`"EnabledForMarkets":["swe","nor"]`, true},
		{`"enabledForMarkets":["SWE"]`, false},
		{`"enabledForMarkets":[]`, true},
		{`"disabledForMarkets":["NOR"]`, false},
		{`"disabledForMarkets":["SWE"]`, true},
		{`"enabledForMarkets":["NOR"],"disabledForMarkets":["NOR"]`, false},
		{`"enabledForMarketGroups":["nordics"]`, true},
		{`"enabledForMarketGroups":["baltics"]`, false},
		{`"disabledForMarketGroups":["nordics"]`, false},
		{`"enabledForMarkets":["NOR"],"disabledForMarketGroups":["nordics"]`, false},
		{`"enabledForStores":["oslo-city"]`, true},
		{`"enabledForStores":["bergen"]`, false},
		{`"disabledForStores":["oslo-city"]`, false},
		{`"enabledForStores":["oslo-city"],"disabledForStores":["OSLO-CITY"]`, false},
		{`"enabledForTags":["first","other"]`, true},
		{`"enabledForTags":["other"]`, false},
		{`"disabledForTags":["first"]`, false},
		{`"enabledForTags":["first"],"disabledForTags":["first"]`, false},
		{`"enabledForMarkets":["NOR"],"enabledForStores":["oslo-city"],"enabledForTags":["first"]`, true},
		{`"enabledForMarkets":["NOR"],"enabledForStores":["bergen"]`, false},
	} {
		t.Run(row.limits, func(t *testing.T) {
			s, r := answering(t, ""), start(t)
			r.settings(with(config(status("New", step{Host: s.URL, More: "," + row.limits})), groups))
			res := r.post(order).is("isAborted", false)
			equals(t, "runs", len(s.got()) == 1, row.runs)
			equals(t, "skipped in the history", len(r.history("WorkflowStepSkipped")), map[bool]int{true: 0, false: 1}[row.runs])
			res.is("orderActionExecutionResults[0].actionStatus", map[bool]any{true: "Success", false: nil}[row.runs])
		})
	}
}

func TestLimitsSeeWhatEarlierStepsChanged(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["fraud"],"StoreId":"bergen"}`), "")
	placed(t, step{Host: s.URL + "/1"}, step{Host: s.URL + "/2", More: `,"disabledForTags":["fraud"]`}, step{Host: s.URL + "/3", More: `,"enabledForStores":["bergen"]`})
	equals(t, "called", s.paths(), "[/1 /3]")
}

func TestConditions(t *testing.T) {
	const (
		ok      = success
		warning = `{"OrderActionExecutionResults":[{"ActionStatus":"Warning"}]}`
		failed  = `{"OrderActionExecutionResults":[{"ActionStatus":"Error"}]}`
	)
	for _, row := range []struct {
		name, conditions string
		before           []string
		runs             bool
	}{
		{"Success after successes", `["Success"]`, []string{ok, ok}, true},
		{"Success as the first step", `["success"]`, nil, true},
		{"Success after a warning", `["Success"]`, []string{ok, warning}, false},
		{"Success after an error", `["Success"]`, []string{failed, ok}, false},
		{"Error after an error", `["Error"]`, []string{failed, ok}, true},
		{"Error after successes", `["Error"]`, []string{ok}, false},
		{"Error after a warning", `["Error"]`, []string{warning}, false},
		{"Warning after a warning", `["Warning"]`, []string{ok, warning, ok}, true},
		{"Warning after successes", `["Warning"]`, []string{ok}, false},
		{"Success or Warning", `["Success","Warning"]`, []string{warning}, true},
		{"none", `[]`, []string{failed}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			last := answering(t, "")
			steps := []step{}
			for _, body := range row.before {
				steps = append(steps, step{Host: answering(t, body).URL})
			}
			placed(t, append(steps, step{Host: last.URL, More: `,"conditions":` + row.conditions})...)
			equals(t, "runs", len(last.got()) == 1, row.runs)
		})
	}
}

func TestAStepNeedsAConnector(t *testing.T) {
	r := start(t)
	for _, field := range []string{"", `"Connector":"",`, `"Connector":null,`, `"Connector":"  ",`} {
		doc := workflowOf(strings.Replace(step{Host: "https://example.com"}.String(), `"Connector":"Webhook",`, field, 1))
		r.call("PUT", "/api/settings", doc).want(422).
			is("errors[0].location", "body.orderTypes[0].orderStatuses[0].workflowSteps[0].connector")
	}
}

func TestWhatIsOnlyShownIsKeptAndSent(t *testing.T) {
	s, r := answering(t, ""), start(t)
	const shown = `,"translateKey":"steps.fraud","displayName":"Fraud check","implementations":["IStep"]`
	r.settings(with(config(status("New", step{Host: s.URL, More: shown})), connectors(connector("https://example.com", shown))))
	r.post(order).is("orderActionExecutionResults[0].translateKey", "steps.fraud")
	settings := r.get("/api/settings")
	for _, at := range []string{"orderTypes[0].orderStatuses[0].workflowSteps[0].", "connectors[0]."} {
		settings.is(at+"translateKey", "steps.fraud").is(at+"displayName", "Fraud check").is(at+"implementations", "[IStep]")
	}
	for path, want := range map[string]string{"TranslateKey": "steps.fraud", "DisplayName": "Fraud check", "Implementations": "[IStep]"} {
		is(t, s.only(t).Body, "WorkflowStep."+path, want)
	}
}
