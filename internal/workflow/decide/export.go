package decide

import (
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// export takes an ExportOrder step whose turn has come: the order as it is now
// goes out with this decision, and the workflow goes on at once (CONTRACT.md,
// "Export Order").
func (b *builder) export(i int, step *settings.Step, to settings.Target) {
	b.run.Results[i].ActionStatus = oms.ActionSuccess
	if b.doc != b.Order.Doc { // the order that goes out says its version, as finish will
		next := *b.Order
		next.Advance(b.doc, b.Now)
	}
	b.d.Exports = append(b.d.Exports, Export{
		Step:     i,
		Event:    oms.ExportEvent(b.doc, oms.StepScope{ShipmentID: b.run.ShipmentID, ReturnID: b.run.ReturnID}, b.Now),
		Endpoint: b.exportEndpoint(i, step, to),
	})
}

// exportEndpoint is the endpoint behind a step: it only names the connector, and
// the step if that has headers of its own. All else is read from the settings at
// each attempt: what was taken out of them, secrets above all, is sent no more.
func (b *builder) exportEndpoint(i int, step *settings.Step, to settings.Target) *oms.Endpoint {
	ref := to.Ref(step)
	e := &oms.Endpoint{
		Origin: oms.OriginConnector, Connector: &ref, EventTypes: []string{oms.TypeExportOrder}, Format: oms.FormatData, Enabled: true,
		Timeout: oms.DefaultTimeout, Schedule: exportSchedule(to.Connector), Concurrency: oms.DefaultConcurrency, Ordering: oms.OrderingNone,
		Created: b.Now, Updated: b.Now,
	}
	if len(step.RequestHeaders) > 0 {
		e.Step = b.stepRef(i)
	}
	e.ID = oms.ExportEndpointID(ref, e.Step)
	return e
}

// stepRef says where in the settings a step of the run stands.
func (b *builder) stepRef(i int) *oms.StepRef {
	r := b.run.Results[i]
	ref := &oms.StepRef{Status: b.run.EnteredStatus, Index: r.ConfigIndex, DisplayName: r.DisplayName}
	if b.run.ReturnID == "" {
		ref.OrderType = b.Settings.OrderType(b.run.OrderType).Name
	}
	return ref
}

// exportSchedule is when an export is sent again; never, where the connector
// turns retries off.
func exportSchedule(c *settings.Connector) []time.Duration {
	if c != nil && c.DisableStandardErrorPolicy {
		return nil
	}
	return oms.DefaultSchedule
}
