package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// removeOld removes what acme has of one kind from before a second.
func (s *suite) removeOld(what store.Retained, before int) {
	s.t.Helper()
	if err := s.RemoveOld(ctx, acme, what, at(before), noYield); err != nil {
		s.t.Error(err)
	}
}

// testMaintenanceTenants proves that Tenants names every tenant, as soon as it has a key.
// Maintenance goes through these names, so the records of a tenant that is left out would
// never be removed.
func testMaintenanceTenants(t *testing.T, s *suite) {
	if all := ok[[]string](t)(s.Tenants(ctx)); len(all) > 0 {
		t.Errorf("a new database has the tenants %q", all)
	}
	for _, tenant := range []string{other, acme} {
		s.write(func(tx store.Tx) error {
			return tx.InsertKey(ctx, access.Key{ID: "key-1", Tenant: tenant, Role: access.Reader, Created: at(1), Hash: access.HashKey(tenant)})
		})
	}
	same(t, ok[[]string](t)(s.Tenants(ctx)), []string{acme, other})
}

// testOldAttempts proves that retention removes the attempts from before a time, with
// their bodies and from the index, and nothing of others: not the request that an old and
// a newer attempt of one call share, and not those of another tenant. The search still
// finds exactly what is left.
func testOldAttempts(t *testing.T, s *suite) {
	all := calls(0, perSegment+300)
	s.record(acme, all)
	s.record(other, calls(0, 3))
	// A later attempt of the same call as the sixth. A call's request may be stored once,
	// with its first attempt.
	again := newAttempt(ids.Numbered(ids.Attempt, at(9000)), "o1", 9000)
	again.CallID, again.Detail.Request.Body = "call-"+all[5].id, []byte(all[5].request)
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, again) })
	s.indexBodies(acme)

	// The first attempt of the sixth call goes. Its request has to stay for the later
	// attempt.
	s.removeOld(store.RetainedAttempts, 300)
	s.wantPieces(append(all[300:], call{id: again.ID, request: all[5].request}))
	same(t, ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, again.ID)), again)
	_, err := s.Attempt(ctx, acme, all[299].id)
	is(t, err, apierr.NotFound)

	s.removeOld(store.RetainedAttempts, perSegment+200)
	s.wantPieces(append(all[perSegment+200:], call{id: again.ID, request: all[5].request}))
	if got := ok[store.List[*attempt.Attempt]](t)(s.Attempts(ctx, other, store.AttemptFilter{}, store.Page{})); len(got.Items) != 3 {
		t.Errorf("the other tenant has %d", len(got.Items))
	}
	more := calls(10_000, perSegment)
	s.record(acme, more)
	s.indexBodies(acme)
	all = append(append(all[perSegment+200:], call{id: again.ID, request: all[5].request}), more...)
	s.wantPieces(all)
	// Everything goes, and what comes after that is found again.
	s.removeOld(store.RetainedAttempts, 100_000)
	s.record(acme, more[:5])
	s.wantFound(more[:5], "blue shirt")
}

