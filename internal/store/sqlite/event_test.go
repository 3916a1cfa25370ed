package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// TestEventQueriesUseIndexes keeps what lanes and lists ask for all the time
// from reading a whole table, or sorting it.
func TestEventQueriesUseIndexes(t *testing.T) {
	db := openTemp(t)
	after := &store.Cursor{At: 9, ID: "1"}
	events := func(f store.EventFilter) (string, []any) { return eventsLike(acme, f, after).sql(3, 9, 51) }
	deliveries := func(f store.DeliveryFilter) (string, []any) { return deliveriesLike(acme, f, after).sql(3, 9, 51) }
	wantIndex(t, db, "events_seq")(events(store.EventFilter{}))
	wantIndex(t, db, "events_seq")(events(store.EventFilter{Type: "x", From: benchTime, Related: oms.Related{CartID: "c1"}}))
	wantIndex(t, db, "events_order")(events(store.EventFilter{Related: oms.Related{OrderID: "o1"}, Type: "x"}))
	wantIndex(t, db, "deliveries_failed")(deliveries(store.DeliveryFilter{Endpoint: 1, Status: oms.DeliveryFailed}))
	wantIndex(t, db, "deliveries_failed")(deliveries(store.DeliveryFilter{Endpoint: 1, Status: oms.DeliveryFailed, From: benchTime, StatusFilter: store.StatusFilter{NoStatus: true}}))
	wantIndex(t, db, "events_order")(deliveries(store.DeliveryFilter{Endpoint: 1, OrderID: "o1"}))
	wantIndex(t, db, "events_seq")(deliveries(store.DeliveryFilter{EventType: "x"}))
	wantIndex(t, db, "deliveries_due")(selectDue, []any{acme, 1})
	if got := plan(t, db, selectTheDue, []any{100, acme, 1, "[1]", 9}); !strings.Contains(got, "SEARCH deliveries USING PRIMARY KEY (tenant=? AND event=? AND endpoint=?)") {
		t.Errorf("the due: %s", got)
	}
	for _, f := range []store.DeliveryFilter{{}, {Endpoint: 1}, {Status: oms.DeliveryPending}, {EventType: "x", Endpoint: 1}, {From: benchTime, StatusFilter: store.StatusFilter{StatusFrom: 500, StatusTo: 599}}} {
		text, args := deliveries(f)
		if got := plan(t, db, text, args); !strings.Contains(got, "SEARCH deliveries USING PRIMARY KEY (tenant=") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%+v: %s", f, got)
		}
	}
	if got := plan(t, db, settleSome, []any{1, 1, 200, acme, "[[1,1]]"}); !strings.Contains(got, "SEARCH deliveries USING PRIMARY KEY (tenant=? AND event=? AND endpoint=?)") {
		t.Errorf("settle some: %s", got)
	}
	if got := plan(t, db, takeOutSome, []any{1, acme, 1, 9, 200}); !strings.Contains(got, "INDEX deliveries_group (tenant=? AND endpoint=?") ||
		!strings.Contains(got, "SEARCH deliveries USING PRIMARY KEY (tenant=? AND event=? AND endpoint=?)") {
		t.Errorf("out of groups: %s", got)
	}
	for text, args := range map[string][]any{selectUngrouped: {acme, 1, 9, 9, 200}, selectStaged: {acme, 1, 200}, selectDueOfGroup: {acme, 1, "order/1"}} {
		if got := plan(t, db, text, args); !strings.Contains(got, "SEARCH deliveries USING") || strings.Contains(got, "PRIMARY KEY (tenant=?)") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, steps := range []string{eventSteps, deliverySteps} {
		if got := plan(t, db, steps, []any{acme, 9, 200}); strings.Contains(got, "SCAN") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: %s", steps, got)
		}
	}
	if got := plan(t, db, countDeliveries, []any{acme, 1}); strings.Count(got, "USING COVERING INDEX") != 3 {
		t.Errorf("counts: %s", got)
	}
}

