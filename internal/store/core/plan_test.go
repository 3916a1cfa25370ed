package core_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// plans returns how SQLite goes about each statement of what is done to a table
// or its alias.
func plans(t *testing.T, db *core.Store, table string, do func(s *core.Store) error) (all []string) {
	t.Helper()
	type statement struct {
		text string
		args []any
	}
	var statements []statement
	must(t, do(db.Noted(func(text string, args []any) { statements = append(statements, statement{text, args}) })))
	for _, s := range statements {
		var steps []string
		must(t, db.Ask(func(r core.Row) error {
			var id, parent, unused int
			var step string
			err := r.Scan(&id, &parent, &unused, &step)
			steps = append(steps, step)
			return err
		}, "EXPLAIN QUERY PLAN "+s.text, s.args...))
		if plan := strings.Join(steps, "; "); strings.Contains(plan+" ", " "+table+" ") {
			all = append(all, plan)
		}
	}
	return all
}

// wantIndex has statements use an index, and sort nothing.
func wantIndex(t *testing.T, plans []string, index string) {
	t.Helper()
	wantPlans(t, plans, "INDEX "+index+" ")
}

// wantPlans has all plans have a step, and sort nothing.
func wantPlans(t *testing.T, plans []string, step string) {
	t.Helper()
	if len(plans) == 0 {
		t.Error("nothing was asked")
	}
	for _, plan := range plans {
		if !strings.Contains(plan, step) {
			t.Errorf("no %q: %s", step, plan)
		}
		if strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("sorts: %s", plan)
		}
	}
}

// wantMerged has a plan find the rows of two sources by these steps. What they find is at
// most what a page, or a step of one, may have: only that is sorted.
func wantMerged(t *testing.T, plans []string, steps ...string) {
	t.Helper()
	if len(plans) == 0 {
		t.Error("nothing was asked")
	}
	for _, plan := range plans {
		for _, step := range steps {
			if !strings.Contains(plan, step) {
				t.Errorf("no %q: %s", step, plan)
			}
		}
		if left := scansOfSources.ReplaceAllString(plan, ""); strings.Contains(left, "SCAN") {
			t.Errorf("scans: %s", plan)
		}
	}
}

var scansOfSources = regexp.MustCompile(`SCAN (own|other|sent|pending|attempted|found|all_of_them)\b`)

// behind is a page behind another.
var behind = store.Page{Cursor: store.Cursor{At: 9, ID: "1"}.String()}

// TestListsUseIndexes keeps the lists that are asked for all the time from
// reading a whole table, or sorting it.
func TestListsUseIndexes(t *testing.T) {
	db := openTemp(t)
	orders := func(f store.OrderFilter) []string {
		return plans(t, db, "orders", func(s *core.Store) error { _, err := s.Orders(ctx, acme, f, behind); return err })
	}
	wantIndex(t, orders(store.OrderFilter{}), "orders_created")
	wantIndex(t, orders(store.OrderFilter{MarketID: "SE", Tag: "vip", Text: "x"}), "orders_created")
	wantIndex(t, orders(store.OrderFilter{Status: "New"}), "orders_status")
	wantIndex(t, orders(store.OrderFilter{CustomerEmail: "a@example.com"}), "orders_email")
	wantIndex(t, orders(store.OrderFilter{SubscriptionID: "sub"}), "orders_subscription")
	yes, no, since := true, false, time.Unix(1, 0)
	wantIndex(t, orders(store.OrderFilter{HasErrors: &yes, MarketID: "SE", ModifiedFrom: since}), "orders_errors")
	wantIndex(t, orders(store.OrderFilter{HasErrors: &no}), "orders_created")
	wantIndex(t, orders(store.OrderFilter{StoreID: "bergen", From: since}), "orders_store")
	wantIndex(t, orders(store.OrderFilter{ExternalID: "x", HasErrors: &no}), "order_external_ids_id")
	// Of several, the narrowest: the others are looked for in each of its rows, step by step.
	both := orders(store.OrderFilter{CustomerEmail: "a@example.com", Status: "New", StoreID: "bergen", MarketID: "SE", From: since})
	wantIndex(t, both, "orders_email")
	if len(both) != 2 || !strings.Contains(both[0], "USING COVERING INDEX orders_email (tenant=? AND customer_email=?") {
		t.Errorf("an e-mail, a status, and more: %q", both)
	}
	runs := func(f store.RunFilter) []string {
		return plans(t, db, "runs", func(s *core.Store) error { _, err := s.Runs(ctx, acme, f, behind); return err })
	}
	wantIndex(t, runs(store.RunFilter{}), "runs_created")
	wantIndex(t, runs(store.RunFilter{Status: run.RunWaiting, Step: "x"}), "runs_open")
	wantIndex(t, runs(store.RunFilter{Status: run.RunSucceeded, Canceled: &no, Step: "x", From: since}), "runs_created")
	for _, f := range []store.RunFilter{{Status: run.RunAborted, Step: "x", From: since, To: since}, {Canceled: &yes}, {Status: run.RunCanceled, Canceled: &yes}} {
		wantIndex(t, runs(f), "runs_stopped")
	}
	for _, plan := range runs(store.RunFilter{OrderID: "o1", Status: run.RunWaiting}) { // few, and sorted
		if !strings.Contains(plan, "SEARCH runs USING INDEX runs_order (tenant=? AND order_id=?)") {
			t.Errorf("an order's runs: %s", plan)
		}
	}
}

