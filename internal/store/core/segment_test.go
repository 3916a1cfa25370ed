package core_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

func noYield(context.Context) error { return nil }

// segments says which segments there are: y(oung), b(are), v(oid), and how many
// attempts they are of.
func segments(t *testing.T, db *core.Store) string {
	t.Helper()
	all, err := db.Segments()
	must(t, err)
	return all
}

// wantChunks has no chunk be left that is of no segment.
func wantChunks(t *testing.T, db *core.Store) {
	t.Helper()
	var stray int
	must(t, db.Ask(func(r core.Row) error { return r.Scan(&stray) }, `SELECT count(*) FROM body_chunks WHERE key / ? NOT IN (SELECT id FROM body_segments WHERE state = 'ready')`, core.MostChunks))
	if stray > 0 {
		t.Errorf("%d chunks are of no segment that is ready", stray)
	}
}

// TestSegmentsGrow has segments be young at first, then put together.
func TestSegmentsGrow(t *testing.T) {
	db := openTemp(t)
	for _, step := range []struct {
		add  int
		want string
	}{
		{core.YoungDocs - 1, ""},
		{1, "y512 "},
		{6*core.YoungDocs + 10, "y512 y512 y512 y512 y512 y512 y512 "},
		{core.YoungDocs, "4096 "},
		{9*core.YoungDocs + 1, "4096 4096 y512 "},
	} {
		addMore(t, db, step.add)
		indexAll(t, db)
		if got := segments(t, db); got != step.want {
			t.Errorf("after %d more: %s, want %s", step.add, got, step.want)
		}
		wantChunks(t, db)
	}
	for _, n := range []int{0, 4095, 4096, 8191, 8192, 8703, 8704} {
		l, err := db.Attempts(ctx, acme, store.AttemptFilter{Body: fmt.Sprintf("body %d ", n)}, store.Page{})
		if must(t, err); len(l.Items) != 1 || l.Items[0].OrderID != fmt.Sprint("o", n) {
			t.Errorf("body %d: found %v", n, l.Items)
		}
	}
}

// addMore records attempts behind those there are, each of another order.
func addMore(t *testing.T, db *core.Store, count int) {
	t.Helper()
	from := countRows(t, db, "attempts")
	addLarge(t, db, from, count, 0)
}

// addLarge records attempts whose bodies are larger by so many bytes.
func addLarge(t *testing.T, db *core.Store, from, count, larger int) {
	t.Helper()
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := from; n < from+count; n++ {
			at := benchTime.Add(time.Duration(n) * time.Millisecond)
			a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), StartedAt: at, CallID: fmt.Sprint("c", n), Related: event.Related{OrderID: fmt.Sprint("o", n)},
				Detail: &attempt.AttemptDetail{Request: attempt.Message{Body: fmt.Appendf(nil, "body %d %s", n, strings.Repeat("x", larger))}}}
			if err := tx.AddAttempt(ctx, acme, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

func eraseOrder(t *testing.T, db *core.Store, n int) {
	t.Helper()
	id := fmt.Sprint("o", n)
	must(t, db.Write(ctx, insert(id)))
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, id) }))
	j := &job.Job{OrderID: id}
	for done := false; !done; {
		var next job.Job
		must(t, db.Write(ctx, func(tx store.Tx) (err error) {
			next = *j
			done, err = tx.EraseSome(ctx, acme, &next, 100)
			return err
		}))
		j = &next
	}
}

// TestSegmentsOfErasedOrders has those that hold an order be bare, until they
// are built anew, and leaves the others alone.
func TestSegmentsOfErasedOrders(t *testing.T) {
	db := openTemp(t)
	addMore(t, db, 10*core.YoungDocs+9)
	indexAll(t, db)
	for _, step := range []struct {
		erase int
		want  string
	}{
		{10*core.YoungDocs + 3, "4096 y512 y512 "},
		{9*core.YoungDocs + 3, "4096 y512 by512 "},
		{5, "b4096 y512 by512 "},
	} {
		eraseOrder(t, db, step.erase)
		if got := segments(t, db); got != step.want {
			t.Errorf("%d erased: %s, want %s", step.erase, got, step.want)
		}
		wantChunks(t, db)
	}
	indexAll(t, db)
	if got := segments(t, db); got != "4096 y512 y512 " {
		t.Errorf("built anew: %s", got)
	}
}

// TestErasedWhilePutTogether erases an order of one of the segments that are
// being put together, and one that is behind them.
func TestErasedWhilePutTogether(t *testing.T) {
	db := openTemp(t)
	for range 8 {
		addMore(t, db, core.YoungDocs)
		_, err := db.IndexBodies(ctx, acme, noYield)
		must(t, err)
	}
	addMore(t, db, core.YoungDocs)
	steps := 0
	rest := func(context.Context) error {
		switch steps++; steps {
		case 2:
			eraseOrder(t, db, 8*core.YoungDocs+1)
			if got := segments(t, db); got != "y512 v4096 y512 y512 y512 y512 y512 y512 y512 " {
				t.Errorf("one behind erased: %s", got)
			}
		case 12:
			eraseOrder(t, db, 4*core.YoungDocs+1)
			if got := segments(t, db); got != "y512 y512 y512 y512 by512 y512 y512 y512 " {
				t.Errorf("one within erased: %s", got)
			}
		}
		return nil
	}
	done, err := db.IndexBodies(ctx, acme, rest)
	if err != nil || done || steps < 12 {
		t.Errorf("%v after %d steps: %v", done, steps, err)
	}
	wantChunks(t, db)
	indexAll(t, db)
	if got := segments(t, db); got != "4096 y512 " {
		t.Errorf("put together: %s", got)
	}
	wantChunks(t, db)
}

