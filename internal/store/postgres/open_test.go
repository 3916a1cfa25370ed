package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// TestWhatIsNoText is kept with a mark in the place of what no text of the server may hold.
func TestWhatIsNoText(t *testing.T) {
	for in, want := range map[string]string{"": "", "æ": "æ", "a\x00b": "a\uFFFDb", "a\xffb": "a\uFFFDb"} {
		if got := text(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	db := openTemp(t)
	o := testOrder("o1")
	o.Doc.Set("storeId", "a\x00b")
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, o) }))
	got, err := db.Order(ctx, acme, "o1")
	must(t, err)
	if got.Doc.Text("storeId") != "a\x00b" {
		t.Errorf("the document has %q", got.Doc.Text("storeId"))
	}
}

// TestAServerThatIsNotThere is said so, without the password.
func TestAServerThatIsNotThere(t *testing.T) {
	for _, url := range []string{"postgres://u:s3cret@127.0.0.1:1/x", "postgres://u:s3cret@[/x", "postgres://u:s3cret@h:many/x", "postgres://u:s3cret@h/x?sslmode=what"} {
		_, err := Open(ctx, url, Options{EncryptionKey: testKey})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v", err)
		}
	}
	if _, err := Open(ctx, "postgres://u:s3cret@127.0.0.1:1/x", Options{}); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
}

// TestLongTexts are found by, exactly, where an index has but their beginning; and what is
// too long to be looked up is said to be.
func TestLongTexts(t *testing.T) {
	db := openTemp(t)
	random := rand.New(rand.NewPCG(1, 2))
	long := func(n int) string {
		text := make([]byte, n) // that cannot be compressed much
		for i := range text {
			text[i] = byte('a' + random.IntN(26))
		}
		return string(text)
	}
	email := long(20_000)
	for id, value := range map[string]string{"o1": email, "o2": email + "x", "o3": email[:600]} {
		o := testOrder(id)
		o.Doc.Set("customerEmail", value)
		o.Doc.Set("status", value)
		o.Doc.Set("subscriptionId", value)
		o.Doc.Set("storeId", value)
		must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, o) }))
	}
	for _, f := range []store.OrderFilter{{CustomerEmail: email}, {Status: email}, {SubscriptionID: email}, {StoreID: email}} {
		list, err := db.Orders(ctx, acme, f, store.Page{})
		must(t, err)
		if len(list.Items) != 1 || list.Items[0].ID != "o1" {
			t.Errorf("%d orders have it", len(list.Items))
		}
	}
	wantKind(t, db.Write(ctx, insert(long(20_000))), apierr.Invalid)
}

// TestPing says whether the server answers, and takes writes.
func TestPing(t *testing.T) {
	var down atomic.Bool
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, func(c *config) {
		dial := c.pool.ConnConfig.DialFunc
		c.pool.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			if down.Load() {
				return nil, errors.New("the network is down")
			}
			return dial(ctx, network, address)
		}
	}, Options{})
	must(t, db.Ping(ctx))
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	down.Store(true)
	_, err = conn.Exec(ctx, end)
	must(t, err)
	wantKind(t, db.Ping(ctx), apierr.Unavailable)
	wantKind(t, db.Write(ctx, insert("o1")), apierr.Unavailable)
	down.Store(false)
	must(t, db.Ping(ctx))
	_, err = conn.Exec(ctx, `ALTER DATABASE `+conn.Config().Database+` SET default_transaction_read_only = on`)
	must(t, err)
	_, err = conn.Exec(ctx, end)
	must(t, err)
	db.engine.writers.figures.Forget()
	if err := db.Ping(ctx); apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), "takes no writes") {
		t.Errorf("a database that takes no writes: %v", err)
	}
}

// TestADatabaseThatTakesWritesAgain: connections that began while it took none are not kept,
// whether that shows when they are made or when something is written.
func TestADatabaseThatTakesWritesAgain(t *testing.T) {
	for name, change := range map[string]func(*config){
		"when they are made": nil,
		"when something is written": func(c *config) {
			c.pool.ConnConfig.ValidateConnect = func(context.Context, *pgconn.PgConn) error { return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.Database(t, Migrate)
			db := openAt(t, url, change, Options{Writers: 1})
			m := meet(t, db, "a")
			must(t, db.Write(ctx, insert("o1")))
			conn, err := pgx.Connect(ctx, url)
			must(t, err)
			defer conn.Close(ctx)
			all := func() []error {
				_, claim := m.Claim(ctx, nodes.ClaimID{Node: "a", Name: "claim/key", Number: 1})
				_, look := m.Look(ctx, "a", time.Minute)
				return []error{db.Write(ctx, insert("o2")), claim, look, m.Post(ctx, "a", []byte("news"))}
			}
			begunAnew := func(how string) {
				t.Helper()
				for _, text := range []string{
					`ALTER DATABASE ` + conn.Config().Database + how,
					`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
				} {
					_, err := conn.Exec(ctx, text)
					must(t, err)
				}
			}
			begunAnew(` SET default_transaction_read_only = on`)
			all() // some meet the loss of their connection
			for i, err := range all() {
				if apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), "takes no writes") {
					t.Errorf("%d, while it takes none: %v", i, err)
				}
			}
			if change == nil { // what is read could be old
				_, err := db.Order(ctx, acme, "o1")
				wantKind(t, err, apierr.Unavailable)
			}
			_, err = conn.Exec(ctx, `ALTER DATABASE `+conn.Config().Database+` RESET default_transaction_read_only`)
			must(t, err)
			for i, err := range all() {
				if err != nil {
					t.Errorf("%d, afterwards: %v", i, err)
				}
			}
		})
	}
}

// TestADatabaseThatDoesNotSuit is refused, and so is one that is somebody else's.
func TestADatabaseThatDoesNotSuit(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	own := conn.Config().Database
	for name, c := range map[string]struct{ how, do, want string }{
		"ascii":  {`ENCODING 'SQL_ASCII' TEMPLATE template0`, `SELECT 1`, "create it with ENCODING 'UTF8'"},
		"others": {`TEMPLATE template0`, `CREATE TABLE theirs (a int)`, "not one of orderhook's"},
		"newer":  {`TEMPLATE template0`, `CREATE TABLE goose_db_version (version_id bigint); INSERT INTO goose_db_version VALUES (9999)`, "of a newer orderhook"},
	} {
		database := own + name
		_, err := conn.Exec(ctx, `CREATE DATABASE `+database+` `+c.how)
		must(t, err)
		other := strings.Replace(url, "/"+own+"?", "/"+database+"?", 1)
		prepared, err := pgx.Connect(ctx, other)
		must(t, err)
		_, err = prepared.Exec(ctx, c.do)
		must(t, errors.Join(err, prepared.Close(ctx)))
		if _, err := Open(ctx, other, Options{EncryptionKey: testKey}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		_, err = conn.Exec(ctx, `DROP DATABASE `+database)
		must(t, err)
	}
}
