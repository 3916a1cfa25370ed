package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/export"
	"github.com/orderhook/orderhook/internal/outbound"
)

// errNoConnector is the error of an export whose connector was removed from the settings.
var errNoConnector = errors.New("connector not found")

// errNoStep is the error of an export whose step had headers of its own and was removed
// from the settings.
var errNoStep = errors.New("the step is gone from the settings, and its headers with it")

// errSettings says that the settings cannot be read at the moment. It says nothing about
// the connector, so it is no failed attempt.
var errSettings = errors.New("the settings cannot be read")

// toConnector returns the request of an ExportOrder step, with what the settings say now
// about its connector: they may have changed after the event was made. No secret and no
// address is stored with the event, so what was taken out of the settings is not sent
// (docs/contract.md#exports).
func (d *Dispatcher) toConnector(ctx context.Context, tenant string, t *target, e *event.Event) (outbound.Request, error) {
	s, err := d.store.Settings(ctx, tenant)
	if err != nil {
		return outbound.Request{}, fmt.Errorf("%w: %w", errSettings, err)
	}
	to, ok := s.ExportTarget(*t.Connector, export.Market(e.Data))
	if !ok {
		return outbound.Request{}, errNoConnector
	}
	var header []event.Header
	// Only a step with headers of its own has an endpoint that names it.
	if t.Step != nil {
		step := s.ExportStep(*t.Step)
		if step == nil {
			return outbound.Request{}, errNoStep
		}
		header = step.RequestHeaders
	}
	return outbound.ToConnector(tenant, to, header, s.Version), nil
}
