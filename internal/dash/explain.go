package dash

import (
	"net/http"
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// explanation says why an endpoint gets an event, or does not, as the API does.
type explanation struct {
	EventID    string      `json:"eventId"`
	EventType  string      `json:"eventType"`
	Timestamp  time.Time   `json:"timestamp"`
	OrderID    string      `json:"orderId"`
	Wanted     bool        `json:"wanted"`
	Reasons    []string    `json:"reasons"`
	Unjudged   string      `json:"unjudged"`
	Conditions []condition `json:"conditions"`
	MadeLater  bool        `json:"madeLater"`
	DeliveryID string      `json:"deliveryId"`
	Delivery   string      `json:"deliveryStatus"`
	DataErased bool        `json:"dataErased"`
}

// condition is a part of a filter.
type condition struct {
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
	Error string `json:"error"`
	Found []struct {
		Name, Value, Error string
	} `json:"found"`
}

// Why are the reasons for people.
func (e explanation) Why() (out []string) {
	for _, r := range e.Reasons {
		if text, ok := reasons[r]; ok {
			r = text
		}
		out = append(out, r)
	}
	return out
}

var reasons = map[string]string{
	"disabled":  "the endpoint is off",
	"eventType": "its event types do not name this one",
	"noOrder":   "it is about no order, and this endpoint gets events of orders alone",
	"filter":    "the filter is not true for it",
}

// explainView tries a filter, or an endpoint, on events.
type explainView struct {
	Head    *endpointHead // nil: it is about no endpoint that there is
	Inputs  []Input
	Items   []explanation
	Asked   bool   // the URL says what to try
	Own     string // the filter of the endpoint, while another one is not tried
	Change  string // the URL that begins with that one
	Use     string // the URL of the form that takes what was tried over; "" if there is nothing to take over
	Problem *Problem
}

var explainPage = newPage[explainView]("explain", "/endpoints")

var explainInputs = []Input{
	{Name: "filter", Label: "Filter", Lines: 2, Hint: "data.orderForm.total > 1000", Help: "Left empty, it is the endpoint's own."},
	{Name: "eventTypes", Label: "Event types", Hint: "order_* OrderCreated", Help: "Left empty, they are the endpoint's own."},
	{Name: "endpointId", Label: "Endpoint", Hint: "ep_…"},
	{Name: "eventId", Label: "Event", Hint: "the newest ones"},
	{Name: "newest", Label: "How many of the newest", Options: []Option{{"", "20"}, {"5", "5"}, {"50", "50"}}},
}

// explain asks nothing but what the URL says, so that the same link shows the same filter
// tomorrow.
func explain(v *visit) error {
	query := asked(v.query())
	view := explainView{Asked: query.Has("endpointId") || query.Has("filter") || query.Has("eventTypes")}
	for _, in := range explainInputs {
		in.Value = query.Get(in.Name)
		view.Inputs = append(view.Inputs, in)
	}
	err := v.explained(query, &view)
	if p := problemOf(err); p != nil && (refused(err) != nil || p.Status == http.StatusNotFound) {
		view.Problem = p
		for i := range view.Inputs {
			view.Inputs[i].Error = p.about(view.Inputs[i].Name)
		}
		view.Use = "" // with a mistake, no endpoint takes it
		return explainPage.refuse(v, "Try a filter", p, view)
	}
	if err != nil {
		return err
	}
	return explainPage.show(v, "Try a filter", view)
}

func (v *visit) explained(query url.Values, view *explainView) error {
	if id := query.Get("endpointId"); id != "" {
		head := endpointHead{Here: "explain"}
		if err := v.get("/api"+href("endpoints", id), nil, &head.Endpoint); err != nil {
			return err
		}
		head.States = endpointStates(&head.Endpoint)
		view.Head = &head
		if own := head.Endpoint.Filter; own != "" && !query.Has("filter") {
			view.Own, view.Change = own, with(v.r.URL, "filter", own)
		}
		if v.may(oms.Operator) && head.Own() {
			view.Use = tryOver(href("endpoints", id, "edit"), query)
		}
	} else if v.may(oms.Operator) {
		view.Use = tryOver("/endpoints/new", query)
	}
	if !view.Asked {
		return nil
	}
	body := map[string]any{}
	for name := range query {
		switch text := query.Get(name); name {
		case "newest":
			body[name] = asNumber(text)
		case "eventTypes":
			body[name] = asWords(text)
		default: // what the API does not know it names
			body[name] = text
		}
	}
	var list List[explanation]
	if err := v.send(http.MethodPost, "/api/endpoints/explain", body, &list); err != nil {
		return err
	}
	view.Items = list.Items
	return nil
}

// tryOver is the URL of a form that is filled in with what was tried.
func tryOver(form string, query url.Values) string {
	take := url.Values{}
	for _, name := range []string{"filter", "eventTypes"} {
		if query.Has(name) {
			take.Set(name, query.Get(name))
		}
	}
	if len(take) == 0 {
		return ""
	}
	return form + "?" + take.Encode()
}