// testRecordsOfDeliveries proves that the only attempt which says that an event was sent
// stays until the event itself is removed. Without it the event would be taken for one
// that the endpoint has missed, and would be sent a second time.
func testRecordsOfDeliveries(t *testing.T, s *suite) {
	plain, failing := s.put(endpoint("plain")), s.put(endpoint("failing"))
	e := newEvent("e1", "o1")
	s.add(e)
	start := s.now
	attempt := func(to *event.Endpoint, status event.DeliveryStatus, n int) {
		s.now = s.now.Add(time.Second)
		c := completion(keyOf(e, to), status, n, s.now)
		if c.Attempt == nil {
			c.Attempt = newAttempt(ids.Numbered(ids.Attempt, s.now), "o1", 1)
			c.Attempt.Delivery, c.Attempt.StartedAt = c.Key, s.now
		}
		s.write(func(tx store.Tx) error { return completeIn(tx, acme, c) })
	}
	attempt(plain, event.DeliveryPending, 1)
	attempt(plain, event.DeliverySucceeded, 2)
	attempt(failing, event.DeliveryFailed, 1)
	// missing counts the events that an endpoint has missed.
	missing := func(to *event.Endpoint) (n int) {
		events, _, err := s.NewestMissing(ctx, acme, &job.Job{What: job.RecoverMissing, To: start.Add(time.Hour), Last: e.Seq}, to.No, 9)
		must(t, err)
		return len(events)
	}
	remove := func(what store.Retained, before time.Time) {
		t.Helper()
		must(t, s.RemoveOld(ctx, acme, what, before, noYield))
	}
	later := start.Add(time.Hour)
	// All attempts are old enough, and one stays: the one that succeeded.
	remove(store.RetainedAttempts, later)
	same(t, len(attemptIDs(t, s, store.AttemptFilter{}, 9)), 1)
	if d := s.delivery(e, plain); d.Status != event.DeliverySucceeded || d.Attempts != 2 || missing(plain)+missing(failing) > 0 {
		t.Errorf("%+v, missing: %d and %d", d, missing(plain), missing(failing))
	}
	// For an endpoint that is really new, it is missing.
	same(t, missing(s.put(endpoint("new"))), 1)

	s.now = start.Add(48 * time.Hour)
	remove(store.RetainedDeliveries, start) // to see what there is by now
	s.now = s.now.Add(48 * time.Hour)
	remove(store.RetainedDeliveries, start.Add(time.Second)) // the attempts are younger
	if _, err := s.Event(ctx, acme, e.ID); err != nil {
		t.Error(err)
	}
	remove(store.RetainedDeliveries, s.now.Add(-time.Hour))
	_, err := s.Event(ctx, acme, e.ID)
	is(t, err, apierr.NotFound)
	same(t, attemptIDs(t, s, store.AttemptFilter{}, 9), nil)
	same(t, len(s.deliveries(store.DeliveryFilter{})), 0)
}

// testOldDeliveries proves which events retention removes, with their deliveries and
// attempts: those of which no delivery is pending, has ended or was attempted since a
// time. What counts is when orderhook did something about the event, not the time that
// its publisher gave it.
func testOldDeliveries(t *testing.T, s *suite) {
	to := s.put(endpoint("ep"))
	export := endpoint("export")
	export.Origin = event.OriginConnector
	s.put(export)
	later := func() { s.now = s.now.Add(2 * time.Hour) }
	add := func(id string, status event.DeliveryStatus) *event.Event {
		e := newEvent(id, "o1")
		e.Timestamp = time.Date(2019+len(id), 1, 1, 0, 0, 0, 0, time.UTC)
		s.add(e)
		if status != event.DeliveryPending {
			s.write(func(tx store.Tx) error {
				return completeIn(tx, acme, completion(keyOf(e, to), status, 1, s.now))
			})
		}
		return e
	}
	add("succeeded", event.DeliverySucceeded)
	add("failed", event.DeliveryFailed)
	add("pending", event.DeliveryPending)
	again := add("again", event.DeliveryFailed)
	completed := add("settled", event.DeliveryPending)
	for n := range 250 { // more than one step removes
		add(fmt.Sprint("more-", n), event.DeliverySucceeded)
	}
	// What is pending for the deleted endpoint stays pending: to cancel it is not the
	// work of retention.
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep") })
	add("unwanted", event.DeliveryPending)
	s.write(func(tx store.Tx) error { err := tx.AddEvents(ctx, other, newEvent("theirs", "o1")); return err })
	start := s.now
	remove := func(before time.Time) {
		t.Helper()
		if err := s.RemoveOld(ctx, acme, store.RetainedDeliveries, before, noYield); err != nil {
			t.Error(err)
		}
	}
	remove(start.Add(-time.Hour)) // to see what there is by now
	later()
	// Two hours later one of the old deliveries succeeds, another event is sent again to
	// another endpoint, and a new event comes.
	s.write(func(tx store.Tx) error {
		return errors.Join(completeIn(tx, acme, completion(keyOf(completed, to), event.DeliverySucceeded, 1, s.now)),
			tx.SendAgain(ctx, acme, again, export, s.now, true))
	})
	add("new", event.DeliveryPending)
	remove(start) // they are not from before
	same(t, len(idsOf(s.events(acme), eventID)), 257)
	remove(start.Add(time.Minute))
	same(t, idsOf(s.events(acme), eventID), []string{"new", "settled", "again", "pending"})
	same(t, s.delivery(again, to).Status, event.DeliveryFailed)
	if left := s.deliveries(store.DeliveryFilter{}); len(left) != 4 {
		t.Errorf("%d deliveries are left", len(left))
	}
	same(t, idsOf(s.events(other), eventID), []string{"theirs"})
	later()
	remove(s.now)
	remove(s.now.Add(-time.Minute))
	later()
	remove(s.now.Add(-time.Minute))
	same(t, idsOf(s.events(acme), eventID), []string{"again", "pending"})
}

