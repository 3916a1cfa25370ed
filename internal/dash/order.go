package dash

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/orderhook/orderhook/internal/oms"
)

// orderView is an order, and all that happened to it.
type orderView struct {
	Order     orderSummary
	Tabs      []Range      // the pages about this order
	Errors    []orderError // unsolved, but those that the runs of Hands tell of
	Hands     []runItem    // runs that go on, or that wait for somebody
	Lines     []lineRow
	Left      int // how many lines are not among these
	Shipments []shipmentRow
	Returns   []returnRow
	Document  Document
	Timeline  timelineView
}

// lineRow is a line of an order or a cart.
type lineRow struct {
	ID, Code, Name                       string
	Quantity, Canceled, Returned, Placed string // digits as stored
	Extended                             string
}

// shipmentRow is a shipment of an order.
type shipmentRow struct {
	ID, Status, OrderStatus, DeliveryStatus string
	Warehouse, Method, Tracking             string
}

// returnRow is a return of an order.
type returnRow struct {
	ID, Status, Comment string
	Lines               []lineRow
	Open                bool // it can be canceled
}

var orderPage = newPage[orderView]("order", "/orders")

// mostLines is how many lines, shipments, returns or errors the page of an order shows in
// tables. The document has them all.
const mostLines = 50

// order asks for an order's document, and what of it a page shows; as it was at a
// version, where one is given.
func (v *visit) order(version string) (doc json.RawMessage, s orderSummary, err error) {
	path := "/api" + href("orders", v.r.PathValue("id"))
	if version != "" {
		path += href("versions", version)
	}
	if err = v.get(path, nil, &doc); err == nil {
		s = summarized(doc)
	}
	return doc, s, err
}

// orderTabs are the pages about an order; here is the path of the one that is shown.
func orderTabs(id, here string) (tabs []Range) {
	for _, t := range []Range{
		{Text: "Order", URL: href("orders", id)},
		{Text: "Blame", URL: href("orders", id, "blame")},
		{Text: "Versions", URL: href("orders", id, "versions")},
	} {
		t.Here = t.URL == here
		tabs = append(tabs, t)
	}
	return tabs
}

func showOrder(v *visit) error {
	doc, summary, err := v.order("")
	if err != nil {
		return err
	}
	o := objectOf(doc)
	view := orderView{Order: summary, Tabs: orderTabs(summary.ID, href("orders", summary.ID)),
		Lines: lines(o.object("orderForm")), Shipments: shipments(o.object("orderForm")), Returns: returns(o)}
	view.Left = summary.Lines - len(view.Lines)
	view.Document = v.document("Order", doc, href("orders", summary.ID, "document"), whoSet(summary.ID))
	if view.Hands, err = v.hands(summary.ID); err != nil {
		return err
	}
	for _, e := range orderErrors(o) {
		if len(view.Errors) == mostLines {
			break
		}
		if e.Unsolved && !slices.ContainsFunc(view.Hands, func(r runItem) bool { return r.ID == e.RunID }) {
			view.Errors = append(view.Errors, e)
		}
	}
	if view.Timeline, err = v.timeline(summary.ID); err != nil {
		return err
	}
	return orderPage.showLive(v, "Order "+summary.ID, "orders,runs,attempts,events", view)
}

// document draws a document as far as the page is asked for: at first its beginning, and
// with show=all more of it. Raw is the page of its raw form; note is of newDocument.
func (v *visit) document(name string, doc []byte, raw string, note func(pointer string) *Note) Document {
	lines, all := v.linesShown()
	d := newDocument(name, doc, lines, note)
	if d.Raw = raw; d.Cut {
		d.All = all
	}
	return d
}

// linesShown is how many lines of a document the page is asked for, and the URL that shows
// more of it; "" where there is no more to ask for.
func (v *visit) linesShown() (lines int, all string) {
	if v.query().Get("show") == "all" {
		return allLines, ""
	}
	return someLines, with(v.r.URL, "show", "all")
}

func orderFile(v *visit) error {
	doc, _, err := v.order(v.query().Get("version"))
	if err != nil {
		return err
	}
	return v.asText(doc)
}

// asText answers with a document as it is, as plain text.
func (v *visit) asText(doc []byte) error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	send(v.w, http.StatusOK, doc)
	return nil
}

// hands are the newest runs of an order that go on, and its newest one if a step stopped
// it: those that somebody may want to do something about.
func (v *visit) hands(order string) (out []runItem, err error) {
	var list List[runItem]
	if err = v.get("/api/runs", url.Values{"orderId": {order}, "limit": {"20"}}, &list); err != nil {
		return nil, err
	}
	for i, r := range list.Items {
		if !r.Status.Ended() || i == 0 && r.Status == oms.RunAborted {
			out = append(out, r)
		}
	}
	return out, nil
}

func lines(form object) (out []lineRow) {
	for _, l := range form.list("lineItems", mostLines) {
		out = append(out, lineRow{ID: l.text("lineItemId"), Code: l.first("code", "sku"), Name: l.first("displayName", "name"), Quantity: l.text("quantity"),
			Canceled: worth(l.text("canceledQuantity")), Returned: worth(l.text("returnQuantity")), Placed: l.text("placedPrice"), Extended: l.text("extendedPrice")})
	}
	return out
}

// worth is a number that is worth to be told of: any but zero.
func worth(digits string) string {
	if n, err := strconv.ParseFloat(digits, 64); err == nil && n == 0 {
		return ""
	}
	return digits
}

func shipments(form object) (out []shipmentRow) {
	for _, s := range form.list("shipments", mostLines) {
		out = append(out, shipmentRow{ID: s.text("shipmentId"), Status: s.text("status"), OrderStatus: s.text("orderStatus"), DeliveryStatus: s.text("deliveryStatus"),
			Warehouse: s.text("warehouseCode"), Method: s.first("shippingMethodName", "shippingMethodId"), Tracking: s.text("shipmentTrackingNumber")})
	}
	return out
}

func returns(o object) (out []returnRow) {
	for _, r := range o.list("returnOrderForms", mostLines) {
		status := r.text("status")
		out = append(out, returnRow{ID: r.text("returnId"), Status: status, Comment: r.text("returnComment"), Lines: lines(r), Open: !oms.IsCancelled(status)})
	}
	return out
}
