package oms_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
)

const exportedOrder = `{"id":"O1","status":"Accepted","marketId":"NOR","subscriptionId":"SUB-1","total":10.10,` +
	`"orderForm":{"shipments":[{"shipmentId":"S1","status":"New"},{"shipmentId":"S2","total":79.00}]},"returnOrderForms":[{"returnId":"R1","creditAmount":5.50}]}`

// CONTRACT.md, "Export Order": {order, returnOrderForm, shipment}.
func TestWhatAnExportCarries(t *testing.T) {
	for _, c := range []struct {
		scope oms.StepScope
		rest  string
	}{
		{oms.StepScope{}, `"returnOrderForm":null,"shipment":null}`},
		{oms.StepScope{ShipmentID: "S2"}, `"returnOrderForm":null,"shipment":{"shipmentId":"S2","total":79.00}}`},
		{oms.StepScope{ReturnID: "R1"}, `"returnOrderForm":{"returnId":"R1","creditAmount":5.50},"shipment":null}`},
		{oms.StepScope{ShipmentID: "gone"}, `"returnOrderForm":null,"shipment":null}`},
	} {
		e := oms.ExportEvent(doc(t, exportedOrder), c.scope, noon)
		want := &oms.Event{ID: e.ID, Type: "ExportOrder", Subject: oms.Subject{Kind: "order", ID: "O1"}, Timestamp: noon,
			Related: oms.Related{OrderID: "O1", ShipmentID: c.scope.ShipmentID, ReturnID: c.scope.ReturnID, SubscriptionID: "SUB-1"},
			Data:    []byte(`{"order":` + exportedOrder + `,` + c.rest)}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(string(e.Data), string(e.Body(oms.FormatData))); diff != "" {
			t.Error(diff)
		}
		if market := oms.ExportMarket(e.Data); market != "NOR" {
			t.Errorf("market %q", market)
		}
	}
	if market := oms.ExportMarket(nil); market != "" {
		t.Errorf("market %q of nothing", market)
	}
}

// The export log item: created, isSuccess, status, errorReason.
func TestTheHistoryOfAnExport(t *testing.T) {
	e := oms.ExportEvent(doc(t, exportedOrder), oms.StepScope{ShipmentID: "S2"}, noon)
	at := noon.Add(time.Minute)
	want := oms.HistoryEntry{Timestamp: at, Category: "Workflow", Operation: "ExportOrder", Step: "ExportOrder", By: "step ExportOrder", Status: "Accepted",
		ShipmentID: "S2", CallID: "dlv_" + e.ID + ".7", Version: 5}
	for _, c := range []struct {
		last    oms.Attempt
		message string
		isError bool
	}{
		{oms.Attempt{Outcome: oms.OutcomeSucceeded, Status: 202}, "the order was exported; the endpoint answered 202", false},
		{oms.Attempt{Outcome: oms.OutcomeFailed, Error: "the endpoint answered 500"}, "the endpoint answered 500", true},
	} {
		c.last.Delivery = oms.DeliveryKey{Event: 3, Endpoint: 7}
		got := oms.ExportHistory(e, &c.last, 5, at)
		exported := !c.isError
		want.ID, want.Message, want.IsError, want.Created, want.IsSuccess = got.ID, c.message, c.isError, &exported, &exported
		want.Type, want.ErrorReason = "ExportOrder", c.last.Error
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// What an export log item has in common with the entries of other steps.
func TestTheRunOfAnExportsHistory(t *testing.T) {
	run := &oms.Run{ID: "run_1", Results: []oms.StepResult{
		{Step: "WebhookWorkflowStep", DisplayName: "Fraud", CallID: "call_1"},
		{Step: "ExportOrder", DisplayName: "To the ERP", CallID: "dlv_1", TranslateKey: "erp"},
		{Step: "ExportOrder", CallID: "dlv_2"},
		{Step: "ExportOrder"},
	}}
	for call, want := range map[string]oms.HistoryEntry{
		"dlv_1": {CallID: "dlv_1", RunID: "run_1", By: "step ExportOrder (To the ERP)", TranslateKey: "erp"},
		"dlv_2": {CallID: "dlv_2", RunID: "run_1", By: "step ExportOrder"},
		"dlv_3": {CallID: "dlv_3", By: "as it was"},
	} {
		got := oms.HistoryEntry{CallID: call, By: "as it was"}
		if found := got.InRun(run); found != (want.RunID != "") {
			t.Errorf("%s: found is %v", call, found)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// CONTRACT.md, "Errors on an order".
func TestTheErrorsOfExports(t *testing.T) {
	order := doc(t, `{"errors":[{"key":"WebhookWorkflowStep","message":"other"}]}`)
	entry := func(event string, endpoint int64, shipment string) *oms.HistoryEntry {
		e := &oms.Event{ID: event, Related: oms.Related{ShipmentID: shipment}}
		h := oms.ExportHistory(e, &oms.Attempt{Outcome: oms.OutcomeFailed, Error: "answered 500", Delivery: oms.DeliveryKey{Endpoint: endpoint}}, 5, noon)
		h.RunID = "run_1"
		return &h
	}
	oms.AddExportError(order, entry("evt_1", 7, "S2"), &oms.StepResult{DisplayName: "To the ERP"})
	want := `{"key":"ExportOrder","displayName":"To the ERP","message":"answered 500","details":"dlv_evt_1.7","severity":"Error","status":"New",` +
		`"referenceId":"S2","runId":"run_1","occurred":"` + oms.FormatTime(noon) + `"}`
	if got := string(order.Objects("errors")[1].JSON()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	oms.AddExportError(order, entry("evt_2", 7, ""), nil)
	oms.AddExportError(order, entry("evt_3", 8, ""), nil)
	oms.AddExportError(order, entry("evt_4", 7, ""), nil)
	oms.AddError(order, oms.OrderError{Key: "ExportOrder", DisplayName: "To the ERP", Message: "connector not found", RunID: "run_0"}, noon)
	for _, c := range []struct {
		cleared *oms.HistoryEntry
		step    *oms.StepResult
		left    int
	}{{entry("evt_9", 9, ""), nil, 6}, {entry("evt_9", 7, ""), nil, 4}, {entry("evt_9", 7, ""), nil, 4}, {entry("evt_9", 8, "S2"), nil, 4},
		{entry("evt_9", 9, ""), &oms.StepResult{}, 4}, {entry("evt_9", 8, ""), &oms.StepResult{DisplayName: "To the ERP"}, 2}, {entry("evt_9", 7, "S2"), nil, 1}} {
		before := len(order.List("errors"))
		changed := oms.ClearExportErrors(order, c.cleared, c.step)
		if left := len(order.List("errors")); left != c.left || changed != (left != before) {
			t.Errorf("%s clears to %d errors, changed is %v; want %d", c.cleared.CallID, left, changed, c.left)
		}
	}
}
