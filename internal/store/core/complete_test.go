package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// completionBench is a database with two tenants that have the same endpoints: one
// wants its events in order.
type completionBench struct {
	t   *testing.T
	db  *core.Store
	l   *dueList
	run int
}

var completionTenants = []string{acme, "other"}

// aDelivery is one as a test puts it into the table.
type aDelivery struct {
	endpoint, attempts int
	status, group      string
	due                int64
	erased, gone       bool
}

// someDelivery draws any that may be in the table.
func someDelivery(rt *rapid.T) aDelivery {
	d := aDelivery{
		endpoint: rapid.IntRange(1, 2).Draw(rt, "endpoint"),
		attempts: rapid.IntRange(0, 3).Draw(rt, "attempts"),
		status:   rapid.SampledFrom([]string{"p", "p", "p", "s", "f", "c"}).Draw(rt, "status"),
		group:    rapid.SampledFrom([]string{"", "", "order/a", "order/b", "+order/a"}).Draw(rt, "group"),
		erased:   rapid.Bool().Draw(rt, "erased"), gone: rapid.IntRange(0, 9).Draw(rt, "gone") == 0,
	}
	if d.status == "p" && !strings.HasPrefix(d.group, "+") && (d.group == "" || rapid.Bool().Draw(rt, "due")) {
		d.due = benchTime.UnixMicro()
	}
	return d
}

// put stores deliveries of a tenant, each of an event of its own, and returns
// their keys.
func (b *completionBench) put(tenant string, all []aDelivery) (keys []event.DeliveryKey) {
	b.t.Helper()
	for _, table := range []string{"deliveries", "attempts"} {
		must(b.t, b.db.Change(`DELETE FROM `+table+` WHERE tenant = ?`, tenant))
	}
	for i, d := range all {
		e := namedEvent(fmt.Sprint("run ", b.run, " event ", i))
		e.Subject = event.Subject{}
		must(b.t, b.db.Publish(ctx, tenant, e))
		must(b.t, b.db.Change(`DELETE FROM deliveries WHERE tenant = ? AND event = ? AND (endpoint <> ? OR ?)`, tenant, e.Seq, d.endpoint, d.gone))
		must(b.t, b.db.Change(`UPDATE deliveries SET status = ?3, grp = ?4, due = ?5, attempts = ?6, updated = 1 WHERE tenant = ?1 AND event = ?2`,
			tenant, e.Seq, d.status, d.group, d.due, d.attempts))
		if d.status == "s" { // it has no row, but an attempt
			must(b.t, b.db.Change(`DELETE FROM deliveries WHERE tenant = ? AND event = ?`, tenant, e.Seq))
			if !d.gone {
				must(b.t, b.db.Change(`INSERT INTO attempts (tenant, seq, id, kind, event, endpoint, format, number, max_number, duration_ms, url, host, status, outcome, delivered, detail)
					VALUES (?, ?, ?, 'event', ?, ?, '', ?, 5, 0, '', '', 200, 'succeeded', 1, '')`,
					tenant, ids.NumberAt(benchTime), fmt.Sprint("before ", i), e.Seq, d.endpoint, d.attempts))
			}
		}
		if d.erased {
			must(b.t, b.db.Change(`UPDATE events SET data = NULL WHERE seq = ?`, e.Seq))
		}
		keys = append(keys, event.DeliveryKey{Event: e.Seq, Endpoint: int64(d.endpoint)})
	}
	b.l.due = nil
	return keys
}

// rows returns what is in the table of a tenant's deliveries, and what was recorded
// of attempts, with the numbers of events as places in keys.
func (b *completionBench) rows(tenant string, keys []event.DeliveryKey) (rows []string) {
	b.t.Helper()
	place := func(e int64) int {
		return slices.IndexFunc(keys, func(k event.DeliveryKey) bool { return k.Event == e })
	}
	must(b.t, b.db.Ask(func(r core.Row) error {
		var event, endpoint, attempts, most, due, updated, last int64
		var status, group, failure string
		err := r.Scan(&event, &endpoint, &status, &attempts, &most, &due, &group, &updated, &last, &failure)
		rows = append(rows, fmt.Sprint(place(event), "/", endpoint, " ", status, " ", group, " due ", due, " ", attempts, "/", most, " at ", updated, ": ", last, failure))
		return err
	}, `SELECT event, endpoint, status, attempts, max_attempts, due, grp, updated, last_status, last_error FROM deliveries WHERE tenant = ? ORDER BY event, endpoint`, tenant))
	must(b.t, b.db.Ask(func(r core.Row) error {
		var id, detail string
		var event, delivered int64
		err := r.Scan(&id, &event, &delivered, &detail)
		rows = append(rows, fmt.Sprint(id, " of ", place(event), ", ", delivered, ": ", detail))
		return err
	}, `SELECT id, event, delivered, detail FROM attempts WHERE tenant = ? AND event >= ? ORDER BY id`, tenant, keys[0].Event))
	var told []string
	for _, d := range b.l.due {
		if d.Tenant == tenant {
			told = append(told, fmt.Sprint("told of ", place(d.Delivery.Event), "/", d.Delivery.Endpoint))
		}
	}
	slices.Sort(told)
	return append(rows, told...)
}

