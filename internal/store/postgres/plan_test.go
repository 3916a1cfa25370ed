package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// asked notes each text that is sent to the server once, with its arguments.
type asked struct {
	mu    sync.Mutex
	texts map[string][]any
}

func (a *asked) note(text string, args []any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, there := a.texts[text]; !there {
		var plain []any
		for _, v := range args {
			if _, isOption := v.(pgx.QueryExecMode); !isOption {
				plain = append(plain, v)
			}
		}
		a.texts[text] = plain
	}
}

func (a *asked) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	a.note(d.SQL, d.Args)
	return ctx
}
func (a *asked) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (a *asked) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (a *asked) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	a.note(d.SQL, d.Args)
}
func (a *asked) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// growing are the tables that get a row for what is done, and columns of theirs.
var growing = map[string]string{
	"orders": "tenant, id, version, status_version, created, modified, status, order_type, market_id, customer_email, subscription_id, doc" +
		" | 'acme', 'o' || n, 1, 1, n, n, 's' || n % 100, 'online', 'nor', 'a' || n, 's' || n, '{}'",
	"order_external_ids": "of_tenant, of_order, external_id, of_created | 'acme', 'o' || n, 'x' || n, n",
	"order_versions":     "tenant, order_id, version, status_version, created, modified, doc | 'acme', 'o' || n, 1, 1, n, n, '{}'",
	"order_history":      "tenant, order_id, seq, at, entry | 'acme', 'o' || n, 1, n, '{}'",
	"runs":               "tenant, id, order_id, seq, status, ended, created, doc | 'acme', 'r' || n, 'o' || n, 1, 'succeeded', 1, n, '{}'",
	"attempts": "tenant, seq, kind, event, endpoint, format, number, max_number, duration_ms, url, host, status, outcome, delivered" +
		" | 'acme', n, 'event', n, n % 200, 'full', 1, 1, 1, 'u', 'h', 200, 'succeeded', n % 2",
	"bodies":      "tenant, call_id, body | 'acme', 'c' || n, ''",
	"carts":       "tenant, id, version, created, modified, doc | 'acme', 'c' || n, 1, n, n, '{}'",
	"events":      "seq, tenant, id, type, at, subject_kind, subject_id, order_id, data | n, 'acme', 'e' || n, 'x', n, 'order', 'o' || n, 'o' || n, '{}'",
	"deliveries":  "tenant, event, endpoint, max_attempts, due, updated | 'acme', n, n % 200, 5, n, n",
	"audit":       "tenant, at, id, key_id, action, kind, target, request, entry | 'acme', n, 'a' || n, 'k', 'x', 'order', 't' || n, 'q' || n, '{}'",
	"idempotency": "tenant, key, hash, resource, created | 'acme', 'k' || n, '', '', n",
	"secrets":     "tenant, id, place, origins, sealed, created, retired | 'acme', 's' || n, 'settings/' || n, '[]', '', n, 1",
	"sessions":    "hash, tenant, key_id, created, expires | int8send(n), 'acme', 'k' || n, n, n",
	"stock_items": "tenant, id, sku, warehouse, available, version, created, updated | 'acme', 's' || n, 's', 'w', '1', 1, n, n",
}

// planRows is how many rows each table has: ORDERHOOK_PLAN_ROWS if it is set.
func planRows(t *testing.T) int {
	rows, err := strconv.Atoi(cmp.Or(os.Getenv("ORDERHOOK_PLAN_ROWS"), "50000"))
	must(t, err)
	return rows
}

