package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
)

// DeliveryStatus is where a delivery stands. The API filters by these texts, so they do not
// change. A delivery that is sent again is pending once more.
type DeliveryStatus string

// The statuses of a delivery, as `GET /api/deliveries` filters them.
const (
	DeliveryPending   DeliveryStatus = "pending"   // an attempt is under way, or to come
	DeliverySucceeded DeliveryStatus = "succeeded" // acknowledged
	DeliveryFailed    DeliveryStatus = "failed"    // for good: the last attempt failed
	DeliveryCanceled  DeliveryStatus = "canceled"
)

// DeliveryStatuses is all of them.
var DeliveryStatuses = []DeliveryStatus{DeliveryPending, DeliverySucceeded, DeliveryFailed, DeliveryCanceled}

// DeliveryKey names a delivery inside a tenant: an event goes to an endpoint
// once, however often it is sent again. The store finds a delivery by it.
type DeliveryKey struct {
	Event    int64 // the event's Seq
	Endpoint int64 // the endpoint's No
}

// Delivery is one event on its way to one endpoint. Its row is its place in
// the queue. It has a row while it is pending, and when it failed or was canceled. One that
// succeeded is read from its attempt, which is the record then
// (docs/design.md#the-shape-of-a-delivery).
type Delivery struct {
	DeliveryKey
	EventID    string
	EndpointID string
	EventType  string
	OrderID    string
	// Group is the subject, where the endpoint wants the events of a subject in
	// their order; "" where it does not.
	Group  string
	Status DeliveryStatus
	// Attempts is how many were made, MaxAttempts how many will have been made
	// when it fails for good: more than the schedule has if it was sent again.
	Attempts    int
	MaxAttempts int
	// Due is when the next attempt may begin; zero for one that has ended, and
	// for one that waits behind an earlier one of its group.
	Due time.Time
	// LastStatus is that of the answer to the last attempt, 0 where none came or
	// none was made, and LastError why that attempt failed, "" if it did not. It
	// holds no secret.
	LastStatus int
	LastError  string
	Created    time.Time // the event's time
	Updated    time.Time
	// Place is where the event stands in the feed of the endpoint; nil where that was not
	// looked up. It is shared, and must not be changed.
	Place *Place `json:"-"`
}

// ID returns the delivery's id: it names the event and the endpoint.
func (d *Delivery) ID() string { return DeliveryID(d.EventID, d.Endpoint) }

// deliveryPrefix begins the ids of deliveries.
const deliveryPrefix = "dlv_"

// DeliveryID is the id of the delivery of an event to an endpoint. It is made of what names
// the delivery, so no id has to be stored.
func DeliveryID(eventID string, endpoint int64) string {
	return fmt.Sprintf("%s%s.%d", deliveryPrefix, eventID, endpoint)
}

// ParseDeliveryID takes a delivery's id apart; [apierr.NotFound] if it is none. The event's
// own id has no dot (docs/contract.md#publishing), so the last one is where it ends.
func ParseDeliveryID(id string) (eventID string, endpoint int64, err error) {
	rest, prefixed := strings.CutPrefix(id, deliveryPrefix)
	dot := strings.LastIndexByte(rest, '.')
	if prefixed && dot > 0 {
		endpoint, err = strconv.ParseInt(rest[dot+1:], 10, 64)
		if err == nil && endpoint > 0 {
			return rest[:dot], endpoint, nil
		}
	}
	return "", 0, apierr.Errorf(apierr.NotFound, "no delivery %q", id)
}

// DeliveryQuery is the filter of deliveries as its users write it: what names
// something names it by its id. An empty field picks all. A redeliver job is stored with
// it.
type DeliveryQuery struct {
	EndpointID string         `json:"endpointId,omitempty"`
	EventID    string         `json:"eventId,omitempty"`
	Status     DeliveryStatus `json:"status,omitempty"`
	EventType  string         `json:"eventType,omitempty"`
	OrderID    string         `json:"orderId,omitempty"`
	LastStatus string         `json:"lastStatus,omitempty"` // `500`, `5xx`, `none`
	From       time.Time      `json:"from,omitzero"`
	To         time.Time      `json:"to,omitzero"` // of the event's time: From <= time < To
}

// Narrow reports whether the query names deliveries that somebody may want all
// to be sent again. By a time, or a type, alone it would pick those that
// arrived, too. The API refuses a job for one that is not narrow.
func (q *DeliveryQuery) Narrow() bool {
	return q.Status != "" || q.LastStatus != "" || q.EndpointID != "" || q.EventID != "" || q.OrderID != ""
}
