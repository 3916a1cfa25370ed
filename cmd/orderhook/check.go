package main

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/store/core"
)

// check looks for damage (docs/operating.md#check). It only reads, unless it is to
// repair.
type check struct {
	database
	Repair bool `help:"Has the server build again what it can: the index of bodies."`
}

// Run implements a kong command. Findings are printed as they are found, since a large
// database takes minutes. The exit code says whether any is left.
func (c *check) Run(s *session) error {
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
	return foundError(fmt.Sprintf("%s: %s", name, counted(len(findings)-repaired, "finding")))
}

// foundError ends a command that has found what it looks for. Its exit code is that of a
// difference, and not of a user error: nothing was wrong with the command.
type foundError string

// Error implements error.
func (e foundError) Error() string { return string(e) }