// test has the server say how it goes about each text: with what it knows of a table from
// when that was empty, and with what it knows of a full one.
func (a *asked) test(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	for name, value := range planning {
		_, err := conn.Exec(ctx, fmt.Sprintf("SET %s = %s", name, value))
		must(t, err)
	}
	exec := func(text string) {
		t.Helper()
		if _, err := conn.Exec(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	exec("ANALYZE")
	for table, filling := range growing {
		columns, values, _ := strings.Cut(filling, " | ")
		exec("ALTER TABLE " + table + " SET (autovacuum_enabled = off)")
		exec(fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM generate_series(1, %d) AS n", table, columns, values, planRows(t)))
	}
	a.look(t, conn, "statistics of empty tables")
	exec("ANALYZE")
	a.look(t, conn, "statistics of full tables")
}

func (a *asked) look(t *testing.T, conn *pgx.Conn, when string) {
	looked := 0
	for text, args := range a.texts {
		text, is := explainable(text)
		if !is {
			continue
		}
		var plan []byte
		err := explain(conn, "(ANALYZE, TIMING OFF, FORMAT JSON)", text, args, &plan)
		if code(err) == "57014" {
			t.Errorf("%s: takes longer than %s: %s: %v", when, longestPlan, strings.Join(strings.Fields(text), " "), args)
			continue
		}
		if err != nil { // what is written is there, or a check of it does not hold
			err = explain(conn, "(FORMAT JSON)", text, args, &plan)
		}
		if err != nil {
			t.Errorf("%s: %s: %v", when, text, err)
			continue
		}
		looked++
		var tops []struct{ Plan node }
		must(t, json.Unmarshal(plan, &tops))
		for _, top := range tops {
			// Of orders with errors, and of deliveries that failed, an index has these alone,
			// which are few.
			if strings.Contains(text, "left(") && !strings.Contains(text, "has_errors = 1") && !strings.Contains(text, "status = 'f'") && top.Plan.unaimed() {
				t.Errorf("%s: does not look for what is named: %s: %v", when, strings.Join(strings.Fields(text), " "), args)
			}
			read, inVain := top.Plan.read()
			if aimed.MatchString(text) && read > mostRead || inVain > mostRead {
				t.Errorf("%s: reads %.0f rows, and looks at %.0f in vain: %s: %v", when, read, inVain, strings.Join(strings.Fields(text), " "), args)
			}
			for _, what := range top.Plan.wrong() {
				t.Errorf("%s: %s: %s", when, what, strings.Join(strings.Fields(text), " "))
			}
		}
	}
	if looked < 150 {
		t.Errorf("the suite has but %d texts", looked)
	}
}

// mostRead is how many rows a statement may read that says what it looks for (aimed): of
// one thing there are few, and all that a tenant has are planRows. One that says nothing of
// the kind is asked in steps, which a suite with few rows does not come to.
const mostRead = 5000

// aimed is what statements say that look for the rows of one thing, or of some keys.
var aimed = regexp.MustCompile(`\b((order|run|call|key|cart|shipment|return|stock_item)_id|target|request) = \$|\(tenant, id\) IN|\b(event|seq) = ANY`)

// longestPlan ends a statement that goes through all of a table for each of its rows.
const longestPlan = "20s"

// explain has the server say how it goes about a text, and with ANALYZE, do so; nothing of it
// stays.
func explain(conn *pgx.Conn, how, text string, args []any, plan *[]byte) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, "SET LOCAL statement_timeout = '"+longestPlan+"'"); err == nil {
		err = tx.QueryRow(ctx, "EXPLAIN "+how+" "+text, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...).Scan(plan)
	}
	return errors.Join(err, tx.Rollback(ctx))
}

// explainable returns the statement that has a plan, if a text has one. For a cursor that is what
// it is asked for at first.
func explainable(text string) (string, bool) {
	switch strings.ToUpper(strings.Fields(text)[0]) {
	case "DECLARE":
		_, text, _ = strings.Cut(text, " FOR ")
		return fmt.Sprintf("SELECT * FROM (%s) AS all_of_it LIMIT %d", text, partOf), true
	case "SELECT", "UPDATE", "DELETE", "INSERT":
		return text, true
	}
	return "", false
}

// node is a step of a plan.
type node struct {
	Type      string `json:"Node Type"`
	Relation  string `json:"Relation Name"`
	Index     string `json:"Index Name"`
	Condition string `json:"Index Cond"`
	Filter    string
	Parent    string `json:"Parent Relationship"`
	Plans     []node

	// What became of it, if it was done; all but Loops are of one loop.
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Rejected float64 `json:"Rows Removed by Join Filter"`
}

// read returns the most rows that one step of a plan goes through, and how many of them it
// looks at in vain, for each row of the step that leads to it.
func (n node) read() (rows, inVain float64) {
	rows, inVain = (n.Rows+n.Filtered+n.Rejected)*n.Loops, n.Rejected*n.Loops
	if n.Loops > 1 && n.Filtered > 100 { // a row that is looked up and not picked is none of these
		inVain += n.Filtered * n.Loops
	}
	for _, below := range n.Plans {
		more, moreInVain := below.read()
		rows, inVain = max(rows, more), max(inVain, moreInVain)
	}
	return rows, inVain
}

// wrong says what of a plan reads all of a table that grows, or all that a tenant has in
// one to sort it.
func (n node) wrong() (all []string) {
	if _, grows := growing[n.Relation]; grows {
		switch {
		case n.Type == "Seq Scan":
			all = append(all, "reads all of "+n.Relation)
		case strings.HasPrefix(n.Type, "Index") && n.Condition == "":
			all = append(all, "reads all of the index "+n.Index)
		}
	}
	for _, below := range n.Plans {
		all = append(all, below.wrong()...)
		if _, grows := growing[below.Relation]; grows && n.Type == "Sort" && onlyTenant(below.Condition) {
			all = append(all, "sorts all that a tenant has of "+below.Relation)
		}
	}
	return all
}

// unaimed reports whether the first step that reads a table that grows reads all that a
// tenant has in it.
func (n node) unaimed() bool {
	if _, grows := growing[n.Relation]; grows && n.Condition != "" {
		return onlyTenant(n.Condition)
	}
	return len(n.Plans) > 0 && n.Plans[0].unaimed()
}

// onlyTenant reports whether a condition has no column but the tenant's.
func onlyTenant(condition string) bool { return !strings.Contains(condition, " AND ") }
