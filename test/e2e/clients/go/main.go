// Command goclient drives a server with the client that oapi-codegen makes of
// its OpenAPI document. It ends with 1 at the first thing that is not as it
// should be.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"goclient/orderhook"
)

func main() {
	d := driver{ctx: context.Background(), stepURL: os.Args[3], hangingURL: os.Args[4]}
	key := func(_ context.Context, req *http.Request) error {
		req.Header.Set("Authorization", "Bearer "+os.Args[2])
		return nil
	}
	var err error
	d.api, err = orderhook.NewClientWithResponses(os.Args[1], orderhook.WithRequestEditorFn(key))
	d.noError(err)
	d.settings()
	d.orders()
	d.waiting()
	d.endpoints()
	fmt.Println("all went well")
}

type driver struct {
	ctx                 context.Context
	api                 *orderhook.ClientWithResponses
	stepURL, hangingURL string
}

func (d *driver) fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func (d *driver) noError(err error) {
	if err != nil {
		d.fail("%v", err)
	}
}

// status fails unless an answer has a status.
func (d *driver) status(what string, want int, got *http.Response, body []byte) {
	if got.StatusCode != want {
		d.fail("%s is answered %d, want %d: %s", what, got.StatusCode, want, body)
	}
}

// settings stores a workflow of one step, and one that hangs.
func (d *driver) settings() {
	status := func(name, url string) orderhook.SettingsStatus {
		host := []orderhook.SettingsProperty{{Key: new("Host"), Value: &url}}
		return orderhook.SettingsStatus{Name: &name, WorkflowSteps: &[]orderhook.WorkflowStep{
			{Name: new("WebhookWorkflowStep"), Connector: new("Webhook"), Properties: &host}}}
	}
	types := []orderhook.OrderType{{Name: new("Online"), OrderStatuses: &[]orderhook.SettingsStatus{status("New", d.stepURL), status("Hanging", d.hangingURL)}}}
	put, err := d.api.PutSettingsWithResponse(d.ctx, nil, orderhook.Settings{OrderTypes: &types})
	d.noError(err)
	d.status("PUT settings", 200, put.HTTPResponse, put.Body)
	got, err := d.api.GetSettingsWithResponse(d.ctx)
	d.noError(err)
	if name := (*(*got.JSON200.OrderTypes)[0].OrderStatuses)[1].Name; *name != "Hanging" {
		d.fail("the settings come back with the status %q", *name)
	}
}

func (d *driver) orders() {
	price, quantity := orderhook.Amount("1234567890.123456789"), orderhook.Amount("2")
	order := orderhook.NewOrder{Id: new("GO-1"), Status: new("New"), OrderForm: &orderhook.OrderForm{LineItems: &[]orderhook.OrderLine{
		{LineItemId: new("1"), Quantity: &quantity, PlacedPrice: &price, AdditionalProperties: map[string]any{"colour": "blå"}}}}}
	made, err := d.api.CreateOrderWithResponse(d.ctx, nil, order)
	d.noError(err)
	d.status("POST an order", 201, made.HTTPResponse, made.Body)
	result := made.JSON201.OrderActionExecutionResults
	if len(result) != 1 || result[0].ActionStatus != "Success" || result[0].Attempts != 1 {
		d.fail("the workflow's result is %+v", result)
	}
	line := (*made.JSON201.Order.OrderForm.LineItems)[0]
	if *line.PlacedPrice != price || line.AdditionalProperties["colour"] != "blå" {
		d.fail("the line comes back as %+v", line)
	}

	again, err := d.api.CreateOrderWithResponse(d.ctx, nil, order)
	d.noError(err)
	d.status("POST the same id", 409, again.HTTPResponse, again.Body)
	if p := again.ApplicationproblemJSON409; p == nil || p.Status != 409 || *p.Detail == "" {
		d.fail("the conflict is %+v", p)
	}
	d.patches()
}

