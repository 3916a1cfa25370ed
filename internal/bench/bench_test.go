package bench

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// TestMain makes the test's binary a server, or an attack, when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == AttackCommand {
		if err := attackAs(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		fmt.Fprintln(os.Stderr, serve(os.Args[2:]))
		os.Exit(1)
	}
	os.Exit(pgtest.Run(m))
}

func attackAs(args []string) (err error) {
	o := AttackOptions{URL: args[1], Reader: args[2]}
	if o.Number, err = strconv.Atoi(args[0]); err != nil {
		return err
	}
	if o.Scale, err = strconv.ParseFloat(args[3], 64); err != nil {
		return err
	}
	return Attack(context.Background(), o, os.Stdin, os.Stdout)
}

func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen, database, apiKey := flags.String("listen", "", ""), flags.String("database", "", ""), flags.String("api-key", "", "")
	encryption := flags.String("encryption-key", "", "")
	flags.String("log-level", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	a, err := app.Start(context.Background(), app.Options{Listen: *listen, Database: *database, EncryptionKey: *encryption, APIKey: *apiKey, Version: "test"})
	if err != nil {
		return err
	}
	fmt.Println("listening on", a.URL)
	return <-a.Failed
}

func TestTheReportHasEveryMeasurement(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Out: &out, Quick: true, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"engine overhead of the step", "| 1 |", "| 8 |", "| 64 |", "overhead of the validation", "endpoints allow", "runs waiting",
		"in arrays of 100", "in arrays of 100, over TLS", "one by one by 32 publishers", "by 256 publishers", "and indexed", "need a new connection, to 1 hosts", "| whole |", "| resumed |", "published to delivered", "hang until", "1 byte a second",
		"100 endpoints with one event each a second", "does its worst", "1000 deliveries waiting", "an order number", "a UUID", "Pages of the dashboard", "`/attempts?kind=event`",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the report:\n%s", want, out.String())
		}
	}
}

// TestOnPostgreSQL measures on a server beside SQLite, and leaves nothing there.
func TestOnPostgreSQL(t *testing.T) {
	server := pgtest.Empty(t)
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Out: &out, Quick: true, Database: server, Only: []string{"latency", "nodes", "pinned"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SQLite and PostgreSQL", "50 events a second\n", "50 events a second, on PostgreSQL", "Deliveries a second of several nodes, on PostgreSQL", "| 3 |", "stays open, on PostgreSQL",
		"at most 1.5 ms", "at most 3 ms"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the report:\n%s", want, out.String())
		}
	}
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var left int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_database WHERE datname LIKE 'orderhook_bench%'`).Scan(&left); err != nil || left > 0 {
		t.Errorf("%d databases are left, %v", left, err)
	}
	err = Run(t.Context(), Options{Out: &out, Quick: true, Database: "postgres://nobody@127.0.0.1:1/x", Only: []string{"latency"}})
	if err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("a server that is not there: %v", err)
	}
}

func TestOnlySomeMeasurements(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Out: &out, Quick: true, Only: []string{"latency"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "published to delivered") || strings.Contains(out.String(), "engine overhead") {
		t.Errorf("asked for the latency alone:\n%s", out.String())
	}
	err := Run(t.Context(), Options{Out: &out, Quick: true, Only: []string{"latency", "speed"}})
	if !app.IsUserError(err) || !strings.Contains(err.Error(), `"speed"`) {
		t.Errorf("a measurement that there is not: %v", err)
	}
}
