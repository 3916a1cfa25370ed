package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
)

// errNoConnector is the failure of an export whose connector was taken out of
// the settings.
var errNoConnector = errors.New("connector not found")

// errNoStep is the failure of an export whose step had headers of its own and was
// taken out of the settings.
var errNoStep = errors.New("the step is gone from the settings, and its headers with it")

// errSettings says that the settings cannot be read now.
var errSettings = errors.New("the settings cannot be read")

// toConnector completes the request of an ExportOrder step with what the
// settings say now about its connector.
func (d *Dispatcher) toConnector(ctx context.Context, tenant string, t *target, e *oms.Event, r *hook.Request) error {
	s, err := d.store.Settings(ctx, tenant)
	if err != nil {
		return fmt.Errorf("%w: %w", errSettings, err)
	}
	to, ok := s.ExportTarget(*t.Connector, oms.ExportMarket(e.Data))
	if !ok {
		return errNoConnector
	}
	r.URL, r.Since = to.URL, s.Version
	if t.Step != nil {
		step := s.ExportStep(*t.Step)
		if step == nil {
			return errNoStep
		}
		r.Header = step.RequestHeaders
	}
	c := to.Connector
	if c == nil {
		return nil
	}
	r.Header = slices.Concat(r.Header, c.CustomHeaders)
	r.BearerToken, r.Token, r.Username, r.Password = c.BearerToken, c.Token, c.Username, c.Password
	r.SigningSecret, r.Timeout = c.SigningSecret, c.Timeout
	return nil
}
