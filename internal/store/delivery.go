package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
)

// DeliveriesOf returns the filter of a query. Its error is [apierr.NotFound] where
// the query names an endpoint or an event that is not there, and [apierr.Invalid]
// where its LastStatus is none.
func DeliveriesOf(ctx context.Context, r EventReader, tenant string, q event.DeliveryQuery) (f DeliveryFilter, err error) {
	f = DeliveryFilter{Status: q.Status, EventType: q.EventType, OrderID: q.OrderID, From: q.From, To: q.To}
	var ok bool
	if f.StatusFilter, ok = ParseStatus(q.LastStatus); !ok {
		return f, apierr.Wrong("lastStatus", "%s", StatusForm)
	}
	if q.EndpointID != "" {
		if f.Endpoint, err = r.EndpointNo(ctx, tenant, q.EndpointID); err != nil {
			return f, err
		}
	}
	if q.EventID != "" {
		e, err := r.Event(ctx, tenant, q.EventID)
		if err != nil {
			return f, err
		}
		f.Event = e.Seq
	}
	return f, nil
}

// StatusForm says what [ParseStatus] reads.
const StatusForm = "must be a status as 500, a class as 5xx, or none"

// ParseStatus reads the filter of a status: `500`, `5xx`, `none`, or "" for all.
func ParseStatus(text string) (f StatusFilter, ok bool) {
	switch {
	case text == "":
		return f, true
	case strings.EqualFold(text, "none"):
		return StatusFilter{NoStatus: true}, true
	}
	class, isClass := strings.CutSuffix(strings.ToLower(text), "xx")
	n, err := strconv.Atoi(class)
	switch {
	case err == nil && isClass && 1 <= n && n <= 5:
		return StatusFilter{StatusFrom: n * 100, StatusTo: n*100 + 99}, true
	case err == nil && !isClass && 100 <= n && n <= 999:
		return StatusFilter{StatusFrom: n, StatusTo: n}, true
	}
	return f, false
}
