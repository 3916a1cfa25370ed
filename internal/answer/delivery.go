package answer

import (
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
)

// Delivered is what an attempt means for its delivery.
type Delivered struct {
	// Status is that the event was acknowledged, that it is tried again (pending), or that
	// the delivery has failed for good.
	Status event.DeliveryStatus
	Gone   bool // the endpoint says that it is there no more: it is turned off
}

// Delivery reads the exchange of an attempt at a delivery (docs/contract.md#delivery). more
// says whether its schedule has a further attempt. The endpoint of an export stays on: the
// settings say whether it is used.
func Delivery(x outbound.Exchange, more, export bool) Delivered {
	switch {
	case x.Class() == outbound.Answered:
		return Delivered{Status: event.DeliverySucceeded}
	case x.Gone() && !export:
		return Delivered{Status: event.DeliveryFailed, Gone: true}
	case more:
		return Delivered{Status: event.DeliveryPending}
	}
	return Delivered{Status: event.DeliveryFailed}
}
