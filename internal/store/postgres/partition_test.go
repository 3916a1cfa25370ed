package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// divided is a database whose time the test tells.
type divided struct {
	*DB
	t   *testing.T
	url string
	now time.Time
	to  *event.Endpoint
}

const (
	retention = 40 * 24 * time.Hour
	length    = retention / 4
)

// openDivided opens a database, of which the first partition has just been made.
func openDivided(t *testing.T) *divided {
	t.Parallel()
	d := &divided{t: t, url: pgtest.Database(t, Migrate), now: time.Now().UTC().Truncate(time.Second)}
	d.DB = openAt(t, d.url, nil, Options{Clock: func() time.Time { return d.now }})
	must(t, d.Write(ctx, func(tx store.Tx) error {
		return tx.InsertKey(ctx, access.Key{ID: "key-1", Tenant: acme, Role: access.Reader, Created: d.now, Hash: access.HashKey(acme)})
	}))
	d.to = putEndpoint(t, d.DB, event.OrderingNone)
	return d
}

func noYield(ctx context.Context) error { return ctx.Err() }

// pass does what the maintenance does at a time with partitions.
func (d *divided) pass(at time.Time) time.Time {
	d.t.Helper()
	d.now = at
	must(d.t, d.MakeAhead(ctx, at, retention))
	rest, err := d.DropOld(ctx, at.Add(-retention), noYield)
	must(d.t, err)
	return rest
}

// until has the maintenance do its work now and then until a time.
func (d *divided) until(end time.Time) {
	d.t.Helper()
	for at := d.now.Add(length / 2); at.Before(end); at = at.Add(length / 2) {
		d.pass(at)
	}
	d.pass(end)
}

// publish stores an event and returns it; its Seq is 0 if its id is taken.
func (d *divided) publish(id string) *event.Event {
	d.t.Helper()
	e := newEvent(id, "s")
	must(d.t, d.Publish(ctx, acme, e))
	return e
}

// deliver records an attempt at the delivery of an event.
func (d *divided) deliver(e *event.Event, status event.DeliveryStatus) *attempt.Attempt {
	d.t.Helper()
	a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, d.now), Kind: attempt.KindEvent, Delivery: event.DeliveryKey{Event: e.Seq, Endpoint: d.to.No},
		Number: 1, MaxNumber: 3, StartedAt: d.now, Status: 200, Outcome: attempt.OutcomeSucceeded}
	if status != event.DeliverySucceeded {
		a.Status, a.Outcome = 500, attempt.OutcomeFailed
	}
	must(d.t, d.Write(ctx, func(tx store.Tx) error {
		_, err := tx.CompleteDeliveries(ctx, acme, store.Completion{Key: a.Delivery, Status: status, Attempts: 1, At: d.now, Due: d.now.Add(time.Minute), Attempt: a})
		return err
	}))
	return a
}

// call records an attempt of a step, whose request has a body.
func (d *divided) call(id string) *attempt.Attempt {
	d.t.Helper()
	a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, d.now), Kind: attempt.KindStep, CallID: id, StartedAt: d.now, Outcome: attempt.OutcomeSucceeded,
		Detail: &attempt.AttemptDetail{Request: attempt.Message{Body: []byte("{}")}}}
	must(d.t, d.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) }))
	return a
}

func (d *divided) isThere(e *event.Event) bool {
	d.t.Helper()
	_, err := d.Event(ctx, acme, e.ID)
	if err != nil && apierr.KindOf(err) != apierr.NotFound {
		d.t.Error(err)
	}
	return err == nil
}

// list returns the partitions of a table that are in one of some states, in all if none is
// named.
func (d *divided) list(table string, states ...core.PartitionState) (all []core.Partition) {
	d.t.Helper()
	parts, err := d.engine.parts.List(ctx)
	must(d.t, err)
	return slices.DeleteFunc(parts, func(p core.Partition) bool {
		return p.Table != table || len(states) > 0 && !slices.Contains(states, p.State)
	})
}

