package dash

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
)

// Delivery is an event on its way to an endpoint, as the API shows it. Lists and the
// pages of events and endpoints show it, too. OrderID is "" if the event is about no
// order. NextAttemptAt is zero unless an attempt is planned. WaitsFor is the subject
// whose earlier event has to be delivered first.
type Delivery struct {
	ID              string    `json:"id"`
	EventID         string    `json:"eventId"`
	EventType       string    `json:"eventType"`
	EndpointID      string    `json:"endpointId"`
	EndpointURL     string    `json:"endpointUrl"`
	EndpointRemoved bool      `json:"endpointRemoved"`
	EndpointOff     bool      `json:"endpointOff"`
	OrderID         string    `json:"orderId"`
	Status          string    `json:"status"`
	Attempts        int       `json:"attempts"`
	MaxAttempts     int       `json:"maxAttempts"`
	LastStatus      int       `json:"lastStatus"`
	LastError       string    `json:"lastError"`
	NextAttemptAt   time.Time `json:"nextAttemptAt"`
	WaitsFor        string    `json:"waitsFor"`
	Created         time.Time `json:"created"`
	Updated         time.Time `json:"updated"`

	TurnedOnHere bool `json:"-"` // the endpoint is off, and a button turns it on; see findOrigins
}

// Pending reports whether an attempt is to come.
func (d Delivery) Pending() bool { return d.Status == string(event.DeliveryPending) }

// To is where the delivery goes, as people know it: the endpoint's URL, or its id where it
// has none.
func (d Delivery) To() string { return cmp.Or(d.EndpointURL, d.EndpointID) }

// deliveriesView is the list of deliveries. Again and Cancel are offered to operators alone.
type deliveriesView struct {
	Filters Filters
	Items   []Delivery
	Paging  Paging
	Problem *Problem
	Again   string // the URL of the page that sends all of them again; "" if the filter picks too much for that
	Cancel  string // the URL of the page that cancels all that are pending; "" if none of these is
	Server  string
}

// deliveryView is a delivery and its attempts. The attempts are the newest ones.
type deliveryView struct {
	Delivery Delivery
	Attempts []attempt.Attempt
	More     bool // there are more attempts
}

var (
	// Both belong to the section of deliveries.
	deliveriesPage = newPage[deliveriesView]("deliveries", "/deliveries")
	deliveryPage   = newPage[deliveryView]("delivery", "/deliveries")
)

// deliveryPages registers the pages about deliveries. Of each action there is a page that
// says what it will do, at the same path with GET.
func deliveryPages(s *server) {
	s.page(access.Reader, "GET /deliveries", listDeliveries)
	s.page(access.Operator, "GET /deliveries/redeliver", confirmRedeliverAll)
	s.page(access.Operator, "POST /deliveries/redeliver", redeliverAll)
	s.page(access.Operator, "GET /deliveries/cancel", func(v *visit) error { return v.confirmCancelAll(asked(v.query()), nil) })
	s.page(access.Operator, "POST /deliveries/cancel", cancelAllPending)
	s.page(access.Reader, "GET /deliveries/{id}", showDelivery)
	s.page(access.Operator, "GET /deliveries/{id}/redeliver", func(v *visit) error { return v.confirmRedelivery(nil) })
	s.page(access.Operator, "POST /deliveries/{id}/redeliver", redeliver)
	s.page(access.Operator, "GET /deliveries/{id}/cancel", func(v *visit) error { return v.confirmCancelDelivery(nil) })
	s.page(access.Operator, "POST /deliveries/{id}/cancel", cancelDelivery)
}

