package receiver

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// post sends a signed request to a handler.
func post(t *testing.T, h http.Handler, id, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	sign(req.Header, []byte(body), id, time.Now())
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func newReceiver(t *testing.T, log io.Writer) *Receiver {
	t.Helper()
	r, err := New(Config{Verifier: Verifier{Secrets: []string{modelSecret}}, Log: slog.New(slog.NewTextHandler(log, nil)), MaxBody: 4096})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const stepCall = `{"Value":{"Id":"o1","Status":"New","MarketId":"NOR","Tags":["web"],"Color":"red","OrderForm":{"LineItems":[{"LineItemId":"1","Quantity":2,"PlacedPrice":10.10}],"Shipments":[{"ShipmentId":"s1"}]},
	"ReturnOrderForms":[{"ReturnId":"r0"},{"ReturnId":"r1","ReturnComment":"too small"}],"OrderLines":[{"LineItemId":"1"}]},
	"WorkflowStep":{"Name":"WebhookWorkflowStep","Connector":"Webhook","StopOnError":true,"Properties":[{"Key":"Limit","Value":"100"}],"Mine":1},"ShipmentId":"s1","ReturnOrderFormId":"r1"}`

func TestAStepIsReadWhole(t *testing.T) {
	var got *StepRequest
	h := newReceiver(t, t.Output()).Step("step", func(_ context.Context, req *StepRequest) (Answer, error) {
		got = req
		return Continue(), nil
	})
	if w := post(t, h, "call_1", stepCall, "X-Delivery-Count", "2", "X-Max-Delivery-Count", "4"); w.Code != 200 || w.Body.String() != `{"orderActionExecutionResults":[{"actionStatus":"Success"}]}` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got.Key != "call_1" || got.Attempt != 2 || got.MaxAttempts != 4 || got.ShipmentID != "s1" || got.ReturnID != "r1" || string(got.Body) != stepCall {
		t.Errorf("got %+v", got.Call)
	}
	if got.Order.ID != "o1" || got.Order.OrderForm.LineItems[0].PlacedPrice != "10.10" || string(got.Order.Other.Get("color")) != `"red"` {
		t.Errorf("the order is %+v", got.Order)
	}
	if got.Step.Connector != "Webhook" || !got.Step.StopOnError || got.Step.Property("Limit") != "100" || string(got.Step.Other["Mine"]) != "1" {
		t.Errorf("the step is %+v", got.Step)
	}
	if r := got.Return(); r == nil || r.ReturnComment != "too small" {
		t.Errorf("the return is %+v", r)
	}
	if s := got.Shipment(); s == nil || s.ShipmentID != "s1" {
		t.Errorf("the shipment is %+v", s)
	}
}

func TestWhatStepsAreAnsweredWith(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*StepRequest) (Answer, error)
		want   string // of the body, or of the error
	}{
		"nothing changed": {func(r *StepRequest) (Answer, error) { return r.Patch() }, `{"orderActionExecutionResults":[{"actionStatus":"Success"}]}`},
		"changes": {func(r *StepRequest) (Answer, error) {
			r.Order.AddTag("checked")
			r.Order.AddTag("web")
			r.Order.SetProperty("Score", "95")
			r.Order.CustomerPhone = "1"
			return r.Patch()
		}, `{"orderActionExecutionResults":[{"actionStatus":"Success"}],"orderPatch":{"customerPhone":"1","properties":[{"key":"Score","value":"95"}],"tags":["checked"]}}`},
		"a line": {func(r *StepRequest) (Answer, error) {
			r.Order.OrderForm.LineItems[0].PlacedPrice = "9.90"
			return r.Patch()
		}, `{"orderActionExecutionResults":[{"actionStatus":"Success"}],"orderPatch":{"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":9.90}]}}}`},
		"the same price": {func(r *StepRequest) (Answer, error) {
			r.Order.OrderForm.LineItems[0].PlacedPrice = "10.1"
			return r.Patch()
		}, `{"orderActionExecutionResults":[{"actionStatus":"Success"}]}`},
		"a tag removed": {func(r *StepRequest) (Answer, error) {
			r.Order.Tags = []string{"shop"}
			return r.Patch()
		}, `{"orderActionExecutionResults":[{"actionStatus":"Success"}],"orderPatch":{"keepExistingListItems":false,"tags":["shop"]}}`},
		"cleared": {func(r *StepRequest) (Answer, error) {
			r.Order.OrderForm.LineItems[0].PlacedPrice = ""
			return r.Patch()
		}, `{"orderActionExecutionResults":[{"actionStatus":"Success"}],"orderPatch":{"forceUpdate":["placedPrice"],"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":null}]}}}`},
		"a first 0": {func(r *StepRequest) (Answer, error) {
			r.Order.OrderForm.LineItems[0].ReturnQuantity = "0"
			return r.Patch()
		}, `{"orderActionExecutionResults":[{"actionStatus":"Success"}],"orderPatch":{"forceUpdate":["returnQuantity"],"orderForm":{"lineItems":[{"lineItemId":"1","returnQuantity":0}]}}}`},
		"a line removed": {func(r *StepRequest) (Answer, error) {
			r.Order.OrderForm.LineItems = nil
			return r.Patch()
		}, `{"orderActionExecutionResults":[{"actionStatus":"Success"}],"orderPatch":{"orderForm":{"keepExistingOrderLines":false,"lineItems":[]}}}`},
		"a warning":      {func(*StepRequest) (Answer, error) { return Warn("hm"), nil }, `{"orderActionExecutionResults":[{"actionStatus":"Warning","errorReason":"hm"}]}`},
		"an error":       {func(*StepRequest) (Answer, error) { return Fail("no"), nil }, `{"orderActionExecutionResults":[{"actionStatus":"Error","errorReason":"no"}]}`},
		"a stop":         {func(*StepRequest) (Answer, error) { return Stop("no"), nil }, `{"orderActionExecutionResults":[{"actionStatus":"Error","cancelWorkflow":true,"errorReason":"no"}]}`},
		"another status": {func(*StepRequest) (Answer, error) { return Continue().Trigger("Packed"), nil }, `{"orderActionExecutionResults":[{"actionStatus":"Success"},{"actionStatus":"Success","triggerNewStatus":"Packed"}]}`},
		"a stop with a patch": {func(r *StepRequest) (Answer, error) {
			r.Order.AddTag("fraud")
			patch, err := r.Changes()
			return Stop("no").With(patch), err
		}, `{"orderActionExecutionResults":[{"actionStatus":"Error","cancelWorkflow":true,"errorReason":"no"}],"orderPatch":{"tags":["fraud"]}}`},
		"a field that a step may not change": {func(r *StepRequest) (Answer, error) {
			r.Order.MarketID = "SWE"
			return r.Patch()
		}, "marketId: a WebhookWorkflowStep may not change it"},
		"another name of the lines": {func(r *StepRequest) (Answer, error) {
			r.Order.Other.Delete("OrderLines")
			return r.Patch()
		}, "OrderLines: a WebhookWorkflowStep may not change it"},
		"a shipment removed": {func(r *StepRequest) (Answer, error) {
			r.Order.OrderForm.Shipments = nil
			return r.Patch()
		}, "orderForm.shipments: a patch cannot do that"},
		"no status": {func(r *StepRequest) (Answer, error) {
			r.Order.Status = " "
			return r.Patch()
		}, "status: a patch cannot do that"},
		"no number": {func(r *StepRequest) (Answer, error) {
			r.Order.OrderForm.LineItems[0].PlacedPrice = "cheap"
			return r.Patch()
		}, `"cheap" is no number`},
		"a return step": {func(r *StepRequest) (Answer, error) {
			r.Step.Name, r.Order.CustomerPhone = "WebhookReturnWorkflowStep", "1"
			return r.Patch()
		}, "customerPhone: a WebhookReturnWorkflowStep may not change it"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			w := post(t, newReceiver(t, &log).Step("step", func(_ context.Context, r *StepRequest) (Answer, error) { return c.answer(r) }), "call_1", stepCall)
			switch {
			case strings.HasPrefix(c.want, "{"):
				if w.Code != 200 || w.Body.String() != c.want || w.Header().Get("Content-Type") != "application/json" {
					t.Errorf("%d %s\nwant %s", w.Code, w.Body, c.want)
				}
			case w.Code != 500 || w.Body.String() != "the endpoint failed\n" || !strings.Contains(strings.ReplaceAll(log.String(), `\"`, `"`), c.want):
				t.Errorf("%d %s %s\nwant %s in the log", w.Code, w.Body, &log, c.want)
			}
		})
	}
}

