package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// newRun returns a run that is under way, with every field set.
func newRun(id, orderID string, created int) *run.Run {
	r := withEveryField(run.Run{ID: id, OrderID: orderID, Status: run.RunRunning, Created: at(created)})
	r.Ended, r.Revision = nil, 0
	return &r
}

// updateRun stores a run as the change of the one that is stored, whatever revision it
// has. Package store refuses a change that was decided on an older revision.
func updateRun(tx store.Tx, tenant string, r *run.Run) error {
	r, err := following(tx, tenant, r)
	if err != nil {
		return err
	}
	return tx.UpdateRun(ctx, tenant, r)
}

// requeueRun is updateRun for a run that begins again, behind the others of its order.
func requeueRun(tx store.Tx, tenant string, r *run.Run) error {
	r, err := following(tx, tenant, r)
	if err != nil {
		return err
	}
	return tx.RequeueRun(ctx, tenant, r)
}

// following returns the run with the revision of the stored one.
func following(tx store.Tx, tenant string, r *run.Run) (*run.Run, error) {
	stored, err := tx.Run(ctx, tenant, r.ID)
	if err != nil {
		return nil, err
	}
	next := *r
	next.Revision = stored.Revision
	return &next, nil
}

// ended returns the run with a status that ends it, at a time that is later than all runs
// began. The run that is given stays as it is.
func ended(r *run.Run, status run.RunStatus) *run.Run {
	e, end := *r, at(100)
	e.Status, e.Updated, e.Ended = status, end, &end
	return &e
}

// testRuns proves that a run comes back with every field, and as it is after a change,
// with its revision one higher. It cannot be made twice, and one that does not exist
// cannot be changed.
func testRuns(t *testing.T, s *suite) {
	first := newRun("run-1", "o1", 1)
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, first) })
	same(t, ok[*run.Run](t)(s.Run(ctx, acme, "run-1")), first)

	last := ended(first, run.RunAborted)
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, last) })
	// Whoever holds a run learns from the revision that it has changed.
	last.Revision = 1
	same(t, ok[*run.Run](t)(s.Run(ctx, acme, "run-1")), last)

	_, err := s.Run(ctx, acme, "run-2")
	is(t, err, apierr.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.InsertRun(ctx, acme, first) }), apierr.Conflict)
	is(t, s.Write(ctx, func(tx store.Tx) error { return updateRun(tx, acme, newRun("run-2", "o1", 1)) }), apierr.NotFound)
}

// testRunLists proves that lists of runs begin with the newest, whatever their size of
// page, and what the filters by status and order pick. Some of the runs have the same
// time.
func testRunLists(t *testing.T, s *suite) {
	all := []run.RunStatus{run.RunRunning, run.RunWaiting, run.RunSucceeded, run.RunAborted, run.RunSuperseded, run.RunFailed, run.RunCanceled}
	var want []string
	for i := range 14 {
		r := newRun(fmt.Sprintf("run-%02d", i), fmt.Sprintf("o%d", i%2), i/3)
		r.Status = all[i%len(all)]
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
		want = append(want, r.ID)
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 4, 14} {
		same(t, idsOf(pages(t, limit, runsLike(s, store.RunFilter{})), runID), want)
	}
	for _, test := range []struct {
		f    store.RunFilter
		want string
	}{
		{store.RunFilter{Status: run.RunAborted}, "run-10 run-03"},
		{store.RunFilter{OrderID: "o1"}, "run-13 run-11 run-09 run-07 run-05 run-03 run-01"},
		{store.RunFilter{OrderID: "o1", Status: run.RunAborted}, "run-03"},
		{store.RunFilter{OrderID: "o2"}, ""},
	} {
		for _, limit := range []int{1, 50} {
			count, err := s.RunCount(ctx, acme, test.f)
			wantCount(t, test.f, len(strings.Fields(test.want)), count, err)
			if got := strings.Join(idsOf(pages(t, limit, runsLike(s, test.f)), runID), " "); got != test.want {
				t.Errorf("%+v: %q, want %q", test.f, got, test.want)
			}
		}
	}
}

