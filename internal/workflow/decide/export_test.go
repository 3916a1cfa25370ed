package decide_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// CONTRACT.md, "Export Order".
func TestExports(t *testing.T) {
	const export = `{"name":"ExportOrder","connector":"erp","properties":[{"key":"Key","value":"v","keyGroup":"RequestHeaders"}]}`
	config := with(workflow(one, export, one), `"connectors":[{"name":"erp","host":"http://erp","connectorId":"7","disableStandardErrorPolicy":true}]`)
	s := inW(t, config).answer(result(``, `{"Tags":["seen"]}`))
	s.is(told{Run: "running", Steps: "Success Success Pending", Order: "W", History: "ExecuteExportOrder"})
	x := s.last.Exports[0]
	equal(t, "exports", len(s.last.Exports), 1)
	equal(t, "step", x.Step, 1)
	sent := parse(t, string(x.Event.Data)).Object("order")
	equal(t, "the order as it is then", strings.Join(sent.Texts("tags"), " ")+" "+sent.Text("version"), strings.Join(s.f.Order.Doc.Texts("tags"), " ")+" "+s.f.Order.Doc.Text("version"))
	equal(t, "connector", *x.Endpoint.Connector, oms.ConnectorRef{Name: "erp", ID: "7"})
	equal(t, "header", x.Endpoint.Headers[0], oms.Header{Name: "Key", Value: "v"})
	equal(t, "no repeats", len(x.Endpoint.Schedule), 0)
	again := inW(t, config).answer(`{}`).last.Exports[0].Endpoint.ID
	equal(t, "one endpoint of a step", again, x.Endpoint.ID)
}
