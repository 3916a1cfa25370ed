package app

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// tenantDoctor looks at what a tenant has.
type tenantDoctor struct {
	*Doctor
	st     store.Store
	guard  outbound.Guard
	client *outbound.Client
	tenant string
	asked  map[string]bool // the origins whose servers have shown their certificates, or to which a tenant got no connection
}

// settings takes the stored settings through the checks that new ones have to pass today, and
// looks whether the secrets of connectors may go where these lead.
func (t *tenantDoctor) settings(ctx context.Context) error {
	s, err := t.st.Settings(ctx, t.tenant)
	// Version 0 means that nobody has stored settings, and the defaults have no errors.
	if err != nil || s.Version == 0 {
		return err
	}
	// Literal is set because the stored texts have the values of variables already. Refused
	// asks the guard of today, which may be stricter than the one of that time.
	_, warnings, err := settings.Incoming{Doc: s.Document(), Stored: s, Literal: true, Refused: t.guard.Refusal}.Check()
	if e, ok := err.(*apierr.Error); ok {
		for _, f := range e.Fields {
			t.found(foundSettings, t.tenant, "settings: %s %s", f.Location, f.Message)
		}
	} else if err != nil {
		// Any other error means that the settings could not be checked, which says nothing
		// about them.
		return err
	}
	for _, w := range warnings {
		t.found(foundSettings, t.tenant, "settings: %s %s", w.Path, w.Message)
	}
	for i := range s.Connectors {
		if err := t.connector(ctx, &s.Connectors[i]); err != nil {
			return err
		}
	}
	// The headers of a step may be secrets, too, and a step may lead elsewhere than its
	// connector.
	for _, o := range s.OrderTypes {
		for _, status := range o.Statuses {
			t.steps(ctx, s, "order type "+o.Name+", status "+status.Name, status.Steps)
		}
	}
	for _, status := range s.ReturnStatuses {
		t.steps(ctx, s, "return status "+status.Name, status.Steps)
	}
	return nil
}

// connector looks whether the secrets of a connector would be sent, when the certificate of
// its server ends, and how its newest calls went. Whether its breaker is open only a server
// knows (breakers).
func (t *tenantDoctor) connector(ctx context.Context, c *settings.Connector) error {
	name := "connector " + c.Label()
	// The names are those of the fields, so that a finding says which field is wrong.
	secrets := map[string]secret.Value{"bearerToken": c.BearerToken, "token": c.Token, "password": c.Password, "signingSecret": c.SigningSecret}
	maps.Copy(secrets, headerSecrets(c.CustomHeaders))
	t.secrets(ctx, name, c.Host, secrets)
	t.online(ctx, name, c.Host)
	attempts, err := t.newest(ctx, c)
	// Fewer attempts say little: the receiver may just have been started again.
	if err != nil || len(attempts) < fewAttempts {
		return err
	}
	// One success among them is enough, since what answers there has worked a short time ago.
	for _, at := range attempts {
		if at.Outcome == attempt.OutcomeSucceeded {
			return nil
		}
	}
	// The list has the newest attempt first, so the first one is the last call.
	t.found(foundConnector, t.tenant, "%s: the newest %d calls failed, the last at %s: %s", name, len(attempts), attempts[0].StartedAt.UTC().Format(time.RFC3339), attempts[0].Error)
	return nil
}

// fewAttempts is how many calls of a connector must have failed, and none succeeded since.
// A receiver that is started again fails for a few calls, so one failure is not enough.
const fewAttempts = 5

