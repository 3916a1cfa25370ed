package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// meet has a node join, and returns where it meets the others.
func meet(t *testing.T, db *DB, id string) *meeting {
	t.Helper()
	m := db.Nodes().(*meeting)
	_, err := m.Join(ctx, nodes.Info{ID: id, Name: "host/1", Address: "127.0.0.1:1", Version: "v1", Started: time.Unix(1, 0)}, nodes.DefaultLasts)
	must(t, err)
	_, err = m.Look(ctx, id, nodes.DefaultLasts)
	must(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func exec(t *testing.T, url, text string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, text, args...)
	must(t, err)
}

// TestALeaseHasOneHolder: nobody else gets it before its node is gone, or has given it
// back; and each time it has a higher epoch.
func TestALeaseHasOneHolder(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	a, b := meet(t, db, "a"), meet(t, db, "b")
	take := func(m *meeting, id string, want ...nodes.Lease) {
		t.Helper()
		got, err := m.Take(ctx, id, []string{"one", "two"})
		must(t, err)
		slices.SortFunc(got, func(x, y nodes.Lease) int { return int(x.Epoch-y.Epoch) + len(x.Name) - len(y.Name) })
		if !slices.Equal(got, want) {
			t.Errorf("%s takes %v, want %v", id, got, want)
		}
	}
	first, err := a.Take(ctx, "a", []string{"one"})
	must(t, err)
	if !slices.Equal(first, []nodes.Lease{{Name: "one", Epoch: 1}}) {
		t.Error(first)
	}
	take(b, "b", nodes.Lease{Name: "two", Epoch: 1})
	take(a, "a")
	must(t, a.End(ctx, "a", first))
	take(b, "b", nodes.Lease{Name: "one", Epoch: 2})
	must(t, a.End(ctx, "a", first)) // what it had once is not its own
	must(t, a.Bury(ctx, "b"))       // b is alive
	take(a, "a")
	must(t, b.Leave(ctx, "b"))
	got, err := a.Take(ctx, "a", []string{"one", "two"})
	must(t, err)
	if len(got) != 2 || got[0].Epoch+got[1].Epoch != 5 {
		t.Errorf("a takes %v", got)
	}
	if got, err := b.Take(ctx, "b", []string{"three"}); err != nil || len(got) != 0 {
		t.Errorf("who has left takes %v, %v", got, err)
	}
}

// TestWhoIsDead: a node is that has said nothing for too long, or whose connection is gone;
// not one that has made another connection.
func TestWhoIsDead(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	a, b := meet(t, db, "a"), meet(t, db, "b")
	look := func() nodes.Neighbor {
		t.Helper()
		v, err := a.Look(ctx, "a", 0)
		must(t, err)
		for _, n := range v.Nodes {
			if n.ID == "b" {
				return n
			}
		}
		t.Fatal("b is not known")
		return nodes.Neighbor{}
	}
	if n := look(); n.Silent || n.Gone || n.Name != "host/1" || n.Address != "127.0.0.1:1" || n.Version != "v1" || n.Seen.IsZero() {
		t.Errorf("b is %+v", n)
	}
	exec(t, url, `UPDATE nodes SET until = clock_timestamp() WHERE id = 'b'`)
	if n := look(); !n.Silent || n.Gone {
		t.Errorf("b, which is silent, is %+v", n)
	}
	_, err := b.Look(ctx, "b", nodes.DefaultLasts)
	must(t, err)
	if n := look(); n.Silent {
		t.Errorf("b, which has said something, is %+v", n)
	}
	must(t, b.conn.Close(ctx))
	awaitTrue(t, func() bool { return look().Gone })
	_, err = b.Look(ctx, "b", 0) // by another connection
	must(t, err)
	if n := look(); n.Gone {
		t.Errorf("b, which has another connection, is %+v", n)
	}
	must(t, b.Close())
	awaitTrue(t, func() bool { return look().Gone })
	must(t, a.Bury(ctx, "b"))
	v, err := a.Look(ctx, "a", 0)
	must(t, err)
	if len(v.Nodes) != 1 {
		t.Errorf("%d nodes are left", len(v.Nodes))
	}
}

// TestBehindAPooler the end of a connection says nothing of a node: the pooler has it.
func TestBehindAPooler(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	a := meet(t, db, "a")
	must(t, a.batch(ctx, &pgx.Batch{}))
	var b pgx.Batch
	b.Queue(renewNode, "a", nodes.DefaultLasts.Milliseconds(), int64(1)) // as a pooler gives a number of its own
	must(t, a.batch(ctx, &b))
	if n := number(t, db, `SELECT pid FROM nodes`); n != 0 {
		t.Errorf("the connection %d stands for the node", n)
	}
	_, err := a.Look(ctx, "a", nodes.DefaultLasts)
	must(t, err)
	if n := number(t, db, `SELECT pid FROM nodes`); n == 0 {
		t.Error("no connection stands for the node")
	}
}

func awaitTrue(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never is")
		}
	}
}

