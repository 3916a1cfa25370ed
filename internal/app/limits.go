package app

import (
	"cmp"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// Limits of what callers may have a server hold and keep (API.md, "Limits"); a
// zero one is that of [DefaultLimits].
type Limits struct {
	Requests, RequestBytes    admission.Limit // in flight
	Endpoints                 admission.Limit
	OrderBytes, SettingsBytes int64
}

// DefaultLimits are those of a server that was told nothing else.
var DefaultLimits = Limits{
	Requests: admission.DefaultLimits.Requests, RequestBytes: admission.DefaultLimits.Bytes,
	Endpoints: api.DefaultLimits.Endpoints, OrderBytes: oms.DefaultOrderBytes, SettingsBytes: api.DefaultLimits.SettingsBytes,
}

func (l *Limits) setDefaults() {
	l.Requests = cmp.Or(l.Requests, DefaultLimits.Requests)
	l.RequestBytes = cmp.Or(l.RequestBytes, DefaultLimits.RequestBytes)
	l.Endpoints = cmp.Or(l.Endpoints, DefaultLimits.Endpoints)
	l.OrderBytes = cmp.Or(l.OrderBytes, DefaultLimits.OrderBytes)
	l.SettingsBytes = cmp.Or(l.SettingsBytes, DefaultLimits.SettingsBytes)
}
