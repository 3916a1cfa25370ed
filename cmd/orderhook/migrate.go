package main

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/app"
)

type migrate struct{ database }

// Run implements a kong command.
func (c *migrate) Run(s *session) error {
	if err := app.Migrate(s.ctx, c.Database); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is up to date\n", c.Database)
	return nil
}