// testCurrentRuns proves that the filter for current runs leaves out those about which
// nothing is to be done any more: the same status was entered again, for the same order,
// shipment or return, and that run succeeded, or somebody has set the status since. A run
// that was resumed and stopped again is current again.
func testCurrentRuns(t *testing.T, s *suite) {
	of := newOrder("o1", 1, `{}`)
	s.insert(of)
	add := func(id, shipment, returned string, status run.RunStatus) *run.Run {
		r := ended(newRun(id, "o1", 1), status)
		r.ShipmentID, r.ReturnID, r.StatusVersion, r.Revision = shipment, returned, of.StatusVersion, 0
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
		return r
	}
	want := func(want string) { t.Helper(); wantCurrent(t, s, want) }
	add("a-order", "", "", run.RunAborted)
	first := add("b-shipment", "S1", "", run.RunAborted)
	add("c-other-shipment", "S2", "", run.RunAborted)
	add("d-return", "", "R1", run.RunAborted)
	want("d-return c-other-shipment b-shipment a-order")
	// Somebody sets the status of a shipment and of a return.
	overtake := func(ids ...string) {
		s.write(func(tx store.Tx) error { return tx.OvertakeRuns(ctx, acme, "o1", ids) })
	}
	overtake("S1", "R1")
	want("c-other-shipment a-order")
	s.write(func(tx store.Tx) error { return tx.UpdateRun(ctx, acme, first) }) // it was resumed, and stopped again
	want("c-other-shipment b-shipment a-order")
	// A later run that fails too overtakes nothing.
	add("e-again", "S2", "", run.RunAborted)
	want("e-again c-other-shipment b-shipment a-order")
	add("f-at-last", "S2", "", run.RunSucceeded)
	want("b-shipment a-order")
	add("g-order", "", "", run.RunSucceeded)
	want("b-shipment")
}

// testCurrentRunsOfAnyText proves that the filter for current runs, and the setting of a
// status, work whatever texts are in the runs. Callers choose the ids of shipments, and
// endpoints choose reasons: JSON can say any character, a zero byte too, which not every
// database can have in a text.
func testCurrentRunsOfAnyText(t *testing.T, s *suite) {
	of := newOrder("o1", 1, `{}`)
	s.insert(of)
	add := func(id, shipment string, status run.RunStatus) {
		r := ended(newRun(id, "o1", 1), status)
		r.ShipmentID, r.ReturnID, r.StatusVersion, r.Revision = shipment, "", of.StatusVersion, 0
		r.EnteredStatus = "s\x00"
		// The text of an escape is no escape, whatever stands before it.
		r.Reason = "a\x00b" + `\u0000 \\u0000 \ud800 \x` + "\U0001f381\uffff\u2028\x1f"
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
		stored := ok[*run.Run](t)(s.Run(ctx, acme, id))
		same(t, stored, r)
	}
	want := func(want string) { t.Helper(); wantCurrent(t, s, want) }
	overtake := func(ids ...string) {
		s.write(func(tx store.Tx) error { return tx.OvertakeRuns(ctx, acme, "o1", ids) })
	}
	shipments := []string{"\x00", "S1", "S1\x00", "S1\x00x", `S1\u0000`, "\U0001f381"}
	all := make([]string, len(shipments))
	for i, shipment := range shipments {
		id := fmt.Sprint("run-", i)
		add(id, shipment, run.RunAborted)
		all[len(all)-1-i] = id
	}
	add("run-order", "", run.RunAborted)
	want("run-order " + strings.Join(all, " "))
	// Half of them are overtaken by a status that somebody sets, and half by a later run.
	for i, shipment := range shipments {
		if i%2 == 0 {
			overtake(shipment, "none")
		} else {
			add(fmt.Sprint("late-", i), shipment, run.RunSucceeded)
		}
		want(strings.TrimSpace("run-order " + strings.Join(all[:len(all)-1-i], " ")))
	}
	add("late-order", "", run.RunSucceeded)
	want("")
}