// TestSecretsAreFoundByTheirPlace: neither a change of the settings nor the maintenance reads
// all secrets that a tenant ever had, or all its runs.
func TestSecretsAreFoundByTheirPlace(t *testing.T) {
	db := openTemp(t)
	put := func(s *core.Store, base int64, text string) error {
		doc, err := schema.Parse([]byte(text))
		must(t, err)
		next, _, err := settings.Parse(doc)
		must(t, err)
		return s.Write(ctx, func(tx store.Tx) error { return tx.PutSettings(ctx, acme, next, base, "", time.Unix(1, 0)) })
	}
	must(t, put(db, 0, `{"connectors":[{"name":"a","host":"https://a","token":"x"}]}`))
	insertRun := func(s *core.Store) error {
		return s.Write(ctx, func(tx store.Tx) error {
			return tx.InsertRun(ctx, acme, &run.Run{ID: "r", OrderID: "o", Status: run.RunWaiting, SettingsVersion: 1})
		})
	}
	wantPlans(t, plans(t, db, "settings", insertRun), "SEARCH settings USING COVERING INDEX sqlite_autoindex_settings_1 (tenant=? AND version>?)")
	base := int64(1)
	removing := plans(t, db, "secrets", func(s *core.Store) error {
		err := put(s, base, `{}`)
		base++
		return err
	})
	destroying := plans(t, db, "secrets", func(s *core.Store) error { return s.DestroySecrets(ctx, noYield) })
	if len(removing) != 4 || len(destroying) != 1 {
		t.Errorf("%d and %d statements: %q %q", len(removing), len(destroying), removing, destroying)
	}
	for _, plan := range append(removing, destroying...) {
		if strings.Contains(plan, "SCAN secrets") || strings.Contains(plan, "SCAN runs") || strings.Contains(plan, "secrets USING PRIMARY KEY (tenant=?)") ||
			strings.Contains(plan, "runs ") && !strings.Contains(plan, "SEARCH runs USING COVERING INDEX runs_since (tenant=? AND since>? AND since<?)") {
			t.Error(plan)
		}
	}
	wantIndex(t, destroying, "secrets_place")
	wantIndex(t, removing[:1], "secrets_place")
	wantIndex(t, removing[1:2], "secrets_in_use")
}