// TestEndpointSecretsAreNotInTheFiles looks for them in every byte that SQLite wrote.
func TestEndpointSecretsAreNotInTheFiles(t *testing.T) {
	db := openTemp(t)
	secrets := []string{"whsec_hush", "header-hush", "password-hush", "key-hush", "whsk_hush"}
	putEndpoints(t, db, 1, func(e *oms.Endpoint) {
		e.Secrets = []oms.Secret{{Value: secret.New(secrets[0])}}
		e.Headers = []oms.Header{{Name: "X-Api-Key", Value: secret.New(secrets[1])}}
		e.URL = "https://user:" + secrets[2] + "@example.com/"
		e.TLS = &oms.EndpointTLS{Key: secret.New(secrets[3])}
		e.SigningKey = secret.New(secrets[4])
	})
	e, err := db.Endpoint(ctx, acme, "ep_0")
	must(t, err)
	if !db.SecretIs(ctx, acme, e.Secrets[0].Value, secrets[0]) || !db.SecretIs(ctx, acme, e.Headers[0].Value, secrets[1]) {
		t.Errorf("read back: %+v", e)
	}
	wantIn := func(text string, want bool) {
		t.Helper()
		found := false
		for _, name := range []string{db.path, db.path + "-wal"} {
			data, err := os.ReadFile(name)
			must(t, err)
			found = found || bytes.Contains(data, []byte(text))
		}
		if found != want {
			t.Errorf("%q is in the files: %v", text, found)
		}
	}
	wantIn("ep_0", true) // else this finds nothing at all
	for _, text := range secrets {
		wantIn(text, false)
	}
}

// TestListenerIsToldOncePerCommit has writes in one group, of which one fails,
// and the group as a whole be lost.
func TestListenerIsToldOncePerCommit(t *testing.T) {
	db := openTemp(t)
	l := &callCounter{}
	db.Listen(l)
	putEndpoints(t, db, 1, nil)
	add := func(id string) func(store.Tx) error {
		return func(tx store.Tx) error {
			e := benchEvent(benchTime)
			e.ID = id
			err := tx.AddEvents(ctx, acme, e)
			return err
		}
	}
	release := hold(t, db)
	jobs := enqueue(t, db, add("e1"), func(tx store.Tx) error { return errors.Join(add("e2")(tx), errors.New("no")) },
		func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, testEndpoint("ep_1")) }, add("e3"))
	release()
	for _, job := range jobs {
		<-job.done
	}
	if got := l.ids(); l.calls != 1 || !slices.Equal(got, []string{"e1 1", "e3 1", "e3 2"}) {
		t.Errorf("told in %d calls of %q", l.calls, got)
	}

	fail := int32(1)
	onCommit(t, db, func() int32 { return fail })
	wantKind(t, db.Write(ctx, func(tx store.Tx) error {
		return errors.Join(tx.PutEndpoint(ctx, acme, testEndpoint("ep_2")), add("e4")(tx))
	}), oms.Unavailable)
	fail = 0
	must(t, db.Write(ctx, add("e5")))
	if got := l.ids()[3:]; l.calls != 2 || !slices.Equal(got, []string{"e5 1", "e5 2"}) {
		t.Errorf("told in %d calls of %q", l.calls, got)
	}
}

type callCounter struct {
	dueList
	calls int
}

func (l *callCounter) Due(due []store.Due) { l.calls++; l.dueList.Due(due) }

func (l *callCounter) ids() (out []string) {
	for _, d := range l.due {
		out = append(out, fmt.Sprint(d.Delivery.EventID, " ", d.Delivery.Endpoint))
	}
	return out
}

// TestNumbersOfEventsAreNotUsedAgain removes the newest events, as retention does.
func TestNumbersOfEventsAreNotUsedAgain(t *testing.T) {
	db := openTemp(t)
	first := benchEvent(benchTime)
	publish(t, db, first)
	must(t, db.Write(ctx, func(t store.Tx) error { _, err := t.(*tx).w.exec(`DELETE FROM events`); return err }))
	second := benchEvent(benchTime)
	publish(t, db, second)
	if second.Seq <= first.Seq {
		t.Errorf("number %d after %d", second.Seq, first.Seq)
	}
}

// TestOneRowPerEvent counts the rows that an event writes.
func TestOneRowPerEvent(t *testing.T) {
	db := openTemp(t)
	rows := func(do func()) (n int64) {
		t.Helper()
		before, after := totalChanges(t, db), int64(math.MinInt64)
		do()
		after = totalChanges(t, db)
		return after - before
	}
	l := &dueList{}
	db.Listen(l)
	if n := rows(func() { publish(t, db, benchEvent(benchTime)) }); n != 1 {
		t.Errorf("an event that nobody wants writes %d rows", n)
	}
	putEndpoints(t, db, 1, nil)
	if n := rows(func() { publish(t, db, benchEvent(benchTime)); settleAll(t, db, l.due) }); n != 4 {
		t.Errorf("an event and its delivery write %d rows", n)
	}
}

func totalChanges(t *testing.T, db *DB) (n int64) {
	t.Helper()
	must(t, db.Write(ctx, func(x store.Tx) error {
		return one(ctx, x.(*tx).q, []any{&n}, `SELECT total_changes()`)
	}))
	return n
}