// wantCurrent compares the aborted runs about which something is to be done with their ids.
func wantCurrent(t *testing.T, s *suite, want string) {
	t.Helper()
	f := store.RunFilter{Status: run.RunAborted, Current: true}
	count, err := s.RunCount(ctx, acme, f)
	wantCount(t, f, len(strings.Fields(want)), count, err)
	if got := strings.Join(idsOf(pages(t, 1, runsLike(s, f)), runID), " "); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// runsLike returns the list of the runs that a filter picks, as pages reads it.
func runsLike(s *suite, f store.RunFilter) func(store.Page) (store.List[*run.Run], error) {
	return func(p store.Page) (store.List[*run.Run], error) { return s.Runs(ctx, acme, f, p) }
}

// testNextRun proves that the runs of an order are run in the order in which they were
// committed, whatever their ids and times say, which run against it here. A run that
// waits keeps its place, and one that ended is the next again if it is resumed. Other
// orders have no part in it.
func testNextRun(t *testing.T, s *suite) {
	nextIs := func(want string) {
		t.Helper()
		r, err := s.NextRun(ctx, acme, "o1")
		if err != nil {
			t.Fatal(err)
		}
		if got := ""; r != nil {
			got = r.ID
			if got != want {
				t.Errorf("next is %q, want %q", got, want)
			}
		} else if want != "" {
			t.Errorf("no next run, want %q", want)
		}
	}
	nextIs("")
	// The ids and the times fall, while the commits come one after the other.
	for i, id := range []string{"run-c", "run-b", "run-a"} {
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, newRun(id, "o1", 9-i)) })
	}
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, newRun("run-0", "o2", 0)) })
	nextIs("run-c")
	end := func(id string, status run.RunStatus) {
		s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(newRun(id, "o1", 1), status)) })
	}
	// The end of one that is not the next changes nothing.
	end("run-b", run.RunCanceled)
	nextIs("run-c")
	// A run that waits holds up those behind it.
	waiting := newRun("run-c", "o1", 9)
	waiting.Status = run.RunWaiting
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, waiting) })
	nextIs("run-c")
	end("run-c", run.RunSucceeded)
	nextIs("run-a")
	end("run-a", run.RunFailed)
	nextIs("")
	resumed := newRun("run-c", "o1", 9)
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, resumed) })
	nextIs("run-c")
}

// testUnfinishedOrders proves that UnfinishedOrders calls for each order of each tenant
// with an unfinished run, once however many runs it has, not for an order whose runs have
// ended, and that it stops when its caller says so. The server begins with it: the runs
// of an order that it leaves out would not go on.
func testUnfinishedOrders(t *testing.T, s *suite) {
	want := map[string]int{}
	s.write(func(tx store.Tx) error {
		clear(want)
		for i := range 2100 { // more than an engine may read at once
			id, tenant := fmt.Sprintf("o%d", i), []string{acme, other}[i%2]
			want[tenant+" "+id] = 1
			for _, r := range []*run.Run{newRun("run-a"+id, id, 1), newRun("run-b"+id, id, 2), ended(newRun("run-c"+id, "ended", 1), run.RunFailed)} {
				if err := tx.InsertRun(ctx, tenant, r); err != nil {
					return err
				}
			}
		}
		return nil
	})
	got := map[string]int{}
	if err := s.UnfinishedOrders(ctx, func(tenant, id string) error { got[tenant+" "+id]++; return nil }); err != nil {
		t.Fatal(err)
	}
	same(t, got, want)

	stop, calls := errors.New("stop"), 0
	err := s.UnfinishedOrders(ctx, func(string, string) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("stopped with %v after %d calls", err, calls)
	}
}

// testRunUnless proves that a caller who has the current revision of a run in memory is
// told so by nil, and any other gets the run, as testOrderUnless proves it for orders.
func testRunUnless(t *testing.T, s *suite) {
	s.insert(newOrder("o1", 1, `{}`))
	r := newRun("run-1", "o1", 1)
	r.Status = run.RunRunning
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	same(t, ok[*run.Run](t)(s.RunUnless(ctx, acme, "run-1", 0)), nil)
	held := *r
	r.Status, r.StatusVersion = run.RunAborted, 9
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, r) })
	same(t, ok[*run.Run](t)(s.RunUnless(ctx, acme, "run-1", held.Revision)), ok[*run.Run](t)(s.Run(ctx, acme, "run-1")))
	same(t, ok[*run.Run](t)(s.RunUnless(ctx, acme, "run-1", 1)), nil)
	_, err := s.RunUnless(ctx, acme, "none", 0)
	is(t, err, apierr.NotFound)
	_, err = s.RunUnless(ctx, other, "run-1", 0)
	is(t, err, apierr.NotFound)
}