// TestWhatWasChangedIsFoundByWhenItWas: of the orders that were created before,
// none is looked at that was not changed since.
func TestWhatWasChangedIsFoundByWhenItWas(t *testing.T) {
	db := openTemp(t)
	orders := func(f store.OrderFilter) []string {
		return plans(t, db, "orders", func(s *core.Store) error { _, err := s.Orders(ctx, acme, f, behind); return err })
	}
	since := time.Unix(1000, 0)
	for _, f := range []store.OrderFilter{{ModifiedFrom: since, MarketID: "SE"}, {ModifiedFrom: since, From: time.Unix(1, 0)}} {
		all := orders(f)
		if len(all) != 3 || !strings.Contains(all[2], "INDEX orders_modified (tenant=? AND modified>?)") {
			t.Errorf("changed since: %q", all)
		}
		wantIndex(t, all[:2], "orders_created") // a step, and its rows
	}
	wantIndex(t, orders(store.OrderFilter{ModifiedFrom: since, Status: "New"}), "orders_status")
}

// TestEventQueriesUseIndexes keeps what queues and lists ask for all the time
// from reading a whole table, or sorting it.
func TestEventQueriesUseIndexes(t *testing.T) {
	db := openTemp(t)
	events := func(f store.EventFilter) []string {
		return plans(t, db, "events", func(s *core.Store) error { _, err := s.Events(ctx, acme, f, behind); return err })
	}
	deliveries := func(f store.DeliveryFilter) []string {
		return plans(t, db, "deliveries", func(s *core.Store) error { _, err := s.Deliveries(ctx, acme, f, behind); return err })
	}
	wantIndex(t, events(store.EventFilter{}), "events_seq")
	wantIndex(t, events(store.EventFilter{Type: "x", From: benchTime, Related: event.Related{CartID: "c1"}}), "events_seq")
	wantIndex(t, events(store.EventFilter{Related: event.Related{OrderID: "o1"}, Type: "x"}), "events_order")
	last := func(plans []string) []string { return plans[len(plans)-1:] } // behind the steps
	noAnswer := store.StatusFilter{NoStatus: true}
	wantIndex(t, deliveries(store.DeliveryFilter{Endpoint: 1, Status: event.DeliveryFailed}), "deliveries_failed")
	wantIndex(t, last(deliveries(store.DeliveryFilter{Endpoint: 1, Status: event.DeliveryFailed, From: benchTime, StatusFilter: noAnswer})), "deliveries_failed")
	const (
		row       = "SEARCH deliveries USING PRIMARY KEY (tenant="
		delivered = "SEARCH deliveries USING INDEX attempts_delivery (tenant=? AND event"
	)
	wantMerged(t, deliveries(store.DeliveryFilter{Endpoint: 1, OrderID: "o1"}), "INDEX events_order (", row, delivered)
	wantMerged(t, deliveries(store.DeliveryFilter{EventType: "x"}), "INDEX events_seq (", row, delivered)
	for _, f := range []store.DeliveryFilter{{}, {Endpoint: 1}, {EventType: "x", Endpoint: 1}, {Event: 7},
		{From: benchTime, StatusFilter: store.StatusFilter{StatusFrom: 500, StatusTo: 599}}} {
		all := deliveries(f)
		wantMerged(t, all, row)
		wantMerged(t, last(all), row, delivered)
		if f.Event == 0 {
			wantMerged(t, all[:1], row, "SEARCH attempts USING COVERING INDEX attempts_delivery (tenant=? AND event>? AND event<?)")
		}
	}
	wantPlans(t, deliveries(store.DeliveryFilter{Status: event.DeliveryPending}), row)
	wantPlans(t, deliveries(store.DeliveryFilter{Status: event.DeliverySucceeded, Endpoint: 1}), delivered)
	for _, plan := range events(store.EventFilter{Type: "none"}) { // the steps, too
		if strings.Contains(plan, "SCAN") {
			t.Error(plan)
		}
	}
}

// theRow is the way to the row of a delivery.
const theRow = "SEARCH deliveries USING PRIMARY KEY (tenant=? AND event=? AND endpoint=?)"

