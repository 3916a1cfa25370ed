package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// run returns a run that goes on, with every field set.
func run(id, orderID string, created int) *oms.Run {
	r := withEveryField(oms.Run{ID: id, OrderID: orderID, Status: oms.RunRunning, Created: at(created)})
	r.Ended, r.Revision = nil, 0
	return &r
}

// updateRun stores a run as the next revision of what is there.
func updateRun(tx store.Tx, tenant string, r *oms.Run) error {
	r, err := following(tx, tenant, r)
	if err != nil {
		return err
	}
	return tx.UpdateRun(ctx, tenant, r)
}

// requeueRun is updateRun for a run that begins anew.
func requeueRun(tx store.Tx, tenant string, r *oms.Run) error {
	r, err := following(tx, tenant, r)
	if err != nil {
		return err
	}
	return tx.RequeueRun(ctx, tenant, r)
}

func following(tx store.Tx, tenant string, r *oms.Run) (*oms.Run, error) {
	stored, err := tx.Run(ctx, tenant, r.ID)
	if err != nil {
		return nil, err
	}
	next := *r
	next.Revision = stored.Revision
	return &next, nil
}

// ended returns the run with a status that ends it.
func ended(r *oms.Run, status oms.RunStatus) *oms.Run {
	e, end := *r, at(100)
	e.Status, e.Updated, e.Ended = status, end, &end
	return &e
}

func testRuns(t *testing.T, s *suite) {
	first := run("run-1", "o1", 1)
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, first) })
	same(t, ok[*oms.Run](t)(s.Run(ctx, acme, "run-1")), first)

	last := ended(first, oms.RunAborted)
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, last) })
	last.Revision = 1
	same(t, ok[*oms.Run](t)(s.Run(ctx, acme, "run-1")), last)

	_, err := s.Run(ctx, acme, "run-2")
	is(t, err, oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.InsertRun(ctx, acme, first) }), oms.Conflict)
	is(t, s.Write(ctx, func(tx store.Tx) error { return updateRun(tx, acme, run("run-2", "o1", 1)) }), oms.NotFound)
}

func testRunLists(t *testing.T, s *suite) {
	all := []oms.RunStatus{oms.RunRunning, oms.RunWaiting, oms.RunSucceeded, oms.RunAborted, oms.RunSuperseded, oms.RunFailed, oms.RunCanceled}
	var want []string
	for i := range 14 {
		r := run(fmt.Sprintf("run-%02d", i), fmt.Sprintf("o%d", i%2), i/3)
		r.Status = all[i%len(all)]
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
		want = append(want, r.ID)
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 4, 14} {
		same(t, ids(pages(t, limit, runsLike(s, store.RunFilter{})), runID), want)
	}
	for _, test := range []struct {
		f    store.RunFilter
		want string
	}{
		{store.RunFilter{Status: oms.RunAborted}, "run-10 run-03"},
		{store.RunFilter{OrderID: "o1"}, "run-13 run-11 run-09 run-07 run-05 run-03 run-01"},
		{store.RunFilter{OrderID: "o1", Status: oms.RunAborted}, "run-03"},
		{store.RunFilter{OrderID: "o2"}, ""},
	} {
		for _, limit := range []int{1, 50} {
			count, err := s.RunCount(ctx, acme, test.f)
			wantCount(t, test.f, len(strings.Fields(test.want)), count, err)
			if got := strings.Join(ids(pages(t, limit, runsLike(s, test.f)), runID), " "); got != test.want {
				t.Errorf("%+v: %q, want %q", test.f, got, test.want)
			}
		}
	}
}

func runsLike(s *suite, f store.RunFilter) func(store.Page) (store.List[*oms.Run], error) {
	return func(p store.Page) (store.List[*oms.Run], error) { return s.Runs(ctx, acme, f, p) }
}

// testNextRun has ids and times run against the order of the commits, which is what counts.
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
	for i, id := range []string{"run-c", "run-b", "run-a"} {
		s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, run(id, "o1", 9-i)) })
	}
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, run("run-0", "o2", 0)) })
	nextIs("run-c")
	end := func(id string, status oms.RunStatus) {
		s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(run(id, "o1", 1), status)) })
	}
	end("run-b", oms.RunCanceled)
	nextIs("run-c")
	waiting := run("run-c", "o1", 9)
	waiting.Status = oms.RunWaiting
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, waiting) })
	nextIs("run-c")
	end("run-c", oms.RunSucceeded)
	nextIs("run-a")
	end("run-a", oms.RunFailed)
	nextIs("")
	resumed := run("run-c", "o1", 9)
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, resumed) })
	nextIs("run-c")
}

