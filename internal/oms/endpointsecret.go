package oms

import (
	"slices"
	"time"
)

// maxSecrets is how many secrets of one endpoint sign at the same time.
const maxSecrets = 5

// MaxOverlap is how long a secret may sign beside the one that replaced it,
// DefaultOverlap how long it does where nobody says.
const (
	MaxOverlap     = 30 * 24 * time.Hour
	DefaultOverlap = 24 * time.Hour
)

// Rotated returns the endpoint with a new secret; the one before it signs too
// until the overlap is over. An overlap of 0 ends all that were before: one of
// them may have leaked. [Conflict] if too many sign then.
func (e *Endpoint) Rotated(text string, overlap time.Duration, now time.Time) (*Endpoint, error) {
	next := *e
	next.Updated = now
	next.Secrets = []Secret{{Text: text}}
	for _, s := range e.LiveSecrets(now) {
		if s.Until.IsZero() || overlap == 0 {
			s.Until = now.Add(overlap)
		}
		if s.Text != text && now.Before(s.Until) {
			next.Secrets = append(next.Secrets, s)
		}
	}
	if len(next.Secrets) > maxSecrets {
		return nil, Errorf(Conflict, "%d secrets sign already; the next of them ends at %s", maxSecrets, FormatTime(soonest(next.Secrets)))
	}
	return &next, nil
}

func soonest(secrets []Secret) time.Time {
	var at time.Time
	for _, s := range secrets {
		if !s.Until.IsZero() && (at.IsZero() || s.Until.Before(at)) {
			at = s.Until
		}
	}
	return at
}

// LiveSecrets returns the secrets that sign at a time.
func (e *Endpoint) LiveSecrets(now time.Time) []Secret {
	return slices.DeleteFunc(slices.Clone(e.Secrets), func(s Secret) bool { return !s.Until.IsZero() && !now.Before(s.Until) })
}