// events reads all events of a tenant, the newest first.
func (s *suite) events(tenant string) []*event.Event {
	s.t.Helper()
	return pages(s.t, 200, func(p store.Page) (store.List[*event.Event], error) {
		return s.Events(ctx, tenant, store.EventFilter{}, p)
	})
}

// testOldVersions proves that retention removes earlier versions of an order, but neither
// its current one nor any of them while the order has an unfinished run, which may still
// need the version it began with.
func testOldVersions(t *testing.T, s *suite) {
	for _, id := range []string{"o1", "busy"} {
		o := newOrder(id, 1, `{}`)
		s.insert(o)
		for range 3 {
			o = next(o, "n", true)
			s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, o) })
		}
	}
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, newRun("run-1", "busy", 1)) })
	// versions names the versions that are left.
	versions := func(id string) (left string) {
		for version := range int64(9) {
			if _, err := s.OrderVersion(ctx, acme, id, version); err == nil {
				left += fmt.Sprint(version)
			}
		}
		return left
	}
	s.removeOld(store.RetainedVersions, 1)
	same(t, versions("o1"), "1234")
	s.removeOld(store.RetainedVersions, 3)
	same(t, versions("o1"), "34")
	s.removeOld(store.RetainedVersions, 99)
	same(t, versions("o1")+" "+versions("busy"), "4 1234")
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(newRun("run-1", "busy", 1), run.RunFailed)) })
	s.removeOld(store.RetainedVersions, 99)
	same(t, versions("busy"), "4")
}

// testOldHistory proves that retention removes entries of history by their times, of
// whatever order, also where there are more than one step removes.
func testOldHistory(t *testing.T, s *suite) {
	s.insert(newOrder("o1", 1, `{}`))
	s.write(func(tx store.Tx) error {
		for n := range 230 {
			if err := tx.AddHistory(ctx, acme, fmt.Sprint("o", n%2), order.HistoryEntry{ID: fmt.Sprint("his-", n), Timestamp: at(n)}); err != nil {
				return err
			}
		}
		return nil
	})
	s.removeOld(store.RetainedHistory, 225)
	var left []string
	for _, id := range []string{"o0", "o1"} {
		for _, h := range ok[store.List[order.HistoryEntry]](t)(s.History(ctx, acme, id, store.Page{})).Items {
			left = append(left, h.ID)
		}
	}
	same(t, strings.Join(left, " "), "his-228 his-226 his-229 his-227 his-225")
}

