// Package bench measures orderhook against a bare HTTP client: same endpoint,
// same bodies, same cores, same run. Machines differ and are noisy, so what
// counts are the differences and ratios, not the single figures.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// wholeBudget is the budget with which every measurement has the size that its
// bar speaks of.
const wholeBudget = 5 * time.Second

// Options of a run.
type Options struct {
	Out     io.Writer     // the report, in Markdown
	Quick   bool          // a hundredth of the time, a thousandth of the size: to see that it works
	Version string        // of orderhook
	Budget  time.Duration // of each measurement; 0: 5 s. With less, they are smaller
	Only    []string      // names of measurements; none: all

	// Profiles of this process, files in pprof's format; "": none.
	CPUProfile, AllocProfile string
}

// measurement is a part of the report. Each gets a server and a database of
// its own.
type measurement struct {
	name string
	run  func(*bench, context.Context) (string, error)
}

var measurements = []measurement{
	{"steps", (*bench).steps},
	{"carts", (*bench).carts},
	{"fleet", (*bench).fleet},
	{"runs", (*bench).waiting},
	{"arrays", (*bench).arrays},
	{"singles", (*bench).singles},
	{"latency", (*bench).latency},
	{"ill", (*bench).ill},
	{"many", (*bench).many},
	{"isolation", (*bench).isolation},
	{"backlog", (*bench).backlog},
	{"search", (*bench).search},
	{"pages", (*bench).pages},
}

// Run makes the measurements and writes the report as it goes.
func Run(ctx context.Context, o Options) (err error) {
	if o.Budget == 0 {
		o.Budget = wholeBudget
	}
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
	if _, err := fmt.Fprint(o.Out, heading(o.Version)); err != nil {
		return err
	}
	for _, m := range chosen {
		part, err := o.measure(ctx, m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if _, err := fmt.Fprint(o.Out, part); err != nil {
			return err
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

// choose returns the measurements of some names, all if there are none.
func choose(names []string) ([]measurement, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, app.Mistakef("there is no measurement %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(measurements), func(m measurement) bool {
		return len(names) > 0 && !slices.Contains(names, m.name)
	}), nil
}

// scale is how much of its size a measurement has.
func (o *Options) scale() float64 {
	if o.Quick {
		return 0.001
	}
	return min(1, o.Budget.Seconds()/wholeBudget.Seconds())
}

// patience is how long a server has to stop, and an event to arrive: more than
// any takes that does as it should.
const patience = 30 * time.Second

// measure starts a server and an endpoint, measures, and stops them.
func (o *Options) measure(ctx context.Context, m measurement) (string, error) {
	folder, err := os.MkdirTemp("", "orderhook-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	var a *app.App
	part("server", func() {
		a, err = app.Start(ctx, app.Options{Listen: "127.0.0.1:0", Database: filepath.Join(folder, "bench.db"), APIKey: key, Version: o.Version})
	})
	if err != nil {
		return "", err
	}
	endpoint := startEndpoint()
	b := &bench{url: a.URL, target: endpoint.URL, budget: o.Budget, scale: o.scale(), folder: folder, client: newClient()}
	report, err := m.run(b, ctx)
	endpoint.Close()
	b.client.CloseIdleConnections()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return report, errors.Join(err, a.Stop(stop))
}

// key is an API key of a server that lives for one measurement.
const key = "bench-key-of-a-server-on-loopback"
