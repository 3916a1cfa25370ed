package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// noRest is for upkeep that nobody has to wait for.
func noRest(context.Context) error { return nil }

// indexBodies takes all that it may into the index.
func (s *suite) indexBodies(tenant string) {
	s.t.Helper()
	for done := false; !done; {
		done = ok[bool](s.t)(s.IndexBodies(ctx, tenant, noRest))
	}
}

// call is a recorded call of the tests of the search.
type call struct {
	n                              int // the second it started
	id, orderID, request, response string
}

func (c call) has(piece string) bool {
	return strings.Contains(strings.ToLower(c.request), piece) || strings.Contains(strings.ToLower(c.response), piece)
}

// calls are so many calls, from a number on.
func calls(from, count int) (all []call) {
	for n := from; n < from+count; n++ {
		c := call{n: n, id: oms.NewIDAt(oms.AttemptID, at(n)), orderID: fmt.Sprintf("ord-%07d", n*7919%10000019)}
		c.request = fmt.Sprintf(`{"OrderId":"%s","CustomerEmail":"person%d@shop%d.example","Lines":[{"Sku":"SKU-%06d","Name":"Blue Shirt"}]}`, c.orderID, n%500, n%7, n%2000)
		if c.response = `{"Status":"Success"}`; n%100 == 0 {
			c.response = "Rejected by Warehouse"
		}
		all = append(all, c)
	}
	return all
}

// record records calls as attempts.
func (s *suite) record(tenant string, all []call) {
	s.t.Helper()
	s.write(func(tx store.Tx) error {
		for _, c := range all {
			a := &oms.Attempt{ID: c.id, Kind: oms.KindStep, CallID: "call-" + c.id, StartedAt: at(c.n), Outcome: oms.OutcomeSucceeded,
				Related: oms.Related{OrderID: c.orderID}, Status: 200 + c.n%2, Detail: &oms.AttemptDetail{
					Request: oms.Message{Body: []byte(c.request)}, Response: &oms.Message{Body: []byte(c.response)}}}
			if err := tx.AddAttempt(ctx, tenant, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// wantFound searches for a piece and wants the calls that have it, those
// recorded last first; of many, only the first are compared.
func (s *suite) wantFound(all []call, piece string) {
	s.t.Helper()
	var want []string
	for _, c := range slices.Backward(all) {
		if c.has(strings.ToLower(piece)) && len(want) < 100 {
			want = append(want, c.id)
		}
	}
	limit := 30
	if len(want) < 5 {
		limit = 1
	}
	if got := firstAttempts(s.t, s, store.AttemptFilter{Body: piece}, limit, len(want)+1); !slices.Equal(got[:min(len(got), 100)], want) {
		s.t.Errorf("%q, %d a page: %d found, want %d", piece, limit, len(got), len(want))
	}
}

// pieces of the calls: of one, of few, of many, of all, of none.
func pieces(all []call) []string {
	return []string{all[0].orderID, all[len(all)/2].orderID, all[len(all)-1].orderID, strings.ToUpper(all[7].orderID), all[9].orderID[4:],
		"person77@", "@SHOP3.example", "SKU-000234", "rejected by", "Blue Shirt", "ord-", "warehouses", "ord-9999999", "zzz"}
}

func (s *suite) wantPieces(all []call) {
	s.t.Helper()
	for _, piece := range pieces(all) {
		s.wantFound(all, piece)
	}
}

// perSegment is more attempts than an engine may leave out of the index.
const perSegment = 600

// testBodySearch finds the same before, while and after attempts are taken into
// the index, those of other tenants among them.
func testBodySearch(t *testing.T, s *suite) {
	all := calls(0, perSegment+150)
	for part := range slices.Chunk(all, 100) {
		s.record(acme, part)
		s.record(other, calls(100_000, 10)[:1])
	}
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	if !ok[bool](t)(s.IndexBodies(ctx, acme, noRest)) {
		t.Error("there is more to do when all is done")
	}
	more := calls(len(all), perSegment)
	slices.Reverse(more) // recorded long after they started
	s.record(acme, more)
	all = append(all, more...)
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	for _, short := range []string{"ab", "ä", "12"} {
		_, err := s.Attempts(ctx, acme, store.AttemptFilter{Body: short}, store.Page{})
		is(t, err, oms.Invalid)
	}
	f := store.AttemptFilter{Body: "blue shirt", StatusFilter: store.StatusFilter{StatusFrom: 201}, From: at(10), To: at(20), Kind: oms.KindStep}
	if got := attemptIDs(t, s, f, 3); len(got) != 5 {
		t.Errorf("%d with all filters, want 5", len(got))
	}
	for n := range 1200 { // whatever segment each is at the end of
		f := store.AttemptFilter{Body: "blue shirt", From: at(n), To: at(n + 1)}
		if n%7 > 0 && n%512 < 510 {
			continue
		}
		if got := attemptIDs(t, s, f, 3); len(got) != 1 {
			t.Errorf("%d that started in second %d, want 1", len(got), n)
		}
	}
}

// testIndexInterrupted ends the build of the index at many points, each later
// than the one before.
func testIndexInterrupted(t *testing.T, s *suite) {
	all := calls(0, perSegment)
	s.record(acme, all)
	stop := errors.New("stop")
	for step, reopened := 1, false; ; step += 1 + step/4 {
		left := step
		done, err := s.IndexBodies(ctx, acme, func(context.Context) error {
			if left--; left == 0 {
				return stop
			}
			return nil
		})
		if err == nil && !done && left > 0 {
			break
		}
		if !errors.Is(err, stop) {
			t.Fatalf("step %d: %v", step, err)
		}
		if step > 20 && !reopened {
			reopened = true
			s.close()
			s.open()
		}
	}
	s.wantPieces(all)
}

// testIndexErased erases orders that are in the index, and one while it is
// being taken in: they are found no more, and all others are.
func testIndexErased(t *testing.T, s *suite) {
	all := calls(0, perSegment+100)
	s.record(acme, all)
	erase := func(n int) {
		s.insert(order(all[n].orderID, 1, `{}`))
		s.erase(acme, all[n].orderID)
		all[n].request, all[n].response = "", ""
	}
	rests := 0
	ok[bool](t)(s.IndexBodies(ctx, acme, func(context.Context) error {
		if rests++; rests == 3 {
			erase(30)
		}
		return nil
	}))
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	for _, n := range []int{0, 400, perSegment + 50} {
		erase(n)
	}
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	piece := calls(400, 1)[0].orderID
	if got := attemptIDs(t, s, store.AttemptFilter{Body: piece}, 9); len(got) > 0 {
		t.Errorf("%s is found after it was erased", piece)
	}
}
