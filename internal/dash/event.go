package dash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// fullEvent is an event with its data and its deliveries, as the API shows it.
type fullEvent struct {
	api.Event
	Data       json.RawMessage `json:"data"`
	DataErased bool            `json:"dataErased"`
	Deliveries []Delivery      `json:"deliveries"`
	NextCursor string          `json:"nextCursor"`
}

// EventType is a type of events, as the API shows it.
type EventType struct {
	Name        string          `json:"name"`
	Subject     string          `json:"subject"`
	Description string          `json:"description"`
	Example     json.RawMessage `json:"example"`
	OnlyByName  bool            `json:"onlyByName"`
}

// eventsView is the list of events.
type eventsView struct {
	Filters Filters
	Items   []api.Event
	Paging  Paging
	Problem *Problem
	Server  string
}

// eventView is an event, and where it went.
type eventView struct {
	Event fullEvent
	Links []Fact // what it is about
	Data  Document
	More  string // the URL of all deliveries, where there are more
}

// eventTypesView is the catalogue.
type eventTypesView struct{ Types []typeView }

type typeView struct {
	EventType
	Example Document
}

var (
	eventsPage     = newPage[eventsView]("events", "/events")
	eventPage      = newPage[eventView]("event", "/events")
	eventTypesPage = newPage[eventTypesView]("event-types", "/events")
)

func eventPages(s *server) {
	s.page(oms.Reader, "GET /events", listEvents)
	s.page(oms.Reader, "GET /event-types", listEventTypes)
	s.page(oms.Publisher, "GET /events/publish", func(v *visit) error { return v.showPublication(nil) })
	s.page(oms.Publisher, "POST /events", publish)
	s.page(oms.Reader, "GET /events/{id}", showEvent)
	s.page(oms.Operator, "GET /events/{id}/redeliver", func(v *visit) error { return v.confirmEventAgain(v.query().Get("endpointId"), nil) })
	s.page(oms.Operator, "POST /events/{id}/redeliver", sendEventAgain)
}

var (
	eventFilters = []Filter{
		{Name: "type", Label: "Type", Hint: "OrderCreated"},
		{Name: "orderId", Label: "Order", Hint: "ORD-1"},
		{Name: "from", Label: "From", Hint: "2026-11-28T08:00:00Z"},
		{Name: "to", Label: "Before", Hint: "2026-11-28T09:00:00Z"},
	}
	eventMore = []Filter{
		{Name: "shipmentId", Label: "Shipment"},
		{Name: "returnId", Label: "Return"},
		{Name: "cartId", Label: "Cart"},
		{Name: "subscriptionId", Label: "Subscription"},
		{Name: "stockItemId", Label: "Stock item"},
	}
)

