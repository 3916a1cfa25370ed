package settings

import "github.com/orderhook/orderhook/internal/spelling"

// returnStatuses are where WebhookReturnWorkflowStep applies
// (docs/contract.md#which-steps-run).
var returnStatuses = []string{"Returned", "PartiallyReturned"}

// warnStep notes what of a step is allowed and yet does nothing, or may be a
// slip of the pen. None of it is an error: settings grow in steps, and may name what comes
// later.
func (p *parser) warnStep(n node, st *Step, status string, returns bool) {
	if _, known := stepKey(st.Name); !known && st.Name != "" {
		n.warn(n.path("name"), "there is no step %q%s", clip(st.Name), n.meant(st.Name, stepKeys))
	}
	if st.Name == WebhookReturnStep {
		warnReturnStep(n, status, returns)
	}
	switch {
	case st.Name == ExportOrderStep && (st.StopOnError || st.ErrorStatus != ""):
		n.warn(n.path("stopOnError"), "%s goes on at once and waits for no answer, so StopOnError and ErrorStatus do nothing", ExportOrderStep)
	case st.ErrorStatus != "" && !st.StopOnError:
		n.warn(n.path("stopOnError"), "is not set, so ErrorStatus is never used")
	}
	p.warnConnector(n, st)
}

// warnReturnStep notes a return step that stands where it never runs.
func warnReturnStep(n node, status string, returns bool) {
	switch {
	case !returns:
		n.warn(n.path("name"), "%s runs in return workflows only, so it never runs here", WebhookReturnStep)
	case !contains(returnStatuses, status):
		n.warn(n.path("name"), "%s runs in Returned and PartiallyReturned only, so it never runs here", WebhookReturnStep)
	}
}

// attemptHeader counts the attempts of an export. No two-way call has it, so
// there it is a header like any other.
const attemptHeader = "X-Attempt"

// warnHeader notes a header that an export sets itself.
func warnHeader(n node, st *Step) {
	if st.Name == ExportOrderStep && spelling.SameName(n.obj.Text("key"), attemptHeader) {
		n.warn(n.path("key"), "%s is the number of the attempt in an export, so this one is not sent", attemptHeader)
	}
}

// warnConnector notes a step that names a connector which is not there. The step goes on
// without it, as docs/contract.md#connectors has it.
func (p *parser) warnConnector(n node, st *Step) {
	switch {
	case st.ConnectorID != "":
		if p.ids.has(st.ConnectorID) {
			return
		}
		if st.Host != "" {
			n.warn(n.path("connectorId"), "no connector has the id %q, so only the step's own Host and headers are used", clip(st.ConnectorID))
			return
		}
		n.warn(n.path("connectorId"), "no connector has the id %q%s", clip(st.ConnectorID), n.hint(p.ids, st.ConnectorID))
	// With a Host of its own, a step needs no connector.
	case st.Connector != "" && st.Host == "" && !p.connectorNames.has(st.Connector):
		n.warn(n.path("connector"), "no connector is named %q%s", clip(st.Connector), n.hint(p.connectorNames, st.Connector))
	}
}
