package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// additiveMigration is what a next version may do to the schema while nodes of this one are
// at work: it adds, to tables that all of the load goes through, too.
const additiveMigration = `-- +goose Up
CREATE TABLE next_things (tenant text COLLATE "C" NOT NULL PRIMARY KEY, note text NOT NULL);
ALTER TABLE events ADD COLUMN next_note text NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN next_note text NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN next_number bigint NOT NULL DEFAULT 0;
`

// breakingMigration is what it may not do.
const breakingMigration = `-- +goose Up
ALTER TABLE carts RENAME COLUMN doc TO document;
`

// nextVersion builds the version after this one, with one more migration.
func nextVersion(t *testing.T, migration string, compatible int64) string {
	t.Helper()
	const package_ = "internal/store/postgres/"
	schema := edited(t, "../../"+package_+"schema.go", "const compatibleSchema = 1\n", fmt.Sprintf("const compatibleSchema = %d\n", compatible))
	return otherBinary(t, "v1.3.0", map[string]string{
		package_ + "schema.go": schema, fmt.Sprintf(package_+"migrations/%05d_next.sql", nextSchema(t)): migration})
}

// nextSchema is the number of the first migration that there is not yet.
func nextSchema(t *testing.T) int64 {
	t.Helper()
	files, err := filepath.Glob("../../internal/store/postgres/migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(files)) + 1
}

// schemaIn is the number of the schema of a cluster's database.
func (c *cluster) schemaIn() (n int64) {
	conn, err := pgx.Connect(c.t.Context(), strings.TrimPrefix(c.where.env[0], "ORDERHOOK_DATABASE="))
	if err == nil {
		err = conn.QueryRow(c.t.Context(), `SELECT max(version_id) FROM goose_db_version`).Scan(&n)
		_ = conn.Close(c.t.Context())
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// TestRollingUpgrade replaces the nodes of this version by those of the next one, whose
// schema has more, one after the other, under load. Both versions work side by side
// meanwhile, and one of this version starts on the schema of the next. Nothing is lost.
func TestRollingUpgrade(t *testing.T) {
	next := nextVersion(t, additiveMigration, 1)
	c := newCluster(t, 2)
	all, runs := newCrashReceivers(t), newCrashEndpoint(t)
	first := c.nodes[0].server.Load()
	first.expect(t, 200, "PUT", "/api/settings", crashKey, runs.settings())
	all.subscribe(t, first)
	l := &load{pick: c.hurried}
	l.start(1)
	l.facts.others = ofOthers
	callers := startCallers(c)
	before := c.schemaIn()
	for i, n := range c.nodes {
		awaitMore(t, l, callers) // each version does some of the work
		n.binary = next
		c.restart(n)
		if got := c.schemaIn(); got != before+1 {
			t.Errorf("the schema is %d after %d, want one more", got, before)
		}
		if i == 0 {
			awaitShards(t, c.nodes[1].server.Load(), 32, 32)
			awaitMore(t, l, callers)
			c.restart(c.nodes[1]) // of this version still
			awaitShards(t, c.nodes[1].server.Load(), 32, 32)
		}
	}
	awaitMore(t, l, callers)
	facts := l.end(t)
	orders, carts := callers.end(t)
	all.check(t, c.any(), facts)
	for i := range orders {
		runs.check(t, awaitEnd(t, c.any(), orderID(i)), i)
	}
	t.Logf("%d events, %d orders with a workflow, %d carts", facts.acknowledged(), orders, carts)
	for _, n := range c.nodes {
		awaitStatus(t, n.server.Load().url+"/readyz", 200)
		n.server.Load().stop(t)
	}
}

// awaitMore waits until a load has got through so much more.
func awaitMore(t *testing.T, l *load, k *callers) {
	t.Helper()
	events, orders := l.facts.acknowledged(), k.orders.Load()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if l.facts.acknowledged() >= events+50 && k.orders.Load() >= orders+8 {
			return
		}
	}
	t.Fatalf("the load stands: %d events and %d orders, after %d and %d", l.facts.acknowledged(), k.orders.Load(), events, orders)
}

// TestAnUpgradeThatDoesNotOnlyAdd is refused while a node of this version is at work, and
// the node goes on. Once it has been made, this version is refused.
func TestAnUpgradeThatDoesNotOnlyAdd(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	here := c.nodes[0].server.Load()
	next := c.where
	next.binary = nextVersion(t, breakingMigration, nextSchema(t))
	for _, command := range []string{"migrate", "serve"} {
		next.refuses(t, "older nodes are at work with the database, which cannot work with the schema of this version: stop ", command)
	}
	here.expect(t, 200, "GET", "/readyz", "", "")
	here.expect(t, 201, "PUT", "/api/carts/C-1", crashKey, `{"marketId":"NOR"}`)
	here.stop(t)
	next.succeeds(t, "migrate")
	for _, command := range []string{"migrate", "serve", "check"} {
		c.where.refuses(t, fmt.Sprintf("the database is of a newer orderhook: its schema is %[1]d, which versions can work with that know schema %[1]d", nextSchema(t)), command)
	}
}
