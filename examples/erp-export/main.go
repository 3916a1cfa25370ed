// Erp-export writes each order that was created or completed into a table of an ERP, once and
// in the order in which it happened, whatever becomes of a delivery: what none brought is
// fetched from the endpoint's feed.
//
// Make an endpoint, and run it:
//
//	api $URL/api/endpoints -d '{"url":"http://127.0.0.1:9104/","eventTypes":["OrderCreated","order_completed"]}'
//	SIGNING_SECRET=… ENDPOINT=ep_… ORDERHOOK_URL=$URL ORDERHOOK_KEY=… go run ./examples/erp-export
//
// Without ENDPOINT it takes what is delivered, in any order, and misses what is given up.
package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	_ "modernc.org/sqlite"

	"github.com/orderhook/orderhook/receiver"
)

func main() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:"+cmp.Or(os.Getenv("DATABASE"), "erp.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	// A total is text, so that no digit of it is lost.
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS exports (number INTEGER PRIMARY KEY, order_id TEXT, event TEXT, market TEXT, total TEXT)`); err != nil {
		log.Fatal(err)
	}
	store, err := receiver.NewSQLStore(ctx, db, receiver.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	r, err := receiver.New(receiver.Config{Verifier: receiver.Verifier{Secrets: []string{os.Getenv("SIGNING_SECRET")}}, Store: store})
	if err != nil {
		log.Fatal("SIGNING_SECRET: ", err)
	}
	events := r.Events("erp", feed(), export)
	l, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:9104"))
	if err != nil {
		log.Fatal(err)
	}
	if os.Getenv("ENDPOINT") != "" {
		if _, err := events.CatchUp(ctx); err != nil {
			log.Print("what was missed cannot be fetched now: ", err)
		}
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, events))
}

func feed() receiver.Feed {
	if os.Getenv("ENDPOINT") == "" {
		return nil
	}
	return &receiver.HTTPFeed{URL: os.Getenv("ORDERHOOK_URL"), Key: os.Getenv("ORDERHOOK_KEY"), Endpoint: os.Getenv("ENDPOINT")}
}

// export writes a row in the transaction that marks the event as handled.
func export(ctx context.Context, e *receiver.Event) error {
	order, err := e.Order()
	if err != nil {
		// To fail would hold up all events after this one.
		log.Printf("%s is not exported: %v", e.Key, err)
		return nil
	}
	var total receiver.Number
	if order.OrderForm != nil {
		total = order.OrderForm.Total
	}
	_, err = receiver.Tx(ctx).ExecContext(ctx, `INSERT INTO exports (order_id, event, market, total) VALUES (?, ?, ?, ?)`, order.ID, e.Type, order.MarketID, string(total))
	return err
}