// TestBoundsOfPartitions: whatever the partitions are that there are, and the number, the
// next one has the number and meets none of the others.
func TestBoundsOfPartitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []core.Partition
		for range rapid.IntRange(1, 12).Draw(t, "how many") {
			n := rapid.Int64Range(0, ids.FirstNumber(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))).Draw(t, "number")
			if len(all) > 0 && rapid.Bool().Draw(t, "near") {
				n = all[len(all)-1].To + rapid.Int64Range(-1, 1).Draw(t, "off")
			}
			length := time.Duration(rapid.Int64Range(0, int64(365*24*time.Hour)).Draw(t, "length"))
			if slices.ContainsFunc(all, func(p core.Partition) bool { return p.Has("events", n) }) {
				continue
			}
			from, to := boundsFor(all, "events", n, length)
			made := core.Partition{Table: "events", Name: nameOf("events", from, to), From: from, To: to}
			if !made.Has("events", n) {
				t.Fatalf("%s has not %d", made.Name, n)
			}
			for _, p := range all {
				if p.From < to && from < p.To {
					t.Fatalf("%s meets %s", made.Name, p.Name)
				}
			}
			if read, err := partitionOf(made.Name); err != nil || read != made {
				t.Fatalf("%+v is read as %+v: %v", made, read, err)
			}
			all = append(all, made)
		}
	})
	begin := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	is := []core.Partition{{Table: "events", From: 0, To: ids.FirstNumber(begin)}, {Table: "attempts", To: math.MaxInt64}}
	for _, row := range []struct {
		at         time.Time
		from, want string
	}{
		{begin, "20261201t00", "20261211t00"},
		{begin.Add(9 * 24 * time.Hour), "20261201t00", "20261211t00"},
		// A clock that is years ahead leaves the years before to others.
		{begin.AddDate(5, 0, 0).Add(time.Minute), "20311201t00", "20311211t00"},
	} {
		from, to := boundsFor(is, "events", ids.FirstNumber(row.at), 10*24*time.Hour)
		if name := nameOf("events", from, to); name != "events_"+row.from+"_"+row.want {
			t.Errorf("for %v: %s", row.at, name)
		}
	}
}

// TestPartitionsAhead are there before the time that they are for, and events are numbered in
// the present one.
func TestPartitionsAhead(t *testing.T) {
	d := openDivided(t)
	last := d.publish("first")
	for range 16 {
		d.pass(d.now.Add(4 * 24 * time.Hour))
		e := d.publish(ids.New(ids.Event))
		for _, table := range partitioned {
			all := d.list(table)
			if end := ids.NumberTime(all[len(all)-1].To); end.Before(d.now.Add(length / 2)) {
				t.Errorf("on %v, %s end on %v", d.now, table, end)
			}
			if n := len(all); n > 8 {
				t.Errorf("on %v there are %d partitions of %s", d.now, n, table)
			}
		}
		at := slices.IndexFunc(d.list("events"), func(p core.Partition) bool { return p.Has("events", ids.FirstNumber(d.now)) })
		if p := d.list("events")[at]; !p.Has("events", e.Seq) || e.Seq <= last.Seq {
			t.Errorf("on %v, an event is %d behind %d, and the partition is %s", d.now, e.Seq, last.Seq, p.Name)
		}
		last = e
	}
}

// TestNumbersNeverGoBack, whatever the clock of the maintenance does.
func TestNumbersNeverGoBack(t *testing.T) {
	d := openDivided(t)
	d.pass(d.now.Add(100 * 24 * time.Hour))
	first := d.publish(ids.New(ids.Event))
	must(t, d.MakeAhead(ctx, d.now.Add(-60*24*time.Hour), retention))
	if e := d.publish(ids.New(ids.Event)); e.Seq <= first.Seq {
		t.Errorf("%d follows %d", e.Seq, first.Seq)
	}
}

