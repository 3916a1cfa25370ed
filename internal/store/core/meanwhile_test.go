package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// What others do between two steps of a question or of a write.

// arrived completes the delivery of an event with an attempt that succeeds.
func arrived(e *event.Event, to *event.Endpoint, at time.Time) store.Completion {
	key := event.DeliveryKey{Event: e.Seq, Endpoint: to.No}
	return store.Completion{Key: key, Status: event.DeliverySucceeded, Attempts: 1, At: at, Attempt: &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindEvent,
		Delivery: key, Number: 1, MaxNumber: 3, StartedAt: at, Status: 200, Outcome: attempt.OutcomeSucceeded,
		Detail: &attempt.AttemptDetail{Response: &attempt.Message{Body: []byte("needle " + e.ID)}}}}
}

// TestADeliveryThatIsSentAgainMeanwhile is there at any moment, also between two statements.
func TestADeliveryThatIsSentAgainMeanwhile(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	e := namedEvent("a")
	publish(t, db, e)
	must(t, db.Write(ctx, func(tx store.Tx) error { return completeIn(tx, acme, arrived(e, to, benchTime)) }))
	statements := 0
	noted := db.Noted(func(text string, _ []any) {
		if strings.Contains(text, "deliveries.endpoint = ") {
			if statements++; statements == 2 {
				must(t, db.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, to, benchTime, false) }))
			}
		}
	})
	d, err := noted.Delivery(ctx, acme, event.DeliveryKey{Event: e.Seq, Endpoint: to.No})
	must(t, err)
	if d.Status != event.DeliverySucceeded && d.Status != event.DeliveryPending {
		t.Errorf("the delivery is %s", d.Status)
	}
}

// TestAnAttemptThatComesLateBesideANewOne: of attempts that are recorded in one write one began
// before what is indexed, and the other behind it. Where the index comes to cover the other, too,
// before the write is committed, that is seen: both are found.
func TestAnAttemptThatComesLateBesideANewOne(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	addMore(t, db, core.YoungDocs)
	indexAll(t, db)
	late, fresh := namedEvent("late"), namedEvent("fresh")
	publish(t, db, late, fresh)
	both := []store.Completion{arrived(late, to, benchTime.Add(3*time.Millisecond+time.Microsecond)),
		arrived(fresh, to, benchTime.Add((core.YoungDocs+7)*time.Millisecond+time.Microsecond))}
	decided := 0
	committing := db.Committing(func(*core.Batch) {
		if decided++; decided == 2 { // the first time, it was assumed that neither is late
			addMore(t, db, core.YoungDocs)
			indexAll(t, db)
		}
	})
	must(t, committing.Write(ctx, func(tx store.Tx) error { return completeIn(tx, acme, both...) }))
	if decided != 3 {
		t.Errorf("it was decided %d times", decided)
	}
	indexAll(t, db)
	list, err := db.Attempts(ctx, acme, store.AttemptFilter{Body: "needle"}, store.Page{})
	must(t, err)
	if len(list.Items) != 2 {
		t.Errorf("%d of 2 are found: %s", len(list.Items), segments(t, db))
	}
}

// TestWhatIsDueAfterNewsOfAnotherNode: what that has decided long ago, and committed only now,
// lies below the bound that the last look has set.
func TestWhatIsDueAfterNewsOfAnotherNode(t *testing.T) {
	for _, kind := range []nodes.Kind{nodes.Due, nodes.Anew} {
		t.Run(string(kind), func(t *testing.T) {
			db := openTemp(t)
			all := putEndpoints(t, db, 2, nil)
			now := time.Now()
			looks := func(to *event.Endpoint, want int) {
				t.Helper()
				list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: now, Limit: 9})
				must(t, err)
				if len(list.Due) != want {
					t.Errorf("%d are due, want %d", len(list.Due), want)
				}
			}
			looks(all[0], 0) // from now on, one begins a minute ago
			looks(all[1], 0)
			publish(t, db, namedEvent("a"))
			must(t, db.Change(`UPDATE deliveries SET due = ?`, now.Add(-time.Hour).UnixMicro()))
			looks(all[0], 0)
			db.Hear(ctx, []nodes.News{{Kind: kind, Tenant: acme, No: all[0].No}})
			looks(all[0], 1)
			looks(all[1], map[nodes.Kind]int{nodes.Anew: 1}[kind]) // of which there was no news of its own
		})
	}
}

// changing is a database that is asked while somebody else changes it, between two questions.
type changing struct {
	db     *core.Store
	behind func(text string)
}

