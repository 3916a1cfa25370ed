package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// removeOld removes what acme has of a kind from before a second.
func (s *suite) removeOld(what store.Kept, before int) {
	s.t.Helper()
	if err := s.RemoveOld(ctx, acme, what, at(before), noRest); err != nil {
		s.t.Error(err)
	}
}

func testUpkeepTenants(t *testing.T, s *suite) {
	if all := ok[[]string](t)(s.Tenants(ctx)); len(all) > 0 {
		t.Errorf("a new database has the tenants %q", all)
	}
	for _, tenant := range []string{other, acme} {
		s.write(func(tx store.Tx) error {
			return tx.InsertKey(ctx, oms.Key{ID: "key-1", Tenant: tenant, Role: oms.Reader, Created: at(1), Hash: oms.HashKey(tenant)})
		})
	}
	same(t, ok[[]string](t)(s.Tenants(ctx)), []string{acme, other})
}

// testOldAttempts removes attempts with their bodies, the index included, but
// not the body of a call that has a later attempt.
func testOldAttempts(t *testing.T, s *suite) {
	all := calls(0, perSegment+300)
	s.record(acme, all)
	s.record(other, calls(0, 3))
	again := attempt(oms.NewIDAt(oms.AttemptID, at(9000)), "o1", 9000)
	again.CallID, again.Detail.Request.Body = "call-"+all[5].id, []byte(all[5].request)
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, again) })
	s.indexBodies(acme)

	s.removeOld(store.KeptAttempts, 300)
	s.wantPieces(append(all[300:], call{id: again.ID, request: all[5].request}))
	same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, again.ID)), again)
	_, err := s.Attempt(ctx, acme, all[299].id)
	is(t, err, oms.NotFound)

	s.removeOld(store.KeptAttempts, perSegment+200)
	s.wantPieces(append(all[perSegment+200:], call{id: again.ID, request: all[5].request}))
	if got := ok[store.List[*oms.Attempt]](t)(s.Attempts(ctx, other, store.AttemptFilter{}, store.Page{})); len(got.Items) != 3 {
		t.Errorf("the other tenant has %d", len(got.Items))
	}
	more := calls(10_000, perSegment)
	s.record(acme, more)
	s.indexBodies(acme)
	all = append(append(all[perSegment+200:], call{id: again.ID, request: all[5].request}), more...)
	s.wantPieces(all)
	s.removeOld(store.KeptAttempts, 100_000)
	s.record(acme, more[:5])
	s.wantFound(more[:5], "blue shirt")
}