// newest returns the newest attempts of a connector, at most fewAttempts of them. It returns
// none for a connector without an id whose Host is no URL.
func (t *tenantDoctor) newest(ctx context.Context, c *settings.Connector) ([]*attempt.Attempt, error) {
	f := store.AttemptFilter{ConnectorID: c.ConnectorID}
	if c.ConnectorID == "" { // its attempts are known by where they went
		u, err := url.Parse(c.Host)
		if err != nil || u.Host == "" {
			return nil, nil
		}
		f.Host = u.Host
	}
	if c.ConnectorID != "" {
		list, err := t.st.Attempts(ctx, t.tenant, f, store.Page{Limit: fewAttempts})
		return list.Items, err
	}
	// Others may be called at the same host: connectors with an id, and endpoints of events.
	// What these came to says nothing of this one.
	list, err := t.st.Attempts(ctx, t.tenant, f, store.Page{Limit: store.MaxLimit})
	own := slices.DeleteFunc(list.Items, func(a *attempt.Attempt) bool { return a.ConnectorID != "" || a.Kind == attempt.KindEvent })
	return own[:min(len(own), fewAttempts)], err
}

// headerSecrets returns the values of headers by their names. All of them are taken for
// secrets, since nobody can tell which ones are.
func headerSecrets(list []event.Header) map[string]secret.Value {
	all := map[string]secret.Value{}
	for _, h := range list {
		all["header "+h.Name] = h.Value
	}
	return all
}

// steps looks at the headers of the steps of a status, which go where the step's own Host
// leads, or its connector. A connector of some markets alone is looked at for these.
func (t *tenantDoctor) steps(ctx context.Context, s *settings.Settings, of string, all []settings.Step) {
	// The market "" is that of orders without one.
	markets := []string{""}
	for i := range s.Connectors {
		markets = append(markets, s.Connectors[i].EnabledForMarkets...)
	}
	// Several markets often lead to one URL, and its secrets are then looked at once.
	for i := range all {
		st, urls := &all[i], map[string]bool{}
		for _, market := range markets {
			to, found := s.Target(st, market)
			// A step without a target sends nothing, so none of its secrets has to be opened.
			if !found || urls[to.URL] {
				continue
			}
			urls[to.URL] = true
			t.secrets(ctx, of+": step "+cmp.Or(st.DisplayName, st.Name), to.URL, headerSecrets(st.RequestHeaders))
		}
	}
}

// secrets looks whether stored secrets would be sent.
func (t *tenantDoctor) secrets(ctx context.Context, of, to string, all map[string]secret.Value) {
	for place, v := range all {
		// A secret that was given for another origin is not sent, nor is one that the
		// encryption key does not open.
		if err := t.client.CheckSecret(ctx, t.tenant, to, place, v); err != nil {
			t.found(foundSecret, t.tenant, "%s: %v", of, err)
		}
	}
}

// online asks the server of a URL for its certificate, once.
func (t *tenantDoctor) online(ctx context.Context, of, to string) {
	u, err := url.Parse(to)
	origin := weburl.URLOrigin(to)
	own := t.tenant + " " + origin // that of one tenant may be refused to another one
	if !t.Online || err != nil || u.Scheme != "https" || t.asked[origin] || t.asked[own] {
		return
	}
	// It is noted before the server is asked. A server that does not answer costs a tenant the
	// time of one timeout, and not one for each endpoint.
	t.asked[own] = true
	if t.way.Proxy.Carries(u) {
		t.skip("the certificate of %s, of %s: it is reached through --proxy", hostOf(u), of)
		return
	}
	shown, err := t.guard.CertificateOf(ctx, t.way.Resolver, u)
	if err != nil {
		t.skip("the certificate of %s, of %s: %v", hostOf(u), of, err)
		return
	}
	// The server shows all tenants the same certificate, so the others need not ask again.
	t.asked[origin] = true
	t.lookAtCertificate(t.tenant, "the certificate of "+hostOf(u)+", of "+of, shown)
}

