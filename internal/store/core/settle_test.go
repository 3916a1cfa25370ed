package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// settleBench is a database with two tenants that have the same endpoints: one
// wants its events in order.
type settleBench struct {
	t   *testing.T
	db  *core.Store
	l   *dueList
	run int
}

var settleTenants = []string{acme, "other"}

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
func (b *settleBench) put(tenant string, all []aDelivery) (keys []oms.DeliveryKey) {
	b.t.Helper()
	must(b.t, b.db.Change(`DELETE FROM deliveries WHERE tenant = ?`, tenant))
	for i, d := range all {
		e := namedEvent(fmt.Sprint("run ", b.run, " event ", i))
		e.Subject = oms.Subject{}
		must(b.t, b.db.Publish(ctx, tenant, e))
		must(b.t, b.db.Change(`DELETE FROM deliveries WHERE tenant = ? AND event = ? AND (endpoint <> ? OR ?)`, tenant, e.Seq, d.endpoint, d.gone))
		must(b.t, b.db.Change(`UPDATE deliveries SET status = ?3, grp = ?4, due = ?5, attempts = ?6, updated = 1 WHERE tenant = ?1 AND event = ?2`,
			tenant, e.Seq, d.status, d.group, d.due, d.attempts))
		if d.erased {
			must(b.t, b.db.Change(`UPDATE events SET data = NULL WHERE seq = ?`, e.Seq))
		}
		keys = append(keys, oms.DeliveryKey{Event: e.Seq, Endpoint: int64(d.endpoint)})
	}
	b.l.due = nil
	return keys
}

// rows returns what is in the table of a tenant's deliveries, and what was recorded
// of attempts, with the numbers of events as places in keys.
func (b *settleBench) rows(tenant string, keys []oms.DeliveryKey) (rows []string) {
	b.t.Helper()
	place := func(event int64) int {
		return slices.IndexFunc(keys, func(k oms.DeliveryKey) bool { return k.Event == event })
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
		var event int64
		err := r.Scan(&id, &event, &detail)
		rows = append(rows, fmt.Sprint(id, " of ", place(event), ": ", detail))
		return err
	}, `SELECT id, event, detail FROM attempts WHERE tenant = ? AND event >= ? ORDER BY id`, tenant, keys[0].Event))
	var told []string
	for _, d := range b.l.due {
		if d.Tenant == tenant {
			told = append(told, fmt.Sprint("told of ", place(d.Delivery.Event), "/", d.Delivery.Endpoint))
		}
	}
	slices.Sort(told)
	return append(rows, told...)
}

// newSettleBench opens a database for the tests of settling.
func newSettleBench(t *testing.T) *settleBench {
	t.Helper()
	b := &settleBench{t: t, db: openTemp(t), l: &dueList{}}
	b.db.Listen(b.l)
	for _, tenant := range settleTenants {
		must(t, b.db.Write(ctx, func(tx store.Tx) error {
			ordered := testEndpoint("ordered")
			ordered.Ordering = oms.OrderingSubject
			if err := tx.PutEndpoint(ctx, tenant, testEndpoint("plain")); err != nil {
				return err
			}
			return tx.PutEndpoint(ctx, tenant, ordered)
		}))
	}
	return b
}

// compare settles the same of both tenants, of one without reading it first, and
// returns what differs.
func (b *settleBench) compare(deliveries []aDelivery, all []store.Settlement, of []int) (differs string) {
	b.t.Helper()
	var came [2][]string
	for i, settle := range []func(tenant string, list []store.Settlement) error{
		func(tenant string, list []store.Settlement) error {
			return b.db.Write(ctx, func(tx store.Tx) error { return tx.Settle(ctx, tenant, list...) })
		},
		func(tenant string, list []store.Settlement) error { return b.db.SettleRead(ctx, tenant, list...) },
	} {
		tenant := settleTenants[i]
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
		if err := settle(tenant, list); err != nil {
			return err.Error()
		}
		came[i] = b.rows(tenant, keys)
	}
	if slices.Equal(came[0], came[1]) {
		return ""
	}
	return fmt.Sprintf("at once:\n%s\nread first:\n%s", strings.Join(came[0], "\n"), strings.Join(came[1], "\n"))
}

// settlement is what an attempt came to.
func (b *settleBench) settlement(status oms.DeliveryStatus, attempts, place int, recorded bool) store.Settlement {
	at := benchTime.Add(time.Hour)
	s := store.Settlement{At: at, Attempts: attempts, Status: status}
	if s.Status == oms.DeliveryPending {
		s.Due = at.Add(time.Minute)
	}
	if !recorded {
		return s
	}
	s.Attempt = &oms.Attempt{ID: fmt.Sprint("att_", b.run, "_", place), Kind: oms.KindEvent, Number: attempts, StartedAt: at, Status: 200, Outcome: oms.OutcomeSucceeded,
		Detail: &oms.AttemptDetail{RemoteAddr: "127.0.0.1:80", Request: oms.Message{Headers: map[string][]string{"A": {"b"}}}}}
	if status != oms.DeliverySucceeded {
		s.Attempt.Status, s.Attempt.Outcome, s.Attempt.Error = 500, oms.OutcomeFailed, "500"
	}
	return s
}

// TestSettledWithoutReading: what is settled without having been read comes to the
// same as what was read first, whatever the deliveries were.
func TestSettledWithoutReading(t *testing.T) {
	b := newSettleBench(t)
	rapid.Check(t, func(rt *rapid.T) {
		b.run++
		deliveries := rapid.SliceOfN(rapid.Custom(someDelivery), 1, 5).Draw(rt, "deliveries")
		var all []store.Settlement
		var of []int
		for i := range deliveries {
			if rapid.IntRange(0, 3).Draw(rt, "left out") > 0 {
				status := rapid.SampledFrom([]oms.DeliveryStatus{oms.DeliverySucceeded, oms.DeliverySucceeded, oms.DeliveryPending, oms.DeliveryFailed}).Draw(rt, "status")
				all = append(all, b.settlement(status, rapid.IntRange(1, 4).Draw(rt, "attempts"), i, rapid.Bool().Draw(rt, "recorded")))
				of = append(of, i)
			}
		}
		if differs := b.compare(deliveries, all, of); differs != "" {
			rt.Error(differs)
		}
	})
}

// TestEachSettledWithoutReading is the same for a delivery in each state, of an
// event that was erased or not, with another behind it in its group.
func TestEachSettledWithoutReading(t *testing.T) {
	b := newSettleBench(t)
	for _, status := range []string{"p", "s", "f", "c"} {
		for _, group := range []string{"", "order/a", "+order/a"} {
			for _, due := range []int64{0, benchTime.UnixMicro()} {
				if (status != "p" || group == "+order/a") && due > 0 || status == "p" && group == "" && due == 0 {
					continue
				}
				for _, to := range []oms.DeliveryStatus{oms.DeliverySucceeded, oms.DeliveryPending, oms.DeliveryFailed} {
					for _, erased := range []bool{false, true} {
						b.run++
						one := aDelivery{endpoint: 1, attempts: 1, status: status, group: group, due: due, erased: erased}
						behind := aDelivery{endpoint: 1, status: "p", group: "order/a"}
						if differs := b.compare([]aDelivery{one, behind}, []store.Settlement{b.settlement(to, 2, 0, true)}, []int{0}); differs != "" {
							t.Errorf("%+v is %s:\n%s", one, to, differs)
						}
					}
				}
			}
		}
	}
}