// testOldRuns proves that retention removes the runs that were made before a time and
// have ended. One that is under way stays, however old it is.
func testOldRuns(t *testing.T, s *suite) {
	for n := range 230 {
		r := newRun(fmt.Sprint("run-", n), fmt.Sprint("o", n), n)
		// Every fiftieth goes on.
		if n%50 != 3 {
			r = ended(r, run.RunSucceeded)
		}
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	}
	s.removeOld(store.RetainedRuns, 228)
	left := ok[store.List[*run.Run]](t)(s.Runs(ctx, acme, store.RunFilter{}, store.Page{}))
	same(t, strings.Join(idsOf(left.Items, runID), " "), "run-229 run-228 run-203 run-153 run-103 run-53 run-3")
}

// testMaintenanceYields proves that maintenance makes way between its steps, and ends when yield
// returns an error, with that error. What it has done stays done. Without steps it would
// keep all other work waiting for as long as it takes.
func testMaintenanceYields(t *testing.T, s *suite) {
	s.record(acme, calls(0, 1000))
	stop, steps := errors.New("stop"), 0
	err := s.RemoveOld(ctx, acme, store.RetainedAttempts, at(1000), func(context.Context) error {
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

// testCalls proves that calls are counted by minute, kind and outcome, that the counts of
// a longer span are the sums of its minutes, and that old ones are removed. A count is
// removed with the whole span that it is part of, so that no sum is wrong.
func testCalls(t *testing.T, s *suite) {
	record := func(tenant, kind, outcome string, second int, ms float64) {
		a := newAttempt(ids.Numbered(ids.Attempt, at(second)), "o1", second)
		a.Kind, a.Outcome, a.DurationMs = kind, outcome, ms
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, tenant, a) })
	}
	minute := func(n int) time.Time { return at(0).Truncate(time.Minute).Add(time.Duration(n) * time.Minute) }
	second := func(n int) int { return 60 * n }
	// The second of these is of the last second of its minute, the third of the first of
	// the next one.
	record(acme, attempt.KindStep, attempt.OutcomeSucceeded, second(30), 2)
	record(acme, attempt.KindStep, attempt.OutcomeSucceeded, second(31)-1, 100)
	record(acme, attempt.KindStep, attempt.OutcomeFailed, second(31), 90_000)
	record(acme, attempt.KindValidator, attempt.OutcomeSucceeded, second(44), 1)
	record(acme, attempt.KindStep, attempt.OutcomeSucceeded, second(45), 1)
	record(other, attempt.KindStep, attempt.OutcomeSucceeded, second(30), 1)
	durations := func(all ...float64) (d attempt.Durations) {
		for _, ms := range all {
			d.Count(ms)
		}
		return d
	}
	count := func(from int, kind, outcome string, ms ...float64) attempt.CallCount {
		return attempt.CallCount{From: minute(from), Kind: kind, Outcome: outcome, Calls: int64(len(ms)), Durations: durations(ms...)}
	}
	// First by minutes, then by quarters of an hour.
	minutes := []attempt.CallCount{
		count(30, attempt.KindStep, attempt.OutcomeSucceeded, 2, 100),
		count(31, attempt.KindStep, attempt.OutcomeFailed, 90_000),
		count(44, attempt.KindValidator, attempt.OutcomeSucceeded, 1),
	}
	same(t, ok[[]attempt.CallCount](t)(s.Calls(ctx, acme, minute(30), minute(45), time.Minute)), minutes)
	quarters := []attempt.CallCount{
		count(30, attempt.KindStep, attempt.OutcomeFailed, 90_000),
		count(30, attempt.KindStep, attempt.OutcomeSucceeded, 2, 100),
		count(30, attempt.KindValidator, attempt.OutcomeSucceeded, 1),
		count(45, attempt.KindStep, attempt.OutcomeSucceeded, 1),
	}
	same(t, ok[[]attempt.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(60), 15*time.Minute)), quarters)
	s.now = minute(60)
	s.removeOld(store.RetainedCalls, second(31)) // which is within a quarter of an hour
	same(t, ok[[]attempt.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(60), 15*time.Minute)), quarters)
	same(t, ok[[]attempt.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(45), time.Minute)), minutes)
	s.removeOld(store.RetainedCalls, second(45))
	same(t, ok[[]attempt.CallCount](t)(s.Calls(ctx, acme, minute(0), minute(60), 15*time.Minute)), quarters[3:])
	same(t, len(ok[[]attempt.CallCount](t)(s.Calls(ctx, other, minute(0), minute(60), time.Minute))), 1)
}

