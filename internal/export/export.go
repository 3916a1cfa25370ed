package export

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
)

// OpExportOrder is the operation of the history entry of an export.
const OpExportOrder = "ExportOrder"

// NewEvent is what an ExportOrder step sends: the order, and what of it the
// step runs for (docs/contract.md#exports). The order's document says the
// version that it is stored as.
func NewEvent(o *jsondoc.Object, scope order.StepScope, now time.Time) *event.Event {
	data := jsondoc.NewObject(jsondoc.Pair("order", o), jsondoc.Pair("returnOrderForm", orNull(order.ReturnForm(o, scope.ReturnID))),
		jsondoc.Pair("shipment", orNull(order.Shipment(o, scope.ShipmentID))))
	id := o.Text("id")
	return &event.Event{ID: ids.New(ids.Event), Type: event.TypeExportOrder, Subject: event.Subject{Kind: event.SubjectOrder, ID: id}, Timestamp: now, Data: data.JSON(),
		Related: event.Related{OrderID: id, ShipmentID: scope.ShipmentID, ReturnID: scope.ReturnID, SubscriptionID: o.Text("subscriptionId")}}
}

func orNull(o *jsondoc.Object) any {
	if o == nil {
		return nil
	}
	return o
}

// exported is what orderhook itself reads of an export's data.
type exported struct {
	Order struct {
		Status   string `json:"status"`
		MarketID string `json:"marketId"`
	} `json:"order"`
}

func readExport(data []byte) (x exported) {
	_ = json.Unmarshal(data, &x) // data that was erased says nothing
	return x
}

// Market returns the market of the order in an export's data, by which
// its connector is chosen; "" for none.
func Market(data []byte) string { return readExport(data).Order.MarketID }

// History is the export log item of an export whose last attempt was
// made (docs/contract.md#exports); status is that of the order that was sent.
// The version is the order's by now, as in the entries of other steps; their run
// and name come from [run.Run.Describe].
func History(e *event.Event, last *attempt.Attempt, version int64, now time.Time) order.HistoryEntry {
	exported := last.Outcome == attempt.OutcomeSucceeded
	h := order.HistoryEntry{
		ID: ids.New(ids.History), Timestamp: now, Category: order.CategoryWorkflow, Operation: OpExportOrder, Step: event.TypeExportOrder, By: "step " + event.TypeExportOrder,
		Status: readExport(e.Data).Order.Status, ShipmentID: e.ShipmentID, ReturnID: e.ReturnID, CallID: event.DeliveryID(e.ID, last.Delivery.Endpoint),
		IsError: !exported, Message: last.Error, Version: version,
		Created: &exported, IsSuccess: &exported, ErrorReason: last.Error, Type: event.TypeExportOrder,
	}
	if exported {
		h.Message = fmt.Sprintf("the order was exported; the endpoint answered %d", last.Status)
	}
	return h
}

// AddError adds the error of an export that failed for good to the order.
// The step is nil where its run is not known.
func AddError(o *jsondoc.Object, h *order.HistoryEntry, step *run.StepResult) {
	order.AddError(o, order.OrderError{Key: event.TypeExportOrder, DisplayName: displayNameOf(step), Message: h.Message, Details: h.CallID,
		ReferenceID: cmp.Or(h.ShipmentID, h.ReturnID), RunID: h.RunID}, h.Timestamp)
}

func displayNameOf(step *run.StepResult) string {
	if step == nil {
		return ""
	}
	return step.DisplayName
}

// ClearErrors removes the errors that exports of earlier runs to the endpoint of an
// entry's have left, about the same shipment or return, its own delivery's, and those that the
// same step left in earlier runs where it found no connector (docs/contract.md#order-errors).
// It reports whether there were any. Those of other connectors stay.
func ClearErrors(o *jsondoc.Object, h *order.HistoryEntry, step *run.StepResult) bool {
	_, endpoint, err := event.ParseDeliveryID(h.CallID)
	if err != nil {
		return false
	}
	have := o.List("errors")
	left := slices.DeleteFunc(slices.Clone(have), func(v any) bool {
		e, ok := v.(*jsondoc.Object)
		if !ok || !order.IsErrorOf(e, event.TypeExportOrder) || e.Text("referenceId") != cmp.Or(h.ShipmentID, h.ReturnID) || !isBefore(e, h) {
			return false
		}
		if details := e.Text("details"); details != "" {
			_, other, err := event.ParseDeliveryID(details)
			return err == nil && other == endpoint
		}
		return step != nil && order.ErrorRun(e) != "" && e.Text("displayName") == step.DisplayName
	})
	if len(left) == len(have) {
		return false
	}
	o.Set("errors", left)
	return true
}

// isBefore reports whether an error is one that a success may clear: of its own delivery, or of
// an earlier run. What another step of the run has left, or a later run, has not been mended by
// it. The ids of runs sort by time; where a run is not known, the success counts.
func isBefore(e *jsondoc.Object, h *order.HistoryEntry) bool {
	of := order.ErrorRun(e)
	return e.Text("details") == h.CallID || of == "" || h.RunID == "" || of < h.RunID
}
