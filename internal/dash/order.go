package dash

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/orderhook/orderhook/internal/order"
)

// orderView is an order, and all that happened to it. What the tables leave out, the
// document beneath has.
type orderView struct {
	Order         orderSummary
	Tabs          []Range      // the pages about this order
	Errors        []orderError // unsolved, but those that the runs of Hands tell of
	Hands         []runItem    // runs that go on, or that wait for somebody
	Lines         []lineRow
	Left          int  // how many lines are not among these
	MoreErrors    bool // there are more than are in Errors
	ShipmentsLeft int  // how many are not among these
	ReturnsLeft   int
	Shipments     []shipmentRow
	Returns       []returnRow
	Document      Document
	Timeline      timelineView
}

// lineRow is a line of an order or a cart. Quantities and prices are the digits of the
// document, since a price that passed through a float might be shown as another.
type lineRow struct {
	ID, Code, Name                       string
	Quantity, Canceled, Returned, Placed string // digits as stored
	Extended                             string
}

// shipmentRow is a shipment of an order. Status is the shipment's own, and OrderStatus
// the one whose workflow runs (docs/contract.md#shipments).
type shipmentRow struct {
	ID, Status, OrderStatus, DeliveryStatus string
	Warehouse, Method, Tracking             string
}

// returnRow is a return of an order. Its lines are those of its form, with what was
// returned of each.
type returnRow struct {
	ID, Status, Comment string
	Lines               []lineRow
	Open                bool // it can be canceled
}

// orderPage shows one order.
var orderPage = newPage[orderView]("order", "/orders")

// mostLines is how many lines, shipments, returns or errors the page of an order shows in
// tables. The document has them all.
const mostLines = 50

// order asks for an order's document, and what of it a page shows. A page that needs the
// document alone asks orderAt, and saves the reading of a large one.
func (v *visit) order() (doc json.RawMessage, s orderSummary, err error) {
	if doc, err = v.orderAt(""); err == nil {
		s = summarized(doc)
	}
	return doc, s, err
}

// orderAt asks for an order's document as it was at a version; "" is as it is now. A
// version that is not stored any more is a 404.
func (v *visit) orderAt(version string) (doc json.RawMessage, err error) {
	path := "/api" + href("orders", v.r.PathValue("id"))
	if version != "" {
		path += href("versions", version)
	}
	return doc, v.get(path, nil, &doc)
}

// orderTabs are the pages about an order; here is the path of the one that is shown. Each
// page about an order has them above it.
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

// showOrder reads the document once: of an order of several megabytes, each reading takes as long
// as everything else on the page. Errors that a run among the hands has left are shown
// there, beside the button that does something about them, and not a second time.
func showOrder(v *visit) error {
	doc, err := v.orderAt("")
	if err != nil {
		return err
	}
	o := objectOf(doc)
	form := o.object("orderForm")
	summary := summaryOf(o, form)
	view := orderView{Order: summary, Tabs: orderTabs(summary.ID, href("orders", summary.ID)),
		Lines: lines(form), Shipments: shipments(form), Returns: returns(o)}
	view.Left = summary.Lines - len(view.Lines)
	view.ShipmentsLeft = form.count("shipments") - len(view.Shipments)
	view.ReturnsLeft = o.count("returnOrderForms") - len(view.Returns)
	view.Document = v.document("Order", doc, href("orders", summary.ID, "document"), whoSet(summary.ID))
	if view.Hands, err = v.hands(summary.ID); err != nil {
		return err
	}
	for _, e := range orderErrors(o) {
		switch {
		case !e.Unsolved || slices.ContainsFunc(view.Hands, func(r runItem) bool { return r.ID == e.RunID }):
		case len(view.Errors) == mostLines:
			view.MoreErrors = true
		default:
			view.Errors = append(view.Errors, e)
		}
	}
	if view.Timeline, err = v.timeline(summary.ID); err != nil {
		return err
	}
	return orderPage.showLive(v, "Order "+summary.ID, "orders,runs,attempts,events", view)
}