// deliveryFilters and deliveryMore together are every filter of the API.
var (
	deliveryFilters = []Filter{
		// Those of the list are also those of a job over it (bulkFilters).
		{Name: "endpointId", Label: "Endpoint", Hint: "ep_…"},
		{Name: "status", Label: "Status", Options: options(event.DeliveryStatuses...)},
		{Name: "lastStatus", Label: "Last answer", Hint: "500, 5xx, none"},
		{Name: "eventType", Label: "Event type", Hint: "OrderCreated"},
		{Name: "orderId", Label: "Order", Hint: "ORD-1"},
	}
	deliveryMore = []Filter{
		{Name: "eventId", Label: "Event", Hint: "evt_…"},
		{Name: "from", Label: "Events from", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
		{Name: "to", Label: "Before", Hint: "2026-11-28T09:00:00Z", Type: timeFilter},
	}
)

// listDeliveries offers to send all of them again, or to cancel what is pending of them,
// only with a filter that the API takes for that: one that names a status, an answer, an
// endpoint, an event or an order.
func listDeliveries(v *visit) error {
	view := deliveriesView{Filters: newFilters(v.r.URL, deliveryFilters, deliveryMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[Delivery]
	err := v.get("/api/deliveries", askedWithCount(v.query()), &list)
	if view.Problem = refused(err); view.Problem != nil {
		view.Problem.markFilters(&view.Filters)
		return deliveriesPage.refuse(v, "Deliveries", view.Problem, view)
	}
	if err != nil {
		return err
	}
	view.Items = list.Items
	view.Paging = newPaging(v.r.URL, &list)
	if v.may(access.Operator) && narrow(v.query()) && len(list.Items) > 0 {
		view.Again = v.overAll("/deliveries/redeliver")
		// A page may show none of what is pending behind it; the filter that names the
		// status shows it.
		if slices.ContainsFunc(list.Items, Delivery.Pending) {
			view.Cancel = v.overAll("/deliveries/cancel")
		}
	}
	return deliveriesPage.showLive(v, "Deliveries", "deliveries", view)
}

// overAll is the page of a job over the filter of a list. It has the filter alone: a job
// is over all pages.
func (v *visit) overAll(path string) string {
	return with(&url.URL{Path: path, RawQuery: asked(v.query()).Encode()}, "cursor", "", "limit", "")
}

// delivery asks for the delivery of a page.
func (v *visit) delivery() (d Delivery, err error) {
	return d, v.get("/api"+href("deliveries", v.r.PathValue("id")), nil, &d)
}

// showDelivery shows a delivery and the newest attempts at it. It is live, because one
// waits here for what a redelivery comes to.
func showDelivery(v *visit) error {
	d, err := v.delivery()
	if err != nil {
		return err
	}
	view := deliveryView{Delivery: d}
	// The attempts are asked for by the delivery, as many as the page of an attempt
	// shows.
	var list List[attempt.Attempt]
	if err := v.get("/api/attempts", url.Values{"deliveryId": {d.ID}, "limit": {mostOfCall}}, &list); err != nil {
		return err
	}
	view.Attempts, view.More = list.Items, list.NextCursor != ""
	return deliveryPage.showLive(v, "Delivery of "+short(60, d.EventType), "deliveries,attempts", view)
}

// deliveryFacts say what a delivery is. The pages before a redelivery and before a cancel
// begin with them.
func deliveryFacts(d *Delivery) []Fact {
	facts := []Fact{{Name: "Event", Value: d.EventType + " " + d.EventID, URL: href("events", d.EventID)}, {Name: "Endpoint", Value: d.To(), URL: href("endpoints", d.EndpointID)},
		{Name: "Status", Value: d.Status}, {Name: "Attempts until now", Value: count(d.Attempts)}}
	if d.OrderID != "" {
		facts = append(facts, Fact{Name: "Order", Value: d.OrderID, URL: href("orders", d.OrderID)})
	}
	return facts
}

// deliverySample are some of many deliveries, as links. Each has its status, and why the
// last attempt failed, so that one sees what the filter has picked.
func deliverySample(items []Delivery) (facts []Fact) {
	for i := range items {
		d := &items[i]
		// The name of the fact is how the delivery stands, and its value is what was
		// sent.
		what := d.EventType
		if d.OrderID != "" {
			what += " of " + short(40, d.OrderID)
		}
		facts = append(facts, Fact{Name: strings.TrimSuffix(d.Status+": "+short(60, d.LastError), ": "), Value: what, URL: href("deliveries", d.ID), At: d.Created})
	}
	return facts
}

// confirmRedelivery says before it is tried what the API would refuse, and what the other side
// gets twice. So there is no button where the answer would be a refusal.
func (v *visit) confirmRedelivery(problem *Problem) error {
	d, err := v.delivery()
	if err != nil {
		return err
	}
	at := href("deliveries", d.ID)
	c := Confirm{What: "The event is sent to this endpoint again, now.", Facts: deliveryFacts(&d), Action: href("deliveries", d.ID, "redeliver"), Hidden: []Hidden{newOnce()}, Button: "Send it again", Back: at, Problem: problem,
		Notes: []string{"If that fails it is repeated as often as the endpoint's schedule says."}}
	switch {
	// Only one of these can be said, the most final first.
	case d.EndpointRemoved:
		c.Blocked, c.Notes = true, []string{"The endpoint was removed: nothing more is sent to it."}
	case d.EndpointOff:
		c.Blocked, c.Notes = true, []string{"The endpoint is off: nothing is sent to it before it is turned on."}
	case d.Status == string(event.DeliverySucceeded):
		c.Notes = append(c.Notes, "It arrived before: the other side gets it twice, with the same webhook-id.")
	}
	return v.confirm("Send again", c)
}

// redeliver sends the delivery again, once however often the button is pressed, and leads
// to its page.
func redeliver(v *visit) error {
	// The Idempotency-Key of the form makes two clicks one redelivery.
	at := href("deliveries", v.r.PathValue("id"))
	err := v.sendForm("/api"+at+"/redeliver", nil, nil)
	if p := refused(err); p != nil {
		return v.confirmRedelivery(p)
	}
	if err != nil {
		return err
	}
	return v.done(at, "sent")
}

// confirmCancelDelivery is the page before a delivery is canceled. It has no newOnce: to
// cancel twice is refused, and changes nothing.
func (v *visit) confirmCancelDelivery(problem *Problem) error {
	d, err := v.delivery()
	if err != nil {
		return err
	}
	return v.confirm("Cancel the delivery", Confirm{What: "The event is not sent to this endpoint any more.", Facts: deliveryFacts(&d), Action: href("deliveries", d.ID, "cancel"), Button: "Cancel the delivery",
		Danger: true, Back: href("deliveries", d.ID), Problem: problem, Notes: []string{"An attempt that is under way ends, and is recorded.", "It can be sent again later."}})
}

// cancelDelivery ends a delivery. One that has ended meanwhile is refused, which the page
// before says.
func cancelDelivery(v *visit) error {
	at := href("deliveries", v.r.PathValue("id"))
	err := v.send(http.MethodPost, "/api"+at+"/cancel", nil, nil)
	if p := refused(err); p != nil {
		return v.confirmCancelDelivery(p)
	}
	if err != nil {
		return err
	}
	return v.done(at, "canceled")
}
