package postgres

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// TestTwoNodesInOneGroup: of a subject one delivery is due, whoever publishes its events.
func TestTwoNodesInOneGroup(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	nodes := []*DB{openAt(t, url, nil, Options{}), openAt(t, url, nil, Options{})}
	putEndpoint(t, nodes[0], event.OrderingSubject)
	var wg sync.WaitGroup
	for n, db := range nodes {
		for i := range 40 {
			wg.Go(func() {
				if err := db.Publish(ctx, acme, newEvent(fmt.Sprint("e", n, "-", i), fmt.Sprint(i%20))); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if n := number(t, nodes[0], `SELECT count(*) FROM deliveries`); n != 80 {
		t.Errorf("%d deliveries", n)
	}
	if n := number(t, nodes[0], `SELECT count(*) FROM deliveries WHERE due > 0`); n != 20 {
		t.Errorf("%d deliveries of 20 subjects are due", n)
	}
}

// TestTheLastAdminsOfTwoNodes: each deletes the other's key, and one of the two stays.
func TestTheLastAdminsOfTwoNodes(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	nodes := []*DB{openAt(t, url, nil, Options{}), openAt(t, url, nil, Options{})}
	for round := range 10 {
		tenant := fmt.Sprint("tenant-", round)
		for _, id := range []string{"a", "b"} {
			must(t, nodes[0].Write(ctx, func(tx store.Tx) error {
				return tx.InsertKey(ctx, access.Key{Tenant: tenant, ID: id, Role: access.Admin, Created: time.Unix(1, 0), Hash: access.HashKey(tenant + id)})
			}))
		}
		answers := make(chan error, 2)
		for i, id := range []string{"a", "b"} {
			go func() {
				answers <- nodes[i].Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, tenant, id) })
			}()
		}
		if one, other := <-answers, <-answers; (one == nil) == (other == nil) {
			t.Fatalf("the last two admins: %v, %v", one, other)
		}
	}
}

// TestNumbersOfNodesAscend: whoever asks later has a larger one.
func TestNumbersOfNodesAscend(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	nodes := []*DB{openAt(t, url, nil, Options{}), openAt(t, url, nil, Options{})}
	last := int64(0)
	for i := range 20 {
		n := 1 + i*50
		first, err := nodes[i%2].engine.Numbers(ctx, n)
		must(t, err)
		if first <= last {
			t.Errorf("%d comes behind %d", first, last)
		}
		last = first + int64(n) - 1
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	taken := map[int64]bool{}
	for i := range 200 {
		wg.Go(func() {
			first, err := nodes[i%2].engine.Numbers(ctx, 3)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || first <= last || taken[first] || taken[first+1] || taken[first+2] {
				t.Errorf("%d, behind %d: %v", first, last, err)
			}
			taken[first], taken[first+1], taken[first+2] = true, true, true
		})
	}
	wg.Wait()
	_, err := nodes[0].engine.Numbers(ctx, blockOf+1)
	wantKind(t, err, apierr.TooLarge)
}

// TestAwaitOthers waits for the transactions that are under way, and for no other.
func TestAwaitOthers(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	over := func(want bool) {
		t.Helper()
		if is, err := db.engine.AwaitOthers(ctx); err != nil || is != want {
			t.Errorf("over: %v, %v, want %v", is, err, want)
		}
	}
	over(true)
	tx, err := conn.Begin(ctx)
	must(t, err)
	_, err = tx.Exec(ctx, `INSERT INTO meta (name, value) VALUES ('slow', '')`)
	must(t, err)
	over(false)
	must(t, tx.Commit(ctx))
	over(true)
}

// TestNodesThatStartAtOnce bring a new database up to date once, with one key.
func TestNodesThatStartAtOnce(t *testing.T) {
	url := pgtest.Empty(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := Open(ctx, url, Options{EncryptionKey: testKey})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(db.Ping(ctx), db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	_, err := Open(ctx, url, Options{EncryptionKey: testKey + "?"})
	if err == nil || !strings.Contains(err.Error(), "does not fit the database") {
		t.Errorf("another key: %v", err)
	}
}

// TestAnEndpointOfAnotherNode gets what is published from then on, though this node has the
// endpoints of before in memory.
func TestAnEndpointOfAnotherNode(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	publisher, other := openAt(t, url, nil, Options{}), openAt(t, url, nil, Options{})
	for round := range 10 {
		must(t, other.Write(ctx, func(tx store.Tx) error {
			return tx.PutEndpoint(ctx, acme, &event.Endpoint{ID: fmt.Sprint("ep", round), Origin: event.OriginAPI, URL: "https://example.com",
				EventTypes: []string{"*"}, Enabled: true, Schedule: event.DefaultSchedule, Ordering: event.OrderingNone})
		}))
		before := number(t, publisher, `SELECT count(*) FROM deliveries`)
		var wg sync.WaitGroup
		for i := range 5 { // some of which are stored as one
			wg.Go(func() {
				if err := publisher.Publish(ctx, acme, newEvent(fmt.Sprint("e", round, "-", i), "")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := number(t, publisher, `SELECT count(*) FROM deliveries`) - before; n != int64(5*(round+1)) {
			t.Errorf("5 events went to %d of %d endpoints", n/5, round+1)
		}
	}
}