// testRebasedRuns proves which waiting runs of an order RebaseRuns gives another status
// version: those for a shipment or a return, and those of the status that the order has.
// All others stay as they are: of another status, of another version, under way, ended,
// of another order or tenant. Nothing else of a run changes, except its revision.
func testRebasedRuns(t *testing.T, s *suite) {
	s.insert(newOrder("o1", 1, `{}`))
	want := map[string]int64{}
	var rebased, runs []*run.Run
	add := func(id string, version int64, change func(*run.Run)) {
		r := newRun(id, "o1", len(runs))
		r.Status, r.ShipmentID, r.ReturnID, r.EnteredStatus, r.StatusVersion = run.RunWaiting, "", "", "Other", 4
		change(r)
		if version != r.StatusVersion {
			c := *r
			c.StatusVersion, c.Revision = version, 1 // who decided on what it was before is overtaken
			rebased = append(rebased, &c)
		}
		runs, want[id] = append(runs, r), version
	}
	// Each run is named after what makes it stay or change. 7 is the version of those
	// that change.
	add("of-a-shipment", 7, func(r *run.Run) { r.ShipmentID = "S1" })
	add("of-a-return", 7, func(r *run.Run) { r.ReturnID = "R1" })
	add("of-the-status", 7, func(r *run.Run) { r.EnteredStatus = "picked " })
	add("of-another", 4, func(*run.Run) {})
	add("knows-another", 3, func(r *run.Run) { r.StatusVersion, r.ShipmentID = 3, "S1" })
	add("under-way", 4, func(r *run.Run) { r.Status, r.ShipmentID = run.RunRunning, "S1" })
	add("ended", 4, func(r *run.Run) { *r = *ended(r, run.RunAborted); r.ShipmentID = "S1" })
	add("of-another-order", 4, func(r *run.Run) { r.OrderID, r.ShipmentID = "o2", "S1" })
	for i := range store.MaxLimit + 60 { // more than a page
		add(fmt.Sprintf("many-%d", i), 7, func(r *run.Run) { r.ShipmentID = "S1" })
	}
	s.write(func(tx store.Tx) error {
		for _, r := range runs {
			if err := tx.InsertRun(ctx, acme, r); err != nil {
				return err
			}
		}
		theirs := *runs[0]
		return tx.InsertRun(ctx, other, &theirs)
	})
	s.write(func(tx store.Tx) error { return tx.RebaseRuns(ctx, acme, "o1", 4, 7, "Picked") })
	for id, version := range want {
		same(t, ok[*run.Run](t)(s.Run(ctx, acme, id)).StatusVersion, version)
	}
	same(t, ok[*run.Run](t)(s.Run(ctx, other, "of-a-shipment")).StatusVersion, 4)
	for _, r := range rebased { // nothing else of them is another, in lists neither
		same(t, ok[*run.Run](t)(s.Run(ctx, acme, r.ID)), r)
	}
	// Lists, and the question for the next run, have to give the same version as the run
	// itself.
	for _, r := range ok[store.List[*run.Run]](t)(s.Runs(ctx, acme, store.RunFilter{}, store.Page{Limit: store.MaxLimit})).Items {
		same(t, r.StatusVersion, want[r.ID])
	}
	first := ok[*run.Run](t)(s.NextRun(ctx, acme, "o1"))
	same(t, first.StatusVersion, want[first.ID])
	// A run that was read after that can be changed as usual.
	first.StatusVersion = 9
	s.write(func(tx store.Tx) error { return tx.UpdateRun(ctx, acme, first) })
	same(t, ok[*run.Run](t)(s.Run(ctx, acme, first.ID)).StatusVersion, 9)
}
