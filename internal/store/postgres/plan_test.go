package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
		" | 'acme', " + spread + ", 'event', n, n % 200, 'full', 1, 1, 1, 'u', 'h', 200, 'succeeded', n % 2",
	"bodies":      "tenant, call_id, body | 'acme', 'c' || n, ''",
	"carts":       "tenant, id, version, created, modified, doc | 'acme', 'c' || n, 1, n, n, '{}'",
	"event_ids":   "tenant, id, seq | 'acme', 'e' || n, n",
	"events":      "seq, tenant, id, type, at, subject_kind, subject_id, order_id, data | " + spread + ", 'acme', 'e' || n, 'x', n, 'order', 'o' || n, 'o' || n, '{}'",
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
	divide(t, url)
	for table, filling := range growing {
		columns, values, _ := strings.Cut(filling, " | ")
		for _, part := range partsOf(t, conn, table) {
			exec("ALTER TABLE " + part + " SET (autovacuum_enabled = off)")
		}
		exec(fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM generate_series(1, %d) AS n", table, columns, values, planRows(t)))
	}
	a.look(t, conn, "statistics of empty tables")
	exec("ANALYZE")
	a.look(t, conn, "statistics of full tables")
}

// divide makes as many partitions as there are where old ones are dropped, for the numbers
// that spread gives.
func divide(t *testing.T, url string) {
	config, err := parse(url)
	must(t, err)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	var numbers []int64
	for n := range int64(spreadOver) {
		numbers = append(numbers, spreadFrom+n*spreadOf)
	}
	for _, table := range partitioned {
		must(t, newPartitions(config, asker{conn}.QueryOnce, slog.New(slog.DiscardHandler)).Cover(ctx, table, numbers))
	}
}

// The partitions of a plan are in the year 2040, each of the first length, but for the first,
// which the suite has its numbers in.
const (
	spreadOver = 7
	spreadFrom = 2208988800_000_000 << 11
	spreadOf   = int64(firstLength/time.Microsecond) << 11
)

// spread is a number in one of these partitions, and for every eighth row one in the first.
var spread = fmt.Sprintf("CASE n %% 8 WHEN 0 THEN n ELSE n + %d + (n %% 8 - 1) * %d END", int64(spreadFrom), spreadOf)

// partsOf returns the partitions of a table, or the table itself.
func partsOf(t *testing.T, conn *pgx.Conn, table string) []string {
	t.Helper()
	rows, _ := conn.Query(ctx, `SELECT c.relname::text FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
		WHERE c.relkind = 'r' AND coalesce(i.inhparent, c.oid) = $1::regclass`, table)
	parts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return parts
}

func (a *asked) look(t *testing.T, conn *pgx.Conn, when string) {
	looked := 0
	for text, args := range a.texts {
		text, is := explainable(text)
		if !is {
			continue
		}
		var plan []byte
		err := conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+text, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...).Scan(&plan)
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
			for _, what := range top.Plan.wrong() {
				t.Errorf("%s: %s: %s", when, what, strings.Join(strings.Fields(text), " "))
			}
		}
	}
	if looked < 150 {
		t.Errorf("the suite has but %d texts", looked)
	}
}

// explainable returns the statement that has a plan, if a text has one.
func explainable(text string) (string, bool) {
	switch strings.ToUpper(strings.Fields(text)[0]) {
	case "DECLARE":
		_, text, _ = strings.Cut(text, " FOR ")
		return text, true
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
}

// grows reports whether a step reads a table that grows, or a partition of one.
func (n node) grows() bool {
	table := n.Relation
	if p, err := partitionOf(table); err == nil {
		table = p.Table
	}
	_, grows := growing[table]
	return grows
}

// wrong says what of a plan reads all of a table that grows, or all that a tenant has in
// one to sort it.
func (n node) wrong() (all []string) {
	if n.grows() {
		switch {
		case n.Type == "Seq Scan":
			all = append(all, "reads all of "+n.Relation)
		case strings.HasPrefix(n.Type, "Index") && n.Condition == "":
			all = append(all, "reads all of the index "+n.Index)
		}
	}
	for _, below := range n.Plans {
		all = append(all, below.wrong()...)
		parts := []node{below}
		if strings.HasSuffix(below.Type, "Append") {
			parts = below.Plans
		}
		for _, part := range parts {
			if part.grows() && n.Type == "Sort" && onlyTenant(part.Condition) {
				all = append(all, "sorts all that a tenant has of "+part.Relation)
			}
		}
	}
	return all
}

// unaimed reports whether the first step that reads a table that grows reads all that a
// tenant has in it.
func (n node) unaimed() bool {
	if n.grows() && n.Condition != "" {
		return onlyTenant(n.Condition)
	}
	return len(n.Plans) > 0 && n.Plans[0].unaimed()
}

// onlyTenant reports whether a condition has no column but the tenant's.
func onlyTenant(condition string) bool { return !strings.Contains(condition, " AND ") }