// TestOldPartitionsAreDropped with all that belongs to their rows, and nothing else.
func TestOldPartitionsAreDropped(t *testing.T) {
	d := openDivided(t)
	d.until(d.now.Add(20 * 24 * time.Hour)) // behind the first one
	begin := d.now
	given, failed, made := d.publish("given"), d.publish("failed"), d.publish(ids.New(ids.Event))
	for _, e := range []*event.Event{given, made} {
		d.deliver(e, event.DeliverySucceeded)
	}
	d.deliver(failed, event.DeliveryFailed)
	d.call("call-1")
	shared := d.call("call-2")

	d.until(begin.Add(retention - 24*time.Hour))
	if !d.isThere(given) || len(d.list("events")) < 4 {
		t.Errorf("the events are gone before their time: %v", d.list("events"))
	}
	again := d.call("call-2") // of the same call
	young := d.publish("young")
	if e := d.publish("given"); e.Seq != 0 {
		t.Errorf("the id of an event in another partition was taken for new: %d", e.Seq)
	}

	d.until(begin.Add(retention + 2*length))
	for _, e := range []*event.Event{given, failed, made} {
		if d.isThere(e) {
			t.Errorf("the event %s is still there", e.ID)
		}
	}
	if !d.isThere(young) {
		t.Error("a young event is gone")
	}
	if n := number(t, d.DB, `SELECT count(*) FROM deliveries WHERE status = 'f'`); n != 0 {
		t.Errorf("%d deliveries of events that are gone", n)
	}
	if n := number(t, d.DB, `SELECT count(*) FROM bodies`); n != 1 {
		t.Errorf("%d bodies, want that of the call whose last attempt is young", n)
	}
	if _, err := d.Attempt(ctx, acme, shared.ID); apierr.KindOf(err) != apierr.NotFound {
		t.Errorf("an old attempt: %v", err)
	}
	if a, err := d.Attempt(ctx, acme, again.ID); err != nil || string(a.Detail.Request.Body) != "{}" {
		t.Errorf("the young attempt of the call: %v", err)
	}
	if n := number(t, d.DB, `SELECT count(*) FROM event_ids WHERE id <> 'young'`); n != 0 {
		t.Errorf("%d ids of events that are gone", n)
	}
	if e := d.publish("given"); e.Seq == 0 {
		t.Error("the id of an event that is gone is still taken")
	}
	for _, table := range partitioned {
		for _, p := range d.list(table) {
			if p.State != core.PartitionAttached || p.To <= ids.FirstNumber(begin) {
				t.Errorf("%s is left: %v", p.Name, p.State)
			}
		}
	}
}

// TestWhatIsNeededStays: one delivery that is pending, one attempt that is young, one record of
// a delivery keep the partition that they are in.
func TestWhatIsNeededStays(t *testing.T) {
	for _, row := range []struct {
		name string
		// needs does something that keeps an event, and ends lets go of it.
		needs, ends func(d *divided, e *event.Event)
	}{
		{"a delivery is pending", func(*divided, *event.Event) {}, func(d *divided, e *event.Event) {
			must(d.t, d.Write(ctx, func(tx store.Tx) error {
				return tx.CancelDelivery(ctx, acme, event.DeliveryKey{Event: e.Seq, Endpoint: d.to.No}, d.now)
			}))
		}},
		{"a delivery was touched", func(d *divided, e *event.Event) {
			d.now = d.now.Add(30 * 24 * time.Hour)
			must(d.t, d.Write(ctx, func(tx store.Tx) error {
				return tx.CancelDelivery(ctx, acme, event.DeliveryKey{Event: e.Seq, Endpoint: d.to.No}, d.now)
			}))
			d.now = d.now.Add(-30 * 24 * time.Hour)
		}, func(*divided, *event.Event) {}},
		{"an attempt is young", func(d *divided, e *event.Event) {
			d.now = d.now.Add(30 * 24 * time.Hour)
			must(d.t, d.MakeAhead(ctx, d.now, retention))
			d.deliver(e, event.DeliverySucceeded)
			d.now = d.now.Add(-30 * 24 * time.Hour)
		}, func(*divided, *event.Event) {}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDivided(t)
			d.until(d.now.Add(20 * 24 * time.Hour))
			begin := d.now
			e := d.publish("needed")
			row.needs(d, e)
			d.until(begin.Add(retention + 2*length))
			if !d.isThere(e) {
				t.Fatal("the event is gone")
			}
			row.ends(d, e)
			d.until(d.now.Add(retention + 2*length))
			if d.isThere(e) {
				t.Error("the event is still there")
			}
		})
	}
}

