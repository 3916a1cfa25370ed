package dash

import (
	"net/http"
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// explanation says why an endpoint gets an event, or does not, as the API does.
//
// Wanted is the answer. If it is false, Reasons has every reason. FilterError is set
// where the filter could not be evaluated; then the event is sent. Conditions are the
// parts of the filter. MadeLater says that the endpoint was made after the event, so that
// the event never had a delivery to it. DeliveryID and Delivery are the delivery that
// there is, if any. Of erased data a filter cannot say anything.
type explanation struct {
	EventID     string      `json:"eventId"`
	EventType   string      `json:"eventType"`
	Timestamp   time.Time   `json:"timestamp"`
	OrderID     string      `json:"orderId"`
	Wanted      bool        `json:"wanted"`
	Reasons     []string    `json:"reasons"`
	FilterError string      `json:"unjudged"`
	Conditions  []condition `json:"conditions"`
	MadeLater   bool        `json:"madeLater"`
	DeliveryID  string      `json:"deliveryId"`
	Delivery    string      `json:"deliveryStatus"`
	DataErased  bool        `json:"dataErased"`
}

// condition is a part of a filter. Found are the values of the event that it looked at.
type condition struct {
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
	Error string `json:"error"`
	Found []struct {
		Name, Value, Error string
	} `json:"found"`
}

// Why are the reasons for people. A reason that has no text here is shown as the API
// calls it.
func (e explanation) Why() (out []string) {
	for _, r := range e.Reasons {
		if text, ok := reasons[r]; ok {
			r = text
		}
		out = append(out, r)
	}
	return out
}

// reasons are the API's reasons in words.
var reasons = map[string]string{
	"disabled":  "the endpoint is off",
	"eventType": "its event types do not name this one",
	"noOrder":   "it is about no order, and this endpoint gets events of orders alone",
	"filter":    "the filter is not true for it",
}

// explainView tries a filter, or an endpoint, on events. It is a page of an endpoint, or
// stands for itself, where somebody tries a filter for an endpoint that is still to be
// made.
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

// explainPage tries filters.
var explainPage = newPage[explainView]("explain", "/endpoints")

// explainInputs are the fields of the form, with the names of the API's body.
var explainInputs = []Input{
	// Each of these may be left empty: then the endpoint, or the newest events, decide.
	{Name: "filter", Label: "Filter", Lines: 2, Hint: "data.orderForm.total > 1000", Help: "Left empty, it is the endpoint's own."},
	{Name: "eventTypes", Label: "Event types", Hint: "order_* OrderCreated", Help: "Left empty, they are the endpoint's own."},
	{Name: "endpointId", Label: "Endpoint", Hint: "ep_…"},
	{Name: "eventId", Label: "Event", Hint: "the newest ones"},
	{Name: "newest", Label: "How many of the newest", Options: []Option{{"", "20"}, {"5", "5"}, {"50", "50"}}},
}

// explain asks nothing but what the URL says, so that the same link shows the same filter
// tomorrow. It calls the API by POST, but changes nothing, so a GET of the page may do
// it.
func explain(v *visit) error {
	query := asked(v.query())
	view := explainView{Asked: query.Has("endpointId") || query.Has("filter") || query.Has("eventTypes")}
	// The form shows what the URL says, so that one can change it and try again.
	for _, in := range explainInputs {
		in.Value = query.Get(in.Name)
		view.Inputs = append(view.Inputs, in)
	}
	err := v.explained(query, &view)
	// A wrong filter, and an id that does not exist, are errors of the form, and the form
	// is shown with them.
	if p := problemOf(err); p != nil && (refused(err) != nil || p.Status == http.StatusNotFound) {
		view.Problem = p
		p.mark(view.Inputs)
		view.Use = "" // with an error, no endpoint takes it
		return explainPage.refuse(v, "Try a filter", p, view)
	}
	if err != nil {
		return err
	}
	return explainPage.show(v, "Try a filter", view)
}

// explained asks the API what the URL asks for, and fills the view. What was found before
// an error stays in the view, so the page of the error still shows the endpoint.
func (v *visit) explained(query url.Values, view *explainView) error {
	// With an endpoint, the page has its head, and what is not given is the endpoint's
	// own.
	if id := query.Get("endpointId"); id != "" {
		head := endpointHead{Here: "explain"}
		if err := v.get("/api"+href("endpoints", id), nil, &head.Endpoint); err != nil {
			return err
		}
		head.States = endpointStates(&head.Endpoint)
		view.Head = &head
		// Without a filter in the URL the endpoint's own is tried. The page shows it,
		// with a link that puts it into the form to be changed.
		if own := head.Endpoint.Filter; own != "" && !query.Has("filter") {
			view.Own, view.Change = own, with(v.r.URL, "filter", own)
		}
		// An endpoint that belongs to a connector has no form to take the filter over
		// into.
		if v.may(access.Operator) && head.Own() {
			view.Use = tryOver(href("endpoints", id, "edit"), query)
		}
	} else if v.may(access.Operator) {
		view.Use = tryOver("/endpoints/new", query)
	}
	// The page without a question is only the form.
	if !view.Asked {
		return nil
	}
	// The URL has texts alone, and the body of the call has numbers and lists, too.
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

// tryOver is the URL of a form that is filled in with what was tried. The form stores
// nothing by itself: somebody looks at it, and presses the button.
func tryOver(form string, query url.Values) string {
	take := url.Values{}
	for _, name := range []string{"filter", "eventTypes"} {
		if query.Has(name) {
			take.Set(name, query.Get(name))
		}
	}
	// There is nothing to take over.
	if len(take) == 0 {
		return ""
	}
	return form + "?" + take.Encode()
}
