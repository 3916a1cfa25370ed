// Package bench measures orderhook against a bare HTTP client: same endpoint,
// same bodies, same cores, same run. Machines differ and are noisy, so what
// counts are the differences and ratios, not the single figures.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// Options of a run.
type Options struct {
	Out     io.Writer     // the report, in Markdown
	Quick   bool          // a hundredth of the load: to see that it works
	Version string        // of orderhook
	Budget  time.Duration // of each measurement; 0: 5 s
}

// Run starts a server on a database of its own and an endpoint, measures, and
// writes the report.
func Run(ctx context.Context, o Options) error {
	if o.Budget == 0 {
		o.Budget = 5 * time.Second
	}
	if o.Quick {
		o.Budget /= 100
	}
	folder, err := os.MkdirTemp("", "orderhook-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	a, err := app.Start(ctx, app.Options{Listen: "127.0.0.1:0", Database: filepath.Join(folder, "bench.db"), APIKey: key, Version: o.Version})
	if err != nil {
		return err
	}
	endpoint := startEndpoint()
	b := &bench{url: a.URL, target: endpoint.URL, budget: o.Budget, quick: o.Quick, client: newClient()}
	report, err := b.all(ctx)
	endpoint.Close()
	if stopErr := a.Stop(ctx); err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(o.Out, heading(o.Version), report)
	return err
}

// all makes every measurement; the last leaves runs behind that go on.
func (b *bench) all(ctx context.Context) (string, error) {
	var report string
	for _, measure := range []func(context.Context) (string, error){b.steps, b.carts, b.fleet, b.waiting} {
		part, err := measure(ctx)
		if err != nil {
			return "", err
		}
		report += part
	}
	return report, nil
}

// key is an API key of a server that lives for one run.
const key = "bench-key-of-a-server-on-loopback"
