package decide_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
)

// docs/contract.md#exports.
func TestExports(t *testing.T) {
	const export = `{"name":"ExportOrder","connector":"erp","properties":[{"key":"Key","value":"v","keyGroup":"RequestHeaders"}]}`
	config := with(workflow(one, export, one), `"connectors":[{"name":"erp","host":"http://erp","connectorId":"7","disableStandardErrorPolicy":true}]`)
	s := inW(t, config).answer(result(``, `{"Tags":["seen"]}`))
	s.is(told{Run: "running", Steps: "Success Success Pending", Order: "W", History: "ExecuteExportOrder"})
	x := s.last.Exports[0]
	equal(t, "exports", len(s.last.Exports), 1)
	equal(t, "step", x.Step, 1)
	sent := parse(t, string(x.Event.Data)).Object("order")
	version, _ := sent.Get("version")
	equal(t, "the order as it is then", strings.Join(sent.Texts("tags"), " "), "first seen")
	equal(t, "its version", fmt.Sprint(version), fmt.Sprint(s.f.Order.Version))
	equal(t, "connector", *x.Endpoint.Connector, event.ConnectorRef{Name: "erp", ID: "7"})
	equal(t, "the step whose headers go with it", *x.Endpoint.Step, event.StepRef{OrderType: "Online", Status: "W", Index: 1})
	equal(t, "no secret is in it", len(x.Endpoint.Headers), 0)
	equal(t, "no repeats", len(x.Endpoint.Schedule), 0)
	again := inW(t, config).answer(`{}`).last.Exports[0].Endpoint.ID
	equal(t, "one endpoint of a step", again, x.Endpoint.ID)

	shared := strings.Replace(config, `,"properties":[{"key":"Key","value":"v","keyGroup":"RequestHeaders"}]`, "", 1)
	for config, want := range map[string]bool{
		strings.Replace(config, export, export+","+export, 1): false, // each has its own headers
		strings.Replace(shared, `{"name":"ExportOrder","connector":"erp"}`, `{"name":"ExportOrder","connector":"erp"},{"name":"ExportOrder","connector":"erp"}`, 1): true,
	} {
		x := inW(t, config).answer(`{}`).last.Exports
		equal(t, "one endpoint of two steps", x[0].Endpoint.ID == x[1].Endpoint.ID, want)
	}
}
