package app

import (
	"cmp"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/order"
)

// Limits of what callers may have a server hold and store (docs/contract.md#limits). Each
// of them is a flag; one that is zero is that of [DefaultLimits].
type Limits struct {
	Requests, RequestBytes admission.Limit // in flight
	// For all tenants together, and for each.
	Endpoints                 admission.Limit
	OrderBytes, SettingsBytes int64
}

// DefaultLimits are those of a server that was told nothing else.
var DefaultLimits = Limits{
	Requests: admission.DefaultLimits.Requests, RequestBytes: admission.DefaultLimits.Bytes,
	Endpoints: api.DefaultLimits.Endpoints, OrderBytes: order.DefaultOrderBytes, SettingsBytes: api.DefaultLimits.SettingsBytes,
}

// ofGate are those that a gate holds requests against.
func (l Limits) ofGate() admission.Limits {
	return admission.Limits{Requests: l.Requests, Bytes: l.RequestBytes}
}
func (l *Limits) setDefaults() {
	l.Requests = cmp.Or(l.Requests, DefaultLimits.Requests)
	l.RequestBytes = cmp.Or(l.RequestBytes, DefaultLimits.RequestBytes)
	l.Endpoints = cmp.Or(l.Endpoints, DefaultLimits.Endpoints)
	l.OrderBytes = cmp.Or(l.OrderBytes, DefaultLimits.OrderBytes)
	l.SettingsBytes = cmp.Or(l.SettingsBytes, DefaultLimits.SettingsBytes)
}