// newCompletionBench opens a database for the tests of completing.
func newCompletionBench(t *testing.T) *completionBench {
	t.Helper()
	b := &completionBench{t: t, db: openTemp(t), l: &dueList{}}
	b.db.Listen(b.l)
	for _, tenant := range completionTenants {
		must(t, b.db.Write(ctx, func(tx store.Tx) error {
			ordered := testEndpoint("ordered")
			ordered.Ordering = event.OrderingSubject
			if err := tx.PutEndpoint(ctx, tenant, testEndpoint("plain")); err != nil {
				return err
			}
			return tx.PutEndpoint(ctx, tenant, ordered)
		}))
	}
	return b
}

// compare completes the same of both tenants, of one without reading it first, and
// returns what differs.
func (b *completionBench) compare(deliveries []aDelivery, all []store.Completion, of []int) (differs string) {
	b.t.Helper()
	var came [2][]string
	for i, complete := range []func(tenant string, list []store.Completion) error{
		func(tenant string, list []store.Completion) error {
			return b.db.Write(ctx, func(tx store.Tx) error { return completeIn(tx, tenant, list...) })
		},
		func(tenant string, list []store.Completion) error { return b.db.CompleteRead(ctx, tenant, list...) },
	} {
		tenant := completionTenants[i]
		keys := b.put(tenant, deliveries)
		list := slices.Clone(all)
		for n := range list {
			list[n].Key = keys[of[n]]
			if a := list[n].Attempt; a != nil {
				same := *a
				same.Delivery = list[n].Key
				list[n].Attempt = &same
			}
		}
		if err := complete(tenant, list); err != nil {
			return err.Error()
		}
		came[i] = b.rows(tenant, keys)
	}
	if slices.Equal(came[0], came[1]) {
		return ""
	}
	return fmt.Sprintf("at once:\n%s\nread first:\n%s", strings.Join(came[0], "\n"), strings.Join(came[1], "\n"))
}

// completion is what an attempt came to.
func (b *completionBench) completion(status event.DeliveryStatus, attempts, place int, recorded bool) store.Completion {
	at := benchTime.Add(time.Hour)
	s := store.Completion{At: at, Attempts: attempts, Status: status}
	if s.Status == event.DeliveryPending {
		s.Due = at.Add(time.Minute)
	}
	if !recorded {
		return s
	}
	s.Attempt = &attempt.Attempt{ID: fmt.Sprint("att_", b.run, "_", place), Kind: attempt.KindEvent, Number: attempts, StartedAt: at, Status: 200, Outcome: attempt.OutcomeSucceeded,
		Detail: &attempt.AttemptDetail{RemoteAddr: "127.0.0.1:80", Request: attempt.Message{Headers: map[string][]string{"A": {"b"}}}}}
	if status != event.DeliverySucceeded {
		s.Attempt.Status, s.Attempt.Outcome, s.Attempt.Error = 500, attempt.OutcomeFailed, "500"
	}
	return s
}

// TestCompletedWithoutReading: what is completed without having been read comes to the
// same as what was read first, whatever the deliveries were.
func TestCompletedWithoutReading(t *testing.T) {
	b := newCompletionBench(t)
	rapid.Check(t, func(rt *rapid.T) {
		b.run++
		deliveries := rapid.SliceOfN(rapid.Custom(someDelivery), 1, 5).Draw(rt, "deliveries")
		var all []store.Completion
		var of []int
		for i := range deliveries {
			if rapid.IntRange(0, 3).Draw(rt, "left out") > 0 {
				status := rapid.SampledFrom([]event.DeliveryStatus{event.DeliverySucceeded, event.DeliverySucceeded, event.DeliveryPending, event.DeliveryFailed}).Draw(rt, "status")
				all = append(all, b.completion(status, rapid.IntRange(1, 4).Draw(rt, "attempts"), i, status == event.DeliverySucceeded || rapid.Bool().Draw(rt, "recorded")))
				of = append(of, i)
			}
		}
		if differs := b.compare(deliveries, all, of); differs != "" {
			rt.Error(differs)
		}
	})
}

// TestEachCompletedWithoutReading is the same for a delivery in each state, of an
// event that was erased or not, with another behind it in its group.
func TestEachCompletedWithoutReading(t *testing.T) {
	b := newCompletionBench(t)
	for _, status := range []string{"p", "s", "f", "c"} {
		for _, group := range []string{"", "order/a", "+order/a"} {
			for _, due := range []int64{0, benchTime.UnixMicro()} {
				if (status != "p" || group == "+order/a") && due > 0 || status == "p" && group == "" && due == 0 {
					continue
				}
				for _, to := range []event.DeliveryStatus{event.DeliverySucceeded, event.DeliveryPending, event.DeliveryFailed} {
					for _, erased := range []bool{false, true} {
						b.run++
						one := aDelivery{endpoint: 1, attempts: 1, status: status, group: group, due: due, erased: erased}
						behind := aDelivery{endpoint: 1, status: "p", group: "order/a"}
						if differs := b.compare([]aDelivery{one, behind}, []store.Completion{b.completion(to, 2, 0, true)}, []int{0}); differs != "" {
							t.Errorf("%+v is %s:\n%s", one, to, differs)
						}
					}
				}
			}
		}
	}
}