func TestARepeatedCallHasTheAnswerThatItHad(t *testing.T) {
	calls, fails := 0, true
	h := newReceiver(t, io.Discard).Step("step", func(context.Context, *StepRequest) (Answer, error) {
		if calls++; fails {
			return Answer{}, errors.New("not today")
		}
		return Warn(strings.Repeat("!", calls)), nil
	})
	if w := post(t, h, "call_1", stepCall); w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	fails = false
	first := post(t, h, "call_1", stepCall)
	again := post(t, h, "call_1", stepCall)
	if other := post(t, h, "call_2", stepCall); first.Body.String() != again.Body.String() || other.Body.String() == first.Body.String() || calls != 3 {
		t.Errorf("%s, then %s, of another %s; %d calls", first.Body, again.Body, other.Body, calls)
	}
}

// TestByWhatARepeatIsKnown: without a signature there is no webhook-id, and the
// Idempotency-Key counts; without either nothing is a repeat.
func TestByWhatARepeatIsKnown(t *testing.T) {
	r, err := New(Config{Unsigned: true})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	h := r.Step("step", func(context.Context, *StepRequest) (Answer, error) { calls++; return Continue(), nil })
	for i, c := range []struct{ header, key string }{{"Idempotency-Key", "k"}, {"Idempotency-Key", "k"}, {"Webhook-Id", "k"}, {"X-Other", ""}, {"X-Other", ""}} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(stepCall))
		req.Header.Set(c.header, c.key)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != 200 || calls != []int{1, 1, 1, 2, 3}[i] {
			t.Errorf("request %d: %d, and %d calls", i, w.Code, calls)
		}
	}
}

