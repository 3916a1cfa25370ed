package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// attempt returns the attempt of an order's call with every field set.
func attempt(id, orderID string, started int) *oms.Attempt {
	a := withEveryField(oms.Attempt{ID: id, Kind: oms.KindStep, CallID: "call-" + orderID, StartedAt: at(started),
		DurationMs: 12.345, Host: "example.com", Status: 500, Outcome: oms.OutcomeFailed, ConnectorID: "erp",
		OrderID: orderID, ShipmentID: "s1", ReturnID: "r1", RunID: "run-" + orderID,
		Detail: &oms.AttemptDetail{
			Request: oms.Message{Headers: map[string][]string{"X-A": {"1", "2"}, "Authorization": {"***"}},
				Body: []byte(`{"Value":` + orderID + `}`)},
			Response: &oms.Message{Headers: map[string][]string{"Retry-After": {"1"}}, Body: []byte("\x00\xff not JSON")}}})
	return &a
}

func testAttempts(t *testing.T, s *suite) {
	full := attempt("att-1", "o1", 1)
	none := &oms.Attempt{ID: "att-2", Kind: oms.KindStep, CallID: "c2", StartedAt: at(2), Outcome: oms.OutcomeFailed}
	noAnswer := attempt("att-3", "o3", 3)
	noAnswer.Detail.Response, noAnswer.Status = nil, 0
	all := []*oms.Attempt{noAnswer, none, full}
	for _, a := range slices.Backward(all) {
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
		same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
	list := ok[store.List[*oms.Attempt]](t)(s.Attempts(ctx, acme, store.AttemptFilter{}, store.Page{}))
	for _, a := range all {
		a.Detail = nil
	}
	same(t, list.Items, all)

	_, err := s.Attempt(ctx, acme, "att-9")
	is(t, err, oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, full) }), oms.Conflict)
}

func testAttemptBodies(t *testing.T, s *suite) {
	first, second, elsewhere := attempt("att-1", "o1", 1), attempt("att-2", "o1", 2), attempt("att-3", "o2", 3)
	for _, a := range []*oms.Attempt{first, second, elsewhere} {
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
	}
	for _, a := range []*oms.Attempt{first, second, elsewhere} {
		same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
}

func testAttemptFilters(t *testing.T, s *suite) {
	vary := []func(a *oms.Attempt){
		func(a *oms.Attempt) { a.Kind = "validator" },
		func(a *oms.Attempt) { a.CallID = "call-x" },
		func(a *oms.Attempt) { a.ConnectorID = "shop" },
		func(a *oms.Attempt) { a.Host = "Other.example:8443" },
		func(a *oms.Attempt) { a.OrderID = "o2" },
		func(a *oms.Attempt) { a.ShipmentID = "s2" },
		func(a *oms.Attempt) { a.ReturnID = "r2" },
		func(a *oms.Attempt) { a.RunID = "run-x" },
		func(a *oms.Attempt) { a.Outcome, a.Status = oms.OutcomeSucceeded, 204 },
		func(a *oms.Attempt) { a.Status = 0 },
		func(a *oms.Attempt) { a.DurationMs = 2000 },
	}
	var want []string
	for i, change := range vary {
		a := attempt(fmt.Sprintf("att-%02d", i), "o1", i)
		change(a)
		want = append(want, a.ID)
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
	}
	slices.Reverse(want)
	wantAttempts(t, s, store.AttemptFilter{}, strings.Join(want, " "))
	for _, test := range attemptFilters {
		wantAttempts(t, s, test.f, test.want)
	}
	all := store.AttemptFilter{Kind: oms.KindStep, CallID: "call-o1", ConnectorID: "erp", Host: "EXAMPLE.com", OrderID: "o1", ShipmentID: "s1",
		ReturnID: "r1", RunID: "run-o1", Outcome: oms.OutcomeFailed, StatusFrom: 500, StatusTo: 599, MinDuration: time.Millisecond, From: at(0), To: at(99)}
	wantAttempts(t, s, all, "att-10")
}

var attemptFilters = []struct {
	f    store.AttemptFilter
	want string
}{
	{store.AttemptFilter{Kind: "validator"}, "att-00"},
	{store.AttemptFilter{CallID: "call-x"}, "att-01"},
	{store.AttemptFilter{ConnectorID: "shop"}, "att-02"},
	{store.AttemptFilter{Host: "oTHER.example:8443"}, "att-03"},
	{store.AttemptFilter{Host: "other.example"}, ""},
	{store.AttemptFilter{OrderID: "o2"}, "att-04"},
	{store.AttemptFilter{ShipmentID: "s2"}, "att-05"},
	{store.AttemptFilter{ReturnID: "r2"}, "att-06"},
	{store.AttemptFilter{RunID: "run-x"}, "att-07"},
	{store.AttemptFilter{Outcome: oms.OutcomeSucceeded}, "att-08"},
	{store.AttemptFilter{StatusFrom: 200, StatusTo: 299}, "att-08"},
	{store.AttemptFilter{StatusTo: 299}, "att-08"},
	{store.AttemptFilter{StatusFrom: 204, StatusTo: 204}, "att-08"},
	{store.AttemptFilter{StatusFrom: 501}, ""},
	{store.AttemptFilter{NoStatus: true}, "att-09"},
	{store.AttemptFilter{MinDuration: 2 * time.Second}, "att-10"},
	{store.AttemptFilter{MinDuration: 2*time.Second + time.Microsecond}, ""},
	{store.AttemptFilter{From: at(9)}, "att-10 att-09"},
	{store.AttemptFilter{To: at(1)}, "att-00"},
	{store.AttemptFilter{From: at(3), To: at(5)}, "att-04 att-03"},
}

func wantAttempts(t *testing.T, s *suite, f store.AttemptFilter, want string) {
	t.Helper()
	for _, limit := range []int{1, 3, 50} {
		got := pages(t, limit, func(p store.Page) (store.List[*oms.Attempt], error) { return s.Attempts(ctx, acme, f, p) })
		if got := strings.Join(ids(got, func(a *oms.Attempt) string { return a.ID }), " "); got != want {
			t.Errorf("%+v, %d a page: %q, want %q", f, limit, got, want)
		}
	}
}
