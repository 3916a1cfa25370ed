package export_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/export"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/timetext"
)

const exportedOrder = `{"id":"O1","status":"Accepted","marketId":"NOR","subscriptionId":"SUB-1","total":10.10,` +
	`"orderForm":{"shipments":[{"shipmentId":"S1","status":"New"},{"shipmentId":"S2","total":79.00}]},"returnOrderForms":[{"returnId":"R1","creditAmount":5.50}]}`

// docs/contract.md#exports: {order, returnOrderForm, shipment}.
func TestWhatAnExportCarries(t *testing.T) {
	for _, c := range []struct {
		scope order.StepScope
		rest  string
	}{
		{order.StepScope{}, `"returnOrderForm":null,"shipment":null}`},
		{order.StepScope{ShipmentID: "S2"}, `"returnOrderForm":null,"shipment":{"shipmentId":"S2","total":79.00}}`},
		{order.StepScope{ReturnID: "R1"}, `"returnOrderForm":{"returnId":"R1","creditAmount":5.50},"shipment":null}`},
		{order.StepScope{ShipmentID: "gone"}, `"returnOrderForm":null,"shipment":null}`},
	} {
		e := export.NewEvent(ordertest.Doc(t, exportedOrder), c.scope, ordertest.Noon)
		want := &event.Event{ID: e.ID, Type: "ExportOrder", Subject: event.Subject{Kind: "order", ID: "O1"}, Timestamp: ordertest.Noon,
			Related: event.Related{OrderID: "O1", ShipmentID: c.scope.ShipmentID, ReturnID: c.scope.ReturnID, SubscriptionID: "SUB-1"},
			Data:    []byte(`{"order":` + exportedOrder + `,` + c.rest)}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(string(e.Data), string(e.Body(event.FormatData))); diff != "" {
			t.Error(diff)
		}
		if market := export.Market(e.Data); market != "NOR" {
			t.Errorf("market %q", market)
		}
	}
	if market := export.Market(nil); market != "" {
		t.Errorf("market %q of nothing", market)
	}
}

// The export log item: created, isSuccess, status, errorReason.
func TestTheHistoryOfAnExport(t *testing.T) {
	e := export.NewEvent(ordertest.Doc(t, exportedOrder), order.StepScope{ShipmentID: "S2"}, ordertest.Noon)
	at := ordertest.Noon.Add(time.Minute)
	want := order.HistoryEntry{Timestamp: at, Category: "Workflow", Operation: "ExportOrder", Step: "ExportOrder", By: "step ExportOrder", Status: "Accepted",
		ShipmentID: "S2", CallID: "dlv_" + e.ID + ".7", Version: 5}
	for _, c := range []struct {
		last    attempt.Attempt
		message string
		isError bool
	}{
		{attempt.Attempt{Outcome: attempt.OutcomeSucceeded, Status: 202}, "the order was exported; the endpoint answered 202", false},
		{attempt.Attempt{Outcome: attempt.OutcomeFailed, Error: "the endpoint answered 500"}, "the endpoint answered 500", true},
	} {
		c.last.Delivery = event.DeliveryKey{Event: 3, Endpoint: 7}
		got := export.History(e, &c.last, 5, at)
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
	run := &run.Run{ID: "run_1", Results: []run.StepResult{
		{Step: "WebhookWorkflowStep", DisplayName: "Fraud", CallID: "call_1"},
		{Step: "ExportOrder", DisplayName: "To the ERP", CallID: "dlv_1", TranslateKey: "erp"},
		{Step: "ExportOrder", CallID: "dlv_2"},
		{Step: "ExportOrder"},
	}}
	for call, want := range map[string]order.HistoryEntry{
		"dlv_1": {CallID: "dlv_1", RunID: "run_1", By: "step ExportOrder (To the ERP)", TranslateKey: "erp"},
		"dlv_2": {CallID: "dlv_2", RunID: "run_1", By: "step ExportOrder"},
		"dlv_3": {CallID: "dlv_3", By: "as it was"},
	} {
		got := order.HistoryEntry{CallID: call, By: "as it was"}
		if found := run.Describe(&got); found != (want.RunID != "") {
			t.Errorf("%s: found is %v", call, found)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// docs/contract.md#order-errors.
func TestTheErrorsOfExports(t *testing.T) {
	o := ordertest.Doc(t, `{"errors":[{"key":"WebhookWorkflowStep","message":"other"}]}`)
	entry := func(ev string, endpoint int64, shipment string) *order.HistoryEntry {
		e := &event.Event{ID: ev, Related: event.Related{ShipmentID: shipment}}
		h := export.History(e, &attempt.Attempt{Outcome: attempt.OutcomeFailed, Error: "answered 500", Delivery: event.DeliveryKey{Endpoint: endpoint}}, 5, ordertest.Noon)
		h.RunID = "run_1"
		return &h
	}
	export.AddError(o, entry("evt_1", 7, "S2"), &run.StepResult{DisplayName: "To the ERP"})
	want := `{"key":"ExportOrder","displayName":"To the ERP","message":"answered 500","details":"dlv_evt_1.7","severity":"Error","status":"New",` +
		`"referenceId":"S2","runId":"run_1","occurred":"` + timetext.FormatTime(ordertest.Noon) + `"}`
	if got := string(o.Objects("errors")[1].JSON()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	export.AddError(o, entry("evt_2", 7, ""), nil)
	export.AddError(o, entry("evt_3", 8, ""), nil)
	export.AddError(o, entry("evt_4", 7, ""), nil)
	order.AddError(o, order.OrderError{Key: "ExportOrder", DisplayName: "To the ERP", Message: "connector not found", RunID: "run_0"}, ordertest.Noon)
	// What a step of the same run or of a later one has left stays, but for the delivery's own.
	later := func(h *order.HistoryEntry) *order.HistoryEntry { h.RunID = "run_2"; return h }
	same := ordertest.Doc(t, string(o.JSON()))
	for _, h := range []*order.HistoryEntry{entry("evt_9", 7, ""), entry("evt_9", 8, "")} {
		if export.ClearErrors(same, h, nil) {
			t.Errorf("%s has cleared errors of its own run", h.CallID)
		}
	}
	before := later(entry("evt_9", 7, ""))
	before.RunID = "run_0"
	if export.ClearErrors(same, before, nil) {
		t.Error("an earlier run has cleared errors of a later one")
	}
	if !export.ClearErrors(same, entry("evt_4", 7, ""), nil) || len(same.List("errors")) != len(o.List("errors"))-1 {
		t.Errorf("a delivery that was sent again has cleared %s", same.JSON())
	}
	for _, c := range []struct {
		cleared *order.HistoryEntry
		step    *run.StepResult
		left    int
	}{{entry("evt_9", 9, ""), nil, 6}, {entry("evt_9", 7, ""), nil, 4}, {entry("evt_9", 7, ""), nil, 4}, {entry("evt_9", 8, "S2"), nil, 4},
		{entry("evt_9", 9, ""), &run.StepResult{}, 4}, {entry("evt_9", 8, ""), &run.StepResult{DisplayName: "To the ERP"}, 2}, {entry("evt_9", 7, "S2"), nil, 1}} {
		before := len(o.List("errors"))
		changed := export.ClearErrors(o, later(c.cleared), c.step)
		if left := len(o.List("errors")); left != c.left || changed != (left != before) {
			t.Errorf("%s clears to %d errors, changed is %v; want %d", c.cleared.CallID, left, changed, c.left)
		}
	}
}
