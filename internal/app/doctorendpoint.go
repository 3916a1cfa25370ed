package app

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// endpoints looks at each endpoint, and how it has been doing.
func (t *tenantDoctor) endpoints(ctx context.Context) error {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := t.st.Endpoints(ctx, t.tenant, store.EndpointFilter{}, page)
		if err != nil {
			return err
		}
		// An endpoint whose health cannot be read ends the look with an error: that says
		// something of the database, and nothing of the endpoint.
		for _, e := range list.Items {
			if err := t.endpoint(ctx, e); err != nil {
				return err
			}
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return nil
		}
	}
}

// failingLong is how long an endpoint may do nothing but fail before somebody is told: an hour
// is longer than a receiver takes to start again.
const failingLong = time.Hour

// endpoint looks whether an endpoint is on and gets through, and whether its URL, its secrets
// and its certificates could be used today. One that somebody turned off is meant to be off:
// its Disabled is "".
func (t *tenantDoctor) endpoint(ctx context.Context, e *event.Endpoint) error {
	name := "endpoint " + e.ID + " to " + weburl.PublicURL(e.URL)
	switch {
	case !e.Enabled && e.Disabled != "":
		t.found(foundOff, t.tenant, "%s is off: %s", name, e.Disabled)
	case e.Enabled:
		h, err := t.st.Health(ctx, t.tenant, e.No)
		if err != nil {
			return err
		}
		// FailingSince is zero where the endpoint does not fail. A failure or two
		// within a short time are no finding, since the server tries again.
		if !h.FailingSince.IsZero() && (h.Consecutive >= store.FailuresInTrouble || t.Now.Sub(h.FailingSince) > failingLong) {
			t.found(foundFailing, t.tenant, "%s has failed %d times in a row since %s: %s", name, h.Consecutive, h.FailingSince.UTC().Format(time.RFC3339), h.LastError)
		}
	}
	if e.Connector != nil { // which has all else, and is looked at itself
		return nil
	}
	// An endpoint that is off is not called, so it may lead anywhere.
	if u, err := url.Parse(e.URL); err == nil && e.Enabled {
		if why := t.guard.Refusal(u); why != "" {
			t.found(foundSettings, t.tenant, "%s: %s", name, why)
		}
	}
	secrets := headerSecrets(e.Headers)
	secrets["signingKey"] = e.SigningKey
	// A secret whose overlap is over by now signs nothing, so it does not matter whether it
	// opens.
	for i, s := range e.LiveSecrets(t.Now) {
		secrets[fmt.Sprintf("secrets[%d]", i)] = s.Value
	}
	if e.TLS != nil {
		secrets["tls.key"] = e.TLS.Key
		t.pem(name+": tls.certificate", e.TLS.Certificate)
		t.pem(name+": tls.ca", e.TLS.CA)
	}
	t.secrets(ctx, name, e.URL, secrets)
	// Nobody waits for an endpoint that is off, so its server is left alone.
	if e.Enabled {
		t.online(ctx, name, e.URL)
	}
	return nil
}

// pem looks at the certificates in a text; one that is no text of certificates was refused
// when it came in.
func (t *tenantDoctor) pem(what, text string) {
	all, _ := outbound.CertificatesIn([]byte(text))
	for _, c := range all {
		t.lookAtCertificate(t.tenant, what, c)
	}
}
