// Stock-reservation is a workflow step that takes what an order needs out of a stock in SQLite,
// and stops the workflow where there is too little. As the step of a return it puts back what
// comes back. However often a call comes, it takes once: the Store of package receiver commits
// the call with the change of the stock, and the tag reserved is on an order that had its turn.
//
// Run it:
//
//	SIGNING_SECRET=… STOCK=SHOE-42=10,SOCK-42=5 go run ./examples/stock-reservation
//
// and have a WebhookWorkflowStep and a WebhookReturnWorkflowStep with stopOnError call
// http://127.0.0.1:9103/, through a connector with that signingSecret.
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
	"slices"
	"strconv"
	"strings"

	_ "modernc.org/sqlite"

	"github.com/orderhook/orderhook/receiver"
)

func main() {
	ctx := context.Background()
	db, err := open(ctx, cmp.Or(os.Getenv("DATABASE"), "stock.db"), os.Getenv("STOCK"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := receiver.NewSQLStore(ctx, db, receiver.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	r, err := receiver.New(receiver.Config{Verifier: receiver.Verifier{Secrets: []string{os.Getenv("SIGNING_SECRET")}}, Store: store})
	if err != nil {
		log.Fatal("SIGNING_SECRET: ", err)
	}
	l, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:9103"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, r.Step("stock", reserve)))
}

// open opens the stock, and adds the articles of a text as A=1,B=2 that are not there.
func open(ctx context.Context, file, articles string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS stock (code TEXT PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0))`); err != nil {
		return nil, err
	}
	for article := range strings.SplitSeq(articles, ",") {
		code, text, _ := strings.Cut(article, "=")
		if code == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("STOCK: how many %s are there? %w", code, err)
		}
		if _, err := db.ExecContext(ctx, `INSERT INTO stock (code, available) VALUES (?, ?) ON CONFLICT DO NOTHING`, code, n); err != nil {
			return nil, err
		}
	}
	return db, nil
}

func reserve(ctx context.Context, req *receiver.StepRequest) (receiver.Answer, error) {
	if form := req.Return(); form != nil {
		for _, line := range form.LineItems {
			n, err := whole(line.ReturnQuantity)
			if err == nil {
				err = take(ctx, line.Code, -n)
			}
			if err != nil {
				return receiver.Answer{}, err
			}
		}
		req.Order.AddTag("put-back")
		return req.Patch()
	}
	// An order that enters the status again is asked about by another call. What it needs was
	// taken by the first.
	if req.Order.OrderForm == nil || slices.Contains(req.Order.Tags, "reserved") {
		return receiver.Continue(), nil
	}
	needed := map[string]int64{}
	for _, line := range req.Order.OrderForm.LineItems {
		n, err := whole(line.Quantity)
		if err != nil {
			return receiver.Answer{}, err
		}
		needed[line.Code] += n
	}
	// The stock is looked at before anything is taken: an answer that stops the workflow is
	// committed, too, and must not leave half an order reserved.
	for code, n := range needed {
		if enough, err := has(ctx, code, n); err != nil {
			return receiver.Answer{}, err
		} else if !enough {
			return receiver.Stop("there are too few of " + code), nil
		}
	}
	for code, n := range needed {
		if err := take(ctx, code, n); err != nil {
			return receiver.Answer{}, err
		}
	}
	req.Order.AddTag("reserved")
	return req.Patch()
}

// has reports whether there are so many of an article.
func has(ctx context.Context, code string, n int64) (enough bool, err error) {
	err = receiver.Tx(ctx).QueryRowContext(ctx, `SELECT count(*) > 0 FROM stock WHERE code = ? AND available >= ?`, code, n).Scan(&enough)
	return enough, err
}

// take takes so many of an article out of the stock; fewer than none are put back.
func take(ctx context.Context, code string, n int64) error {
	_, err := receiver.Tx(ctx).ExecContext(ctx, `UPDATE stock SET available = available - ? WHERE code = ?`, n, code)
	return err
}

func whole(quantity receiver.Number) (int64, error) {
	r, err := quantity.Rat()
	if err != nil || !r.IsInt() || !r.Num().IsInt64() || r.Sign() < 0 {
		return 0, &receiver.StatusError{Status: http.StatusBadRequest, Message: fmt.Sprintf("the quantity %q is no whole number", string(quantity))}
	}
	return r.Num().Int64(), nil
}