// TestDeliveriesAreFoundAtOnce has what queues ask for, and what they write, find
// each row by its key, or by the index that has what is due.
func TestDeliveriesAreFoundAtOnce(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	publish(t, db, namedEvent("a"), namedEvent("b"), namedEvent("c"))
	due := plans(t, db, "deliveries", func(s *core.Store) error {
		_, err := s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: time.Now(), Limit: 2})
		return err
	})
	wantIndex(t, due[:1], "deliveries_due")
	if len(due) != 2 || !strings.Contains(due[1], theRow) { // few, and sorted
		t.Errorf("the due: %q", due)
	}
	complete := func(completions ...store.Completion) []string {
		return plans(t, db, "deliveries", func(s *core.Store) error {
			return s.Write(ctx, func(tx store.Tx) error { return completeIn(tx, acme, completions...) })
		})
	}
	first := event.DeliveryKey{Event: 1, Endpoint: 1}
	succeeded := store.Completion{Key: first, Status: event.DeliverySucceeded, Attempts: 1, At: time.Now(),
		Attempt: &attempt.Attempt{ID: ids.Numbered(ids.Attempt, time.Now()), Delivery: first, StartedAt: time.Now(), Outcome: attempt.OutcomeSucceeded}}
	wantPlans(t, complete(succeeded), theRow)
	wantPlans(t, plans(t, db, "attempts", func(s *core.Store) error {
		return s.Write(ctx, func(tx store.Tx) error {
			return tx.SendAgain(ctx, acme, &event.Event{Seq: 1, ID: "a"}, to, time.Now(), false)
		})
	}), "INDEX attempts_delivery (tenant=? AND event=? AND endpoint=? AND delivered=?)")
	wantPlans(t, complete(store.Completion{Key: event.DeliveryKey{Event: 2, Endpoint: 1}, Status: event.DeliveryPending, Attempts: 1, At: time.Now(), Due: time.Now()}), theRow)
	wantPlans(t, complete(store.Completion{Key: event.DeliveryKey{Event: 2, Endpoint: 1}, Status: event.DeliveryFailed, Attempts: 2, At: time.Now()}), theRow)
	if counts := plans(t, db, "deliveries", func(s *core.Store) error { _, err := s.Health(ctx, acme, to.No); return err }); len(counts) != 1 || strings.Count(counts[0], "USING COVERING INDEX") != 3 {
		t.Errorf("counts: %q", counts)
	}
}

// TestGroupsAreFoundAtOnce has what changes groups, or makes and ends them, find
// the rows by the index of groups.
func TestGroupsAreFoundAtOnce(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	ev := func(id string) *event.Event {
		e := namedEvent(id)
		e.Subject.ID = "one"
		return e
	}
	publish(t, db, ev("a"), ev("b"), ev("c"), ev("d"))
	write := func(do func(tx store.Tx) error) {
		t.Helper()
		for _, plan := range plans(t, db, "deliveries", func(s *core.Store) error { return s.Write(ctx, do) }) {
			if !strings.Contains(plan, theRow) && !strings.Contains(plan, "deliveries USING INDEX deliveries_") && !strings.Contains(plan, "deliveries USING COVERING INDEX deliveries_") ||
				strings.Contains(plan, "PRIMARY KEY (tenant=?)") || strings.Contains(plan, "SCAN deliveries") || strings.Contains(plan, "SCAN events") || strings.Contains(plan, "TEMP B-TREE") {
				t.Error(plan)
			}
		}
	}
	to.Ordering, to.Reordering = event.OrderingSubject, "job"
	write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, to) })
	publish(t, db, ev("staged"))
	j, done := &job.Job{Last: 99}, false
	for steps := 0; !done; steps++ {
		if steps > 20 {
			t.Fatal("it does not end")
		}
		write(func(tx store.Tx) (err error) {
			at := *j
			done, err = tx.Reorder(ctx, acme, to, &at, 3)
			*j = at
			return err
		})
	}
	to.Reordering = ""
	write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, to) })
	first := event.DeliveryKey{Event: 1, Endpoint: 1}
	write(func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, first, time.Now()) })
	again := ev("a")
	again.Seq = 1
	write(func(tx store.Tx) error { return tx.SendAgain(ctx, acme, again, to, time.Now(), true) })
	write(func(tx store.Tx) error { return tx.AddEvents(ctx, acme, ev("e")) })
	to.Ordering, to.Reordering = event.OrderingNone, "job"
	write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, to) })
	write(func(tx store.Tx) error { _, err := tx.Reorder(ctx, acme, to, &job.Job{}, 100); return err })
}

