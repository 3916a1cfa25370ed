package dash

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

func init() { maps.Copy(answers, settingsAnswers) }

// settingsAnswers are what the fake API says of settings: two versions, with hostile texts
// in every field.
var settingsAnswers = map[string]string{
	"GET /api/settings/history": `{"items":[{"version":2,"created":"2026-11-28T10:00:00Z","by":"HOSTILE"},{"version":1,"created":"2026-11-28T09:00:00Z","by":"HOSTILE"}],"nextCursor":"HOSTILE"}`,
	"GET /api/settings/1":       `{"HOSTILE":"HOSTILE","orderTypes":[]}`,
	"GET /api/settings/2":       fakeSettings,
	"POST /api/settings/check": `{"warnings":[{"path":"HOSTILE","message":"HOSTILE"},{"path":"orderTypes[0].orderStatuses[0].workflowSteps[0].connector","message":"HOSTILE"}],
		"dryRun":` + fakeResult + `}`,
	"PUT /api/settings":             `{"version":2,"warnings":[]}`,
	"POST /api/settings/1/restore":  `{"version":2,"warnings":[]}`,
	"POST /api/orders/ORD-1/status": fakeResult,
	"GET /api/workflow-steps": `{"items":[{"key":"HOSTILE","group":"HOSTILE","applicableStatuses":["HOSTILE"],"description":"HOSTILE",
		"properties":[{"name":"HOSTILE","description":"HOSTILE"}],"listedProperties":[{"name":"HOSTILE","keyGroup":"HOSTILE","description":"HOSTILE"}]}]}`,
	"GET /api/connectors/health": `{"items":[{"name":"HOSTILE","connectorId":"HOSTILE","breaker":{"circuit":"HOSTILE","openUntil":"2026-11-28T10:00:00Z"},"succeeded":3,"failed":2,
		"lastSuccess":"2026-11-28T10:00:00Z","lastFailure":"2026-11-28T10:00:00Z","lastError":"HOSTILE"}]}`,
}

const fakeResult = `{"isAborted":true,"reason":"HOSTILE","order":{"status":"HOSTILE"},"orderActionExecutionResults":[{"step":"HOSTILE","displayName":"HOSTILE","actionStatus":"HOSTILE","errorReason":"HOSTILE"}]}`

const fakeSettings = `{"HOSTILE":"HOSTILE",
	"connectors":[{"name":"HOSTILE","connectorId":"HOSTILE","displayName":"HOSTILE","host":"HOSTILE","bearerToken":"***","timeout":"HOSTILE","enabledForMarkets":["HOSTILE"],
		"breaker":{"failures":3,"window":"HOSTILE","openFor":"HOSTILE","whileOpen":"HOSTILE"},"customHeaders":[{"key":"HOSTILE","value":"***"}],"properties":[{"key":"HOSTILE","value":"HOSTILE"}]}],
	"orderTypes":[{"name":"HOSTILE","default":true,"disableWorkflow":true,"orderStatuses":[
		{"name":"HOSTILE","maxDuration":"HOSTILE","events":["HOSTILE"],"mainOrderStatus":"Other","workflowSteps":[
			{"name":"HOSTILE","displayName":"HOSTILE","connector":"HOSTILE","connectorId":"HOSTILE","stopOnError":true,"active":false,"conditions":["HOSTILE"],
			 "enabledForTags":["HOSTILE"],"properties":[{"key":"HOSTILE","value":"HOSTILE","keyGroup":"HOSTILE"},{"key":"Host","value":"HOSTILE"},{"key":"ErrorStatus","value":"Other"}]}]},
		{"name":"Other","workflowSteps":[]}]}],
	"returnStatuses":[{"name":"HOSTILE","workflowSteps":[{"name":"HOSTILE","connector":"HOSTILE"}]}]}`

// editedPlaces are a place of each kind that has a form.
var editedPlaces = []string{"", "connectors[0]", "connectors[+]", "orderTypes[0]", "orderTypes[+]", "orderTypes[0].orderStatuses[0]", "orderTypes[0].orderStatuses[+]",
	"orderTypes[0].orderStatuses[0].workflowSteps[0]", "orderTypes[0].orderStatuses[1].workflowSteps[+]", "returnStatuses[0]", "returnStatuses[0].workflowSteps[0]"}

func TestSettingsAreShownAsTexts(t *testing.T) {
	b := newSite(t).as(access.Operator)
	paths := []string{"/workflows?type=" + url.QueryEscape(hostile), "/workflows?tab=returns", "/workflows/history/2?with=1", "/workflows/edit?at=" + url.QueryEscape(hostile)}
	for _, at := range editedPlaces {
		paths = append(paths, place1(t, at).edit(), with(&url.URL{Path: "/workflows/edit"}, "at", at, "as", "json"), place1(t, at).remove())
	}
	for _, path := range paths {
		got := b.get(path)
		if got.Code >= 500 {
			t.Errorf("%s: %d", path, got.Code)
		}
		harmless(t, got.Body.String())
	}
	for _, at := range editedPlaces {
		form := url.Values{"version": {"2"}, "f.name": {hostile}, "f.events": {hostile}, "f.host": {hostile}, "r.properties.0.key": {hostile}, "r.properties.9.key": {hostile}, "json": {`{"name":"` + escapedHostile() + `"}`},
			"orderId": {"ORD-1"}, "status": {hostile}, "returnId": {hostile}}
		for _, as := range []string{"", "json"} {
			got := b.post(with(&url.URL{Path: "/workflows/edit"}, "at", at, "as", as), form)
			if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "What would change, as version 3") {
				t.Errorf("%q %s: %d %s", at, as, got.Code, got.Body)
			}
			harmless(t, got.Body.String())
		}
	}
}

func place1(t *testing.T, text string) place {
	t.Helper()
	p, err := parsePlace(text)
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != text {
		t.Errorf("%q is shown as %q", text, p)
	}
	return p
}
