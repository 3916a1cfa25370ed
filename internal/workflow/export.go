package workflow

import (
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// export is what an ExportOrder step sends, and to which endpoint.
type export struct {
	result   *oms.StepResult
	event    *oms.Event
	endpoint *oms.Endpoint // as it has to be
}

// export takes an ExportOrder step whose turn has come: the order as it is now
// goes out with this transition, and the workflow goes on at once (CONTRACT.md,
// "Export Order").
func (t *transition) export(i int, step *settings.Step, to settings.Target) {
	r := &t.run.Results[i]
	if t.tx == nil { // nothing leaves a dry run
		r.ActionStatus = oms.ActionWouldRun
		return
	}
	r.ActionStatus = oms.ActionSuccess
	if t.doc != t.order.Doc { // as saveOrder will
		next := *t.order
		next.Advance(t.doc, t.now)
	}
	t.exports = append(t.exports, export{
		result:   r,
		event:    oms.ExportEvent(t.doc, oms.StepScope{ShipmentID: t.run.ShipmentID, ReturnID: t.run.ReturnID}, t.now),
		endpoint: t.exportEndpoint(r, step, to),
	})
}

// exportEndpoint is the endpoint behind a step: it only names the connector, and
// the step if that has headers of its own. All else is read from the settings at
// each attempt: what was taken out of them, secrets above all, is sent no more.
func (t *transition) exportEndpoint(r *oms.StepResult, step *settings.Step, to settings.Target) *oms.Endpoint {
	ref := to.Ref(step)
	e := &oms.Endpoint{
		Origin: oms.OriginConnector, Connector: &ref, EventTypes: []string{oms.TypeExportOrder}, Format: oms.FormatData, Enabled: true,
		Timeout: oms.DefaultTimeout, Schedule: exportSchedule(to.Connector), Concurrency: oms.DefaultConcurrency, Ordering: oms.OrderingNone,
		Created: t.now, Updated: t.now,
	}
	if len(step.RequestHeaders) > 0 {
		e.Step = t.stepRef(r)
	}
	e.ID = oms.ExportEndpointID(ref, e.Step)
	return e
}

// stepRef says where in the settings a step of the run stands.
func (t *transition) stepRef(r *oms.StepResult) *oms.StepRef {
	ref := &oms.StepRef{Status: t.run.EnteredStatus, Index: r.ConfigIndex, DisplayName: r.DisplayName}
	if t.run.ReturnID == "" {
		ref.OrderType = t.settings.OrderType(t.run.OrderType).Name
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

// sendExports stores the transition's exports, each with a delivery to its endpoint.
func (t *transition) sendExports() error {
	for _, x := range t.exports {
		endpoint, err := t.putEndpoint(x.endpoint)
		if err != nil {
			return err
		}
		if err := t.tx.AddEventFor(t.ctx, t.tenant, x.event, endpoint); err != nil {
			return err
		}
		d := oms.Delivery{DeliveryKey: oms.DeliveryKey{Event: x.event.Seq, Endpoint: endpoint.No}, EventID: x.event.ID}
		x.result.CallID = d.ID()
	}
	return nil
}

// putEndpoint returns the stored endpoint, which it makes if it is not there,
// and brings up to date if the settings have changed.
func (t *transition) putEndpoint(want *oms.Endpoint) (*oms.Endpoint, error) {
	have, err := t.tx.Endpoint(t.ctx, t.tenant, want.ID)
	switch {
	case oms.KindOf(err) == oms.NotFound:
	case err != nil:
		return nil, err
	case sameStep(have.Step, want.Step) && slices.Equal(have.Schedule, want.Schedule):
		return have, nil
	default:
		next := *have
		next.Step, next.Schedule, next.Updated = want.Step, want.Schedule, want.Updated
		want = &next
	}
	return want, t.tx.PutEndpoint(t.ctx, t.tenant, want)
}

func sameStep(a, b *oms.StepRef) bool { return a == b || a != nil && b != nil && *a == *b }
