package main

import (
	"time"

	"github.com/orderhook/orderhook/internal/bench"
)

// benchRun measures this machine. Its flags are for those who work on orderhook, too: a
// single measurement, and profiles.
type benchRun struct {
	Budget time.Duration `default:"5s" help:"How long each measurement takes, as 5s. With less, those of a fixed size are smaller, too."`
	Only   []string      `placeholder:"NAME" help:"Measurements to make: ${measurements}. All if left out."`
	// The variable ORDERHOOK_DATABASE names the database of a server, which must not be
	// measured by chance.
	Database     string `placeholder:"URL" env:"-" help:"A database on a PostgreSQL server, as postgres://user@host:5432/postgres, where databases may be made: everything is measured there, too."`
	CPUProfile   string `name:"cpuprofile" placeholder:"FILE" help:"Write a CPU profile of it, as go tool pprof reads it."`
	AllocProfile string `name:"allocprofile" placeholder:"FILE" help:"Write what was allocated, as go tool pprof reads it."`
}

// Run implements a kong command. The garbage collector and the threads are set as `serve`
// sets them, since the server runs in this process.
func (c *benchRun) Run(s *session) error {
	relaxGC()
	moreThreads()
	return bench.Run(s.ctx, bench.Options{
		Out: s.out, Budget: c.Budget, Only: c.Only, Database: c.Database, Version: versionText(), CPUProfile: c.CPUProfile, AllocProfile: c.AllocProfile,
	})
}