// TestTheRecordOfADeliveryStays with its event, which another delivery keeps: the event would
// seem never to have been sent without it.
func TestTheRecordOfADeliveryStays(t *testing.T) {
	d := openDivided(t)
	second := &event.Endpoint{ID: "ep2", Origin: event.OriginAPI, URL: "https://example.com", EventTypes: []string{"*"}, Enabled: true, Schedule: event.DefaultSchedule}
	must(t, d.Write(ctx, func(tx store.Tx) error { second.No = 0; return tx.PutEndpoint(ctx, acme, second) }))
	d.until(d.now.Add(20 * 24 * time.Hour))
	begin, e := d.now, d.publish("needed")
	record := d.deliver(e, event.DeliverySucceeded)
	d.until(begin.Add(retention + 2*length))
	if _, err := d.Attempt(ctx, acme, record.ID); err != nil {
		t.Error(err)
	}
	must(t, d.Write(ctx, func(tx store.Tx) error {
		return tx.CancelDelivery(ctx, acme, event.DeliveryKey{Event: e.Seq, Endpoint: second.No}, d.now)
	}))
	d.until(d.now.Add(retention + 2*length))
	if _, err := d.Attempt(ctx, acme, record.ID); apierr.KindOf(err) != apierr.NotFound {
		t.Errorf("the record of a delivery whose event is gone: %v", err)
	}
}

// TestRowsAreLeftToTheirPartition for as long as that can soon be dropped. What a partition
// has that cannot be dropped is removed row by row then.
func TestRowsAreLeftToTheirPartition(t *testing.T) {
	d := openDivided(t)
	d.until(d.now.Add(20 * 24 * time.Hour))
	begin := d.now
	pending, done := d.publish("pending"), d.publish("done")
	d.deliver(done, event.DeliverySucceeded)
	d.pass(begin.Add(2 * time.Hour)) // how old events are is noted
	p := d.list("attempts")[slices.IndexFunc(d.list("attempts"), func(p core.Partition) bool { return p.Has("attempts", ids.FirstNumber(begin)) })]
	end := ids.NumberTime(p.To)
	d.until(end.Add(retention))
	if rest := d.pass(end.Add(retention + length/4)); !rest.Equal(ids.NumberTime(p.From)) {
		t.Errorf("a partition that is nearly free begins %v, and rows are left from %v on", ids.NumberTime(p.From), rest)
	}
	rest := d.pass(end.Add(retention + length*3/4))
	if rest.Before(end) {
		t.Errorf("the rows of a partition that is not free are left to it: from %v on, and it ended %v", rest, end)
	}
	must(t, d.RemoveOld(ctx, acme, store.RetainedDeliveries, rest, noYield))
	if d.isThere(done) || !d.isThere(pending) {
		t.Errorf("the event that was delivered is there: %v, that which is pending: %v", d.isThere(done), d.isThere(pending))
	}
}

// TestNothingIsOldForGood: where a tenant retains all for good, what had been detached comes
// back.
func TestNothingIsOldForGood(t *testing.T) {
	d := openDivided(t)
	d.until(d.now.Add(20 * 24 * time.Hour))
	begin, e := d.now, d.publish("old")
	d.deliver(e, event.DeliverySucceeded)
	d.now = begin.Add(200 * 24 * time.Hour)
	at := slices.IndexFunc(d.list("events"), func(p core.Partition) bool { return p.Has("events", e.Seq) })
	must(t, d.engine.parts.Detach(ctx, d.list("events")[at]))
	if d.isThere(e) {
		t.Fatal("it is not detached")
	}
	_, err := d.DropOld(ctx, time.Time{}, noYield)
	must(t, err)
	if !d.isThere(e) {
		t.Error("the event is gone")
	}
	if before := len(d.list("events")); before > 8 {
		t.Errorf("%d partitions", before)
	}
	must(t, d.MakeAhead(ctx, d.now, 0))
	all := d.list("events")
	if last := all[len(all)-1]; ids.NumberTime(last.To).Before(d.now.Add(150 * 24 * time.Hour)) {
		t.Errorf("the last partition is %s", last.Name)
	}
}

