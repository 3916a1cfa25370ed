package decide

import (
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/export"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// exportStep takes an ExportOrder step whose turn has come: the order as it is now
// goes out with this decision, and the workflow goes on at once (docs/contract.md#exports).
// There is no call whose end the run would have to wait for: the delivery is stored with
// the decision, and the queue of its endpoint sends it.
func (b *runBuilder) exportStep(i int, step *settings.Step, to settings.Target) {
	r := &b.run.Results[i]
	r.ActionStatus = run.ActionSuccess
	if b.doc != b.Order.Doc { // the order that goes out says its version, as finish will
		next := *b.Order
		next.Advance(b.doc, b.Now)
	}
	// Steps without headers of their own share the endpoint of their connector. One that
	// has some needs an endpoint that names the step, so that no other step's export
	// carries them.
	var own *event.StepRef
	if len(step.RequestHeaders) > 0 {
		own = &event.StepRef{Status: b.run.EnteredStatus, Index: r.ConfigIndex, DisplayName: r.DisplayName}
		// The statuses of returns belong to no order type.
		if b.run.ReturnID == "" {
			own.OrderType = b.Settings.OrderType(b.run.OrderType).Name
		}
	}
	b.d.Exports = append(b.d.Exports, Export{
		Step:     i,
		Event:    export.NewEvent(b.doc, order.StepScope{ShipmentID: b.run.ShipmentID, ReturnID: b.run.ReturnID}, b.Now),
		Endpoint: exportEndpoint(to.Ref(step), own, to.Connector, b.Now),
	})
}

// exportEndpoint is the endpoint behind a step: it only names the connector, and
// the step if that has headers of its own. All else is read from the settings at
// each attempt: what was taken out of them, secrets above all, is sent no more.
func exportEndpoint(ref event.ConnectorRef, own *event.StepRef, c *settings.Connector, now time.Time) *event.Endpoint {
	e := event.DefaultEndpoint()
	e.ID, e.Origin, e.Connector, e.Step = event.ExportEndpointID(ref, own), event.OriginConnector, &ref, own
	e.EventTypes, e.Format, e.Signatures, e.Created, e.Updated = []string{event.TypeExportOrder}, event.FormatData, nil, now, now
	if c != nil && c.DisableStandardErrorPolicy {
		e.Schedule = nil // the connector turns retries off
	}
	return e
}