func TestWhichRequestsAreRefused(t *testing.T) {
	r := newReceiver(t, io.Discard)
	never := func(what string) { t.Errorf("%s was called", what) }
	step := r.Step("s", func(context.Context, *StepRequest) (Answer, error) { never("the step"); return Continue(), nil })
	cart := r.Validator("c", func(_ context.Context, r *CartRequest) (CartAnswer, error) { never("the validator"); return r.Accept() })
	events := r.Events("e", nil, func(context.Context, *Event) error { never("the handler of events"); return nil })
	export := r.Export("x", func(context.Context, *ExportRequest) error { never("the export"); return nil })
	for _, c := range []struct {
		name    string
		h       http.Handler
		body    string
		code    int
		message string
	}{
		{"no JSON", step, `<html>`, 400, "cannot be read"},
		{"no order", step, `{"id":"evt_1","type":"x"}`, 400, "no call of a workflow step"},
		{"an order that is text", step, `{"Value":"x"}`, 400, "cannot be read"},
		{"a cart that is a list", cart, `[]`, 400, "cannot be read"},
		{"an event without a type", events, `{"id":"evt_1"}`, 400, "has no type"},
		{"an event that is a list", events, `[{"id":"evt_1"}]`, 400, "cannot be read"},
		{"an export without an order", export, `{"type":"x"}`, 400, "no export"},
		{"too large", step, `{"Value":{"a":"` + strings.Repeat("x", 5000) + `"}}`, 413, "more than 4096 bytes"},
	} {
		if w := post(t, c.h, "id", c.body); w.Code != c.code || !strings.Contains(w.Body.String(), c.message) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	for _, h := range []http.Handler{step, cart, events, export} {
		if w := post(t, h, "id", stepCall, "Webhook-Signature", "v1,AAAA"); w.Code != 401 || w.Body.String() != "the signature is wrong\n" {
			t.Errorf("a wrong signature: %d %s", w.Code, w.Body)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)); w.Code != 405 || w.Header().Get("Allow") != "POST" {
			t.Errorf("a GET: %d %s", w.Code, w.Body)
		}
	}
}

