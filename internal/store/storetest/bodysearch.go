package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// noYield is the yield of maintenance that nobody has to make way for.
func noYield(context.Context) error { return nil }

// indexBodies adds to the index all that may be added. An engine may leave out the newest
// attempts until there are more.
func (s *suite) indexBodies(tenant string) {
	s.t.Helper()
	for done := false; !done; {
		done = ok[bool](s.t)(s.IndexBodies(ctx, tenant, noYield))
	}
}

// call is a recorded call of the tests of the search. These tests need many, so they have
// few fields.
type call struct {
	n                              int // the second it started
	id, orderID, request, response string
}

// has reports whether a body of the call has the piece, which is in lower case. It is
// what the search promises, in plain Go.
func (c call) has(piece string) bool {
	return strings.Contains(strings.ToLower(c.request), piece) || strings.Contains(strings.ToLower(c.response), piece)
}

// calls returns so many calls, numbered from a number on, one a second. Their bodies are
// like those of a shop: most of the text is the same in all, some of it is in a few, and
// the id of the order is in one alone. Every hundredth call was rejected.
func calls(from, count int) (all []call) {
	for n := from; n < from+count; n++ {
		c := call{n: n, id: ids.Numbered(ids.Attempt, at(n)), orderID: fmt.Sprintf("ord-%07d", n*7919%10000019)}
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
			a := &attempt.Attempt{ID: c.id, Kind: attempt.KindStep, CallID: "call-" + c.id, StartedAt: at(c.n), Outcome: attempt.OutcomeSucceeded,
				Related: event.Related{OrderID: c.orderID}, Status: 200 + c.n%2, Detail: &attempt.AttemptDetail{
					Request: attempt.Message{Body: []byte(c.request)}, Response: &attempt.Message{Body: []byte(c.response)}}}
			if err := tx.AddAttempt(ctx, tenant, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// wantFound searches for a piece and checks that it finds the calls that have it, those
// that started last first. If there are more than a hundred, only the first hundred are
// compared. A piece of few calls is read one call a page, so that cursors are tried where
// pages are nearly empty.
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

// pieces returns pieces to search for, of each kind that an index may treat in its own
// way: pieces of one call, of few, of many, of all and of none, in other letters than
// they were recorded in, and pieces that begin within a word.
func pieces(all []call) []string {
	return []string{all[0].orderID, all[len(all)/2].orderID, all[len(all)-1].orderID, strings.ToUpper(all[7].orderID), all[9].orderID[4:],
		"person77@", "@SHOP3.example", "SKU-000234", "rejected by", "Blue Shirt", "ord-", "warehouses", "ord-9999999", "zzz"}
}

// wantPieces searches for each of the pieces.
func (s *suite) wantPieces(all []call) {
	s.t.Helper()
	for _, piece := range pieces(all) {
		s.wantFound(all, piece)
	}
}

// perSegment is more attempts than an engine may leave out of the index, so of so many
// some are in it.
const perSegment = 600

// testBodySearch proves that a search finds the same attempts before, while and after
// they are added to the index, whoever else has attempts among them. The index must only
// change how quickly something is found.
func testBodySearch(t *testing.T, s *suite) {
	all := calls(0, perSegment+150)
	for part := range slices.Chunk(all, 100) {
		s.record(acme, part)
		// The other tenant's calls are recorded in between, so the rows of both are
		// stored one among the other.
		s.record(other, calls(100_000, 10)[:1])
	}
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	// Without new attempts there is nothing to do, or the server would never stop doing
	// it.
	if !ok[bool](t)(s.IndexBodies(ctx, acme, noYield)) {
		t.Error("there is more to do when all is done")
	}
	more := calls(len(all), perSegment)
	// These started before the others and are recorded after them, as happens when one
	// node is slower than another.
	late := more[:perSegment/2]
	s.record(acme, more[perSegment/2:])
	s.indexBodies(acme)
	s.record(acme, late) // when what started after them is indexed
	all = append(all, more...)
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	// A piece of one or two letters would be found nearly everywhere, so it is refused.
	for _, short := range []string{"ab", "ä", "12"} {
		_, err := s.Attempts(ctx, acme, store.AttemptFilter{Body: short}, store.Page{})
		is(t, err, apierr.Invalid)
	}
	// All other filters apply to what the search finds, too.
	f := store.AttemptFilter{Body: "blue shirt", StatusFilter: store.StatusFilter{StatusFrom: 201}, From: at(10), To: at(20), Kind: attempt.KindStep}
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

// testIndexInterrupted proves that the build of the index can end at any step, and that
// the server can be started again in between: nothing is lost, and in the end all is
// found. The point at which it ends moves on from round to round.
func testIndexInterrupted(t *testing.T, s *suite) {
	all := calls(0, perSegment)
	s.record(acme, all)
	stop := errors.New("stop")
	for step, reopened := 1, false; ; step += 1 + step/4 {
		// IndexBodies ends at its so-many-th call of yield.
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
		// Once, what the engine has in memory of the index is lost, too.
		if step > 20 && !reopened {
			reopened = true
			s.close()
			s.open()
		}
	}
	s.wantPieces(all)
}

// testIndexErased proves that the text of an erased order is not found, whether it was in
// the index, was not yet in it, or was just being added. All other attempts are found as
// before. An index that kept the text would keep personal data that has to be gone.
func testIndexErased(t *testing.T, s *suite) {
	all := calls(0, perSegment+100)
	s.record(acme, all)
	erase := func(n int) {
		s.insert(newOrder(all[n].orderID, 1, `{}`))
		s.erase(acme, all[n].orderID)
		all[n].request, all[n].response = "", ""
	}
	// The order is erased between two steps of the build, when its attempt may have been
	// read and not yet been added.
	yields := 0
	ok[bool](t)(s.IndexBodies(ctx, acme, func(context.Context) error {
		if yields++; yields == 3 {
			erase(30)
		}
		return nil
	}))
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	// One at the beginning of the index, one in the middle, and one that may not be in
	// it.
	for _, n := range []int{0, 400, perSegment + 50} {
		erase(n)
	}
	s.wantPieces(all)
	s.indexBodies(acme)
	s.wantPieces(all)
	// The call is made again, because its bodies were emptied above.
	piece := calls(400, 1)[0].orderID
	if got := attemptIDs(t, s, store.AttemptFilter{Body: piece}, 9); len(got) > 0 {
		t.Errorf("%s is found after it was erased", piece)
	}
}