func listEvents(v *visit) error {
	view := eventsView{Filters: newFilters(v.r.URL, eventFilters, eventMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[api.Event]
	err := v.get("/api/events", askedWithCount(v.query()), &list)
	if view.Problem = refused(err); view.Problem != nil {
		return eventsPage.refuse(v, "Events", view.Problem, view)
	}
	if err != nil {
		return err
	}
	view.Items = list.Items
	view.Paging = newPaging(v.r.URL, &list)
	return eventsPage.showLive(v, "Events", "events", view)
}

func (v *visit) event() (e fullEvent, err error) {
	return e, v.get("/api"+href("events", v.r.PathValue("id")), nil, &e)
}

func showEvent(v *visit) error {
	e, err := v.event()
	if err != nil {
		return err
	}
	view := eventView{Event: e, Links: eventLinks(&e.Event)}
	view.Data = v.document("Data", e.Data, "", nil)
	if e.NextCursor != "" {
		view.More = search("deliveries", "eventId", e.ID)
	}
	return eventPage.showLive(v, "Event "+short(60, e.Type), "deliveries", view)
}

func listEventTypes(v *visit) error {
	var list List[EventType]
	if err := v.get("/api/event-types", nil, &list); err != nil {
		return err
	}
	view := eventTypesView{}
	for _, t := range list.Items {
		view.Types = append(view.Types, typeView{t, newDocument("Example of "+t.Name, t.Example, someLines, nil)})
	}
	return eventTypesPage.show(v, "Event types", view)
}

// confirmEventAgain asks which endpoint is to get an event again: one that is named, or
// all that it went to.
func (v *visit) confirmEventAgain(endpoint string, problem *Problem) error {
	e, err := v.event()
	if err != nil {
		return err
	}
	at := href("events", e.ID)
	to := Input{Name: "endpointId", Label: "Endpoint", Value: endpoint, Hint: "ep_…", Help: "Left empty, it goes to all that it went to before and that are on. One that is named gets it whether it did before or not.", Error: problem.about("endpointId")}
	c := Confirm{What: "The event is sent again, now.", Action: at + "/redeliver", Inputs: []Input{to}, Hidden: []Hidden{newOnce()}, Button: "Send it again", Back: at, Problem: problem,
		Facts: []Fact{{Name: "Event", Value: e.Type + " " + e.ID, URL: at}, {Name: "It went to", Value: fmt.Sprintf("%s endpoints", capped(int64(len(e.Deliveries)), e.NextCursor != ""))}},
		Notes: []string{"Where it arrived before, the other side gets it twice, with the same webhook-id."}}
	for i := range e.Deliveries[:min(len(e.Deliveries), 5)] {
		d := &e.Deliveries[i]
		c.Sample = append(c.Sample, Fact{Name: short(60, d.To()), Value: d.Status, URL: href("deliveries", d.ID)})
	}
	return v.confirm("Send the event again", c)
}

func sendEventAgain(v *visit) error {
	at := href("events", v.r.PathValue("id"))
	body := map[string]string{}
	if to := v.field("endpointId"); to != "" {
		body["endpointId"] = to
	}
	err := v.sendForm("/api"+at+"/redeliver", body, nil)
	if p := refused(err); p != nil {
		return v.confirmEventAgain(body["endpointId"], p)
	}
	if err != nil {
		return err
	}
	return v.done(at, "sent")
}

// publishInputs are the fields of the form that publishes an event.
var publishInputs = []Input{
	{Name: "type", Label: "Type", Hint: "loyalty.points_earned", Required: true, Help: "Letters, digits, _, - and .; none of the types that orderhook itself makes."},
	{Name: "data", Label: "Data", Lines: 10, Hint: `{"customerId": "C-881", "points": 120}`, Required: true, Help: "A JSON object, sent as it is."},
	{Name: "orderId", Label: "Order", Hint: "ORD-1"},
	{Name: "subject.kind", Label: "Kind of what it is about", Hint: "subscription", Help: "Left empty, it is about the order."},
	{Name: "subject.id", Label: "Its id"},
	{Name: "id", Label: "Id", Help: "One is made if it is left out. An id that was seen before is not sent again."},
	{Name: "timestamp", Label: "When it happened", Hint: "now"},
}

func (v *visit) showPublication(problem *Problem) error {
	c := Confirm{What: "An event is published: every endpoint that is on and wants its type gets it, at once.", Action: "/events", Inputs: slices.Clone(publishInputs), Hidden: []Hidden{newOnce()}, Button: "Publish the event", Back: "/events", Problem: problem}
	for i := range c.Inputs {
		in := &c.Inputs[i]
		if in.Value, in.Error = v.query().Get(in.Name), problem.about(in.Name); v.r.Method == http.MethodPost {
			in.Value = v.lines(in.Name)
		}
	}
	return v.confirm("Publish an event", c)
}

func publish(v *visit) error {
	data := json.RawMessage(v.lines("data"))
	if !json.Valid(data) {
		return v.showPublication(&Problem{Status: http.StatusUnprocessableEntity, Title: "Unprocessable Entity", Detail: "the event is not valid", Instance: idOf(v.r),
			Errors: []oms.FieldError{{Location: "body.data", Message: syntaxMistake(data)}}})
	}
	var made struct{ ID string }
	err := v.send(http.MethodPost, "/api/events", v.publication(data), &made)
	if p := refused(err); p != nil {
		return v.showPublication(p)
	}
	if err != nil {
		return err
	}
	return v.done(href("events", made.ID), "published")
}

// publication is the body that publishes what the form says. The data goes as it was
// written: its numbers keep their digits and its members their order.
func (v *visit) publication(data json.RawMessage) json.RawMessage {
	body := []byte(`{"type":`)
	text := func(s string) {
		quoted, _ := json.Marshal(s) // a text is always JSON
		body = append(body, quoted...)
	}
	member := func(name, value string) {
		if value != "" {
			body = append(body, ',')
			text(name)
			body = append(body, ':')
			text(value)
		}
	}
	text(v.field("type"))
	for _, name := range []string{"orderId", "timestamp"} {
		member(name, v.field(name))
	}
	if kind, id := v.field("subject.kind"), v.field("subject.id"); kind != "" || id != "" {
		body = append(body, `,"subject":{"kind":`...)
		text(kind)
		body = append(body, `,"id":`...)
		text(id)
		body = append(body, '}')
	}
	body = append(append(body, `,"data":`...), data...)
	id := v.field("id")
	if id == "" { // made of the form, so that one that is sent twice is one event
		id = "hand_" + v.formKey("/api/events", body)
	}
	member("id", id)
	return append(body, '}')
}

// syntaxMistake says where a text stops to be JSON.
func syntaxMistake(text json.RawMessage) string {
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	if len(text) == 0 {
		return "is needed"
	}
	return "is no JSON: " + err.Error()
}

// eventLinks are the searches about what an event is about.
func eventLinks(e *api.Event) (out []Fact) {
	if e.OrderID != "" {
		out = append(out, Fact{"Order", e.OrderID, href("orders", e.OrderID)})
	}
	if e.CartID != "" {
		out = append(out, Fact{"Cart", e.CartID, href("carts", e.CartID)})
	}
	for _, f := range []struct{ name, filter, id string }{{"Shipment", "shipmentId", e.ShipmentID}, {"Return", "returnId", e.ReturnID}, {"Subscription", "subscriptionId", e.SubscriptionID}, {"Stock item", "stockItemId", e.StockItemID}} {
		if f.id != "" {
			out = append(out, Fact{f.name, f.id, search("events", f.filter, f.id)})
		}
	}
	return out
}
