package dash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
)

// fullEvent is an event with its data and its deliveries, as the API shows it. The data
// stays the text that it is in the answer: its numbers keep their digits.
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

// eventView is an event, and where it went. Its data is drawn as a document.
type eventView struct {
	Event fullEvent
	Links []Fact // what it is about
	Data  Document
	More  string // the URL of all deliveries, where there are more
}

// eventTypesView is the catalogue. It is for whoever writes an endpoint, and needs to
// know what will come.
type eventTypesView struct{ Types []typeView }

// typeView is a type with its example as a page draws it.
type typeView struct {
	EventType
	Example Document
}

var (
	// The catalogue of types belongs to the section of events.
	eventsPage     = newPage[eventsView]("events", "/events")
	eventPage      = newPage[eventView]("event", "/events")
	eventTypesPage = newPage[eventTypesView]("event-types", "/events")
)

// eventPages registers the pages about events. Publishing has the path of the list, as in
// the API.
func eventPages(s *server) {
	s.page(access.Reader, "GET /events", listEvents)
	s.page(access.Reader, "GET /event-types", listEventTypes)
	s.page(access.Publisher, "GET /events/publish", func(v *visit) error { return v.showPublication(nil) })
	s.page(access.Publisher, "POST /events", publish)
	s.page(access.Reader, "GET /events/{id}", showEvent)
	s.page(access.Operator, "GET /events/{id}/redeliver", func(v *visit) error { return v.confirmEventAgain(v.query().Get("endpointId"), nil) })
	s.page(access.Operator, "POST /events/{id}/redeliver", sendEventAgain)
}

