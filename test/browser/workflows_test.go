package browser

import (
	"fmt"
	"testing"
)

// workflowsOf is settings with something of everything: two order types, returns, a step that
// is off, and one that leads elsewhere after an error.
func workflowsOf(receiver string) string {
	return fmt.Sprintf(`{"markets":[{"marketId":"NOR"},{"marketId":"SWE"}],
	"connectors":[
		{"name":"Webhook","connectorId":"erp","displayName":"ERP","host":"%[1]s/step","bearerToken":"erp-token-of-tests","timeout":"00:00:05","breaker":{"failures":3,"window":"00:01:00","openFor":"00:00:20","whileOpen":"wait"}},
		{"name":"Webhook","connectorId":"fraud","displayName":"Fraud check","host":"%[1]s/fail","customHeaders":[{"key":"X-Api-Key","value":"fraud-key-of-tests"}]},
		{"name":"webhookValidator","connectorId":"stock","displayName":"Stock","host":"%[1]s/cart","enabledForMarkets":["NOR"]}],
	"orderTypes":[
		{"name":"Online","default":true,"orderStatuses":[
			{"name":"New","maxDuration":"00:05:00","workflowSteps":[
				{"name":"WebhookWorkflowStep","displayName":"Price and e-mail check","connector":"Webhook","connectorId":"erp","active":true,"disabledForTags":["trusted"]},
				{"name":"WebhookWorkflowStep","displayName":"Fraud check","connector":"Webhook","connectorId":"fraud","active":false,"stopOnError":true,"conditions":["Success"],"properties":[{"key":"ErrorStatus","value":"OnHold"}]},
				{"name":"WebhookWorkflowStep","displayName":"Loyalty points","connector":"Webhook","runAfterOrderIsSaved":true,"properties":[{"key":"Host","value":"%[1]s/points?shop=1"},{"key":"X-Shop","value":"shop-key-of-tests","keyGroup":"RequestHeaders"}]},
				{"name":"WebhookWorkflowStep","displayName":"Price and e-mail check v2","connector":"Webhook","connectorId":"erp","mode":"shadow","compareWith":"Price and e-mail check"}]},
			{"name":"ReadyToShip","events":["+order_ready"],"workflowSteps":[{"name":"ExportOrder","displayName":"To the warehouse","connector":"Webhook","connectorId":"erp","enabledForMarkets":["NOR"]}]},
			{"name":"Shipped","mainOrderStatus":"Completed","shipmentStatusUpdate":"OnItsWay","workflowSteps":[]},
			{"name":"Completed","workflowSteps":[]},
			{"name":"OnHold","workflowSteps":[]}]},
		{"name":"Store","orderStatuses":[{"name":"New","workflowSteps":[]}]}],
	"returnStatuses":[{"name":"Returned","workflowSteps":[{"name":"WebhookReturnWorkflowStep","displayName":"Pay the money back","connector":"Webhook","connectorId":"erp","stopOnError":true}]}]}`, receiver)
}

const firstStep = "/workflows/edit?at=orderTypes%5B0%5D.orderStatuses%5B0%5D.workflowSteps%5B0%5D"

// TestWorkflowsLook looks at the pages of the settings.
func TestWorkflowsLook(t *testing.T) {
	s := startServer(t)
	s.seed()
	s.call("PUT", "/api/settings", workflowsOf(s.receiver))
	s.call("POST", "/api/orders/ORD-1/status", `{"status":"New"}`)
	shadows, _ := s.call("GET", "/api/workflow-shadows", "")["items"].([]any)
	shadow, _ := shadows[0].(map[string]any)
	for _, l := range looks() {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(adminKey)
			for _, page := range []struct{ name, path, says string }{
				{"workflows", "/workflows", "Price and e-mail check"},
				{"workflows-shadow", "/workflows", "compared with Price and e-mail check"},
				{"promote", fmt.Sprintf("/workflows/shadows/%v/promote", shadow["id"]), "takes the place of Price and e-mail check"},
				{"workflows-returns", "/workflows?tab=returns", "Pay the money back"},
				{"connectors", "/workflows/connectors", "breaker closed"},
				{"step", firstStep, "Not for tags"},
				{"step-json", firstStep + "&as=json", "as JSON"},
				{"connector", "/workflows/edit?at=connectors%5B0%5D", "Bearer token"},
				{"settings-json", "/workflows/edit", "keeps the secret"},
				{"settings-history", "/workflows/history", "in force"},
				{"settings-version", "/workflows/history/2", "What differs from version 1"},
				{"settings-restore", "/workflows/history/1/restore", "becomes the next version"},
				{"settings-remove", "/workflows/remove?at=connectors%5B1%5D", "This takes away the connector Fraud check"},
			} {
				p.visit(page.path)
				p.check(page.name+"-"+l.String(), page.says)
			}
		})
	}
}