// testOldDeliveries removes those that ended, and were not touched since, with
// their events; an event's time is whatever its publisher says.
func testOldDeliveries(t *testing.T, s *suite) {
	to := s.put(endpoint("ep"))
	export := endpoint("export")
	export.Origin = oms.OriginConnector
	s.put(export)
	later := func() { s.now = s.now.Add(2 * time.Hour) }
	add := func(id string, status oms.DeliveryStatus) *oms.Event {
		e := event(id, "o1")
		e.Timestamp = time.Date(2019+len(id), 1, 1, 0, 0, 0, 0, time.UTC)
		s.add(e)
		if status != oms.DeliveryPending {
			s.write(func(tx store.Tx) error {
				return tx.Settle(ctx, acme, store.Settlement{Key: keyOf(e, to), Status: status, Attempts: 1, At: s.now})
			})
		}
		return e
	}
	add("succeeded", oms.DeliverySucceeded)
	add("failed", oms.DeliveryFailed)
	add("pending", oms.DeliveryPending)
	again := add("again", oms.DeliveryFailed)
	settled := add("settled", oms.DeliveryPending)
	for n := range 250 { // more than one step removes
		add(fmt.Sprint("more-", n), oms.DeliverySucceeded)
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep") })
	add("unwanted", oms.DeliveryPending)
	s.write(func(tx store.Tx) error { err := tx.AddEvents(ctx, other, event("theirs", "o1")); return err })
	start := s.now
	remove := func(before time.Time) {
		t.Helper()
		if err := s.RemoveOld(ctx, acme, store.KeptDeliveries, before, noRest); err != nil {
			t.Error(err)
		}
	}
	remove(start.Add(-time.Hour)) // to see what there is by now
	later()
	s.write(func(tx store.Tx) error {
		return errors.Join(tx.Settle(ctx, acme, store.Settlement{Key: keyOf(settled, to), Status: oms.DeliverySucceeded, Attempts: 1, At: s.now}),
			tx.SendAgain(ctx, acme, again, export, s.now, true))
	})
	add("new", oms.DeliveryPending)
	remove(start) // they are not from before
	same(t, len(ids(s.events(acme), eventID)), 257)
	remove(start.Add(time.Minute))
	same(t, ids(s.events(acme), eventID), []string{"new", "settled", "again", "pending"})
	same(t, s.delivery(again, to).Status, oms.DeliveryFailed)
	if left := s.deliveries(store.DeliveryFilter{}); len(left) != 4 {
		t.Errorf("%d deliveries are left", len(left))
	}
	same(t, ids(s.events(other), eventID), []string{"theirs"})
	later()
	remove(s.now)
	remove(s.now.Add(-time.Minute))
	later()
	remove(s.now.Add(-time.Minute))
	same(t, ids(s.events(acme), eventID), []string{"again", "pending"})
}

func (s *suite) events(tenant string) []*oms.Event {
	s.t.Helper()
	return pages(s.t, 200, func(p store.Page) (store.List[*oms.Event], error) {
		return s.Events(ctx, tenant, store.EventFilter{}, p)
	})
}

// testOldVersions removes earlier versions, but not while a run may need them.
func testOldVersions(t *testing.T, s *suite) {
	for _, id := range []string{"o1", "busy"} {
		o := order(id, 1, `{}`)
		s.insert(o)
		for range 3 {
			o = next(o, "n", true)
			s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, o) })
		}
	}
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, run("run-1", "busy", 1)) })
	versions := func(id string) (left string) {
		for version := range int64(9) {
			if _, err := s.OrderVersion(ctx, acme, id, version); err == nil {
				left += fmt.Sprint(version)
			}
		}
		return left
	}
	s.removeOld(store.KeptVersions, 1)
	same(t, versions("o1"), "1234")
	s.removeOld(store.KeptVersions, 3)
	same(t, versions("o1"), "34")
	s.removeOld(store.KeptVersions, 99)
	same(t, versions("o1")+" "+versions("busy"), "4 1234")
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(run("run-1", "busy", 1), oms.RunFailed)) })
	s.removeOld(store.KeptVersions, 99)
	same(t, versions("busy"), "4")
}

func testOldHistory(t *testing.T, s *suite) {
	s.insert(order("o1", 1, `{}`))
	s.write(func(tx store.Tx) error {
		for n := range 230 {
			if err := tx.AddHistory(ctx, acme, fmt.Sprint("o", n%2), oms.HistoryEntry{ID: fmt.Sprint("his-", n), Timestamp: at(n)}); err != nil {
				return err
			}
		}
		return nil
	})
	s.removeOld(store.KeptHistory, 225)
	var left []string
	for _, id := range []string{"o0", "o1"} {
		for _, h := range ok[store.List[oms.HistoryEntry]](t)(s.History(ctx, acme, id, store.Page{})).Items {
			left = append(left, h.ID)
		}
	}
	same(t, strings.Join(left, " "), "his-228 his-226 his-229 his-227 his-225")
}

func testOldRuns(t *testing.T, s *suite) {
	for n := range 230 {
		r := run(fmt.Sprint("run-", n), fmt.Sprint("o", n), n)
		if n%50 != 3 {
			r = ended(r, oms.RunSucceeded)
		}
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	}
	s.removeOld(store.KeptRuns, 228)
	left := ok[store.List[*oms.Run]](t)(s.Runs(ctx, acme, store.RunFilter{}, store.Page{}))
	same(t, strings.Join(ids(left.Items, runID), " "), "run-229 run-228 run-203 run-153 run-103 run-53 run-3")
}

// testUpkeepRests has each kind of work rest between its steps, and end when
// that says so.
func testUpkeepRests(t *testing.T, s *suite) {
	s.record(acme, calls(0, 1000))
	stop, steps := errors.New("stop"), 0
	err := s.RemoveOld(ctx, acme, store.KeptAttempts, at(1000), func(context.Context) error {
		if steps++; steps == 3 {
			return stop
		}
		return nil
	})
	left := len(attemptIDs(t, s, store.AttemptFilter{}, 200))
	if !errors.Is(err, stop) || left == 0 || left == 1000 {
		t.Errorf("stopped with %v, and %d attempts left", err, left)
	}
}

