package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// applyEndpoint makes, changes or removes an endpoint. What the file does not say of one
// that is there stays as it is.
func (a *application) applyEndpoint(ctx context.Context, tx store.Tx, want wantedEndpoint) error {
	was, err := a.endpoint(ctx, tx, want.name)
	switch {
	case err != nil:
		return err
	case want.absent && was == nil:
		return nil
	case want.absent:
		a.differs(true, "endpoint %q: is removed", want.name)
		a.found.Differences[len(a.found.Differences)-1].More = -1
		a.action = "delete-endpoint"
		return tx.DeleteEndpoint(ctx, a.Tenant, was.ID)
	case was == nil:
		return a.newEndpoint(ctx, tx, want)
	}
	return a.changeEndpoint(ctx, tx, was, want)
}

// endpoint returns the endpoint of a description, nil if there is none. Two of them are an
// error: nobody can tell which one is meant. Endpoints of connectors and of the config file
// are not looked at.
func (a *application) endpoint(ctx context.Context, tx store.Tx, description string) (found *event.Endpoint, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		// The list comes from memory, so it costs little to look through it for each
		// endpoint of the file.
		list, err := tx.Endpoints(ctx, a.Tenant, store.EndpointFilter{}, page)
		if err != nil {
			return nil, fmt.Errorf("read the endpoints: %w", err)
		}
		for _, e := range list.Items {
			// Others follow the settings or the config file, and are not a file's to
			// change.
			if e.Description != description || e.Origin != event.OriginAPI {
				continue
			}
			if found != nil {
				return nil, UserErrorf("two endpoints have the description %q: %s and %s", description, found.ID, e.ID)
			}
			found = e
		}
		// All pages are read: two of the same description must not go unnoticed.
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return found, nil
		}
	}
}

// checks are what the API checks an endpoint by, so that a file cannot store what a call
// could not.
func (a *application) checks(ctx context.Context) event.EndpointChecks {
	return api.EndpointChecks(ctx, a.client, a.Tenant)
}

// newEndpoint makes an endpoint, as the API does. The file has to have its secret: one that
// was made here would have to be shown, and a file is applied where nobody looks.
func (a *application) newEndpoint(ctx context.Context, tx store.Tx, want wantedEndpoint) error {
	// A new endpoint has no stored secret that could stay.
	if want.secret == "" {
		return UserErrorf("secret is needed: nobody would know one that was made")
	}
	e, err := event.NewEndpoint(want.doc.Clone().With("secret", want.secret), a.checks(ctx), a.now)
	if err != nil {
		return err
	}
	// The server makes the keys that the endpoint wants for its signatures and lacks, as
	// for a call.
	api.AddKeys(e)
	a.differs(true, "endpoint %q: is made", want.name)
	a.found.Differences[len(a.found.Differences)-1].More = 1
	a.action = "create-endpoint"
	return tx.PutEndpoint(ctx, a.Tenant, e)
}

// changeEndpoint changes an endpoint if it differs. A secret that is another one is
// rotated: the one of before also signs for a while, so that the receiver can be changed
// later (docs/contract.md#signing). The ordering cannot be changed so, because pending
// deliveries follow it by a job.
func (a *application) changeEndpoint(ctx context.Context, tx store.Tx, was *event.Endpoint, want wantedEndpoint) error {
	next, err := was.Changed(a.withStoredSecrets(ctx, want.doc.Clone(), was), a.checks(ctx), a.now)
	if err != nil {
		return err
	}
	// An endpoint that wants other signatures now may lack a key for them.
	api.AddKeys(next)
	if live := next.LiveSecrets(a.now); want.secret != "" && (len(live) == 0 || !a.st.SecretIs(ctx, a.Tenant, live[0].Value, want.secret)) {
		is := func(v secret.Value) bool { return a.st.SecretIs(ctx, a.Tenant, v, want.secret) }
		// A secret that is rotated is not in the document that Changed has checked.
		if why := a.checks(ctx).Secret(want.secret); why != "" {
			return UserErrorf("secret %s", why)
		}
		if next, err = next.Rotated(want.secret, is, event.DefaultOverlap, a.now); err != nil {
			return err
		}
	}
	fields := next.ChangedFields(was)
	if len(fields) == 0 {
		return nil
	}
	// The fields are in one order, so that two runs say the same.
	slices.Sort(fields)
	a.differs(true, "endpoint %q: %s", want.name, strings.Join(fields, ", "))
	// A dry run shows it as a difference and as an error, so that nothing is applied
	// before.
	if next.Ordering != was.Ordering {
		return UserErrorf("ordering cannot be changed here while deliveries may be pending: change it through the API, PATCH /api/endpoints/%s", was.ID)
	}
	a.action = "patch-endpoint"
	return tx.PutEndpoint(ctx, a.Tenant, next)
}

// withStoredSecrets puts *** in the place of each secret of the file that is stored as it
// is: else it would be stored as another one each time, and the endpoint would seem
// changed. If the URL leads to another origin, all secrets are given anew: those that are
// stored may not go there.
func (a *application) withStoredSecrets(ctx context.Context, doc *jsondoc.Object, was *event.Endpoint) *jsondoc.Object {
	if weburl.URLOrigin(doc.Text("url")) != weburl.URLOrigin(was.URL) {
		return doc
	}
	if headers := doc.Object("headers"); headers != nil {
		for _, h := range was.Headers {
			// Names of headers are compared without regard to case.
			if at := headers.Find(h.Name); at >= 0 {
				if text, ok := headers.Members()[at].Value.(string); ok && a.st.SecretIs(ctx, a.Tenant, h.Value, text) {
					headers.SetValue(at, secret.Mask)
				}
			}
		}
	}
	if tls := doc.Object("tls"); tls != nil && was.TLS.Certificate == tls.Text("certificate") && a.st.SecretIs(ctx, a.Tenant, was.TLS.Key, tls.Text("key")) {
		tls.Set("key", secret.Mask)
	}
	return doc
}