// TestADropThatWasInterrupted is taken up again: by the process that is started next, at
// whatever moment the one before was killed.
func TestADropThatWasInterrupted(t *testing.T) {
	for name, killed := range map[string]func(d *divided, p core.Partition){
		"detached": func(d *divided, p core.Partition) { must(d.t, d.engine.parts.Detach(ctx, p)) },
		"leaving": func(d *divided, p core.Partition) {
			reader := reading(d)
			defer reader.Close(ctx)
			impatient := newPartitions(d.engine.config, nil, nil)
			impatient.detachTime = time.Second
			if err := impatient.Detach(ctx, p); err == nil {
				d.t.Fatal("it was detached while somebody reads it")
			}
		},
		"with some of what belongs to it": func(d *divided, p core.Partition) {
			must(d.t, d.engine.parts.Detach(ctx, p))
			exec(d.t, d.url, `DELETE FROM event_ids`)
			exec(d.t, d.url, `DELETE FROM deliveries`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDivided(t)
			d.until(d.now.Add(20 * 24 * time.Hour))
			begin, e := d.now, d.publish("old")
			d.deliver(e, event.DeliveryFailed)
			p := d.list("events")[slices.IndexFunc(d.list("events"), func(p core.Partition) bool { return p.Has("events", e.Seq) })]
			d.until(begin.Add(retention))
			killed(d, p)
			d.DB = openAt(t, d.url, nil, Options{Clock: func() time.Time { return d.now }})
			d.until(begin.Add(retention + 2*length))
			if slices.ContainsFunc(d.list("events"), func(is core.Partition) bool { return is.Name == p.Name }) {
				t.Error("the partition is left")
			}
			if n := number(t, d.DB, `SELECT (SELECT count(*) FROM event_ids) + (SELECT count(*) FROM deliveries)`); n != 0 {
				t.Errorf("%d rows are left of its events", n)
			}
		})
	}
}

// TestSentAgainMeanwhile: an event of a partition that is about to be dropped is sent again.
// The partition is attached again, and nothing is lost.
func TestSentAgainMeanwhile(t *testing.T) {
	d := openDivided(t)
	d.until(d.now.Add(20 * 24 * time.Hour))
	begin, e := d.now, d.publish("old")
	p := d.list("events")[slices.IndexFunc(d.list("events"), func(p core.Partition) bool { return p.Has("events", e.Seq) })]
	d.deliver(e, event.DeliveryFailed)
	d.until(begin.Add(retention))
	must(t, d.engine.parts.Detach(ctx, p))
	// Whoever sends it again does so in a write that began before.
	exec(t, d.url, `UPDATE deliveries SET status = 'p', due = 1`)
	d.pass(begin.Add(retention + 2*length))
	if !d.isThere(e) {
		t.Error("the event of a pending delivery is gone")
	}
}

// reading returns a connection with a transaction that has read events.
func reading(d *divided) *pgx.Conn {
	d.t.Helper()
	conn, err := pgx.Connect(ctx, d.url)
	must(d.t, err)
	_, err = conn.Exec(ctx, `BEGIN; SELECT count(*) FROM events`)
	must(d.t, err)
	return conn
}

// TestNobodyWaitsForADrop: while a transaction that was left open keeps a partition from being
// dropped, others write and read. The drop is done once that has ended.
func TestNobodyWaitsForADrop(t *testing.T) {
	d := openDivided(t)
	d.until(d.now.Add(20 * 24 * time.Hour))
	begin, e := d.now, d.publish("old")
	d.deliver(e, event.DeliverySucceeded)
	d.until(begin.Add(retention))
	open := reading(d)
	d.now = begin.Add(retention + 2*length)
	must(t, d.MakeAhead(ctx, d.now, retention))
	dropping := make(chan error, 1)
	go func() {
		_, err := d.DropOld(ctx, d.now.Add(-retention), noYield)
		dropping <- err
	}()
	watcher, err := pgx.Connect(ctx, d.url)
	must(t, err)
	defer watcher.Close(ctx)
	awaitCount(t, watcher, `SELECT count(*) FROM pg_locks WHERE NOT granted`, 1) // the drop waits
	for i := range 20 {
		e := d.publish(fmt.Sprint("meanwhile-", i))
		d.deliver(e, event.DeliverySucceeded)
		if !d.isThere(e) {
			t.Error("an event that was published meanwhile is not there")
		}
	}
	if n := number(t, d.DB, `SELECT count(*) FROM pg_locks WHERE NOT granted`); n != 1 {
		t.Errorf("%d wait, or the drop does not wait any more", n)
	}
	if err := <-dropping; apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), "still open") {
		t.Errorf("the drop says %v", err)
	}
	must(t, open.Close(ctx))
	d.pass(d.now.Add(time.Hour))
	if d.isThere(e) || len(d.list("events", core.PartitionLeaving, core.PartitionDetached)) > 0 {
		t.Errorf("it is not dropped: %v", d.list("events"))
	}
}

