package oms

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// OpExportOrder is the operation of the history entry of an export.
const OpExportOrder = "ExportOrder"

// ExportEvent is what an ExportOrder step sends: the order, and what of it the
// step runs for (CONTRACT.md, "Export Order"). The order's document says the
// version that it is stored as.
func ExportEvent(order *Object, scope StepScope, now time.Time) *Event {
	data := NewObject(Member{"order", order}, Member{"returnOrderForm", orNull(ReturnForm(order, scope.ReturnID))},
		Member{"shipment", orNull(Shipment(order, scope.ShipmentID))})
	id := order.Text("id")
	return &Event{ID: NewID(EventID), Type: TypeExportOrder, Subject: Subject{SubjectOrder, id}, Timestamp: now, Data: data.JSON(),
		Related: Related{OrderID: id, ShipmentID: scope.ShipmentID, ReturnID: scope.ReturnID, SubscriptionID: order.Text("subscriptionId")}}
}

func orNull(o *Object) any {
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

// ExportMarket returns the market of the order in an export's data, by which
// its connector is chosen; "" for none.
func ExportMarket(data []byte) string { return readExport(data).Order.MarketID }

// ExportHistory is the export log item of an export whose last attempt was
// made (CONTRACT.md, "Export Order"): created is the entry's timestamp,
// isSuccess the opposite of isError, status that of the order that was sent,
// and errorReason the message. The version is the order's by now, as in the
// entries of other steps; their run and name come from [HistoryEntry.InRun].
func ExportHistory(e *Event, last *Attempt, version int64, now time.Time) HistoryEntry {
	h := HistoryEntry{
		ID: NewID(HistoryID), Timestamp: now, Category: CategoryWorkflow, Operation: OpExportOrder, Step: TypeExportOrder, By: "step " + TypeExportOrder,
		Status: readExport(e.Data).Order.Status, ShipmentID: e.ShipmentID, ReturnID: e.ReturnID, CallID: deliveryID(e.ID, last.Delivery.Endpoint),
		IsError: last.Outcome != OutcomeSucceeded, Message: last.Error, Version: version,
	}
	if !h.IsError {
		h.Message = fmt.Sprintf("the order was exported; the endpoint answered %d", last.Status)
	}
	return h
}

// InRun completes an entry with the run that its call was a step of, and with the
// step's name there. It reports whether run is that one.
func (h *HistoryEntry) InRun(run *Run) bool {
	for i := range run.Results {
		if r := &run.Results[i]; r.CallID == h.CallID {
			h.RunID, h.By = run.ID, r.By()
			return true
		}
	}
	return false
}
