package decide

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
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

// exportEndpoint is the endpoint behind a step: it only names the connector, of
// which the rest is read from the settings at each attempt. Steps of one
// connector share one, unless they have headers of their own: those are an
// endpoint's, which is the step's alone then.
func (b *builder) exportEndpoint(i int, step *settings.Step, to settings.Target) *oms.Endpoint {
	ref := to.Ref(step)
	e := &oms.Endpoint{
		Origin: oms.OriginConnector, Connector: &ref, EventTypes: []string{oms.TypeExportOrder}, Format: oms.FormatData, Enabled: true,
		Timeout: oms.DefaultTimeout, Schedule: exportSchedule(to.Connector), Concurrency: oms.DefaultConcurrency, Ordering: oms.OrderingNone,
		Created: b.Now, Updated: b.Now,
	}
	names := []string{ref.Name, ref.ID}
	if len(step.RequestHeaders) > 0 {
		names = append(names, b.place(i))
	}
	for _, h := range step.RequestHeaders {
		e.Headers = append(e.Headers, oms.Header{Name: h.Name, Value: h.Value})
	}
	hash := sha256.Sum256([]byte(strings.ToLower(strings.Join(names, "\x00")) + "\x00" + ref.Host))
	e.ID = oms.EndpointID + "export_" + hex.EncodeToString(hash[:16])
	return e
}

// place says where in the settings a step of the run stands.
func (b *builder) place(i int) string {
	list := "returnStatuses"
	if b.run.ReturnID == "" {
		list = b.Settings.OrderType(b.run.OrderType).Name
	}
	return fmt.Sprintf("%s\x00%s\x00%d", list, b.run.EnteredStatus, b.run.Results[i].ConfigIndex)
}

// exportSchedule is when an export is sent again; never, where the connector
// turns retries off.
func exportSchedule(c *settings.Connector) []time.Duration {
	if c != nil && c.DisableStandardErrorPolicy {
		return nil
	}
	return oms.DefaultSchedule
}