// TestNobodyWaitsForAPartition that is to be made, while somebody holds a lock that it needs.
func TestNobodyWaitsForAPartition(t *testing.T) {
	d := openDivided(t)
	holder, err := pgx.Connect(ctx, d.url)
	must(t, err)
	defer holder.Close(ctx)
	_, err = holder.Exec(ctx, `BEGIN; LOCK TABLE events IN SHARE UPDATE EXCLUSIVE MODE`) // as VACUUM does
	must(t, err)
	making := make(chan error, 1)
	go func() { making <- d.MakeAhead(ctx, d.now.Add(30*24*time.Hour), retention) }()
	watcher, err := pgx.Connect(ctx, d.url)
	must(t, err)
	defer watcher.Close(ctx)
	awaitCount(t, watcher, `SELECT count(*) FROM pg_locks WHERE NOT granted`, 1)
	d.deliver(d.publish("meanwhile"), event.DeliverySucceeded)
	if err := <-making; apierr.KindOf(err) != apierr.Unavailable {
		t.Errorf("it says %v", err)
	}
	_, err = holder.Exec(ctx, `ROLLBACK`)
	must(t, err)
	must(t, d.MakeAhead(ctx, d.now.Add(30*24*time.Hour), retention))
}

// TestAMissingPartition is made by the write that finds none: after a leap of the clock, and
// of the numbers of events, for few rows and for many.
func TestAMissingPartition(t *testing.T) {
	d := openDivided(t)
	for _, years := range []int{3, 20, 10} {
		at := d.now.AddDate(years, 0, 0)
		var all []*attempt.Attempt
		for range 3 * years {
			a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindStep, StartedAt: at, Outcome: attempt.OutcomeSucceeded}
			must(t, d.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) }))
			all = append(all, a)
		}
		for _, a := range all {
			if _, err := d.Attempt(ctx, acme, a.ID); err != nil {
				t.Error(err)
			}
		}
	}
	exec(t, d.url, `SELECT setval('event_numbers', $1)`, ValueAbove(ids.FirstNumber(d.now.AddDate(7, 0, 0))))
	var many []*event.Event
	for i := range 3 * mostInStatement {
		many = append(many, newEvent(fmt.Sprint("e", i), "s"))
	}
	must(t, d.Publish(ctx, acme, many...))
	for _, e := range many {
		if !d.isThere(e) {
			t.Fatalf("%s is not there", e.ID)
		}
	}
	must(t, d.MakeAhead(ctx, d.now, retention)) // the present has not been left out
}

// TestGivenIDs are taken once, in whichever partition, by few events or many.
func TestGivenIDs(t *testing.T) {
	d := openDivided(t)
	var first, again []*event.Event
	for i := range 2 * mostInStatement {
		first, again = append(first, newEvent(fmt.Sprint("id-", i), "s")), append(again, newEvent(fmt.Sprint("id-", i), "s"))
	}
	must(t, d.Publish(ctx, acme, first...))
	d.until(d.now.Add(20 * 24 * time.Hour))
	again = append(again, newEvent("new", "s"))
	must(t, d.Publish(ctx, acme, again...))
	for i, e := range again {
		if taken := i < len(first); taken != (e.Seq == 0) {
			t.Fatalf("%s has the number %d", e.ID, e.Seq)
		}
	}
	if e := d.publish("id-1"); e.Seq != 0 {
		t.Errorf("an id that is taken has the number %d", e.Seq)
	}
	if n := number(t, d.DB, `SELECT count(*) FROM events`); n != int64(len(first))+1 {
		t.Errorf("%d events", n)
	}
}

// TestSeveralNodesMakeAndDrop at the same time, and each comes to the same.
func TestSeveralNodesMakeAndDrop(t *testing.T) {
	d := openDivided(t)
	d.until(d.now.Add(20 * 24 * time.Hour))
	begin, e := d.now, d.publish("old")
	d.deliver(e, event.DeliverySucceeded)
	d.until(begin.Add(retention))
	d.now = begin.Add(retention + 2*length)
	now, done := d.now, make(chan struct{})
	const nodes = 4
	for range nodes {
		db := openAt(t, d.url, nil, Options{Clock: func() time.Time { return now }})
		go func() {
			defer func() { done <- struct{}{} }()
			_ = db.MakeAhead(ctx, now, retention) // one may find another at work
			_, _ = db.DropOld(ctx, now.Add(-retention), noYield)
		}()
	}
	for range nodes {
		<-done
	}
	d.pass(now.Add(time.Hour))
	if d.isThere(e) || len(d.list("events", core.PartitionLeaving, core.PartitionDetached)) > 0 {
		t.Errorf("it is not dropped: %v", d.list("events"))
	}
	seen := map[string]int64{}
	for _, table := range partitioned {
		for _, p := range d.list(table) {
			if p.From < seen[table] {
				t.Errorf("%s begins before the one before it ends", p.Name)
			}
			seen[table] = p.To
		}
	}
}