// TestAStepIsChanged edits a step in its form: the change, its warnings and what becomes of an
// order are seen before it is stored, with a script and without.
func TestAStepIsChanged(t *testing.T) {
	for _, l := range []look{wide, narrow.withoutScript()} {
		t.Run(l.String(), func(t *testing.T) {
			s := startServer(t)
			s.seed()
			s.call("PUT", "/api/settings", workflowsOf(s.receiver))
			p := open(t, s.url, l)
			p.signIn(s.key("operator"))
			p.visit("/workflows")
			p.click(`.flow-step a[href*="workflowSteps%5B0%5D"]`)
			p.fill("f.connectorId", "gone")
			p.fill("f.enabledForMarkets", "SWE")
			p.fill("orderId", "ORD-1")
			p.click(`button[value="review"]`)
			if !l.noScript { // axe-core is a script
				p.check("step-review-"+l.String(), "What would change, as version 3")
			}
			p.says("orderTypes[Online].orderStatuses[New].workflowSteps[Price and e-mail check].connectorId", `no connector has the id "gone"`, "Skipped", "WouldRun")
			p.fill("f.connectorId", "fraud")
			p.click(`button[value="save"]`)
			p.says("What would change, as version 3") // what was changed since was not seen yet
			if v := s.call("GET", "/api/settings/history", "")["items"].([]any)[0].(map[string]any)["version"]; v != 2.0 {
				t.Errorf("what nobody had seen was stored, as version %v", v)
			}
			p.click(`button[value="save"]`)
			p.says("Saved.", "What differs from version 2", "fraud")
			p.visit("/workflows")
			p.says("only markets SWE")
		})
	}
}

// TestSettingsByKeyboard reaches a step of the flow, changes it and stores it with keys alone.
func TestSettingsByKeyboard(t *testing.T) {
	s := startServer(t)
	s.call("PUT", "/api/settings", workflowsOf(s.receiver))
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.visit("/workflows")
	p.until(`document.querySelector(".live-state")?.textContent === "live"`)
	// Not the first step: a shadow names that one, which therefore cannot be renamed alone.
	p.focus(`.flow-column li:nth-child(3) .flow-step .name a`)
	p.press("\r")
	p.waitFor(`form.settings-form`)
	p.focus(`[name="f.displayName"]`)
	p.press("!\r")
	p.waitFor("#review")
	p.focus(`button[value="save"]`)
	p.press("\r")
	p.waitFor(".notice")
	p.says("Saved.", "!")
}

// TestSettingsAreRestored brings an earlier version back, and removes what it had.
func TestSettingsAreRestored(t *testing.T) {
	s := startServer(t)
	s.seed()
	s.call("PUT", "/api/settings", workflowsOf(s.receiver))
	p := open(t, s.url, wide)
	p.signIn(s.key("operator"))
	p.visit("/workflows/connectors")
	p.click(`a[href="/workflows/remove?at=connectors%5B2%5D"]`)
	p.says("This takes away the connector Stock", "connectors[stock]")
	p.click(`button[value="save"]`)
	p.says("Saved.")
	p.visit("/workflows/history")
	p.click(`a[href="/workflows/history/2/restore"]`)
	p.click("form.confirm button")
	p.says("in force again", "connectors[stock]")
	if at := p.at(); at != "/workflows/history/4?done=restored" {
		t.Error(at)
	}
}
