package event

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/weburl"
)

// maxSecrets is how many secrets of one endpoint sign at the same time. Each of them makes
// a request longer.
const maxSecrets = 5

// MaxOverlap is how long a secret may sign beside the one that replaced it,
// DefaultOverlap how long it does where nobody says.
const (
	MaxOverlap     = 30 * 24 * time.Hour
	DefaultOverlap = 24 * time.Hour
)

// Rotated returns the endpoint with a new secret; the one before it signs too
// until the overlap is over. An overlap of 0 ends all that were before: one of
// them may have leaked. The function tells the new one where it signs already.
// [apierr.Conflict] if too many sign then. The endpoint itself does not change.
func (e *Endpoint) Rotated(text string, is func(secret.Value) bool, overlap time.Duration, now time.Time) (*Endpoint, error) {
	next := *e
	next.Updated = now
	next.Secrets = []Secret{{Value: secret.New(text)}}
	for _, s := range e.LiveSecrets(now) {
		// What signed for good ends with the overlap. What ends already keeps its time,
		// unless all are to end at once.
		if s.Until.IsZero() || overlap == 0 {
			s.Until = now.Add(overlap)
		}
		// If the new secret is one of those before, it signs once.
		if now.Before(s.Until) && !is(s.Value) {
			next.Secrets = append(next.Secrets, s)
		}
	}
	if len(next.Secrets) > maxSecrets {
		return nil, apierr.Errorf(apierr.Conflict, "%d secrets sign already; the next of them ends at %s", maxSecrets, timetext.FormatTime(soonest(next.Secrets)))
	}
	return &next, nil
}

// soonest returns when the first of the secrets ends; the zero time if none does.
func soonest(secrets []Secret) time.Time {
	var at time.Time
	for _, s := range secrets {
		// A secret without an end signs for good.
		if !s.Until.IsZero() && (at.IsZero() || s.Until.Before(at)) {
			at = s.Until
		}
	}
	return at
}

// LiveSecrets returns the secrets that sign at a time. The newest is the first, as it is
// stored.
func (e *Endpoint) LiveSecrets(now time.Time) []Secret {
	return slices.DeleteFunc(slices.Clone(e.Secrets), func(s Secret) bool { return !s.Until.IsZero() && !now.Before(s.Until) })
}

// WithSecrets returns a copy of the endpoint in which change has replaced each
// secret. The place tells the secrets of a tenant's endpoints apart; the origins
// are those that one may go to. What only signs is bound to the endpoint alone,
// wherever that moves: a signature says nothing about its key. The store seals and opens
// them so.
func (e *Endpoint) WithSecrets(change func(place string, origins []string, v secret.Value) secret.Value) *Endpoint {
	next, goes, signs := *e, []string{weburl.URLOrigin(e.URL)}, []string{secret.Anywhere}
	replace := func(v *secret.Value, origins []string, place ...string) {
		if !v.IsZero() {
			*v = change("endpoints/"+e.ID+"/"+strings.Join(place, "/"), origins, *v)
		}
	}
	// Lists are copied before anything in them is replaced: the endpoint may be shared.
	next.Headers = slices.Clone(e.Headers)
	for i := range next.Headers {
		replace(&next.Headers[i].Value, goes, "headers", url.PathEscape(strings.ToLower(next.Headers[i].Name)))
	}
	if e.TLS != nil {
		tls := *e.TLS
		replace(&tls.Key, goes, "tls", "key")
		next.TLS = &tls
	}
	next.Secrets = slices.Clone(e.Secrets)
	for i := range next.Secrets {
		replace(&next.Secrets[i].Value, signs, "secret")
	}
	replace(&next.SigningKey, signs, "signingKey")
	return &next
}