var (
	// eventFilters are the fields that are always there, eventMore those behind "More
	// filters".
	eventFilters = []Filter{
		// Type and order are what people know of an event.
		{Name: "type", Label: "Type", Hint: "OrderCreated"},
		{Name: "orderId", Label: "Order", Hint: "ORD-1"},
		{Name: "from", Label: "From", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
		{Name: "to", Label: "Before", Hint: "2026-11-28T09:00:00Z", Type: timeFilter},
	}
	eventMore = []Filter{
		// Ids of what else an event can be about.
		{Name: "shipmentId", Label: "Shipment"},
		{Name: "returnId", Label: "Return"},
		{Name: "cartId", Label: "Cart"},
		{Name: "subscriptionId", Label: "Subscription"},
		{Name: "stockItemId", Label: "Stock item"},
	}
)

// listEvents shows the newest events, or those that the filters pick.
func listEvents(v *visit) error {
	view := eventsView{Filters: newFilters(v.r.URL, eventFilters, eventMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[api.Event]
	// The list has no data of events, which may be large.
	err := v.get("/api/events", askedWithCount(v.query()), &list)
	if view.Problem = refused(err); view.Problem != nil {
		view.Problem.markFilters(&view.Filters)
		return eventsPage.refuse(v, "Events", view.Problem, view)
	}
	if err != nil {
		return err
	}
	view.Items = list.Items
	view.Paging = newPaging(v.r.URL, &list)
	return eventsPage.showLive(v, "Events", "events", view)
}

// event asks for the event of a page, with its data and its deliveries.
func (v *visit) event() (e fullEvent, err error) {
	return e, v.get("/api"+href("events", v.r.PathValue("id")), nil, &e)
}

// showEvent shows an event, its data, and where it went. It is live by deliveries: the
// event itself never changes.
func showEvent(v *visit) error {
	e, err := v.event()
	if err != nil {
		return err
	}
	view := eventView{Event: e, Links: eventLinks(&e.Event)}
	// The data is drawn as the documents of orders are, with the numbers as they were
	// sent.
	view.Data = v.document("Data", e.Data, "", nil)
	if e.NextCursor != "" {
		view.More = search("deliveries", "eventId", e.ID)
	}
	return eventPage.showLive(v, "Event "+short(60, e.Type), "deliveries", view)
}

// listEventTypes shows the catalogue of the built-in types.
func listEventTypes(v *visit) error {
	var list List[EventType]
	if err := v.get("/api/event-types", nil, &list); err != nil {
		return err
	}
	view := eventTypesView{}
	// Each example is drawn in short; the catalogue is a long page already.
	for _, t := range list.Items {
		view.Types = append(view.Types, typeView{t, newDocument("Example of "+t.Name, t.Example, some)})
	}
	return eventTypesPage.show(v, "Event types", view)
}

// confirmEventAgain asks which endpoint is to get an event again: one that is named, or
// all that it went to. The form has the endpoint as a field, which a link may have filled
// in.
func (v *visit) confirmEventAgain(endpoint string, problem *Problem) error {
	e, err := v.event()
	if err != nil {
		return err
	}
	at := href("events", e.ID)
	// The field is for one endpoint. Without it the API chooses.
	to := Input{Name: "endpointId", Label: "Endpoint", Value: endpoint, Hint: "ep_…", Help: "Left empty, it goes to all that it went to before and that are on. One that is named gets it whether it did before or not."}
	c := Confirm{What: "The event is sent again, now.", Action: at + "/redeliver", Inputs: []Input{to}, Hidden: []Hidden{newOnce()}, Button: "Send it again", Back: at, Problem: problem,
		Facts: []Fact{{Name: "Event", Value: e.Type + " " + e.ID, URL: at}, {Name: "It went to", Value: fmt.Sprintf("%s endpoints", capped(int64(len(e.Deliveries)), e.NextCursor != ""))}},
		Notes: []string{"Where it arrived before, the other side gets it twice, with the same webhook-id."}}
	// Five are enough to see where it went. The page of the event has them all.
	for i := range e.Deliveries[:min(len(e.Deliveries), 5)] {
		d := &e.Deliveries[i]
		c.Sample = append(c.Sample, Fact{Name: short(60, d.To()), Value: d.Status, URL: href("deliveries", d.ID)})
	}
	return v.confirm("Send the event again", c)
}

// sendEventAgain sends the event, and leads to its page, which shows the deliveries as
// they go.
func sendEventAgain(v *visit) error {
	at := href("events", v.r.PathValue("id"))
	// An empty field must not be in the body: it would be an endpoint without an id.
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
	// The names are those of the API's body; a dot leads into an object.
	{Name: "type", Label: "Type", Hint: "loyalty.points_earned", Required: true, Help: "Letters, digits, _, - and .; none of the types that orderhook itself makes."},
	{Name: "data", Label: "Data", Lines: 10, Hint: `{"customerId": "C-881", "points": 120}`, Required: true, Help: "A JSON object, sent as it is."},
	{Name: "orderId", Label: "Order", Hint: "ORD-1"},
	{Name: "subject.kind", Label: "Kind of what it is about", Hint: "subscription", Help: "Left empty, it is about the order."},
	{Name: "subject.id", Label: "Its id"},
	{Name: "id", Label: "Id", Help: "One is made if it is left out. An id that was seen before is not sent again."},
	{Name: "timestamp", Label: "When it happened", Hint: "now"},
}

// showPublication shows the form. A link may fill it in by the query; after a refusal it
// has what was typed.
func (v *visit) showPublication(problem *Problem) error {
	c := Confirm{What: "An event is published: every endpoint that is on and wants its type gets it, at once.", Action: "/events", Inputs: slices.Clone(publishInputs), Hidden: []Hidden{newOnce()}, Button: "Publish the event", Back: "/events", Problem: problem}
	for i := range c.Inputs {
		// A form that comes back has what was typed, and a new one what the link says.
		in := &c.Inputs[i]
		if in.Value = v.query().Get(in.Name); v.r.Method == http.MethodPost {
			in.Value = v.lines(in.Name)
		}
	}
	return v.confirm("Publish an event", c)
}

// publish sends the form once, however often the button is pressed: an event that is published
// twice reaches every endpoint twice. It is checked here only that the data is JSON,
// because the body of the call is put together around it.
func publish(v *visit) error {
	// What is no JSON would make the whole body invalid, and the API could not name the
	// field.
	data := json.RawMessage(v.lines("data"))
	if !json.Valid(data) {
		return v.showPublication(&Problem{Status: http.StatusUnprocessableEntity, Title: "Unprocessable Entity", Detail: "the event is not valid", Instance: idOf(v.r),
			Errors: []apierr.FieldError{{Location: "body.data", Message: syntaxError(data)}}})
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
// written: its numbers keep their digits and its members their order. The API goes by the
// id of an event, and not by an Idempotency-Key (docs/contract.md#idempotency).
func (v *visit) publication(data json.RawMessage) json.RawMessage {
	body := []byte(`{"type":`)
	text := func(s string) {
		// The body is written by hand, because to marshal the data would change its form.
		quoted, _ := json.Marshal(s) // a text is always JSON
		body = append(body, quoted...)
	}
	// A field that was left empty is not in the body.
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
	// With only one of the two the API says which is missing.
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

// syntaxError says where a text stops to be JSON. An empty field is told apart, since
// "unexpected end" would help nobody.
func syntaxError(text json.RawMessage) string {
	// The error of the parser has the place in the text.
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	if len(text) == 0 {
		return "is needed"
	}
	return "is no JSON: " + err.Error()
}

// eventLinks are the searches about what an event is about. Another order may have a
// shipment, or a return, of the same name. So those searches have the order, too.
func eventLinks(e *api.Event) (out []Fact) {
	if e.OrderID != "" {
		out = append(out, Fact{Name: "Order", Value: e.OrderID, URL: href("orders", e.OrderID)})
	}
	if e.CartID != "" {
		out = append(out, Fact{Name: "Cart", Value: e.CartID, URL: href("carts", e.CartID)})
	}
	for _, f := range []struct{ name, order, filter, id string }{{"Shipment", e.OrderID, "shipmentId", e.ShipmentID}, {"Return", e.OrderID, "returnId", e.ReturnID}, {"Subscription", "", "subscriptionId", e.SubscriptionID}, {"Stock item", "", "stockItemId", e.StockItemID}} {
		if f.id != "" {
			out = append(out, Fact{Name: f.name, Value: f.id, URL: search("events", "orderId", f.order, f.filter, f.id)})
		}
	}
	return out
}