func testUnfinishedOrders(t *testing.T, s *suite) {
	want := map[string]int{}
	s.write(func(tx store.Tx) error {
		clear(want)
		for i := range 2100 { // more than an engine may read at once
			id, tenant := fmt.Sprintf("o%d", i), []string{acme, other}[i%2]
			want[tenant+" "+id] = 1
			for _, r := range []*oms.Run{run("run-a"+id, id, 1), run("run-b"+id, id, 2), ended(run("run-c"+id, "ended", 1), oms.RunFailed)} {
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

// A run that is of the revision that is held is not read again.
func testRunUnless(t *testing.T, s *suite) {
	s.insert(order("o1", 1, `{}`))
	r := run("run-1", "o1", 1)
	r.Status = oms.RunRunning
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	same(t, ok[*oms.Run](t)(s.RunUnless(ctx, acme, "run-1", 0)), nil)
	held := *r
	r.Status, r.StatusVersion = oms.RunAborted, 9
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, r) })
	same(t, ok[*oms.Run](t)(s.RunUnless(ctx, acme, "run-1", held.Revision)), ok[*oms.Run](t)(s.Run(ctx, acme, "run-1")))
	same(t, ok[*oms.Run](t)(s.RunUnless(ctx, acme, "run-1", 1)), nil)
	_, err := s.RunUnless(ctx, acme, "none", 0)
	is(t, err, oms.NotFound)
	_, err = s.RunUnless(ctx, other, "run-1", 0)
	is(t, err, oms.NotFound)
}

func testCarriedRuns(t *testing.T, s *suite) {
	s.insert(order("o1", 1, `{}`))
	want := map[string]int64{}
	var carried, runs []*oms.Run
	add := func(id string, version int64, change func(*oms.Run)) {
		r := run(id, "o1", len(runs))
		r.Status, r.ShipmentID, r.ReturnID, r.EnteredStatus, r.StatusVersion = oms.RunWaiting, "", "", "Other", 4
		change(r)
		if version != r.StatusVersion {
			c := *r
			c.StatusVersion, c.Revision = version, 1 // who decided on what it was before is overtaken
			carried = append(carried, &c)
		}
		runs, want[id] = append(runs, r), version
	}
	add("of-a-shipment", 7, func(r *oms.Run) { r.ShipmentID = "S1" })
	add("of-a-return", 7, func(r *oms.Run) { r.ReturnID = "R1" })
	add("of-the-status", 7, func(r *oms.Run) { r.EnteredStatus = "picked " })
	add("of-another", 4, func(*oms.Run) {})
	add("knows-another", 3, func(r *oms.Run) { r.StatusVersion, r.ShipmentID = 3, "S1" })
	add("under-way", 4, func(r *oms.Run) { r.Status, r.ShipmentID = oms.RunRunning, "S1" })
	add("ended", 4, func(r *oms.Run) { *r = *ended(r, oms.RunAborted); r.ShipmentID = "S1" })
	add("of-another-order", 4, func(r *oms.Run) { r.OrderID, r.ShipmentID = "o2", "S1" })
	for i := range store.MaxLimit + 60 { // more than a page
		add(fmt.Sprintf("many-%d", i), 7, func(r *oms.Run) { r.ShipmentID = "S1" })
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
	s.write(func(tx store.Tx) error { return tx.CarryRuns(ctx, acme, "o1", 4, 7, "Picked") })
	for id, version := range want {
		same(t, ok[*oms.Run](t)(s.Run(ctx, acme, id)).StatusVersion, version)
	}
	same(t, ok[*oms.Run](t)(s.Run(ctx, other, "of-a-shipment")).StatusVersion, 4)
	for _, r := range carried { // nothing else of them is another, in lists neither
		same(t, ok[*oms.Run](t)(s.Run(ctx, acme, r.ID)), r)
	}
	for _, r := range ok[store.List[*oms.Run]](t)(s.Runs(ctx, acme, store.RunFilter{}, store.Page{Limit: store.MaxLimit})).Items {
		same(t, r.StatusVersion, want[r.ID])
	}
	first := ok[*oms.Run](t)(s.NextRun(ctx, acme, "o1"))
	same(t, first.StatusVersion, want[first.ID])
	first.StatusVersion = 9
	s.write(func(tx store.Tx) error { return tx.UpdateRun(ctx, acme, first) })
	same(t, ok[*oms.Run](t)(s.Run(ctx, acme, first.ID)).StatusVersion, 9)
}