// testCalls counts what is recorded by its minute, kind and outcome, adds up over
// spans, and forgets what is old.
func testCalls(t *testing.T, s *suite) {
	record := func(tenant, kind, outcome string, second int, ms float64) {
		a := attempt(oms.NewIDAt(oms.AttemptID, at(second)), "o1", second)
		a.Kind, a.Outcome, a.DurationMs = kind, outcome, ms
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, tenant, a) })
	}
	minute := func(n int) time.Time { return at(0).Truncate(time.Minute).Add(time.Duration(n) * time.Minute) }
	second := func(n int) int { return 60 * n }
	record(acme, oms.KindStep, oms.OutcomeSucceeded, second(30), 2)
	record(acme, oms.KindStep, oms.OutcomeSucceeded, second(31)-1, 100)
	record(acme, oms.KindStep, oms.OutcomeFailed, second(31), 90_000)
	record(acme, oms.KindValidator, oms.OutcomeSucceeded, second(44), 1)
	record(acme, oms.KindStep, oms.OutcomeSucceeded, second(45), 1)
	record(other, oms.KindStep, oms.OutcomeSucceeded, second(30), 1)
	durations := func(all ...float64) (d oms.Durations) {
		for _, ms := range all {
			d.Count(ms)
		}
		return d
	}
	count := func(from int, kind, outcome string, ms ...float64) oms.CallCount {
		return oms.CallCount{From: minute(from), Kind: kind, Outcome: outcome, Calls: int64(len(ms)), Durations: durations(ms...)}
	}
	same(t, ok[[]oms.CallCount](t)(s.Calls(ctx, acme, minute(30), minute(45), time.Minute)), []oms.CallCount{
		count(30, oms.KindStep, oms.OutcomeSucceeded, 2, 100),
		count(31, oms.KindStep, oms.OutcomeFailed, 90_000),
		count(44, oms.KindValidator, oms.OutcomeSucceeded, 1),
	})
	quarters := []oms.CallCount{
		count(30, oms.KindStep, oms.OutcomeFailed, 90_000),
		count(30, oms.KindStep, oms.OutcomeSucceeded, 2, 100),
		count(30, oms.KindValidator, oms.OutcomeSucceeded, 1),
		count(45, oms.KindStep, oms.OutcomeSucceeded, 1),
	}
	same(t, ok[[]oms.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(60), 15*time.Minute)), quarters)
	s.removeOld(store.KeptCalls, second(31))
	same(t, ok[[]oms.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(60), 15*time.Minute)), quarters)
	same(t, ok[[]oms.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(45), time.Minute)), []oms.CallCount{
		count(31, oms.KindStep, oms.OutcomeFailed, 90_000),
		count(44, oms.KindValidator, oms.OutcomeSucceeded, 1),
	})
	s.removeOld(store.KeptCalls, second(45))
	same(t, ok[[]oms.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(60), 15*time.Minute)), quarters[3:])
	same(t, len(ok[[]oms.CallCount](t)(s.Calls(ctx, other, minute(0), minute(60), time.Minute))), 1)
}

// testCallsOfDeliveries counts the attempts at deliveries that are settled together.
func testCallsOfDeliveries(t *testing.T, s *suite) {
	to := s.put(endpoint("ep"))
	var all []store.Settlement
	for n := range 10 {
		e := event(fmt.Sprint("e", n), "o1")
		s.write(func(tx store.Tx) error { return tx.AddEvents(ctx, acme, e) })
		a := attempt(oms.NewIDAt(oms.AttemptID, at(n)), "", n)
		a.Kind, a.Outcome, a.DurationMs, a.Delivery = oms.KindEvent, oms.OutcomeSucceeded, 5, oms.DeliveryKey{Event: e.Seq, Endpoint: to.No}
		all = append(all, store.Settlement{Key: a.Delivery, Attempt: a, Status: oms.DeliverySucceeded, Attempts: 1, At: at(n)})
	}
	s.write(func(tx store.Tx) error { return tx.Settle(ctx, acme, all...) })
	recent := ok[[]store.RecentAttempt](t)(s.Recent(ctx, acme, to.No, 3))
	for i, n := range []int{9, 8, 7} {
		recent[i].ID = "" // of which a part is random
		same(t, recent[i], store.RecentAttempt{StartedAt: at(n), DurationMs: 5, Status: 500, Outcome: oms.OutcomeSucceeded})
	}
	counted := ok[[]oms.CallCount](t)(s.Calls(ctx, acme, at(0).Add(-time.Hour), at(0).Add(time.Hour), 15*time.Minute))
	if len(counted) != 1 || counted[0].Calls != 10 || counted[0].Durations.Quantile(1) != 5 {
		t.Errorf("%+v", counted)
	}
}
