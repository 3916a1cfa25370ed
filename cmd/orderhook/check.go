package main

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store/core"
)

// check looks for damage in a database (docs/operating.md#check), which it only reads unless
// it is to repair; or, with a URL, calls an endpoint with all that a server may send it.
type check struct {
	URL string `arg:"" optional:"" help:"Endpoint to call with a number of cases, in place of looking into the database."`
	database
	Repair   bool          `help:"Has the server build again what it can: the index of bodies."`
	Endpoint endpointCheck `embed:""`
}

// Run implements a kong command.
func (c *check) Run(s *session) error {
	if c.URL != "" {
		if c.Repair {
			return app.UserErrorf("--repair is for a database, and a URL was given")
		}
		return c.Endpoint.run(s, c.URL)
	}
	if flag := c.Endpoint.given(); flag != "" {
		return app.UserErrorf("%s is for the check of an endpoint: give its URL", flag)
	}
	return c.checkDatabase(s)
}

// checkDatabase prints findings as they are found, since a large database takes minutes. The
// exit code says whether any is left.
func (c *check) checkDatabase(s *session) error {
	var findings []core.Finding
	// The findings are kept as well, because a repair needs them.
	err := app.Check(s.ctx, string(c.Database), func(f core.Finding) {
		findings = append(findings, f)
		fmt.Fprintln(s.out, f.Text)
	})
	if err != nil {
		return s.unlessStopped(err, "the check is not complete")
	}
	name := app.DatabaseName(string(c.Database))
	if len(findings) == 0 {
		fmt.Fprintf(s.out, "%s: nothing is wrong\n", name)
		return nil
	}
	repaired := 0
	// Only what can be made again from the rest is repaired. Everything else is left to
	// people.
	if c.Repair {
		if repaired, err = app.Repair(s.ctx, string(c.Database), findings); err != nil {
			return s.unlessStopped(err, "what was repaired is repaired")
		}
	}
	if repaired > 0 {
		fmt.Fprintf(s.out, "repaired: %d of %d; a server builds them again in the background, and searches work meanwhile\n", repaired, len(findings))
	}
	if repaired == len(findings) {
		return nil
	}
	// The exit code is that of a finding also if some of them were repaired.
	return foundError(fmt.Sprintf("%s: %s", name, spelling.Count(len(findings)-repaired, "finding")))
}

// foundError ends a command that has found what it looks for. Its exit code is that of a
// difference, and not of a user error: nothing was wrong with the command.
type foundError string

// Error implements error.
func (e foundError) Error() string { return string(e) }