// TestSegmentsOfLargeBodies has segments of large bodies be of fewer attempts.
func TestSegmentsOfLargeBodies(t *testing.T) {
	db := openTemp(t)
	addLarge(t, db, 0, core.YoungDocs, 3000) // 44 to a block, so 12 blocks
	for n := 1; n < 6; n++ {
		addLarge(t, db, n*core.YoungDocs, core.YoungDocs, 3000)
	}
	indexAll(t, db)
	if got := segments(t, db); got != "2560 y512 " {
		t.Errorf("of 3 KB: %s", got)
	}
	addLarge(t, db, 6*core.YoungDocs, core.YoungDocs, 40_000) // 4 to a block: 256 fill a segment
	indexAll(t, db)
	if got := segments(t, db); got != "2560 y512 256 " {
		t.Errorf("of 40 KB: %s", got)
	}
}

// TestStaleSegments has segments of another version of the index built anew,
// and until then what is in them found.
func TestStaleSegments(t *testing.T) {
	path := tempPath(t)
	opened := openAt(t, path)
	db := opened.Store
	addMore(t, db, core.YoungDocs)
	indexAll(t, db)
	must(t, db.Change(`UPDATE body_segments SET header = CAST(x'0130' || substr(header, 2 + unicode(substr(CAST(header AS TEXT), 1, 1))) AS BLOB)`))
	if got := segments(t, db); got != "ystale512 " {
		t.Errorf("of another version: %s", got)
	}
	find := func() {
		t.Helper()
		l, err := db.Attempts(ctx, acme, store.AttemptFilter{Body: "body 77 "}, store.Page{})
		if must(t, err); len(l.Items) != 1 {
			t.Errorf("found %d", len(l.Items))
		}
	}
	find()
	must(t, opened.Close())
	db = openAt(t, path).Store
	find()
	done, err := db.IndexBodies(ctx, acme, func(context.Context) error { return core.ErrEnough })
	if done || err != core.ErrEnough {
		t.Error(done, err)
	}
	indexAll(t, db)
	find()
	if got := segments(t, db); got != "y512 " {
		t.Errorf("built anew: %s", got)
	}
	wantChunks(t, db)
}

// TestInterruptedBuild has a build that is interrupted anywhere leave nothing
// behind once there was another.
func TestInterruptedBuild(t *testing.T) {
	db := openTemp(t)
	addMore(t, db, core.YoungDocs)
	for step := 1; ; step++ {
		left := step
		_, err := db.IndexBodies(ctx, acme, func(context.Context) error {
			if left--; left == 0 {
				return core.ErrEnough
			}
			return nil
		})
		if err == nil {
			break
		}
	}
	indexAll(t, db)
	if got := segments(t, db); got != "y512 " {
		t.Errorf("segments: %s", got)
	}
	wantChunks(t, db)
}

// TestLateWhileBuilt records attempts that began before others which a build has read already:
// they are found while it is built, and afterwards.
func TestLateWhileBuilt(t *testing.T) {
	db := openTemp(t)
	addMore(t, db, core.YoungDocs)
	late := func(n int) {
		at := benchTime.Add(time.Duration(n)*time.Millisecond + time.Microsecond)
		a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), StartedAt: at, CallID: fmt.Sprint("late", n), Number: n,
			Detail: &attempt.AttemptDetail{Request: attempt.Message{Body: fmt.Appendf(nil, "needle %d", n)}}}
		must(t, db.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) }))
	}
	found := func(want int) {
		t.Helper()
		l, err := db.Attempts(ctx, acme, store.AttemptFilter{Body: "needle"}, store.Page{})
		if must(t, err); len(l.Items) != want {
			t.Errorf("%d are found, want %d", len(l.Items), want)
		}
	}
	steps := 0
	_, err := db.IndexBodies(ctx, acme, func(context.Context) error {
		if steps++; steps == 1 {
			late(3)
			found(1)
		}
		return nil
	})
	must(t, err)
	found(1)
	indexAll(t, db)
	found(1)
	late(7)
	if got := segments(t, db); got != "by513 " {
		t.Errorf("with one that came late: %s", got)
	}
	found(2)
	indexAll(t, db)
	if got := segments(t, db); got != "y513 " {
		t.Errorf("built anew: %s", got)
	}
	found(2)
	wantChunks(t, db)
}

// TestSegmentTooLarge has one that a builder takes only a part of, as another
// version of the index may have made it, be divided.
func TestSegmentTooLarge(t *testing.T) {
	db := openTemp(t)
	addMore(t, db, 9*core.YoungDocs)
	must(t, db.Change(`INSERT INTO body_segments (tenant, state, young, first, last, oldest, newest) SELECT ?, 'bare', 0, 1, max(seq), 0, 0 FROM attempts`, acme))
	_, err := db.IndexBodies(ctx, acme, noYield)
	must(t, err)
	if got := segments(t, db); got != "4096 b512 " {
		t.Errorf("divided: %s", got)
	}
	indexAll(t, db)
	if got := segments(t, db); got != "4096 512 " {
		t.Errorf("built: %s", got)
	}
	wantChunks(t, db)
}
