package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// findings returns what is found in a database.
func findings(t *testing.T, path string) (all []core.Finding) {
	t.Helper()
	must(t, Inspect(ctx, path, func(f core.Finding) { all = append(all, f) }))
	return all
}

// TestEachRuleFindsWhatBreaksIt breaks one rule after the other in a sound database.
func TestEachRuleFindsWhatBreaksIt(t *testing.T) {
	for want, statements := range map[string]string{
		"a pending delivery of an event that is not there: event 7 of the tenant acme": `INSERT INTO endpoints (tenant, no, id, origin, doc) VALUES ('acme', 1, 'ep_1', '', '');
			INSERT INTO deliveries (tenant, event, endpoint, max_attempts, due, updated) VALUES ('acme', 7, 1, 1, 1, 1)`,
		"a delivery to an endpoint that is not there: endpoint 1": `INSERT INTO events (seq, tenant, id, type, at, subject_kind, subject_id, order_id) VALUES (7, 'acme', 'evt_1', 't', 1, '', '', '');
			INSERT INTO deliveries (tenant, event, endpoint, max_attempts, due, updated) VALUES ('acme', 7, 1, 1, 1, 1)`,
		"deliveries of a group that all wait for one before them: of the endpoint 1": `INSERT INTO endpoints (tenant, no, id, origin, doc) VALUES ('acme', 1, 'ep_1', '', '');
			INSERT INTO events (seq, tenant, id, type, at, subject_kind, subject_id, order_id) VALUES (7, 'acme', 'evt_1', 't', 1, '', '', '');
			INSERT INTO deliveries (tenant, event, endpoint, max_attempts, due, updated, grp) VALUES ('acme', 7, 1, 1, 0, 1, 'g')`,
		"the health of an endpoint that is not there: endpoint 5":                      `INSERT INTO endpoint_health (tenant, endpoint, succeeded, last_success, last_failure, last_error, consecutive, failing_since) VALUES ('acme', 5, 0, 0, 0, '', 0, 0)`,
		"a version of an order that is not there: order gone":                          `INSERT INTO order_versions (tenant, order_id, version, status_version, created, modified, doc) VALUES ('acme', 'gone', 1, 1, 1, 1, '{}')`,
		"an earlier version of an order that is not earlier than the order: order one": `INSERT INTO order_versions (tenant, order_id, version, status_version, created, modified, doc) VALUES ('acme', 'one', 1, 1, 1, 1, '{}')`,
		"the history of an order that is not there: order gone":                        `INSERT INTO order_history (tenant, order_id, seq, at, entry) VALUES ('acme', 'gone', 1, 1, '{}')`,
		"a run of an order that is not there: run run_1":                               `INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, doc) VALUES ('acme', 'run_1', 'gone', 1, 'succeeded', 1, 1, '{}')`,
		"an external id of an order that is not there: order gone":                     `INSERT INTO order_external_ids (of_tenant, of_order, external_id, of_created) VALUES ('acme', 'gone', 'x', 1)`,
		"the request body of a call without attempts: call call_1":                     `INSERT INTO bodies (tenant, call_id, body) VALUES ('acme', 'call_1', x'00')`,
		"segment 2 of the tenant acme":                                                 `INSERT INTO body_segments (id, tenant, state, young, first, last, oldest, newest) VALUES (1, 'acme', 'bare', 0, 5, 9, 0, 0), (2, 'acme', 'bare', 0, 1, 5, 0, 0)`,
		"segment 3 has a damaged header":                                               `INSERT INTO body_segments (id, tenant, state, young, first, last, oldest, newest, header) VALUES (3, 'acme', 'ready', 0, 5, 9, 0, 0, x'00')`,
		"1 chunks of segments that are not there":                                      `INSERT INTO body_chunks (key, chunk) VALUES (4096, x'00')`,
		"the numbers of events: 9 is used, but only those up to 3 were given out": `INSERT INTO events (seq, tenant, id, type, at, subject_kind, subject_id, order_id) VALUES (9, 'acme', 'evt_1', 't', 1, '', '', '');
			UPDATE sqlite_sequence SET seq = 3 WHERE name = 'events'`,
	} {
		path := tempPath(t)
		db := openAt(t, path, Options{})
		must(t, db.Write(ctx, insert("one")))
		must(t, db.Close())
		if sound := findings(t, path); len(sound) > 0 {
			t.Fatalf("in a sound database: %v", sound)
		}
		runSQL(t, path, statements)
		if found := findings(t, path); len(found) != 1 || !strings.Contains(found[0].Text, want) {
			t.Errorf("want %q, found %v", want, found)
		}
	}
}

func TestManyFindingsOfARuleAreCutShort(t *testing.T) {
	path := tempPath(t)
	must(t, openAt(t, path, Options{}).Close())
	runSQL(t, path, `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)
		INSERT INTO bodies (tenant, call_id, body) SELECT 'acme', 'call_' || i, x'00' FROM n`)
	if found := findings(t, path); len(found) != 6 || !strings.Contains(found[5].Text, "and more") {
		t.Errorf("%v", found)
	}
}

