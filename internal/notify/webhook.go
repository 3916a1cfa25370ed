package notify

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// WebHook is the section of that name in the config file (order-state-webhook.txt).
// It is an endpoint like any other, but that its secrets and TLS settings are
// not stored: they are in the file.
type WebHook struct {
	Tenant  string
	URL     string // with its key
	Secret  string // "": the body is not signed
	Timeout time.Duration
	Trust   *hook.Trust
	// TrustsAll says that no certificate is verified, of a URL that has some.
	TrustsAll bool
}

// TrustsAll reports whether the connections of a tenant's webHook section are to
// whoever answers (CONTRACT.md, "Order-state webhook").
func (d *Dispatcher) TrustsAll(tenant string) bool {
	return d.webHook != nil && d.webHook.Tenant == tenant && d.webHook.TrustsAll
}

// webHookID is the endpoint's id.
const webHookID = oms.EndpointID + "webhook"

func (w *WebHook) signer() *hook.Signer {
	if w.Secret == "" {
		return nil
	}
	return hook.NewBodySigner(w.Secret)
}

// installWebHook makes the endpoint of the section, or changes it to what the
// section says now, and turns off those of earlier starts.
func (d *Dispatcher) installWebHook(ctx context.Context) error {
	type place struct {
		tenant   string
		endpoint *oms.Endpoint
	}
	var stale []place
	err := d.store.EveryEndpoint(ctx, func(tenant string, e *oms.Endpoint) error {
		if e.Origin == oms.OriginWebHook && e.Enabled && (d.webHook == nil || d.webHook.Tenant != tenant) {
			stale = append(stale, place{tenant, e})
		}
		return nil
	})
	if err != nil || len(stale) == 0 && d.webHook == nil {
		return err
	}
	return d.store.Write(ctx, func(tx store.Tx) error {
		for _, s := range stale {
			off := *s.endpoint
			off.Enabled, off.Disabled, off.Updated = false, errNoWebHook.Error(), d.clock.Now()
			if err := tx.PutEndpoint(ctx, s.tenant, &off); err != nil {
				return err
			}
		}
		if d.webHook == nil {
			return nil
		}
		return d.putWebHook(ctx, tx)
	})
}

func (d *Dispatcher) putWebHook(ctx context.Context, tx store.Tx) error {
	now := d.clock.Now()
	e := &oms.Endpoint{ID: webHookID, Created: now}
	was, err := tx.Endpoint(ctx, d.webHook.Tenant, webHookID)
	switch {
	case err == nil:
		same := *was
		e = &same
	case oms.KindOf(err) != oms.NotFound:
		return err
	}
	e.Origin, e.URL, e.EventTypes, e.Format = oms.OriginWebHook, d.webHook.URL, oms.WebHookTypes, oms.FormatThin
	e.Description = "the webHook section of the config file"
	e.Enabled, e.Disabled, e.Timeout = true, "", d.webHook.Timeout
	e.Schedule, e.Concurrency, e.Ordering = oms.DefaultSchedule, oms.DefaultConcurrency, oms.OrderingNone
	e.Updated = now
	return tx.PutEndpoint(ctx, d.webHook.Tenant, e)
}
