package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestTheDoctorOnAServer: the same on PostgreSQL, where looking leaves nothing behind, not even in
// the table of marks.
func TestTheDoctorOnAServer(t *testing.T) {
	t.Parallel()
	w := onPostgreSQL(t)
	if got := w.run(t, "doctor"); got.code != 1 || !strings.Contains(got.out, "schema-old") {
		t.Errorf("before the first start: %d %q %q", got.code, got.out, got.errOut)
	}
	s := w.serve(t)
	key := w.file(t, "admin.key", s.newKey+"\n")
	out := w.succeeds(t, "doctor", "--url", s.url, "--key-file", key)
	if !strings.Contains(out, "nothing is to be done") || strings.Count(out, "not looked at") != 1 {
		t.Errorf("beside a server: %q", out)
	}
	w.succeeds(t, "keys", "create", "--role", "reader", "--name", "till", "--expires-at", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	s.stop(t)
	db, err := pgx.Connect(t.Context(), strings.TrimPrefix(w.env[0], "ORDERHOOK_DATABASE="))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err := db.Exec(t.Context(), `INSERT INTO commits (writer, number, at) VALUES (-7, 1, now() - interval '3 days')`); err != nil {
		t.Fatal(err)
	}
	before := rows(t, db)
	if got := w.run(t, "doctor"); got.code != 1 || strings.Count(got.out, "key-expires (tenant") != 1 || strings.Contains(got.out, "s3cret") {
		t.Errorf("without a server: %d %q %q", got.code, got.out, got.errOut)
	}
	for table, after := range rows(t, db) {
		if after != before[table] {
			t.Errorf("the doctor has changed the table %s", table)
		}
	}
	w.serve(t).stop(t)
	var marks int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM commits WHERE writer = -7`).Scan(&marks); err != nil || marks != 0 {
		t.Errorf("%d old marks are there after a start, %v", marks, err)
	}
}

// rows is what each table holds, as a hash.
func rows(t *testing.T, db *pgx.Conn) map[string]string {
	t.Helper()
	tables, err := db.Query(t.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(tables, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		var hash string
		if err := db.QueryRow(t.Context(), `SELECT coalesce(md5(string_agg(r::text, '' ORDER BY r::text)), '') FROM `+pgx.Identifier{name}.Sanitize()+` AS r`).Scan(&hash); err != nil {
			t.Fatal(err)
		}
		all[name] = hash
	}
	return all
}

// TestTheDoctor looks beside a server and without one, says by its exit code whether something
// is to be done, and changes nothing.
func TestTheDoctor(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	if got := w.refuses(t, "there is no database", "doctor"); !strings.Contains(got.out, "not looked at") || strings.Contains(got.out, "nothing is to be done") {
		t.Errorf("without a database: %q", got.out)
	}
	w.succeeds(t, "migrate")
	if got := w.run(t, "doctor"); got.code != 1 || !strings.Contains(got.out, "schema-old: no server of this version") || w.has("orderhook.db.key") {
		t.Errorf("before the first start: %d %q", got.code, got.out)
	}
	s := w.serve(t)
	key := w.file(t, "admin.key", s.newKey+"\n")
	out := w.succeeds(t, "doctor", "--url", s.url, "--key-file", key)
	if !strings.Contains(out, "nothing is to be done") || strings.Count(out, "not looked at") != 1 {
		t.Errorf("beside a server: %q", out)
	}
	if got := w.run(t, "doctor", "--url", s.url, "--key", "ohk_wrong"); got.code != 2 || !strings.Contains(got.out, "not looked at: /metrics of the server, which answers 401") || strings.Contains(got.out, "nothing is to be done") {
		t.Errorf("with a wrong key: %d %q", got.code, got.out)
	}
	if got := w.refuses(t, "the server cannot be asked", "doctor", "--url", "http://127.0.0.1:1", "--key", s.newKey); !strings.Contains(got.out, "not looked at: /readyz of the server") || strings.Contains(got.out, "nothing is to be done") {
		t.Errorf("with a server that does not answer: %q", got.out)
	}
	w.refuses(t, "--url needs a key", "doctor", "--url", s.url)
	w.refuses(t, "give its --url", "doctor", "--key", s.newKey)
	w.succeeds(t, "keys", "create", "--role", "reader", "--name", "till", "--expires-at", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	s.stop(t)
	got := w.run(t, "doctor", "--json")
	var found struct {
		Findings []struct{ Kind, Tenant, Text, Advice, Section string }
		Skipped  []string
	}
	if err := json.Unmarshal([]byte(got.out), &found); err != nil || got.code != 1 || len(found.Findings) != 1 || found.Findings[0].Kind != "key-expires" ||
		found.Findings[0].Section != "docs/troubleshooting.md#a-key-expires" || found.Findings[0].Advice == "" || len(found.Skipped) != 2 {
		t.Errorf("%v; %d %s", err, got.code, got.out)
	}
}