func TestAHandlerChoosesTheStatus(t *testing.T) {
	h := newReceiver(t, io.Discard).Events("e", nil, func(context.Context, *Event) error { return &StatusError{http.StatusGone, "no more"} })
	if w := post(t, h, "evt_1", `{"id":"evt_1","type":"x"}`); w.Code != 410 || w.Body.String() != "no more\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestWhatValidatorsAreAnsweredWith(t *testing.T) {
	const cart = `{"id":"c1","customerName":"Kari","tags":["a"],"total":10.10,"mine":{"a":1},"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x","placedPrice":5}]}}`
	for name, c := range map[string]struct {
		answer func(*CartRequest) (CartAnswer, error)
		want   string
	}{
		"accepted": {func(r *CartRequest) (CartAnswer, error) { return r.Accept() }, `{"isValidatedSuccessful":true}`},
		"a warning": {func(r *CartRequest) (CartAnswer, error) {
			return r.Accept(CartEntry{Message: "few are left", ReferenceID: "1"})
		}, `{"isValidatedSuccessful":true,"validationWarnings":[{"message":"few are left","referenceId":"1"}]}`},
		"rejected": {func(r *CartRequest) (CartAnswer, error) {
			return r.Reject(CartEntry{Message: "none is left", TranslateKey: "k", ValidationType: "Stock"})
		}, `{"isValidatedSuccessful":false,"validationErrors":[{"message":"none is left","translateKey":"k","validationType":"Stock"}]}`},
		"changed": {func(r *CartRequest) (CartAnswer, error) {
			r.Cart.CustomerName, r.Cart.Tags = "", nil
			r.Cart.OrderForm.LineItems[0].Comment, r.Cart.OrderForm.LineItems[0].TaxRate = "", "25"
			return r.Accept()
		}, `{"isValidatedSuccessful":true,"value":{"customerName":"","orderForm":{"lineItems":[{"comment":"","lineItemId":"1","placedPrice":5,"taxRate":25}]},"tags":[]}}`},
		"a number cleared":             {func(r *CartRequest) (CartAnswer, error) { r.Cart.Total = ""; return r.Accept() }, "total: a validator cannot remove it"},
		"a field of one's own removed": {func(r *CartRequest) (CartAnswer, error) { r.Cart.Other.Delete("Mine"); return r.Reject() }, "mine: a validator cannot remove it"},
	} {
		for _, body := range []string{cart, `{"cart":` + cart + `}`} {
			t.Run(name, func(t *testing.T) {
				var log bytes.Buffer
				w := post(t, newReceiver(t, &log).Validator("v", func(_ context.Context, r *CartRequest) (CartAnswer, error) { return c.answer(r) }), "call_1", body)
				if strings.HasPrefix(c.want, "{") && (w.Code != 200 || w.Body.String() != c.want) || !strings.HasPrefix(c.want, "{") && (w.Code != 500 || !strings.Contains(log.String(), c.want)) {
					t.Errorf("%d %s %s\nwant %s", w.Code, w.Body, &log, c.want)
				}
			})
		}
	}
}

func TestEachShapeOfAnEventIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want func(e *Event) bool
	}{
		"full": {`{"id":"evt_1","type":"OrderCreated","timestamp":"2026-11-21T11:31:45.156684Z","data":{"id":"o1","total":1.10}}`, func(e *Event) bool {
			o, err := e.Order()
			return err == nil && e.ID == "evt_1" && e.Type == "OrderCreated" && e.Timestamp.Nanosecond() == 156684000 && o.ID == "o1" && o.Total == "1.10" && string(e.Data) == `{"id":"o1","total":1.10}`
		}},
		"a shipment": {`{"id":"evt_1","type":"shipment_shipped","data":{"shipmentId":"s1","orderId":"o1"}}`, func(e *Event) bool {
			s, err := e.Shipment()
			return err == nil && s.ShipmentID == "s1" && s.OrderID() == "o1"
		}},
		"a stock item": {`{"id":"evt_1","type":"stock_item_out_of_stock","data":{"id":"oslo-1:SHOE","sku":"SHOE","available":-0.50}}`, func(e *Event) bool {
			s, err := e.StockItem()
			return err == nil && s.Sku == "SHOE" && s.Available == "-0.50"
		}},
		"thin": {`{"orderId":"o1","eventType":"OrderCreated"}`, func(e *Event) bool {
			_, err := e.Order()
			return err != nil && e.OrderID == "o1" && e.Type == "OrderCreated"
		}},
		"thin, of a subject":    {`{"subject":{"kind":"stockItem","id":"x"},"eventType":"stock_item_out_of_stock"}`, func(e *Event) bool { return e.Subject == Subject{"stockItem", "x"} }},
		"thin, without subject": {`{"eventId":"evt_9","eventType":"mine"}`, func(e *Event) bool { return e.ID == "evt_9" && e.Type == "mine" }},
		"data that is no order": {`{"id":"evt_1","type":"mine","data":[1]}`, func(e *Event) bool { _, err := e.Order(); return err != nil && string(e.Data) == "[1]" }},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			h := newReceiver(t, t.Output()).Events("e", nil, func(_ context.Context, e *Event) error {
				if calls++; e.Key != "evt_1" || e.Attempt != 3 || !c.want(e) {
					t.Errorf("got %+v", e)
				}
				return nil
			})
			for range 2 { // the second is a repeat
				if w := post(t, h, "evt_1", c.body, "X-Attempt", "3"); w.Code != 204 || w.Body.Len() > 0 {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			}
			if calls != 1 {
				t.Errorf("handled %d times", calls)
			}
		})
	}
}

// TestAStateWebhookIsHandledEachTime: it has no id to know a repeat by.
func TestAStateWebhookIsHandledEachTime(t *testing.T) {
	r, err := New(Config{Verifier: Verifier{StateSecrets: []string{"state"}}})
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"orderId":"o1","eventType":"OrderAccepted"}`
	calls := 0
	h := r.Events("state", nil, func(_ context.Context, e *Event) error {
		if calls++; e.OrderID != "o1" || e.Type != "OrderAccepted" || e.Key != "" {
			t.Errorf("got %+v", e)
		}
		return nil
	})
	for range 2 {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		req.Header.Set("Webhook-Id", "w") // which nobody has signed
		req.Header.Set("Idempotency-Key", "k")
		req.Header.Set("X-Signature", hex.EncodeToString(sum([]byte("state"), []byte(body))))
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != 204 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if calls != 2 {
		t.Errorf("handled %d times", calls)
	}
}

func TestAnExportIsReadWhole(t *testing.T) {
	calls := 0
	h := newReceiver(t, t.Output()).Export("e", func(_ context.Context, r *ExportRequest) error {
		if calls++; r.Order.ID != "o1" || r.ReturnOrderForm != nil || r.Shipment.ShipmentID != "s1" {
			t.Errorf("got %+v", r)
		}
		return nil
	})
	for range 2 {
		if w := post(t, h, "evt_1", `{"order":{"id":"o1"},"returnOrderForm":null,"shipment":{"shipmentId":"s1"}}`); w.Code != 204 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if calls != 1 {
		t.Errorf("handled %d times", calls)
	}
}