// keys looks for keys that expire.
func (t *tenantDoctor) keys(ctx context.Context) error {
	lasting := false // an admin's key that does not expire soon
	// A tenant without any admin's key is no finding: then nobody expects to make keys through
	// the API.
	var admins []access.Key
	err := eachPage(ctx, func(p store.Page) (store.List[access.Key], error) { return t.st.Keys(ctx, t.tenant, p) }, func(k access.Key) {
		if k.Role == access.Admin {
			admins = append(admins, k)
			lasting = lasting || !k.ExpiresSoon(t.Now)
		}
		name := strings.TrimSpace("key " + k.ID + " " + k.Name)
		switch {
		// An expired key is still stored. A caller that uses it is refused, and may not know
		// why.
		case k.Expired(t.Now):
			t.found(foundKey, t.tenant, "%s (%s) expired at %s", name, k.Role, k.ExpiresAt.UTC().Format(time.RFC3339))
		case k.ExpiresSoon(t.Now):
			t.found(foundKey, t.tenant, "%s (%s) expires at %s", name, k.Role, k.ExpiresAt.UTC().Format(time.RFC3339))
		}
	})
	// When the last of these keys has expired, nobody can make another one through the API.
	if err == nil && len(admins) > 0 && !lasting {
		t.found(foundKey, t.tenant, "no admin's key of the tenant lasts: once they have expired, keys are made by `orderhook keys create` alone")
	}
	return err
}

// eachPage calls each with all that a list has.
func eachPage[T any](ctx context.Context, list func(store.Page) (store.List[T], error), each func(T)) error {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		found, err := list(page)
		if err != nil {
			return err
		}
		for _, one := range found.Items {
			each(one)
		}
		if page.Cursor = found.NextCursor; page.Cursor == "" {
			// If ctx has ended, the caller must not go on as if nothing had happened.
			return ctx.Err()
		}
	}
}

// clockOff is how far a clock may be off: signatures are worth nothing to receivers beyond
// five minutes.
// One minute is early enough to set the clock right before anybody refuses a signature.
const clockOff = time.Minute

// datedAttempts is how many of the newest attempts are looked at for the times of others.
// Each of them is read by itself, with its answer, so there are few.
const datedAttempts = 20

// clock compares the times at which attempts were recorded with the Date that their answers
// had, and with this machine's time: no request has to be made for it. One server alone may
// itself be wrong.
func (t *tenantDoctor) clock(ctx context.Context) error {
	// Attempts that are older than a day say nothing about the clock of today.
	list, err := t.st.Attempts(ctx, t.tenant, store.AttemptFilter{From: t.Now.Add(-24 * time.Hour)}, store.Page{Limit: datedAttempts})
	if err != nil || len(list.Items) == 0 {
		return err
	}
	// The newest attempt is the first one. If it lies in the future, this clock was set back,
	// or another machine with another clock recorded it.
	if ahead := list.Items[0].StartedAt.Sub(t.Now); ahead > clockOff {
		t.found(foundClock, t.tenant, "an attempt was recorded at a time that is %s ahead of this machine's clock", ahead.Round(time.Second))
	}
	early, late := map[string]bool{}, map[string]bool{} // the hosts whose clocks say that this one is behind, or ahead
	fits := false
	var off time.Duration
	for _, one := range list.Items {
		at, err := t.st.Attempt(ctx, t.tenant, one.ID)
		// An attempt may be gone by now, and one without an answer has no Date.
		if err != nil || at.Detail == nil || at.Detail.Response == nil {
			continue
		}
		date, err := http.ParseTime(http.Header(at.Detail.Response.Headers).Get("Date"))
		// A receiver need not send a Date.
		if err != nil {
			continue
		}
		// The Date is from the end of the call, and StartedAt from its beginning. DurationMs
		// is in milliseconds.
		answered := at.StartedAt.Add(time.Duration(at.DurationMs * float64(time.Millisecond)))
		switch d := date.Sub(answered); {
		case d > clockOff:
			early[at.Host], off = true, d
		case d < -clockOff:
			late[at.Host], off = true, d
		// One server that agrees with this clock is enough to trust it.
		default:
			fits = true
		}
	}
	// Two servers have to agree, and no other one may say the contrary.
	if !fits && (len(early) > 1 && len(late) == 0 || len(late) > 1 && len(early) == 0) {
		t.found(foundClock, t.tenant, "the clock of this machine is off by about %s, as the answers of %d servers say", off.Abs().Round(time.Second), len(early)+len(late))
	}
	return nil
}