func (c changing) QueryOnce(_ context.Context, each func(core.Row) error, text string, args ...any) error {
	err := c.db.Ask(each, text, args...)
	c.behind(text)
	return err
}

// TestASegmentThatIsReplacedWhileItIsChecked is no damage.
func TestASegmentThatIsReplacedWhileItIsChecked(t *testing.T) {
	db := openTemp(t)
	addMore(t, db, core.YoungDocs)
	indexAll(t, db)
	gone := false
	asker := changing{db, func(text string) {
		if !gone && strings.Contains(text, "body_segments WHERE state") {
			gone = true
			must(t, db.Change(`DELETE FROM body_chunks`))
			must(t, db.Change(`DELETE FROM body_segments`))
		}
	}}
	must(t, core.Inspect(ctx, asker, db.Dialect(), func(f core.Finding) { t.Errorf("found: %s", f.Text) }))
	if !gone {
		t.Error("nothing was replaced")
	}
}

// TestASealedWriteAfterTheKeyWasReplaced is refused, however it was decided: nothing is sealed
// with the key of before. What seals nothing is written.
func TestASealedWriteAfterTheKeyWasReplaced(t *testing.T) {
	for name, when := range map[string]int{"before it is decided": 0, "before it is committed": 1} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			to := putEndpoints(t, db, 1, nil)[0]
			replace := func() {
				_, err := db.Reseal(ctx, secret.NewKey())
				must(t, err)
			}
			commits := 0
			committing := db.Committing(func(*core.Batch) {
				if commits++; commits == when {
					replace()
				}
			})
			if when == 0 {
				replace()
			}
			changed := *to
			changed.Description = "sealed with the key of before"
			err := committing.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, &changed) })
			if !errors.Is(err, core.ErrKeyReplaced) {
				t.Errorf("it is written: %v", err)
			}
			must(t, committing.Write(ctx, insert("o1")))
		})
	}
}

// TestAWriteWhileTheKeyIsReplaced is kept, whatever it was: all of it is sealed with the new
// key. If others write again and again, the key stays the old one.
func TestAWriteWhileTheKeyIsReplaced(t *testing.T) {
	added := func(db *core.Store, to *event.Endpoint, n int) error {
		one := *to
		one.ID, one.No = fmt.Sprintf("%slate%d", ids.Endpoint, n), 0
		if n%2 != 0 { // the endpoint, or its secret, is all that has come
			one.Secrets = []event.Secret{{Value: secret.New(fmt.Sprint("whsec_", n))}}
		}
		return db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, &one) })
	}
	edited := func(db *core.Store, to *event.Endpoint, n int) error {
		one := *to
		one.Description = fmt.Sprint("edited ", n)
		return db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, &one) })
	}
	moved := func(db *core.Store, _ *event.Endpoint, n int) error { // a secret that no key opens is another one
		return db.Change(`UPDATE secrets SET sealed = ?`, fmt.Sprint("altered by hand ", n))
	}
	for name, write := range map[string]func(*core.Store, *event.Endpoint, int) error{"an endpoint is added": added, "an endpoint is edited": edited, "a secret is altered": moved} {
		for _, writes := range []int{1, 2, 100} {
			t.Run(fmt.Sprint(name, " ", writes), func(t *testing.T) {
				db := openTemp(t)
				to := putEndpoints(t, db, 1, nil)[0]
				must(t, added(db, to, -1))
				made := 0
				committing := db.Committing(func(*core.Batch) {
					if made < writes {
						must(t, write(db, to, made))
						made++
					}
				})
				next := secret.NewKey()
				done, err := committing.Reseal(ctx, next)
				if writes == 100 {
					if apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), "the old key is in use still") {
						t.Errorf("others write for ever: %v", err)
					}
					must(t, added(db, to, 1000)) // with the old key
					return
				}
				must(t, err)
				var salt []byte
				must(t, db.Ask(func(r core.Row) error { return r.Scan(&salt) }, `SELECT value FROM meta WHERE name = ?`, core.MetaSalt))
				sealer, err := secret.NewSealer(next, salt)
				must(t, err)
				rows := 0
				must(t, db.Ask(func(r core.Row) error {
					var tenant, doc string
					var no int64
					if err := r.Scan(&tenant, &no, &doc); err != nil {
						return err
					}
					rows++
					plain, err := sealer.OpenDocument(tenant, fmt.Sprint("endpoints/", no), doc)
					if name == "an endpoint is edited" && no == to.No && !strings.Contains(string(plain), fmt.Sprint("edited ", writes-1)) {
						t.Errorf("the edit is lost: %s", plain)
					}
					return err
				}, `SELECT tenant, no, doc FROM endpoints`))
				if rows != done.Endpoints {
					t.Errorf("%d endpoints are there, and %d were sealed", rows, done.Endpoints)
				}
				if name == "a secret is altered" && len(done.Unopened) == 0 {
					t.Error("what was altered is not told of")
				}
			})
		}
	}
}

