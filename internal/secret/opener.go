package secret

import (
	"context"
	"crypto/hmac"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
)

// Anywhere in place of an origin says that a secret is bound to its place alone:
// it signs, and its text never leaves.
const Anywhere = "*"

// Sealed is a secret as it is stored.
type Sealed struct {
	ID      string
	Place   string
	Origins []string // sorted; as [weburl.URLOrigin] returns them, or [Anywhere]
	Text    string
	// Retired is the first version of the settings that has the secret no more; 0: it
	// is in use. It is stored until its place is removed, for one of the versions before may
	// be restored; and for as long as a run under way began with one of them.
	Retired int64
}

// Seal encrypts a secret that was given for a tenant, a place and origins.
func (s *Sealer) Seal(tenant, place string, origins []string, v Value) Sealed {
	out := Sealed{ID: newID(), Place: place, Origins: slices.Compact(slices.Sorted(slices.Values(origins)))}
	out.Text = s.seal(sealedPrefix, out.boundTo(tenant, place), v.text)
	return out
}

// boundTo is what a secret is sealed for, and under which id: one that was put in
// the place of another opens no more than one that was moved.
func (s Sealed) boundTo(tenant, place string) []byte {
	return bound(append([]string{"secret", tenant, s.ID, place}, s.Origins...)...)
}

// Reference returns what refers to the secret.
func (s Sealed) Reference() Value { return Stored(s.ID, s.Place) }

// Why a secret is not opened. Whoever repeats the call gets the same.
var (
	ErrGone    = errors.New("it was removed")
	ErrRetired = errors.New("it was removed from the settings, or replaced there")
	ErrOrigin  = errors.New("it was given for another scheme, host or port")
	ErrMoved   = errors.New("it was not sealed for this tenant and place, or not with this key")
)

// Find returns a tenant's stored secret; [ErrGone] if there is none.
type Find func(ctx context.Context, tenant, id string) (Sealed, error)

// Opener opens the secrets of one database. It may be used by many at once.
type Opener struct {
	sealer  *Sealer
	find    Find
	log     *slog.Logger
	changes atomic.Uint64
}

// NewOpener returns an Opener of the secrets that find finds. The log is told of
// those that do not open.
func NewOpener(sealer *Sealer, find Find, log *slog.Logger) *Opener {
	return &Opener{sealer: sealer, find: find, log: log}
}

// Opened is a secret in the clear.
type Opened struct {
	Text    string
	Origins []string // where it may go
	Retired int64    // as in [Sealed]
}

// Reveal returns the text of a stored secret. Only internal/outbound calls it, which
// holds the origins against the request. The error is [ErrGone] or [ErrMoved], or
// says that the database cannot be read now.
func (o *Opener) Reveal(ctx context.Context, tenant string, v Value) (Opened, error) {
	if v.id == "" {
		return Opened{}, ErrGone
	}
	sealed, err := o.find(ctx, tenant, v.id)
	if err != nil {
		return Opened{}, err
	}
	text, err := o.sealer.open(sealedPrefix, sealed.boundTo(tenant, v.place), sealed.Text)
	if err != nil {
		return Opened{}, ErrMoved
	}
	return Opened{text, sealed.Origins, sealed.Retired}, nil
}

// Allow is nil if an opened secret may go to an origin. A retired one is alone
// for runs that began, and for requests that were made of the settings, when it was in
// use: since is the version of the settings that was in force then, 0 for other calls.
func (o Opened) Allow(origin string, since int64) error {
	switch {
	case o.Retired > 0 && (since == 0 || since >= o.Retired):
		return ErrRetired
	case !slices.Contains(o.Origins, origin) && !slices.Contains(o.Origins, Anywhere):
		return ErrOrigin
	}
	return nil
}

// Is reports whether a text is that of a stored secret, which thereby is not given
// away.
func (o *Opener) Is(ctx context.Context, tenant string, v Value, text string) bool {
	opened, err := o.Reveal(ctx, tenant, v)
	return err == nil && hmac.Equal([]byte(opened.Text), []byte(text))
}

// Refused tells the log that a secret was not opened for a request.
func (o *Opener) Refused(tenant string, v Value, host string, why error) {
	o.log.Warn("a secret cannot be opened", "tenant", tenant, "place", v.place, "secret", v.id, "host", host, "why", why)
}

// Changed says that secrets have been destroyed or retired, or are in use again: what
// was opened before counts no more.
func (o *Opener) Changed() { o.changes.Add(1) }

// Changes counts what Changed was told.
func (o *Opener) Changes() uint64 { return o.changes.Load() }
