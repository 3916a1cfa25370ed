// Package bench measures orderhook against a bare HTTP client: same endpoint, same
// bodies, same cores, same run. Machines differ and are noisy, so what counts are the
// differences and ratios, not the single figures.
//
// It uses the server as its callers do: through the API. It knows one of the server's parts,
// app, which starts a server; and how databases of a PostgreSQL server are made and removed. A
// measurement returns its part of the report, with a bar where the aims name one
// (docs/design.md#aims).
//
// measurements is the list to begin with; delivery.go is the one that most others are
// like.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// wholeBudget is the budget with which every measurement has the size that its
// bar speaks of.
const wholeBudget = 5 * time.Second

// Options of a run. Out is needed.
type Options struct {
	Out     io.Writer     // the report, in Markdown
	Quick   bool          // a hundredth of the time, a thousandth of the size: to see that it works
	Version string        // of orderhook
	Budget  time.Duration // of each measurement; 0: 5 s. With less, they are smaller
	Only    []string      // names of measurements; none: all
	// Database is the URL of a database on a PostgreSQL server. Everything is measured on
	// that server, too, in databases that are made for it and removed; "": on SQLite alone.
	Database string

	// Profiles of this process, files in pprof's format; "": none.
	CPUProfile, AllocProfile string
}

// measurement is a part of the report. Each gets a server and a database of
// its own. run returns its part as Markdown. An error ends the whole run: figures beside
// a measurement that failed would be taken for good ones.
type measurement struct {
	name string
	run  func(*bench, context.Context) (string, error)
	only string // the name of the engine that it is for; "": for all
}

// measurements are all of them, in the order of the report.
var measurements = []measurement{
	{name: "steps", run: (*bench).steps},
	{name: "carts", run: (*bench).carts},
	{name: "fleet", run: (*bench).fleet},
	{name: "runs", run: (*bench).waiting},
	{name: "arrays", run: (*bench).arrays},
	{name: "secure", run: (*bench).secureArrays},
	{name: "singles", run: (*bench).singles},
	{name: "latency", run: (*bench).latency},
	{name: "ill", run: (*bench).unhealthy},
	{name: "many", run: (*bench).many},
	{name: "handshakes", run: (*bench).handshakes},
	{name: "isolation", run: (*bench).isolation},
	{name: "nodes", run: (*bench).nodes, only: postgresName},
	{name: "pinned", run: (*bench).pinned, only: postgresName},
	{name: "backlog", run: (*bench).backlog},
	{name: "search", run: (*bench).search},
	{name: "pages", run: (*bench).pages},
}

// Run makes the measurements and writes the report as it goes. What has been written by
// the time of an error stands.
func Run(ctx context.Context, o Options) (err error) {
	if o.Budget == 0 {
		o.Budget = wholeBudget
	}
	// A quick run has a hundredth of the time.
	if o.Quick {
		o.Budget /= 100
	}
	chosen, err := choose(o.Only)
	if err != nil {
		return err
	}
	end, err := profile(o.CPUProfile, o.AllocProfile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	// The report is written part by part, so a run that fails in the middle has its first
	// parts.
	if _, err := fmt.Fprint(o.Out, o.heading()); err != nil {
		return err
	}
	for _, m := range chosen {
		for _, e := range o.engines() {
			// Some measurements are about what only a PostgreSQL server has: several
			// nodes, and transactions of other people.
			if m.only != "" && m.only != e.name {
				continue
			}
			part, err := o.measure(ctx, m, e)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", m.name, e.name, err)
			}
			if _, err := fmt.Fprint(o.Out, e.titled(part)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Names are those of the measurements, in the order of the report.
func Names() (names []string) {
	for _, m := range measurements {
		names = append(names, m.name)
	}
	return names
}

// choose returns the measurements of some names, all if there are none. The order is that
// of the report, whatever the order of the names.
func choose(names []string) ([]measurement, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, app.UserErrorf("there is no measurement %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(measurements), func(m measurement) bool {
		return len(names) > 0 && !slices.Contains(names, m.name)
	}), nil
}

// scale is how much of its size a measurement has. It is at most 1: a longer budget makes
// measurements longer, and not larger.
func (o *Options) scale() float64 {
	if o.Quick {
		return 0.001
	}
	return min(1, o.Budget.Seconds()/wholeBudget.Seconds())
}

// patience is how long a server has to stop, and an event to arrive: more than
// any takes that does as it should.
const patience = 30 * time.Second

// measure starts a server and an endpoint, measures, and stops them. The server runs in
// this process, so that a profile has all of it; measurements that need a server of its
// own start another one.
func (o *Options) measure(ctx context.Context, m measurement, e engine) (_ string, err error) {
	folder, err := os.MkdirTemp("", "orderhook-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	// Each measurement has an empty database, so the order in which they are made has no
	// part in it.
	db, err := e.newDatabase(ctx, folder, "bench")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	var a *app.App
	// The goroutines that the server starts inherit the label, so a profile can tell its
	// work from the publishers'.
	part(ctx, "server", func() {
		a, err = app.Start(ctx, app.Options{Listen: "127.0.0.1:0", Database: db.name, EncryptionKey: encryptionKey, APIKey: key, Version: o.Version})
	})
	if err != nil {
		return "", err
	}
	// The endpoint of the steps is in this process as well. Measurements of events have a
	// sink of their own.
	endpoint := startEndpoint()
	b := &bench{server: a, url: a.URL, target: endpoint.URL, engine: e, database: db, budget: o.Budget, scale: o.scale(), folder: folder, client: newClient()}
	report, err := m.run(b, ctx)
	endpoint.Close()
	b.client.CloseIdleConnections()
	// The server is stopped also after a signal has ended ctx. An error of stopping is an
	// error of the measurement: a server that does not end would take processors from the
	// next one.
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return report, errors.Join(err, a.Stop(stop))
}

// key is an API key of a server that lives for one measurement.
const key = "bench-key-of-a-server-on-loopback"
