package contract

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/admission"
)

// filler makes a document large.
func filler() string {
	return `"filler":"` + strings.Repeat("0123456789abcdef", admission.Large/16) + `"`
}

// TestLargeDocumentsAreWorkedOnInTurn: whatever is done with a large order or
// cart waits while another has the one slot; small ones of all tenants do not.
func TestLargeDocumentsAreWorkedOnInTurn(t *testing.T) {
	r := start(t)
	other := r.stranger()
	s := answering(t, `{"isValidatedSuccessful":true}`)
	r.settings(fmt.Sprintf(`{"connectors":[%s],"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[]}]}]}`, validatorAt(s.URL, "")))
	r.call("POST", "/api/orders", `{"id":"big",`+filler()+`}`).want(201)
	r.call("PUT", "/api/carts/big", `{`+filler()+`}`).want(201)
	r.call("POST", "/api/orders", `{"id":"small"}`).want(201)
	r.call("POST", "/api/orders", `{"id":"grows"}`).want(201)
	for call, body := range map[string]string{
		"POST /api/orders":                 `{"id":"new",` + filler() + `}`,
		"PATCH /api/orders/big":            `{"a":1}`,
		"PATCH /api/orders/grows":          `{` + filler() + `}`,
		"GET /api/orders/big":              "",
		"GET /api/orders?limit=5":          "",
		"GET /api/orders?q=nothing":        "",
		"GET /api/attempts?body=nothing":   "",
		"GET /api/orders/big/versions/1":   "",
		"GET /api/carts/big":               "",
		"GET /api/carts":                   "",
		"PATCH /api/carts/big":             `{"a":1}`,
		"POST /api/carts/big/validate":     "",
		"POST /api/carts/validate":         `{` + filler() + `}`,
		"POST /api/orders/big/status":      `{"status":"New"}`,
		"POST /api/orders/big/shipments":   `{"trackingNumber":"1"}`,
		"POST /api/orders/big/status?wait": `{"status":"New","dryRun":true}`,
	} {
		t.Run(call, func(t *testing.T) {
			r, other := r.in(t), other.in(t)
			ctx, end := r.work.Task(t.Context(), "somebody")
			if err := admission.Begin(ctx, admission.Large); err != nil {
				t.Fatal(err)
			}
			defer end()
			answered := make(chan answer, 1)
			method, path, _ := strings.Cut(strings.TrimSuffix(call, "?wait"), " ")
			go func() {
				a, err := r.try(method, path, body)
				if err != nil {
					t.Error(err)
				}
				answered <- a
			}()
			r.until("it waits", func() bool { return r.work.Figures().Waiting > 0 })
			other.call("PUT", "/api/stock/s", `{"sku":"s","warehouseCode":"w","available":1}`)
			r.call("PATCH", "/api/orders/small", `{"note":"written meanwhile"}`).want(200)
			select {
			case a := <-answered:
				t.Errorf("it was answered without a slot: %d", a.Status)
			default:
			}
			end()
			if a := <-answered; a.Status/100 != 2 {
				t.Errorf("%d %.300s", a.Status, a.Raw)
			}
			equals(t, "work", r.work.Figures(), admission.WorkFigures{})
		})
	}
}

// TestWhoWaitsHasNoSlot: there is one slot, and it is nobody's who waits for an
// endpoint, for the turn of an order, or for an earlier request.
func TestWhoWaitsHasNoSlot(t *testing.T) {
	r, s := start(t), holding(t)
	r.settings(config(status("New", step{Host: s.URL})))
	r.call("POST", "/api/orders?runWorkflow=false", `{"id":"other",`+filler()+`}`).want(201)
	created := make(chan answer, 4)
	for range 4 { // one makes the call, three wait for it
		go func() {
			a, err := r.try("POST", "/api/orders", `{"id":"big","orderType":"Online",`+filler()+`}`, "Idempotency-Key", "one")
			if err != nil {
				t.Error(err)
			}
			created <- a
		}()
	}
	s.wait()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for path, body := range map[string]string{"/api/orders/other": fmt.Sprintf(`{"n":%d}`, i), "/api/orders/big": fmt.Sprintf(`{"m%d":1}`, i)} {
				if i%2 == 0 { // the change itself is large
					body = strings.TrimSuffix(body, "}") + "," + filler() + "}"
				}
				if a, err := r.try("PATCH", path, body); err != nil || a.Status != 200 {
					t.Errorf("%s: %d %.300s %v", path, a.Status, a.Raw, err)
				}
			}
		})
	}
	all.Wait()
	s.answer(`{"OrderPatch":{"Answer":"` + strings.Repeat("x", admission.Large) + `"}}`)
	first := <-created
	first.want(201)
	for range 3 {
		(<-created).again(first)
	}
	for i := range 8 {
		r.get("/api/orders/big").is(fmt.Sprintf("m%d", i), 1)
	}
	equals(t, "work", r.work.Figures(), admission.WorkFigures{})
}

// TestALargeAnswerIsAppliedInTurn, however small the order is.
func TestALargeAnswerIsAppliedInTurn(t *testing.T) {
	r, s := start(t), holding(t)
	r.settings(config(status("New", step{Host: s.URL})))
	finish := r.begin("/api/orders", `{"id":"small"}`)
	s.wait()
	ctx, end := r.work.Task(t.Context(), "somebody")
	if err := admission.Begin(ctx, admission.Large); err != nil {
		t.Fatal(err)
	}
	s.answer(`{"OrderPatch":{"Answer":"` + strings.Repeat("x", admission.Large) + `"}}`)
	r.until("it waits", func() bool { return r.work.Figures().Waiting == 1 })
	r.get("/api/orders/small").is("answer", nil)
	end()
	finish().want(201)
	equals(t, "work", r.work.Figures(), admission.WorkFigures{})
}

// TestWhoReadsSlowlyHasNoSlot: an answer that goes out has been encoded.
func TestWhoReadsSlowlyHasNoSlot(t *testing.T) {
	r := start(t)
	r.call("POST", "/api/orders", `{"id":"big","filler":"`+strings.Repeat("0123456789abcdef", 9<<20/16)+`"}`).want(201)
	for _, path := range []string{"/api/orders/big", "/api/orders"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n", path, r.key)
		if _, err := io.ReadFull(conn, make([]byte, 10)); err != nil { // the answer has begun
			t.Fatal(err)
		}
		equals(t, "work while "+path+" is read", r.work.Figures(), admission.WorkFigures{})
	}
}
