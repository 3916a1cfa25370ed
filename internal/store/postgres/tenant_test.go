package postgres

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// A database whose tables are distributed over several servers by the tenant, as Citus does
// it, needs the tenant in each key that is unique, and in each statement: else a server would
// have to ask all others (docs/scaling.md#by-tenant-over-several-servers).

// withoutTenant are the tables that have no column of a tenant. Each server would have all
// of them, or one of them would.
var withoutTenant = []string{"goose_db_version", "meta", "nodes", "leases", "news", "commits", "event_marks", "body_chunks"}

// keysAcross are the unique indexes without the tenant of tables that have one.
var keysAcross = map[string]string{
	"api_keys_hash":        "a request has a key, and no tenant yet",
	"sessions_pkey":        "a request has a cookie, and no tenant yet",
	"body_segments_pkey":   "the id is a part of the keys of body_chunks",
	"order_versions_rowid": "retention goes by it, within a tenant",
}

func TestEveryKeyHasTheTenant(t *testing.T) {
	conn, err := pgx.Connect(ctx, pgtest.Database(t, Migrate))
	must(t, err)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT t.relname::text, coalesce(k.relname::text, ''),
			EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attname IN ('tenant', 'of_tenant')),
			coalesce((SELECT a.attname IN ('tenant', 'of_tenant') FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attnum = i.indkey[0]), false)
		FROM pg_class AS t LEFT JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisunique LEFT JOIN pg_class AS k ON k.oid = i.indexrelid
		WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p')`)
	must(t, err)
	var table, index string
	var hasTenant, inKey bool
	without, across := map[string]bool{}, map[string]bool{}
	_, err = pgx.ForEachRow(rows, []any{&table, &index, &hasTenant, &inKey}, func() error {
		switch {
		case !hasTenant:
			without[table] = true
		case index == "":
			t.Errorf("the table %s has no unique key", table)
		case !inKey:
			across[index] = true
		}
		return nil
	})
	must(t, err)
	for name := range without {
		if !slices.Contains(withoutTenant, name) {
			t.Errorf("the table %s has no column tenant", name)
		}
	}
	for name := range across {
		if keysAcross[name] == "" {
			t.Errorf("the unique index %s does not begin with the tenant", name)
		}
	}
	if len(without) != len(withoutTenant) || len(across) != len(keysAcross) {
		t.Errorf("without a tenant are the tables %v, and the keys %v: what is listed besides is not there", without, across)
	}
}

// byTenant is a condition of a step of a plan that names the tenant, or that of another row.
var byTenant = regexp.MustCompile(`\b(of_)?tenant = `)

// acrossTenants lists the tables of which a plan reads rows without knowing their tenant. What
// a subplan reads for all rows at once is compared by its tenant afterwards.
func (n node) acrossTenants(tables map[string]bool) (all []string) {
	if n.Parent == "SubPlan" {
		return nil
	}
	if tables[n.Relation] && n.Type != "ModifyTable" && !byTenant.MatchString(n.Condition+" "+n.Filter) {
		all = append(all, n.Relation)
	}
	for _, below := range n.Plans {
		all = append(all, below.acrossTenants(tables)...)
	}
	return all
}

// statementsAcross are how the statements begin that are not of one tenant, and why.
var statementsAcross = map[string]string{
	"SELECT tenant, id, role, name, hash, created, rate_limit, expires, last_used FROM api_keys WHERE hash":        "a request has a key, and no tenant yet",
	"SELECT count(*) FROM (SELECT 1 FROM api_keys":                                                                 "whether a start has to make a key",
	"SELECT tenant FROM sessions WHERE hash":                                                                       "a request has a cookie, and no tenant yet",
	"SELECT k.tenant, k.id, k.role, k.name, k.hash, k.created, k.rate_limit, k.expires, k.last_used FROM sessions": "a request has a cookie, and no tenant yet",
	"DELETE FROM sessions WHERE hash":                                                                              "by the key of the table; the tenant is known",
	"DELETE FROM order_versions WHERE rowid":                                                                       "by the key of the table; the tenant is known",
	"DELETE FROM deliveries WHERE ctid":                                                                            "by the place of rows that were looked up by their tenant",
	"UPDATE body_segments SET":                                                                                     "by the key of the table; the tenant is known",
	"DELETE FROM body_segments WHERE id":                                                                           "by the key of the table; the tenant is known",
	"SELECT 1 FROM body_segments WHERE id":                                                                         "by the key of the table; the tenant is known",
	"SELECT EXISTS (SELECT 1 FROM body_segments WHERE id":                                                          "by the key of the table; the tenant is known",
	"SELECT tenant FROM tenants":                                                                                   "the tenants, which maintenance goes through",
	"SELECT DISTINCT tenant, order_id FROM runs":                                                                   "a start: which orders have runs",
	"SELECT tenant, doc, revision FROM jobs WHERE ended = 0":                                                       "a start: which jobs go on",
	"SELECT tenant, coalesce((SELECT version FROM endpoint_sets":                                                   "a start: which endpoints there are",
	"SELECT tenant, no FROM endpoints":                                                                             "a start, and maintenance: which were deleted",
	"SELECT deliveries.tenant, event, endpoint FROM endpoints":                                                     "maintenance: deliveries of endpoints that were deleted",
	"SELECT tenant, version FROM settings":                                                                         "the first start of this version: secrets that are to be bound",
	"SELECT tenant, version FROM secret_removals":                                                                  "maintenance: secrets that are to be destroyed",
}

// tenants checks each statement that the suite has sent.
func (a *asked) tenants(t *testing.T) {
	conn, err := pgx.Connect(ctx, pgtest.Database(t, Migrate))
	must(t, err)
	defer conn.Close(ctx)
	for name, value := range planning {
		_, err := conn.Exec(ctx, "SET "+name+" = "+value)
		must(t, err)
	}
	tables := map[string]bool{}
	rows, err := conn.Query(ctx, `SELECT DISTINCT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND column_name IN ('tenant', 'of_tenant')`)
	must(t, err)
	var table string
	_, err = pgx.ForEachRow(rows, []any{&table}, func() error { tables[table] = true; return nil })
	must(t, err)
	used := map[string]bool{}
	for text, args := range a.texts {
		if text, is := explainable(text); is {
			a.checkTenant(t, conn, text, args, tables, used)
		}
	}
	for beginning := range statementsAcross {
		if !used[beginning] {
			t.Errorf("no statement that is not of one tenant begins as %q", beginning)
		}
	}
}

func (a *asked) checkTenant(t *testing.T, conn *pgx.Conn, text string, args []any, tables, used map[string]bool) {
	t.Helper()
	var plan []byte
	must(t, conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+text, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...).Scan(&plan))
	var tops []struct{ Plan node }
	must(t, json.Unmarshal(plan, &tops))
	line := strings.Join(strings.Fields(text), " ")
	for _, table := range tops[0].Plan.acrossTenants(tables) {
		listed := false
		for beginning := range statementsAcross {
			if strings.HasPrefix(line, beginning) {
				listed, used[beginning] = true, true
			}
		}
		if !listed {
			t.Errorf("rows of %s are read without their tenant: %s", table, line)
		}
	}
}
