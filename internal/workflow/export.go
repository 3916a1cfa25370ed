package workflow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
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

// exportEndpoint is the endpoint behind a step: it only names the connector, of
// which the rest is read from the settings at each attempt. Steps of one
// connector share one, unless they have headers of their own: those are an
// endpoint's, which is the step's alone then.
func (t *transition) exportEndpoint(r *oms.StepResult, step *settings.Step, to settings.Target) *oms.Endpoint {
	ref := to.Ref(step)
	e := &oms.Endpoint{
		Origin: oms.OriginConnector, Connector: &ref, EventTypes: []string{oms.TypeExportOrder}, Format: oms.FormatData, Enabled: true,
		Timeout: oms.DefaultTimeout, Schedule: exportSchedule(to.Connector), Concurrency: oms.DefaultConcurrency, Ordering: oms.OrderingNone,
		Created: t.now, Updated: t.now,
	}
	names := []string{ref.Name, ref.ID}
	if len(step.RequestHeaders) > 0 {
		names = append(names, t.place(r))
	}
	for _, h := range step.RequestHeaders {
		e.Headers = append(e.Headers, oms.Header{Name: h.Name, Value: h.Value})
	}
	hash := sha256.Sum256([]byte(strings.ToLower(strings.Join(names, "\x00")) + "\x00" + ref.Host))
	e.ID = oms.EndpointID + "export_" + hex.EncodeToString(hash[:16])
	return e
}

// place says where in the settings a step of the run stands.
func (t *transition) place(r *oms.StepResult) string {
	list := "returnStatuses"
	if t.run.ReturnID == "" {
		list = t.settings.OrderType(t.run.OrderType).Name
	}
	return fmt.Sprintf("%s\x00%s\x00%d", list, t.run.EnteredStatus, r.ConfigIndex)
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
	case slices.Equal(have.Headers, want.Headers) && slices.Equal(have.Schedule, want.Schedule):
		return have, nil
	default:
		next := *have
		next.Headers, next.Schedule, next.Updated = want.Headers, want.Schedule, want.Updated
		want = &next
	}
	return want, t.tx.PutEndpoint(t.ctx, t.tenant, want)
}