// TestAKeyThatWasReplacedIsNotReplacedAgain by a process that has the one of before: it opens
// nothing, so all would be closed for ever.
func TestAKeyThatWasReplacedIsNotReplacedAgain(t *testing.T) {
	db := openTemp(t)
	putEndpoints(t, db, 1, nil)
	first := true
	committing := db.Committing(func(*core.Batch) {
		if first {
			first = false
			_, err := db.Reseal(ctx, secret.NewKey())
			must(t, err)
		}
	})
	for range 2 {
		if _, err := committing.Reseal(ctx, secret.NewKey()); !errors.Is(err, core.ErrKeyReplaced) {
			t.Errorf("it is replaced again: %v", err)
		}
	}
}

// TestAnAttemptThatComesLateAsABuildIsFinished, between the last look and the commit: the build
// is not taken, and the attempt is found.
func TestAnAttemptThatComesLateAsABuildIsFinished(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	addMore(t, db, core.YoungDocs)
	late := namedEvent("late")
	publish(t, db, late)
	came := false
	committing := db.Committing(func(b *core.Batch) {
		finishes := slices.ContainsFunc(b.Changes, func(c core.Change) bool { return strings.Contains(c.Text, "SET state = 'ready'") })
		if finishes && !came {
			came = true
			must(t, db.Write(ctx, func(tx store.Tx) error {
				return completeIn(tx, acme, arrived(late, to, benchTime.Add(3*time.Millisecond+time.Microsecond)))
			}))
		}
	})
	_, err := committing.IndexBodies(ctx, acme, noYield)
	must(t, err)
	if !came {
		t.Fatal("nothing was built")
	}
	for _, when := range []string{"at once", "once all is indexed"} {
		list, err := db.Attempts(ctx, acme, store.AttemptFilter{Body: "needle"}, store.Page{})
		must(t, err)
		if len(list.Items) != 1 {
			t.Errorf("%s, %d are found: %s", when, len(list.Items), segments(t, db))
		}
		indexAll(t, db)
	}
}

// TestACallThatIsCountedWhileItsQuarterIsMade of the minutes is counted all the same, once.
func TestACallThatIsCountedWhileItsQuarterIsMade(t *testing.T) {
	db := openTemp(t)
	at := time.Now().Add(-5 * time.Hour)
	record := func() {
		t.Helper()
		a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), StartedAt: at, CallID: ids.New(ids.Call), Kind: attempt.KindStep, Outcome: attempt.OutcomeSucceeded}
		must(t, db.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) }))
	}
	must(t, db.Write(ctx, func(tx store.Tx) error {
		return tx.InsertKey(ctx, access.Key{Tenant: acme, ID: "key", Role: access.Admin, Created: at, Hash: access.HashKey("key")})
	}))
	record()
	record()
	came := false
	committing := db.Committing(func(b *core.Batch) {
		moves := slices.ContainsFunc(b.Changes, func(c core.Change) bool { return strings.Contains(c.Text, "DELETE FROM call_counts") })
		if moves && !came {
			came = true
			record()
		}
	})
	must(t, committing.RemoveOld(ctx, acme, store.RetainedCalls, at.Add(-24*time.Hour), noYield))
	var calls, rows int
	must(t, db.Ask(func(r core.Row) error { return r.Scan(&calls, &rows) }, `SELECT sum(calls), count(*) FROM call_counts`))
	if !came || calls != 3 || rows != 1 {
		t.Errorf("%d calls of 3 are counted, in %d rows", calls, rows)
	}
}

// endedList is a listener that keeps which deliveries have ended.
type endedList struct {
	dueList
	ended []event.DeliveryKey
}

func (l *endedList) Ended(_ string, key event.DeliveryKey) { l.ended = append(l.ended, key) }

// TestTheListenerIsToldOfACanceledDelivery, which it may have in memory.
func TestTheListenerIsToldOfACanceledDelivery(t *testing.T) {
	db, l := openTemp(t), &endedList{}
	db.Listen(l)
	to := putEndpoints(t, db, 1, nil)[0]
	e := namedEvent("a")
	publish(t, db, e)
	key := event.DeliveryKey{Event: e.Seq, Endpoint: to.No}
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, key, benchTime) }))
	if !slices.Equal(l.ended, []event.DeliveryKey{key}) {
		t.Errorf("the listener is told that %v have ended", l.ended)
	}
}
