package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

// WebHook is the section webHook of the config file
// (docs/contract.md#order-state-webhook). It makes an endpoint like any other. Only its
// secrets and its TLS settings are not stored in the database, because they are in the
// file. It is read at the start and never changes.
type WebHook struct {
	Tenant  string
	URL     string // the key in its query included
	Secret  string // "": the body is not signed
	Timeout time.Duration
	Trust   *outbound.Trust
	// TrustsAll says that the certificate of an https URL is not verified.
	TrustsAll bool
}

// TrustsAll reports whether the requests of the webHook section of a tenant are sent
// without verifying the certificate (docs/contract.md#order-state-webhook). The dashboard
// and the log warn of it.
func (d *Dispatcher) TrustsAll(tenant string) bool {
	return d.webHook != nil && d.webHook.Tenant == tenant && d.webHook.TrustsAll
}

// webHookID is the id of the endpoint that the section makes.
const webHookID = ids.Endpoint + "webhook"

// signer signs bodies with the secret of the section; it is nil without one.
func (w *WebHook) signer() *outbound.Signer {
	if w.Secret == "" {
		return nil
	}
	return outbound.NewBodySigner(w.Secret)
}

// installWebHook makes the endpoint of the section, or changes it to what the section
// says now. It turns off the endpoints that earlier starts made for other tenants. It is
// called at the start, before any event is delivered.
func (d *Dispatcher) installWebHook(ctx context.Context) error {
	type place struct {
		tenant   string
		endpoint *event.Endpoint
	}
	// What an earlier file has made for another tenant is turned off and not deleted: its
	// deliveries can still be looked at.
	var stale []place
	err := d.store.EveryEndpoint(ctx, func(tenant string, e *event.Endpoint, _ int64) error {
		if e.Origin == event.OriginWebHook && e.Enabled && (d.webHook == nil || d.webHook.Tenant != tenant) {
			stale = append(stale, place{tenant, e})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the endpoints: %w", err)
	}
	// Nearly always there is no section, and then nothing is written.
	if len(stale) == 0 && d.webHook == nil {
		return nil
	}
	return d.store.Write(ctx, func(tx store.Tx) error {
		for _, s := range stale {
			off := *s.endpoint
			now := d.clock.Now()
			off.Enabled, off.Disabled, off.DisabledAt, off.Updated = false, errNoWebHook.Error(), now, now
			if err := tx.PutEndpoint(ctx, s.tenant, &off); err != nil {
				return fmt.Errorf("turn the endpoint of tenant %s off: %w", s.tenant, err)
			}
		}
		if d.webHook == nil {
			return nil
		}
		return d.putWebHook(ctx, tx)
	})
}

// putWebHook stores the endpoint of the section. What the section does not say has its
// default, also if the endpoint existed before. An endpoint that was there keeps its
// number, so its deliveries stay its own.
func (d *Dispatcher) putWebHook(ctx context.Context, tx store.Tx) error {
	now := d.clock.Now()
	e, usual := &event.Endpoint{ID: webHookID, Created: now}, event.DefaultEndpoint()
	was, err := tx.Endpoint(ctx, d.webHook.Tenant, webHookID)
	switch {
	case err == nil:
		// What was read is not changed in place.
		same := *was
		e = &same
	case apierr.KindOf(err) != apierr.NotFound:
		return fmt.Errorf("read the endpoint of tenant %s: %w", d.webHook.Tenant, err)
	}
	e.Origin, e.URL, e.EventTypes, e.Format = event.OriginWebHook, d.webHook.URL, event.WebHookTypes, event.FormatThin
	e.Description = "the webHook section of the config file"
	e.Enabled, e.Disabled, e.DisabledAt, e.Timeout = true, "", time.Time{}, d.webHook.Timeout
	e.Schedule, e.Concurrency, e.Ordering = usual.Schedule, usual.Concurrency, usual.Ordering
	e.Updated = now
	return tx.PutEndpoint(ctx, d.webHook.Tenant, e)
}