// TestQuestionsReadOnePartition where they name a number or a time, and take few locks where
// they do not.
func TestQuestionsReadOnePartition(t *testing.T) {
	asked := &asked{texts: map[string][]any{}}
	url := pgtest.Database(t, Migrate)
	divide(t, url)
	db := openAt(t, url, func(c *config) { c.pool.ConnConfig.Tracer = asked }, Options{})
	at := ids.NumberTime(spreadFrom + 2*spreadOf)
	_, _ = db.Attempt(ctx, acme, ids.Numbered(ids.Attempt, at))
	_, _ = db.EventBySeq(ctx, acme, ids.FirstNumber(at))
	_, err := db.Attempts(ctx, acme, store.AttemptFilter{From: at, To: at.Add(time.Hour)}, store.Page{})
	must(t, err)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	for name, value := range planning {
		_, err := conn.Exec(ctx, fmt.Sprintf("SET %s = %s", name, value))
		must(t, err)
	}
	looked := 0
	for text, args := range asked.texts {
		if !strings.Contains(text, "FROM attempts") && !strings.Contains(text, "FROM events") || strings.Contains(text, "LEFT JOIN") && !strings.Contains(text, "a.seq <") || strings.Contains(text, "IS NOT NULL") {
			continue
		}
		looked++
		lines, err := conn.Query(ctx, "EXPLAIN "+text, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
		must(t, err)
		plan, err := pgx.CollectRows(lines, pgx.RowTo[string])
		must(t, err)
		main := "events"
		if strings.Contains(text, "FROM attempts") {
			main = "attempts"
		}
		read := map[string]bool{}
		for _, line := range plan {
			for _, word := range strings.Fields(line) {
				if p, err := partitionOf(word); err == nil && p.Table == main {
					read[word] = true
				}
			}
		}
		if len(read) != 1 {
			t.Errorf("%s reads %v: %s", text, read, strings.Join(plan, "\n"))
		}
	}
	if looked < 3 {
		t.Errorf("%d questions", looked)
	}

	// What names no number: how many locks it takes is what bounds the number of partitions.
	must(t, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT a.seq FROM attempts AS a LEFT JOIN events AS e ON e.seq = a.event AND e.tenant = a.tenant WHERE a.tenant = 'acme' AND a.order_id = 'o1' AND a.order_id <> '' ORDER BY a.seq DESC LIMIT 50`); err != nil {
			return err
		}
		var locks int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'`).Scan(&locks); err != nil {
			return err
		}
		t.Logf("%d locks with %d partitions", locks, spreadOver+1)
		if locks > 300 {
			t.Errorf("the attempts of an order take %d locks", locks)
		}
		return nil
	}))
}

// TestTheTablesAreAnalysed as a whole, which the server does not do by itself.
func TestTheTablesAreAnalysed(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	config, err := parse(url)
	must(t, err)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	p := newPartitions(config, asker{conn}.QueryOnce, slog.New(slog.DiscardHandler))
	must(t, p.Analyze(ctx))
	const analysed = `SELECT count(*) FROM pg_stat_user_tables WHERE relname IN ('events', 'attempts') AND last_analyze IS NOT NULL`
	awaitCount(t, conn, analysed, 2) // the server notes it a moment later
	var first, second string
	const when = `SELECT string_agg(last_analyze::text, ' ' ORDER BY relname) FROM pg_stat_user_tables WHERE relname IN ('events', 'attempts')`
	must(t, conn.QueryRow(ctx, when).Scan(&first))
	must(t, p.Analyze(ctx))
	must(t, conn.QueryRow(ctx, when).Scan(&second))
	if first != second {
		t.Error("they are analysed again at once")
	}
}