// TestAttemptsUseIndexes has each filter use the index of what it names, and
// the index alone where it counts the rows to examine.
func TestAttemptsUseIndexes(t *testing.T) {
	db := openTemp(t)
	about := func(r event.Related) store.AttemptFilter { return store.AttemptFilter{Related: r} }
	attempts := func(f store.AttemptFilter) []string {
		return plans(t, db, "a", func(s *core.Store) error { _, err := s.Attempts(ctx, acme, f, store.Page{}); return err })
	}
	for _, test := range []struct {
		index string
		f     store.AttemptFilter
	}{
		{"attempts_tenant", store.AttemptFilter{Host: "example.com", StatusFilter: store.StatusFilter{NoStatus: true}, Kind: "event", From: time.Unix(1, 0), To: time.Unix(2, 0)}},
		{"attempts_delivery", store.AttemptFilter{Delivery: &event.DeliveryKey{Event: 1, Endpoint: 2}, CallID: "dlv_evt_1.2", RunID: "r"}},
		{"attempts_delivery", store.AttemptFilter{CallID: "dlv_evt_1.2"}},
		{"attempts_endpoint", store.AttemptFilter{Endpoint: 1, From: time.Unix(1, 0)}},
		{"attempts_connector", store.AttemptFilter{ConnectorID: "erp", Host: "example.com"}},
		{"attempts_failed", store.AttemptFilter{Outcome: attempt.OutcomeFailed, Host: "example.com", From: time.Unix(1, 0)}},
		{"attempts_endpoint", store.AttemptFilter{Outcome: attempt.OutcomeFailed, Endpoint: 1}},
		{"attempts_tenant", store.AttemptFilter{Outcome: attempt.OutcomeSucceeded, Host: "example.com"}},
		{"attempts_order", store.AttemptFilter{Endpoint: 1, ConnectorID: "erp", Related: event.Related{OrderID: "o1"}}},
		{"attempts_call", store.AttemptFilter{CallID: "c1"}},
		{"attempts_run", store.AttemptFilter{RunID: "r1", Related: event.Related{OrderID: "o1"}, From: time.Unix(1, 0)}},
		{"attempts_return", about(event.Related{ReturnID: "x"})},
		{"attempts_shipment", about(event.Related{ShipmentID: "x"})},
		{"attempts_order", about(event.Related{ReturnID: "1", ShipmentID: "1", OrderID: "o1"})},
		{"attempts_order", about(event.Related{OrderID: "o1", SubscriptionID: "s"})},
		{"attempts_cart", about(event.Related{CartID: "x"})},
		{"attempts_stock_item", about(event.Related{StockItemID: "x"})},
		{"attempts_subscription", about(event.Related{SubscriptionID: "x"})},
	} {
		wantIndex := func(plans []string) {
			t.Helper()
			if events := strings.Replace(test.index, "attempts", "events", 1); test.f.Related != (event.Related{}) && test.index != "attempts_run" {
				if !strings.Contains(plans[0], "SEARCH e USING COVERING INDEX "+events+" (tenant=? AND") { // whether there are many
					t.Errorf("no %s: %s", events, plans[0])
				}
				wantMerged(t, plans[1:], "INDEX "+test.index+" (tenant=? AND", "INDEX "+events+" (tenant=? AND", "INDEX attempts_delivery (tenant=? AND event=?")
				return
			}
			if test.index == "attempts_delivery" { // few, and sorted
				wantMerged(t, plans, "INDEX attempts_delivery (tenant=? AND event=? AND endpoint=?)")
				return
			}
			wantIndex(t, plans, test.index)
		}
		wantIndex(attempts(test.f))
		examined := test.f
		examined.Kind = "step"
		counted := attempts(examined)
		wantIndex(counted)
		if counted = counted[:len(counted)-1]; !strings.Contains(counted[len(counted)-1], "USING COVERING INDEX "+test.index) {
			t.Errorf("%s alone does not do: %s", test.index, counted[len(counted)-1])
		}
		if !slices.Contains([]string{"attempts_tenant", "attempts_endpoint", "attempts_connector", "attempts_failed"}, test.index) {
			test.f.Body = "body"
			wantIndex(attempts(test.f))
		}
	}
	wantIndex(t, plans(t, db, "attempts", func(s *core.Store) error { _, err := s.Recent(ctx, acme, 1, 30); return err }), "attempts_endpoint")
	wantIndex(t, attempts(store.AttemptFilter{Body: "body", Outcome: attempt.OutcomeFailed}), "attempts_tenant")
	wantIndex(t, attempts(store.AttemptFilter{Body: "body", Host: "x", Endpoint: 1, ConnectorID: "erp", To: time.Unix(2, 0)}), "attempts_tenant")
}

