package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/timetext"
)

// limits is the flags that bound what callers may have the server hold and keep. The
// defaults are those of package app, which the help shows (defaults).
type limits struct {
	MaxRequests             countLimit `default:"${maxRequests}" placeholder:"ALL/TENANT" help:"Requests at once, of all tenants and of each of them; what comes beyond is answered 429."`
	MaxRequestBytesInFlight sizeLimit  `default:"${maxRequestBytes}" placeholder:"ALL/TENANT" help:"Bytes of the bodies of requests that are not answered yet, of all tenants and of each; what comes beyond is answered 429."`
	MaxOrderBytes           size       `default:"${maxOrderBytes}" placeholder:"SIZE" help:"How large an order may become, as it is stored."`
	MaxEndpoints            countLimit `default:"${maxEndpoints}" placeholder:"ALL/TENANT" help:"Endpoints of events, of all tenants and of each of them."`
}

// options returns the limits for a server.
func (l *limits) options() app.Limits {
	return app.Limits{
		Requests: admission.Limit(l.MaxRequests), RequestBytes: admission.Limit(l.MaxRequestBytesInFlight),
		OrderBytes: int64(l.MaxOrderBytes), Endpoints: admission.Limit(l.MaxEndpoints),
	}
}

// settingsLimit is the flag of every command that settings come in by. They are `serve`,
// `settings` and `apply`.
type settingsLimit struct {
	MaxSettingsBytes size `default:"${maxSettingsBytes}" placeholder:"SIZE" help:"How large a settings document may be."`
}

// defaults are those of flags, for kong: each stands where it holds. The packages that
// keep to a default have it, and the flags, the help and the documents show that one.
func defaults() kong.Vars {
	l := app.DefaultLimits
	return kong.Vars{
		"maxRequests": countLimit(l.Requests).String(), "maxRequestBytes": sizeLimit(l.RequestBytes).String(),
		"maxOrderBytes": size(l.OrderBytes).String(), "maxEndpoints": countLimit(l.Endpoints).String(), "maxSettingsBytes": size(l.SettingsBytes).String(),
		"maxOutgoing": strconv.Itoa(outbound.DefaultMaxOutgoing), "maxAnswerBytes": answerBytes(outbound.DefaultMaxAnswerBytes).String(),
		"connectionAge": timetext.FormatDuration(outbound.DefaultConnectionAge), "disableAfter": timetext.FormatDuration(delivery.DefaultDisableAfter), "tenant": access.DefaultTenant,
	}
}

// size is a flag that takes a number of bytes. It is never 0.
type size int64

// String is exact, and in the largest unit that is. So a default can be given as it is
// shown.
func (s size) String() string {
	for _, unit := range []struct {
		size size
		name string
	}{{humanize.GiByte, "GiB"}, {humanize.MiByte, "MiB"}, {humanize.KiByte, "KiB"}} {
		if s%unit.size == 0 {
			return fmt.Sprintf("%d%s", s/unit.size, unit.name)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) (err error) {
	*(*int64)(s), err = parseSize(string(text))
	return err
}

// countLimit is a flag that takes a number for all and one for each tenant. It is written
// ALL/TENANT.
type countLimit admission.Limit

// String writes it as it may be given.
func (l countLimit) String() string { return fmt.Sprintf("%d/%d", l.All, l.PerTenant) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *countLimit) UnmarshalText(text []byte) (err error) {
	*(*admission.Limit)(l), err = parseLimit(string(text), parseCount)
	return err
}

// sizeLimit is a flag that takes a number of bytes for all and one for each tenant.
type sizeLimit admission.Limit

// String writes it as it may be given.
func (l sizeLimit) String() string { return size(l.All).String() + "/" + size(l.PerTenant).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *sizeLimit) UnmarshalText(text []byte) (err error) {
	*(*admission.Limit)(l), err = parseLimit(string(text), parseSize)
	return err
}

// parseLimit reads what all tenants may have, and behind a slash what each of them
// may. Where there is one value, it is both. A tenant's limit above that of all is
// refused: it would look like a promise, and never be reached.
func parseLimit(text string, parse func(string) (int64, error)) (l admission.Limit, err error) {
	all, perTenant, both := strings.Cut(text, "/")
	if !both {
		perTenant = all
	}
	if l.All, err = parse(all); err == nil {
		l.PerTenant, err = parse(perTenant)
	}
	if err == nil && l.PerTenant > l.All {
		err = fmt.Errorf("%q gives a tenant more than all together: write what all may have, a slash, and what each may", text)
	}
	return l, err
}

// mostLimit bounds the limits, so that none of them can overflow what counts it.
const mostLimit = math.MaxInt64 >> 10

// parseSize reads a number of bytes, with or without a unit.
func parseSize(text string) (int64, error) {
	n, err := humanize.ParseBytes(strings.TrimSpace(text))
	if err != nil || n == 0 || n > mostLimit {
		return 0, fmt.Errorf("%q is no number of bytes over 0: write 10MiB, 512KiB or 1048576", text)
	}
	return int64(n), nil
}

// parseCount reads a whole number above 0.
func parseCount(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n <= 0 || n > mostLimit {
		return 0, fmt.Errorf("%q is no whole number over 0", text)
	}
	return n, nil
}