// What is wrong with the index of bodies is built again from the bodies.
func TestADamagedSegmentIsBuiltAgain(t *testing.T) {
	for name, damage := range map[string]string{
		"header": `UPDATE body_segments SET header = x'05'`,
		"starts": `UPDATE body_segments SET starts = x''`,
		"chunk":  `UPDATE body_chunks SET chunk = x'00' WHERE key = (SELECT max(key) FROM body_chunks)`,
		"lost":   `DELETE FROM body_chunks WHERE key = (SELECT min(key) FROM body_chunks)`,
		"more":   `INSERT INTO body_chunks SELECT key + 1, chunk FROM body_chunks ORDER BY key DESC LIMIT 1`,
	} {
		t.Run(name, func(t *testing.T) {
			path := tempPath(t)
			db := openAt(t, path, Options{})
			indexSome(t, db)
			must(t, db.Close())
			runSQL(t, path, damage)
			found := findings(t, path)
			if len(found) != 1 || found[0].Segment == 0 {
				t.Fatalf("found %v", found)
			}
			must(t, Rebuild(ctx, path, []int64{found[0].Segment}))
			db = openAt(t, path, Options{})
			for done := false; !done; {
				var err error
				done, err = db.IndexBodies(ctx, acme, func(context.Context) error { return nil })
				must(t, err)
			}
			if left := findings(t, path); len(left) > 0 {
				t.Errorf("after the repair: %v", left)
			}
			wantIndexed(t, db)
		})
	}
}

// indexSome records as many attempts as the smallest part of the index has.
func indexSome(t *testing.T, db *DB) {
	t.Helper()
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := range 600 {
			a := &attempt.Attempt{ID: ids.New(ids.Attempt), CallID: fmt.Sprint("c", n),
				Detail: &attempt.AttemptDetail{Request: attempt.Message{Body: fmt.Appendf(nil, "body %d ", n)}}}
			if err := tx.AddAttempt(ctx, acme, a); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err := db.IndexBodies(ctx, acme, func(context.Context) error { return nil })
	must(t, err)
	wantIndexed(t, db)
}

// wantIndexed wants the first attempts to be found by the index.
func wantIndexed(t *testing.T, db *DB) {
	t.Helper()
	var ready int
	must(t, db.engine.Query(ctx, func(r core.Row) error { return r.Scan(&ready) }, `SELECT count(*) FROM body_segments WHERE state = 'ready'`))
	found, err := db.Attempts(ctx, acme, store.AttemptFilter{Body: "body 77 "}, store.Page{})
	must(t, err)
	if ready != 1 || len(found.Items) != 1 {
		t.Errorf("%d parts of the index are ready, and %d attempts are found", ready, len(found.Items))
	}
}

// damage overwrites the page that a table begins with.
func damage(t *testing.T, path, table string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	var root, size int64
	must(t, db.QueryRow(`SELECT rootpage FROM sqlite_master WHERE name = ?`, table).Scan(&root))
	must(t, db.QueryRow(`PRAGMA page_size`).Scan(&size))
	must(t, db.Close())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, int(size)), (root-1)*size)
	must(t, errors.Join(err, f.Close()))
}

// A file whose pages are damaged is told of, with nothing else.
func TestADamagedFile(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{})
	must(t, db.Write(ctx, insert("one")))
	must(t, db.Close())
	damage(t, path, "orders")
	found := findings(t, path)
	if len(found) == 0 || slices.ContainsFunc(found, func(f core.Finding) bool { return !strings.Contains(f.Text, "damaged") || f.Segment != 0 }) {
		t.Errorf("found %v", found)
	}
}

// TestADamagedBeginning: the damage is where SQLite looks first.
func TestADamagedBeginning(t *testing.T) {
	path := tempPath(t)
	must(t, openAt(t, path, Options{}).Close())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, 100), 100) // behind the header
	must(t, errors.Join(err, f.Close()))
	if found := findings(t, path); len(found) != 1 || !strings.Contains(found[0].Text, "the file is damaged: ") {
		t.Errorf("found %v", found)
	}
}

// TestGroupsThatWaitForNothingWrong: a delivery waits although none is before it while its
// endpoint gets another ordering, and where its endpoint was deleted.
func TestGroupsThatWaitForNothingWrong(t *testing.T) {
	for name, c := range map[string]struct {
		group   string
		deleted int
		want    int
	}{
		"the ordering is being changed":      {"+order/1", 0, 0},
		"the endpoint was deleted":           {"order/1", 1, 0},
		"neither":                            {"order/1", 0, 1},
		"a group whose name begins so":       {",order/1", 0, 1},
		"another whose name begins below it": {"*order/1", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			path := tempPath(t)
			must(t, openAt(t, path, Options{}).Close())
			runSQL(t, path, fmt.Sprintf(`INSERT INTO endpoints (tenant, no, id, origin, doc, deleted) VALUES ('acme', 1, 'ep_1', '', '', %d), ('acme', 2, 'ep_2', '', '', 0);
				INSERT INTO events (seq, tenant, id, type, at, subject_kind, subject_id, order_id) VALUES (7, 'acme', 'evt_1', 't', 1, '', '', ''), (8, 'acme', 'evt_2', 't', 1, '', '', '');
				INSERT INTO deliveries (tenant, event, endpoint, max_attempts, due, updated, grp) VALUES ('acme', 7, 1, 1, 0, 1, '%[2]s'), ('acme', 8, 1, 1, 0, 1, '%[2]s'),
					('acme', 7, 2, 1, 5, 1, 'order/1'), ('acme', 8, 2, 1, 0, 1, 'order/1')`, c.deleted, c.group))
			if found := findings(t, path); len(found) != c.want {
				t.Errorf("found: %v", found)
			}
		})
	}
}