// TestSessionsUseIndexes: each request of somebody who has signed in asks for a session.
func TestSessionsUseIndexes(t *testing.T) {
	db := openTemp(t)
	k := access.Key{ID: "key", Tenant: acme, Role: access.Reader, Created: time.Now(), Hash: access.HashKey("k")}
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertKey(ctx, k) }))
	session, _ := access.NewSession(k, time.Now())
	sessions := func(do func(s *core.Store) error) []string { return plans(t, db, "sessions", do) }
	for _, plan := range append(sessions(func(s *core.Store) error { return s.CreateSession(ctx, session) }),
		sessions(func(s *core.Store) error { return s.DeleteSession(ctx, session.Hash) })...) {
		if strings.Contains(plan, "SCAN sessions") || strings.Contains(plan, "TEMP B-TREE") {
			t.Error(plan)
		}
	}
	must(t, db.CreateSession(ctx, session))
	lookUp := func(s *core.Store) error { _, err := s.Session(ctx, session.Hash); return err }
	wantPlans(t, plans(t, db, "s", lookUp), "SEARCH s USING PRIMARY KEY (hash=?); SEARCH k USING PRIMARY KEY (tenant=? AND id=?)")
	none := func(context.Context) error { return nil }
	wantIndex(t, sessions(func(s *core.Store) error { return s.RemoveOld(ctx, acme, store.RetainedSessions, time.Now(), none) }), "sessions_expires")
}

// TestTheAuditLogUsesIndexes for whatever picks few of its entries, and sorts nothing.
func TestTheAuditLogUsesIndexes(t *testing.T) {
	db := openTemp(t)
	audit := func(f store.AuditFilter) []string {
		return plans(t, db, "audit", func(s *core.Store) error { _, err := s.Audit(ctx, acme, f, behind); return err })
	}
	since := time.Unix(1, 0)
	for _, c := range []struct {
		way string
		f   store.AuditFilter
	}{
		{"PRIMARY KEY (tenant=? AND (at,id)<(?,?))", store.AuditFilter{}},
		{"PRIMARY KEY", store.AuditFilter{Action: "put-settings", Kind: access.AuditSettings, From: since, To: time.Now()}},
		{"INDEX audit_key (tenant=? AND key_id=?", store.AuditFilter{KeyID: "key", Action: "put-settings", From: since}},
		{"INDEX audit_target (tenant=? AND target=?", store.AuditFilter{KeyID: "key", Target: "ep", Kind: access.AuditEndpoint}},
		{"INDEX audit_request (tenant=? AND request=?", store.AuditFilter{RequestID: "req", KeyID: "key", Target: "ep"}},
	} {
		wantPlans(t, audit(c.f), c.way)
	}
	none := func(context.Context) error { return nil }
	wantPlans(t, plans(t, db, "audit", func(s *core.Store) error { return s.RemoveOld(ctx, acme, store.RetainedAudit, time.Now(), none) }), "PRIMARY KEY (tenant=?")
}
