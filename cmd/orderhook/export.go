package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/timetext"
)

// export writes what a tenant has to a file, or to standard output, beside a running server
// (docs/operating.md#export-and-import). Kinds have filters of their own; one that does
// not fit the kind is refused.
type export struct {
	Kind    string   `arg:"" enum:"orders,history,attempts,events" help:"What to export: orders, history, attempts or events."`
	File    string   `arg:"" help:"File to make, or - for standard output. A file that an export of the same flags has begun is continued."`
	Format  string   `default:"jsonl" enum:"jsonl,csv" help:"jsonl, one JSON document on each line, or csv."`
	Tenant  string   `default:"${tenant}" help:"Tenant whose they are."`
	From    momentIn `placeholder:"TIME" help:"The earliest time: of orders, when they were created."`
	To      momentIn `placeholder:"TIME" help:"The time that all are before."`
	Status  string   `help:"Of orders, and of history the orders': in this status now."`
	Order   string   `placeholder:"ID" help:"Of history, attempts and events: of this order."`
	Type    string   `help:"Of attempts and events: of this type of events."`
	Outcome string   `enum:",succeeded,failed" default:"" help:"Of attempts: succeeded or failed."`
	database
}

// momentIn is a flag that takes a time, or a date, which is its beginning. Both are read as the API
// reads them.
type momentIn time.Time

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *momentIn) UnmarshalText(text []byte) error {
	at, err := timetext.ParseTime(string(text), timetext.LayoutLocal, timetext.LayoutDate)
	*m = momentIn(at)
	return err
}

// Run implements a kong command. The flags are checked before the database is opened. A
// file that is continued says how far it is by itself, so a command that was stopped may
// simply be repeated.
func (c *export) Run(s *session) (err error) {
	// A filter that the kind does not have is refused, so that nobody takes a whole
	// export for a filtered one.
	x := &app.Export{Kind: c.Kind, Format: c.Format, Tenant: c.Tenant, File: c.File, From: time.Time(c.From), To: time.Time(c.To),
		Status: c.Status, OrderID: c.Order, Type: c.Type, Outcome: c.Outcome}
	if err := x.Check(); err != nil {
		return err
	}
	name, left := c.File, "the same command goes on where this one stopped"
	if c.File == "-" {
		x.Out, name, left = s.out, "standard output", "not all of it was written"
	}
	bar := progress{session: s}
	// The progress is said from time to time, not for each row.
	x.Progress = func(rows int64) {
		if bar.due() {
			fmt.Fprintf(s.errOut, "exported %d\n", rows)
		}
	}
	// An export makes no database: one that does not exist is an error.
	st, err := c.open(s.ctx, app.OpenExisting)
	if err != nil {
		return s.unlessStopped(err, "nothing was exported")
	}
	defer closing(st, &err)
	if err := app.CheckTenant(s.ctx, st, c.Tenant); err != nil {
		return err
	}
	// What was written before an error stays in the file.
	rows, err := x.Run(s.ctx, st)
	if x.Out != nil && errors.Is(err, syscall.EPIPE) { // the signal of it may come a moment later
		return stoppedError{signalError{syscall.SIGPIPE}, left}
	}
	if err != nil {
		return s.unlessStopped(err, left)
	}
	told := s.out
	if x.Out != nil { // which has rows alone
		told = s.errOut
	}
	fmt.Fprintf(told, "%s has %d %s\n", name, rows, c.Kind)
	return nil
}

// importing adds orders or history that an export has written, to another installation.
// What is there already stays as it is.
type importing struct {
	Kind   string `arg:"" enum:"orders,history,events" help:"What the file has: orders, history or events."`
	File   string `arg:"" help:"JSON lines, as export makes them."`
	Tenant string `default:"${tenant}" help:"Tenant whose they are to be."`
	database
	MaxOrderBytes size `default:"10MiB" placeholder:"SIZE" help:"How large an order may be."`
}

// Run implements a kong command. Each row is stored for good by the time it is counted,
// so a command that was stopped may be repeated: it skips what it has added.
func (c *importing) Run(s *session) (err error) {
	bar := progress{session: s}
	m := &app.Import{Kind: c.Kind, Tenant: c.Tenant, File: c.File, MaxBytes: int64(c.MaxOrderBytes), Progress: func(added, there int64) {
		if bar.due() {
			fmt.Fprintf(s.errOut, "imported %d, there already %d\n", added, there)
		}
	}}
	// An import may be the first thing that is done with a database, so this makes the
	// file if there is none.
	st, err := c.open(s.ctx, app.OpenStore)
	if err != nil {
		return s.unlessStopped(err, "nothing was imported")
	}
	defer closing(st, &err)
	// A tenant that nobody has a key of is more likely misspelled than meant.
	if err := app.CheckTenant(s.ctx, st, c.Tenant); err != nil {
		return err
	}
	added, there, err := m.Run(s.ctx, st)
	if err != nil {
		return s.unlessStopped(err, fmt.Sprintf("%d are imported, and the same command adds the others", added))
	}
	fmt.Fprintf(s.out, "imported %d %s, there already %d\n", added, c.Kind, there)
	return nil
}