// document draws a document of the API's, as far as the page is asked for: at first its
// beginning, and with show=all more of it. Raw is the page of its raw form; note is of
// drawn. An order of ten megabytes would hold up a browser for seconds.
func (v *visit) document(name string, doc []byte, raw string, note func(pointer string) *Note) Document {
	shown, all := v.extent()
	d := drawn(name, doc, shown, note)
	if d.Raw = raw; d.Cut {
		d.All = all
	}
	return d
}

// extent is how much of its documents the page is asked for, and the URL that shows more;
// "" where there is no more to ask for. It is in the URL, so a page that is fetched again
// shows as much as before.
func (v *visit) extent() (shown extent, all string) {
	if v.query().Get("show") == "all" {
		return more, ""
	}
	return some, with(v.r.URL, "show", "all")
}

// orderFile is the document as the API has it, whole, for what the page shows in part.
// The parameter version asks for it as it was.
func orderFile(v *visit) error {
	doc, err := v.orderAt(v.query().Get("version"))
	if err != nil {
		return err
	}
	return v.asText(doc)
}

// asText answers with a document as it is, as plain text. The browser shows it, and runs
// nothing of it.
func (v *visit) asText(doc []byte) error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	send(v.w, http.StatusOK, doc)
	return nil
}

// hands are the newest runs of an order that go on, and its newest one if a step stopped
// it: those that somebody may want to do something about. It looks at the newest 20. An
// older run that was stopped is not among them, since others have begun after it.
func (v *visit) hands(order string) (out []runItem, err error) {
	var list List[runItem]
	if err = v.get("/api/runs", url.Values{"orderId": {order}, "limit": {"20"}}, &list); err != nil {
		return nil, err
	}
	for i, r := range list.Items {
		if i == 0 && r.Aborted() { // the run alone says whether it can go on
			err = v.get("/api"+href("runs", r.ID), nil, &r)
			if p := problemOf(err); p != nil && p.Status == http.StatusNotFound { // it was just erased
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		if !r.Status.Ended() || i == 0 && r.Aborted() {
			out = append(out, r)
		}
	}
	return out, nil
}

// lines are the first lines of an order, a cart or a return, as they were written: nothing is
// worked out here that the document does not say.
func lines(form object) (out []lineRow) {
	for _, l := range form.list("lineItems", mostLines) {
		out = append(out, lineRow{ID: l.text("lineItemId"), Code: l.first("code", "sku"), Name: l.first("displayName", "name"), Quantity: l.text("quantity"),
			Canceled: worth(l.text("canceledQuantity")), Returned: worth(l.text("returnQuantity")), Placed: l.text("placedPrice"), Extended: l.text("extendedPrice")})
	}
	return out
}

// worth is a number that is worth to be told of: any but zero. A table in which most
// cells are 0 is hard to read.
func worth(digits string) string {
	if n, err := strconv.ParseFloat(digits, 64); err == nil && n == 0 {
		return ""
	}
	return digits
}

// shipments are the first shipments of an order, as they were written.
func shipments(form object) (out []shipmentRow) {
	for _, s := range form.list("shipments", mostLines) {
		out = append(out, shipmentRow{ID: s.text("shipmentId"), Status: s.text("status"), OrderStatus: s.text("orderStatus"), DeliveryStatus: s.text("deliveryStatus"),
			Warehouse: s.text("warehouseCode"), Method: s.first("shippingMethodName", "shippingMethodId"), Tracking: s.text("shipmentTrackingNumber")})
	}
	return out
}

// returns are the first returns of an order. One that is cancelled already has no button.
func returns(o object) (out []returnRow) {
	for _, r := range o.list("returnOrderForms", mostLines) {
		status := r.text("status")
		out = append(out, returnRow{ID: r.text("returnId"), Status: status, Comment: r.text("returnComment"), Lines: lines(r), Open: !order.IsCancelled(status)})
	}
	return out
}
