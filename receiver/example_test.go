package receiver_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite"

	"github.com/orderhook/orderhook/receiver"
)

// The secret of the connector or of the endpoint; a real one comes from the environment.
const secret = "whsec_ZXhhbXBsZSBzZWNyZXQgb2YgdGhlIHJlY2VpdmVy"

// A step that checks how much an order costs.
func ExampleReceiver_Step() {
	r, err := receiver.New(receiver.Config{Verifier: receiver.Verifier{Secrets: []string{secret}}})
	if err != nil {
		log.Fatal(err)
	}
	check := r.Step("limit", func(_ context.Context, req *receiver.StepRequest) (receiver.Answer, error) {
		if req.Order.OrderForm == nil { // an order needs neither lines nor amounts
			return receiver.Continue(), nil
		}
		total, err := req.Order.OrderForm.Total.Rat()
		if err != nil {
			return receiver.Answer{}, err
		}
		if total.Cmp(big.NewRat(10_000, 1)) > 0 {
			return receiver.Stop("orders over 10000 are looked at by a person"), nil
		}
		req.Order.AddTag("limit-checked")
		return req.Patch()
	})
	send(check, "call_1", `{"Value":{"Id":"ORD-1","OrderForm":{"Total":1048.00}},"WorkflowStep":{"Name":"WebhookWorkflowStep"}}`)
	send(check, "call_2", `{"Value":{"Id":"ORD-2","OrderForm":{"Total":99999.00}},"WorkflowStep":{"Name":"WebhookWorkflowStep"}}`)
	send(check, "call_3", `{"Value":{"Id":"ORD-3"},"WorkflowStep":{"Name":"WebhookWorkflowStep"}}`)
	// Output:
	// 200 {"orderActionExecutionResults":[{"actionStatus":"Success"}],"orderPatch":{"tags":["limit-checked"]}}
	// 200 {"orderActionExecutionResults":[{"actionStatus":"Error","cancelWorkflow":true,"errorReason":"orders over 10000 are looked at by a person"}]}
	// 200 {"orderActionExecutionResults":[{"actionStatus":"Success"}]}
}

// A validator that knows how many there are.
func ExampleReceiver_Validator() {
	r, err := receiver.New(receiver.Config{Verifier: receiver.Verifier{Secrets: []string{secret}}})
	if err != nil {
		log.Fatal(err)
	}
	stock := r.Validator("stock", func(_ context.Context, req *receiver.CartRequest) (receiver.CartAnswer, error) {
		if req.Cart.OrderForm == nil { // nothing is in the cart
			return req.Accept()
		}
		for _, line := range req.Cart.OrderForm.LineItems {
			if line.Code == "SHOE-42" {
				return req.Reject(receiver.CartEntry{Message: "SHOE-42 is sold out", ReferenceID: line.LineItemID})
			}
		}
		return req.Accept()
	})
	send(stock, "call_1", `{"id":"C1","orderForm":{"lineItems":[{"lineItemId":"a1","code":"SHOE-42","quantity":1}]}}`)
	send(stock, "call_2", `{"id":"C2"}`)
	// Output:
	// 200 {"isValidatedSuccessful":false,"validationErrors":[{"message":"SHOE-42 is sold out","referenceId":"a1"}]}
	// 200 {"isValidatedSuccessful":true}
}

// Events whose effect is a row in a table: it is there once, whatever comes twice.
func ExampleReceiver_Events() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1) // each connection to :memory: would have a database of its own
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE TABLE mails (order_id TEXT)`); err != nil {
		log.Fatal(err)
	}
	store, err := receiver.NewSQLStore(ctx, db, receiver.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	r, err := receiver.New(receiver.Config{Verifier: receiver.Verifier{Secrets: []string{secret}}, Store: store})
	if err != nil {
		log.Fatal(err)
	}
	// An HTTPFeed in place of nil has what no delivery brought fetched.
	mails := r.Events("mails", nil, func(ctx context.Context, e *receiver.Event) error {
		order, err := e.Order()
		if err != nil {
			return err
		}
		_, err = receiver.Tx(ctx).ExecContext(ctx, `INSERT INTO mails (order_id) VALUES (?)`, order.ID)
		return err
	})
	const body = `{"id":"evt_1","type":"OrderCreated","timestamp":"2026-11-21T11:31:45.156684Z","data":{"id":"ORD-1","status":"New"}}`
	send(mails, "evt_1", body)
	send(mails, "evt_1", body)
	var n int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM mails`).Scan(&n); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "mail")
	// Output:
	// 204
	// 204
	// 1 mail
}

// The patch that makes one order of another, for PATCH /api/orders/{id}.
func ExampleDifference() {
	before := &receiver.Order{ID: "ORD-1", CustomerPhone: "+47 400 00 000", Tags: []string{"first"}}
	after := &receiver.Order{ID: "ORD-1", Tags: []string{"first", "second"}}
	patch, err := receiver.Difference(before, after)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(patch))
	// Output:
	// {"customerPhone":null,"forceUpdate":["customerPhone"],"tags":["second"]}
}

// send signs a request as orderhook does, and prints the answer.
func send(h http.Handler, id, body string) {
	key, _ := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body)))
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	fmt.Println(strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)))
}
