package main

import (
	"time"

	"github.com/orderhook/orderhook/internal/bench"
)

type benchRun struct {
	Budget       time.Duration `default:"5s" help:"How long each measurement takes, as 5s. With less, those of a fixed size are smaller, too."`
	Only         []string      `placeholder:"NAME" help:"Measurements to make: ${measurements}. All if left out."`
	CPUProfile   string        `name:"cpuprofile" placeholder:"FILE" help:"Write a CPU profile of it, as go tool pprof reads it."`
	AllocProfile string        `name:"allocprofile" placeholder:"FILE" help:"Write what was allocated, as go tool pprof reads it."`
}

// Run implements a kong command.
func (c *benchRun) Run(s *session) error {
	relaxGC()
	moreThreads()
	return bench.Run(s.ctx, bench.Options{
		Out: s.out, Budget: c.Budget, Only: c.Only, Version: versionText(), CPUProfile: c.CPUProfile, AllocProfile: c.AllocProfile,
	})
}
