package main

import (
	"time"

	"github.com/orderhook/orderhook/internal/bench"
)

type benchRun struct {
	Budget time.Duration `default:"5s" help:"How long each measurement takes, as 5s."`
}

// Run implements a kong command.
func (c *benchRun) Run(s *session) error {
	return bench.Run(s.ctx, bench.Options{Out: s.out, Budget: c.Budget, Version: versionText()})
}
