package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestListenerIsToldOncePerCommit has writes in one group, of which one fails and
// one is overtaken by an endpoint that the group adds, and then the group as a
// whole be lost.
func TestListenerIsToldOncePerCommit(t *testing.T) {
	db := openTemp(t)
	var told []string
	db.Listen(&listening{due: func(due []store.Due) {
		var ids []string
		for _, d := range due {
			ids = append(ids, fmt.Sprint(d.Delivery.EventID, "/", d.Delivery.Endpoint))
		}
		told = append(told, strings.Join(ids, " "))
	}})
	wantTold := func(want ...string) {
		t.Helper()
		if got := strings.Join(told, ", "); got != strings.Join(want, ", ") {
			t.Errorf("told of %q, want %q", got, want)
		}
		told = nil
	}
	putEndpoints(t, db, 1, nil)
	must(t, db.Write(ctx, insert("o1")))
	add := func(id string) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.AddEvents(ctx, acme, namedEvent(id)) }
	}
	write := func(do ...func(store.Tx) error) func() error {
		return func() error {
			return db.Write(ctx, func(tx store.Tx) error {
				var errs []error
				for _, do := range do {
					errs = append(errs, do(tx))
				}
				return errors.Join(errs...)
			})
		}
	}
	put := func(id string) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, testEndpoint(id)) }
	}
	unblock := hold(t, db)
	answers := begin(t, db, write(add("e1")), write(add("failed"), insert("o1")), write(add("e2")), write(put("ep_1")), write(add("e3")))
	must(t, unblock())
	for i, answer := range answers {
		if err := <-answer; (err != nil) != (i == 1) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	wantTold("e1/1 e2/1", "e3/1 e3/2")

	fail := int32(1)
	onCommit(t, db, func() int32 { return fail })
	wantKind(t, write(put("ep_2"), add("e4"))(), apierr.Unavailable)
	fail = 0
	must(t, write(add("e5"))())
	wantTold("e5/1 e5/2")
	must(t, write(put("ep_2"), add("e6"))())
	wantTold("e6/1 e6/2 e6/3")
}

// TestListenerIsToldOnceOfAGroupThatIsRunAgain: what the database makes due in the first run is
// not told beside what it makes due in the second.
func TestListenerIsToldOnceOfAGroupThatIsRunAgain(t *testing.T) {
	db := openTemp(t)
	var told []string
	db.Listen(&listening{due: func(due []store.Due) {
		for _, d := range due {
			told = append(told, d.Delivery.EventID)
		}
	}})
	putEndpoints(t, db, 1, func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })
	unblock := hold(t, db)
	answers := begin(t, db, func() error {
		return db.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, namedEvent("e1")) })
	})
	all := enqueue(t, db, put("a"), put("a"))
	must(t, unblock())
	must(t, <-answers[0])
	must(t, all[0].Err)
	if <-all[1].Answered(); !errors.Is(all[1].Err, core.ErrOvertaken) || db.engine.writer.session.stmts["SAVEPOINT one"] == nil {
		t.Errorf("the group was not run again: %v", all[1].Err)
	}
	if got := strings.Join(told, " "); got != "e1" {
		t.Errorf("told of %q", got)
	}
}

// TestAListenerThatPanics leaves the writes to go on.
func TestAListenerThatPanics(t *testing.T) {
	db := openAt(t, tempPath(t), Options{Log: slog.New(slog.DiscardHandler)})
	told := 0
	db.Listen(&listening{due: func([]store.Due) { told++; panic("a bug") }})
	putEndpoints(t, db, 1, nil)
	publish(t, db, namedEvent("e1"))
	publish(t, db, namedEvent("e2"))
	if told != 2 {
		t.Errorf("told %d times", told)
	}
}