// TestAWriteByALostLease is refused, and those that are committed with it are not; one by a
// lease that holds is committed.
func TestAWriteByALostLease(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{Writers: 1})
	a, b := meet(t, db, "a"), meet(t, db, "b")
	had, err := a.Take(ctx, "a", []string{"one", "two"})
	must(t, err)
	by := func(epochs ...int64) context.Context {
		return nodes.Under(ctx, nodes.Lease{Name: "one", Epoch: epochs[0]}, nodes.Lease{Name: "two", Epoch: epochs[1]})
	}
	must(t, db.Write(by(1, 1), insert("o1")))
	must(t, a.End(ctx, "a", had[:1]))
	other := had[0].Name
	_, err = b.Take(ctx, "b", []string{other})
	must(t, err)
	var wg sync.WaitGroup
	var late [8]error
	for i := range late {
		wg.Go(func() { late[i] = db.Write(by(1, 1), insert(fmt.Sprint("late", i))) })
		wg.Go(func() {
			if err := db.Write(ctx, insert(fmt.Sprint("other", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, err := range late {
		if !errors.Is(err, nodes.ErrLost) {
			t.Errorf("a late write: %v", err)
		}
		if has(t, db, fmt.Sprint("late", i)) || !has(t, db, fmt.Sprint("other", i)) {
			t.Error("a late write is there, or one beside it is not")
		}
	}
	epochs := map[string][2]int64{"one": {2, 1}, "two": {1, 2}}[other]
	must(t, db.Write(by(epochs[0], epochs[1]), insert("o2")))
}

// TestALeaseInUseIsNotTaken: who uses one ends first, so that whoever takes it over sees
// all that was written by it.
func TestALeaseInUseIsNotTaken(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	b := meet(t, db, "b")
	exec(t, url, `INSERT INTO leases (name, epoch, node) VALUES ('one', 1, 'dead')`)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	tx, err := conn.Begin(ctx)
	must(t, err)
	_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, lockNumber(leaseLock("one", true)))
	must(t, err)
	if got, err := b.Take(ctx, "b", []string{"one", "two"}); err != nil || !slices.Equal(got, []nodes.Lease{{Name: "two", Epoch: 1}}) {
		t.Errorf("b takes %v, %v", got, err)
	}
	must(t, tx.Rollback(ctx))
	if got, err := b.Take(ctx, "b", []string{"one"}); err != nil || !slices.Equal(got, []nodes.Lease{{Name: "one", Epoch: 2}}) {
		t.Errorf("b takes %v, %v", got, err)
	}
	// And a write that uses it locks it.
	waits := make(chan error, 1)
	lock, err := conn.Begin(ctx)
	must(t, err)
	_, err = lock.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockNumber(leaseLock("one", false)))
	must(t, err)
	go func() { waits <- db.Write(nodes.Under(ctx, nodes.Lease{Name: "one", Epoch: 2}), insert("o1")) }()
	awaitTrue(t, func() bool { return number(t, db, `SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0 })
	must(t, lock.Rollback(ctx))
	must(t, <-waits)
}

// TestAClaimOfTwoNodes is one's at a time; that of a dead node is free, and forgotten.
func TestAClaimOfTwoNodes(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	a, b := meet(t, db, "a"), meet(t, db, "b")
	claims := func(m *meeting, id string, want bool) {
		t.Helper()
		if got, err := m.Claim(ctx, nodes.ClaimID{Node: id, Name: "claim/key", Number: 1}); err != nil || got != want {
			t.Errorf("%s gets the claim: %t, %v", id, got, err)
		}
	}
	claims(a, "a", true)
	claims(b, "b", false)
	unclaim := func(id string, number int64) {
		t.Helper()
		must(t, a.Unclaim(ctx, nodes.ClaimID{Node: id, Name: "claim/key", Number: number}))
	}
	unclaim("b", 1)
	unclaim("a", 2)
	claims(b, "b", false)
	got, err := a.Claim(ctx, nodes.ClaimID{Node: "a", Name: "claim/key", Number: 2}) // that of before could not be given up
	must(t, err)
	if unclaim("a", 1); !got {
		t.Error("a node waits for itself")
	}
	claims(b, "b", false)
	unclaim("a", 2)
	claims(b, "b", true)
	exec(t, url, `UPDATE nodes SET until = clock_timestamp() WHERE id = 'b'`)
	claims(a, "a", false) // until b is buried
	must(t, a.Bury(ctx, "b"))
	if n := number(t, db, `SELECT count(*) FROM leases`); n != 0 {
		t.Errorf("%d claims are left", n)
	}
	claims(a, "a", true)
	v, err := a.Look(ctx, "a", 0)
	must(t, err)
	if len(v.Leases) != 0 {
		t.Errorf("claims are shown as leases: %v", v.Leases)
	}
}

// TestNews reaches the others in its order, notified or asked for, and none is posted where
// there are no others.
func TestNews(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	a := meet(t, db, "a")
	must(t, a.Post(ctx, "a", []byte(`nobody hears`)))
	if n := number(t, db, `SELECT count(*) FROM news`); n != 0 {
		t.Errorf("%d news for nobody", n)
	}
	b := meet(t, db, "b")
	await := func(want nodes.Notice) { // others may come before
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		for b.Await(ctx) != want {
			if ctx.Err() != nil {
				t.Fatalf("the notice %d does not come", want)
			}
		}
	}
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	for b.Await(short) != nodes.Nothing { // of its own joining
	}
	must(t, a.Post(ctx, "a", []byte(`1`)))
	await(nodes.NewsCame)
	must(t, a.Post(ctx, "a", []byte(`2`)))
	all, now, err := b.News(ctx, 0)
	must(t, err)
	if len(all) != 2 || string(all[0].Body) != "1" || string(all[1].Body) != "2" || all[0].Node != "a" || now.IsZero() {
		t.Errorf("b hears %+v at %v", all, now)
	}
	if rest, _, err := b.News(ctx, all[0].Number); err != nil || len(rest) != 1 || rest[0].Number != all[1].Number {
		t.Errorf("b hears %+v after the first, %v", rest, err)
	}
	await(nodes.NewsCame)
	must(t, a.Leave(ctx, "a"))
	await(nodes.Changed)
	exec(t, url, `UPDATE news SET at = at - interval '1 hour' WHERE body = '1'`)
	_, err = b.Look(ctx, "b", nodes.DefaultLasts)
	must(t, err)
	if n := number(t, db, `SELECT count(*) FROM news`); n != 1 {
		t.Errorf("%d news are retained", n)
	}
}

// TestNewsHasNoGap: whoever reads news up to a number finds no lower one later.
func TestNewsHasNoGap(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	meet(t, db, "a")
	listener := meet(t, db, "b")
	tellers := []*meeting{db.Nodes().(*meeting), openAt(t, url, nil, Options{}).Nodes().(*meeting)}
	var wg sync.WaitGroup
	for i, m := range tellers {
		wg.Go(func() {
			for range 100 {
				if err := m.Post(ctx, "a", []byte(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	heard, last := 0, int64(0)
	for end := time.Now().Add(60 * time.Second); heard < 200 && time.Now().Before(end); {
		all, _, err := listener.News(ctx, last)
		must(t, err)
		for _, p := range all {
			if p.Number <= last {
				t.Errorf("%d comes behind %d", p.Number, last)
			}
			last = p.Number
			heard++
		}
	}
	wg.Wait()
	if heard != 200 {
		t.Errorf("%d of 200 were heard", heard)
	}
}

var _ core.Engine = (*engine)(nil)

// TestACommandTakesNobodyForDeadAtOnce: a node whose connection is gone at one look may be about
// to make another, and then the command does not get the database.
func TestACommandTakesNobodyForDeadAtOnce(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	a, command := meet(t, db, "a"), db.Nodes().(*meeting)
	t.Cleanup(func() { _ = command.Close() })
	look := func(before ...string) (alone bool, gone []string) {
		t.Helper()
		alone, gone, err := command.joinAlone(ctx, "command", append([]string{}, before...))
		must(t, err)
		return alone, gone
	}
	if alone, gone := look(); alone || len(gone) > 0 {
		t.Fatalf("beside a node that is alive: alone %t, gone %v", alone, gone)
	}
	must(t, a.conn.Close(ctx))
	awaitTrue(t, func() bool {
		alone, gone := look()
		if alone {
			t.Fatal("the command has the database after one look")
		}
		return slices.Equal(gone, []string{"a"})
	})
	_, err := a.Look(ctx, "a", 0) // by another connection
	must(t, err)
	if alone, gone := look("a"); alone || len(gone) > 0 {
		t.Errorf("beside a node that has made another connection: alone %t, gone %v", alone, gone)
	}
	must(t, a.Close())
	awaitTrue(t, func() bool { _, gone := look(); return len(gone) == 1 })
	if alone, _ := look("a"); !alone {
		t.Error("a node that is gone at two looks is not dead")
	}
}

// TestANodeWithTheKeyOfBefore: while it was cut off, the encryption key was replaced. It may not
// join again, and what it seals is refused.
func TestANodeWithTheKeyOfBefore(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	to := putEndpoint(t, db, event.OrderingNone)
	a := meet(t, db, "a")
	must(t, a.Close())
	awaitTrue(t, func() bool { // the node is gone at two looks
		_, err := Rotate(ctx, url, testKey, testKey+" which is new")
		if err != nil && !errors.Is(err, ErrInUse) {
			t.Fatal(err)
		}
		return err == nil
	})
	v, err := a.Look(ctx, "a", nodes.DefaultLasts)
	must(t, err)
	if len(v.Nodes) != 0 {
		t.Errorf("the nodes are %+v", v.Nodes)
	}
	if _, err := a.Join(ctx, nodes.Info{ID: "a again"}, nodes.DefaultLasts); !errors.Is(err, nodes.ErrBarred) || !errors.Is(err, core.ErrKeyReplaced) {
		t.Errorf("it joins: %v", err)
	}
	changed := *to
	changed.Description = "sealed with the key of before"
	if err := db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, &changed) }); !errors.Is(err, core.ErrKeyReplaced) {
		t.Errorf("it seals: %v", err)
	}
	other, err := Open(ctx, url, Options{EncryptionKey: testKey + " which is new"})
	must(t, err)
	meet(t, other, "b")
	got, err := other.Endpoint(ctx, acme, to.ID)
	must(t, errors.Join(err, other.Close()))
	if got.Description != "" {
		t.Errorf("the endpoint is %q", got.Description)
	}
}

// TestASealWaitsForTheKeyThatIsReplaced, and is refused behind it: no check of both holds.
func TestASealWaitsForTheKeyThatIsReplaced(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	to := putEndpoint(t, db, event.OrderingNone)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	tx, err := conn.Begin(ctx)
	must(t, err)
	_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockNumber(core.Lock{Name: "encryption key"})) // as who replaces the key
	must(t, err)
	_, err = tx.Exec(ctx, `UPDATE meta SET value = 'another' WHERE name = $1`, core.MetaSalt)
	must(t, err)
	written := make(chan error, 1)
	changed := *to
	changed.Description = "changed"
	go func() {
		written <- db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, &changed) })
	}()
	awaitTrue(t, func() bool { return number(t, db, `SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0 })
	must(t, tx.Commit(ctx))
	if err := <-written; !errors.Is(err, core.ErrKeyReplaced) {
		t.Errorf("it is written: %v", err)
	}
}
