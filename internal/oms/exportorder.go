package oms

import (
	"cmp"
	"fmt"
	"slices"
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
// made (CONTRACT.md, "Export Order"); status is that of the order that was sent.
// The version is the order's by now, as in the entries of other steps; their run
// and name come from [HistoryEntry.InRun].
func ExportHistory(e *Event, last *Attempt, version int64, now time.Time) HistoryEntry {
	exported := last.Outcome == OutcomeSucceeded
	h := HistoryEntry{
		ID: NewID(HistoryID), Timestamp: now, Category: CategoryWorkflow, Operation: OpExportOrder, Step: TypeExportOrder, By: "step " + TypeExportOrder,
		Status: readExport(e.Data).Order.Status, ShipmentID: e.ShipmentID, ReturnID: e.ReturnID, CallID: deliveryID(e.ID, last.Delivery.Endpoint),
		IsError: !exported, Message: last.Error, Version: version,
		Created: &exported, IsSuccess: &exported, ErrorReason: last.Error, Type: TypeExportOrder,
	}
	if exported {
		h.Message = fmt.Sprintf("the order was exported; the endpoint answered %d", last.Status)
	}
	return h
}

// StepOf returns the step of a run that made a call; nil: none did.
func (r *Run) StepOf(callID string) *StepResult {
	i := slices.IndexFunc(r.Results, func(s StepResult) bool { return s.CallID == callID })
	if i < 0 {
		return nil
	}
	return &r.Results[i]
}

// InRun completes an entry with the run that its call was a step of, and with the
// step's name there. It reports whether run is that one.
func (h *HistoryEntry) InRun(run *Run) bool {
	step := run.StepOf(h.CallID)
	if step == nil {
		return false
	}
	h.RunID, h.By, h.TranslateKey = run.ID, step.By(), step.TranslateKey
	return true
}

// AddExportError adds the error of an export that failed for good to the order.
// The step is nil where its run is not known.
func AddExportError(order *Object, h *HistoryEntry, step *StepResult) {
	AddError(order, OrderError{Key: TypeExportOrder, DisplayName: displayNameOf(step), Message: h.Message, Details: h.CallID,
		ReferenceID: cmp.Or(h.ShipmentID, h.ReturnID), RunID: h.RunID}, h.Timestamp)
}

func displayNameOf(step *StepResult) string {
	if step == nil {
		return ""
	}
	return step.DisplayName
}

// ClearExportErrors removes the errors that earlier exports to the endpoint of an
// entry's have left, about the same shipment or return, and those that the same
// step left where it found no connector. It reports whether there were any.
// Those of other connectors stay.
func ClearExportErrors(order *Object, h *HistoryEntry, step *StepResult) bool {
	_, endpoint, err := ParseDeliveryID(h.CallID)
	if err != nil {
		return false
	}
	have := order.List("errors")
	left := slices.DeleteFunc(slices.Clone(have), func(v any) bool {
		e, ok := v.(*Object)
		if !ok || !isErrorOf(e, TypeExportOrder) || e.Text("referenceId") != cmp.Or(h.ShipmentID, h.ReturnID) {
			return false
		}
		if details := e.Text("details"); details != "" {
			_, other, err := ParseDeliveryID(details)
			return err == nil && other == endpoint
		}
		return step != nil && errorRun(e) != "" && e.Text("displayName") == step.DisplayName
	})
	if len(left) == len(have) {
		return false
	}
	order.Set("errors", left)
	return true
}