func (d *driver) patches() {
	old := `"1"`
	var tags orderhook.Texts
	d.noError(tags.FromTextList([]string{"go"}))
	patched, err := d.api.PatchOrderWithResponse(d.ctx, "GO-1", nil, orderhook.OrderPatch{Tags: &tags})
	d.noError(err)
	d.status("PATCH", 200, patched.HTTPResponse, patched.Body)
	if now, err := patched.JSON200.Tags.AsTextList(); err != nil || now[0] != "go" || patched.HTTPResponse.Header.Get("ETag") == "" {
		d.fail("the patch is answered %s", patched.Body)
	}
	stale, err := d.api.PatchOrderWithResponse(d.ctx, "GO-1", &orderhook.PatchOrderParams{IfMatch: &old}, orderhook.OrderPatch{Tags: &tags})
	d.noError(err)
	d.status("PATCH of an older version", 412, stale.HTTPResponse, stale.Body)
	missing, err := d.api.GetOrderWithResponse(d.ctx, "none")
	d.noError(err)
	d.status("GET an order that is not there", 404, missing.HTTPResponse, missing.Body)

	limit := int64(1)
	list, err := d.api.ListOrdersWithResponse(d.ctx, &orderhook.ListOrdersParams{Tag: new("go"), Limit: &limit})
	d.noError(err)
	if items := list.JSON200.Items; len(items) != 1 || items[0].Id != "GO-1" || items[0].Version != patched.JSON200.Version {
		d.fail("the list is %s", list.Body)
	}
	history, err := d.api.GetOrderHistoryWithResponse(d.ctx, "GO-1", nil)
	d.noError(err)
	if newest := history.JSON200.Items[0]; newest.Operation != "Patched" || (*newest.Changes)[0].Path != "tags" || (*newest.Changes)[0].Before != nil {
		d.fail("the history is %s", history.Body)
	}
}

// waiting enters a status whose step hangs, and does not wait for it.
func (d *driver) waiting() {
	entered, err := d.api.EnterStatusWithResponse(d.ctx, "GO-1", &orderhook.EnterStatusParams{Wait: new("false")}, orderhook.StatusRequest{Status: "Hanging"})
	d.noError(err)
	d.status("entering a status without waiting", 202, entered.HTTPResponse, entered.Body)
	id := *entered.JSON202.RunId
	if at := entered.HTTPResponse.Header.Get("Location"); !strings.HasSuffix(at, id) {
		d.fail("the run %s is at %q", id, at)
	}
	run, err := d.api.GetRunWithResponse(d.ctx, id)
	d.noError(err)
	if run.JSON200.OrderId != "GO-1" || run.JSON200.Ended != nil || run.JSON200.EnteredStatus != "Hanging" {
		d.fail("the run is %s", run.Body)
	}
	canceled, err := d.api.CancelRunWithResponse(d.ctx, id, nil)
	d.noError(err)
	if canceled.JSON200 == nil || canceled.JSON200.Status != orderhook.RunStatusCanceled {
		d.fail("the canceled run is %s", canceled.Body)
	}
}

func (d *driver) endpoints() {
	thin := orderhook.EndpointBodyFormatThin
	made, err := d.api.CreateEndpointWithResponse(d.ctx, nil, orderhook.EndpointBody{Url: d.stepURL, EventTypes: []string{"loyalty.points"}, Format: &thin})
	d.noError(err)
	d.status("POST an endpoint", 201, made.HTTPResponse, made.Body)
	if made.JSON201.Secret == nil || made.JSON201.Health.Circuit != "closed" {
		d.fail("the endpoint is %s", made.Body)
	}
	patched, err := d.api.PatchEndpointWithResponse(d.ctx, made.JSON201.Id, orderhook.EndpointPatch{Description: new("Go")})
	d.noError(err)
	if patched.JSON200 == nil || *patched.JSON200.Description != "Go" || patched.JSON200.Format != "thin" {
		d.fail("the patched endpoint is %s", patched.Body)
	}

	var event orderhook.Publication
	d.noError(event.FromPublishedEvent(orderhook.PublishedEvent{Type: "loyalty.points", Data: map[string]any{"points": 3}}))
	sent, err := d.api.PublishEventsWithResponse(d.ctx, event)
	d.noError(err)
	d.status("POST an event", 202, sent.HTTPResponse, sent.Body)
	deliveries, err := d.api.ListDeliveriesWithResponse(d.ctx, &orderhook.ListDeliveriesParams{EventId: sent.JSON202.Id})
	d.noError(err)
	if items := deliveries.JSON200.Items; len(items) != 1 || items[0].EndpointId != made.JSON201.Id || items[0].MaxAttempts < 1 {
		d.fail("the deliveries are %s", deliveries.Body)
	}
}