// testOldMinutes proves that the counts of minutes become those of quarters of an hour
// once these are long over, and that nothing is lost by it. It also works for a call that
// is recorded only after its quarter was added up. Younger minutes stay as they are.
func testOldMinutes(t *testing.T, s *suite) {
	start := at(0).Truncate(15 * time.Minute)
	record := func(minute int) {
		a := newAttempt(ids.Numbered(ids.Attempt, start), "o1", 0)
		a.StartedAt, a.Kind, a.Outcome, a.DurationMs = start.Add(time.Duration(minute)*time.Minute), attempt.KindStep, attempt.OutcomeSucceeded, float64(minute)
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
	}
	counted := func(span time.Duration) (out string) {
		for _, c := range ok[[]attempt.CallCount](t)(s.Calls(ctx, acme, start, start.Add(time.Hour), span)) {
			out += fmt.Sprintf("%d:%d ", c.From.Sub(start)/time.Minute, c.Calls)
			if n := c.Durations.Quantile(1); n < 1 {
				t.Errorf("the durations of minute %v are gone: %v", c.From, n)
			}
		}
		return out
	}
	for _, minute := range []int{2, 2, 14, 16, 31} {
		record(minute)
	}
	s.now = start.Add(2*time.Hour + 31*time.Minute)
	s.removeOld(store.RetainedCalls, 0)
	same(t, counted(time.Minute), "31:1 ")
	same(t, counted(15*time.Minute), "0:3 15:1 30:1 ")
	// This call is recorded when its quarter of an hour is added up already, as one is
	// that took very long.
	record(3)
	same(t, counted(15*time.Minute), "0:4 15:1 30:1 ")
	s.removeOld(store.RetainedCalls, 0)
	same(t, counted(time.Minute), "31:1 ")
	same(t, counted(15*time.Minute), "0:4 15:1 30:1 ")
}

// testCallsOfDeliveries proves that attempts which are recorded with their deliveries,
// many in one write, are counted like those that are recorded alone, and are the recent
// attempts of their endpoint, the newest first.
func testCallsOfDeliveries(t *testing.T, s *suite) {
	to := s.put(endpoint("ep"))
	var all []store.Completion
	for n := range 10 {
		e := newEvent(fmt.Sprint("e", n), "o1")
		s.write(func(tx store.Tx) error { return tx.AddEvents(ctx, acme, e) })
		a := newAttempt(ids.Numbered(ids.Attempt, at(n)), "", n)
		a.Kind, a.Outcome, a.DurationMs, a.Delivery = attempt.KindEvent, attempt.OutcomeSucceeded, 5, event.DeliveryKey{Event: e.Seq, Endpoint: to.No}
		all = append(all, store.Completion{Key: a.Delivery, Attempt: a, Status: event.DeliverySucceeded, Attempts: 1, At: at(n)})
	}
	s.write(func(tx store.Tx) error { return completeIn(tx, acme, all...) })
	recent := ok[[]store.RecentAttempt](t)(s.Recent(ctx, acme, to.No, 3))
	for i, n := range []int{9, 8, 7} {
		recent[i].ID = "" // of which a part is random
		same(t, recent[i], store.RecentAttempt{StartedAt: at(n), DurationMs: 5, Status: 500, Outcome: attempt.OutcomeSucceeded})
	}
	counted := ok[[]attempt.CallCount](t)(s.Calls(ctx, acme, at(0).Add(-time.Hour), at(0).Add(time.Hour), 15*time.Minute))
	if len(counted) != 1 || counted[0].Calls != 10 || counted[0].Durations.Quantile(1) != 5 {
		t.Errorf("%+v", counted)
	}
}
