package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

type settingsFile struct {
	Check settingsCheck `cmd:"" help:"Say what is wrong with a settings file, and store nothing."`
	Apply settingsApply `cmd:"" help:"Make a settings file a tenant's settings, if it differs from what is stored."`
}

// settingsFlags are those of both commands: what one says of a file, the other
// must say too, with the same exit code.
type settingsFlags struct {
	File   string `arg:"" help:"Settings document, JSON."`
	Tenant string `default:"default" help:"Tenant whose settings they are, or are to be."`
	Strict bool   `help:"Take a warning for a mistake: store nothing, and end with exit code 1."`
	settingsLimit
	database
	targets
}

// read reads the file, before any database is opened.
func (f *settingsFlags) read(s *session) (*app.SettingsFile, error) {
	file := &app.SettingsFile{Path: f.File, Tenant: f.Tenant, Refused: f.options(s).Refusal(f.Listen), Strict: f.Strict, MaxBytes: int64(f.MaxSettingsBytes)}
	return file, file.Read()
}

type settingsCheck struct{ settingsFlags }

// Run implements a kong command.
func (c *settingsCheck) Run(s *session) error {
	file, err := c.read(s)
	if err != nil {
		return err
	}
	stored, err := c.stored(s.ctx)
	if err != nil {
		return err
	}
	_, warnings, err := file.Check(stored)
	if err := s.report(c.File, warnings, err); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: no mistakes\n", c.File)
	return nil
}

// stored returns the settings that the file would take the place of; nil where
// there is no database, which apply would make.
func (c *settingsCheck) stored(ctx context.Context) (_ *settings.Settings, err error) {
	if _, err := os.Stat(c.Database); errors.Is(err, os.ErrNotExist) {
		return nil, app.CheckNewTenant(c.Tenant)
	}
	st, err := c.open(ctx, app.OpenExisting)
	if err != nil {
		return nil, err
	}
	defer closing(st, &err)
	if err := app.CheckTenant(ctx, st, c.Tenant); err != nil {
		return nil, err
	}
	return st.Settings(ctx, c.Tenant)
}

type settingsApply struct{ settingsFlags }

// Run implements a kong command.
func (c *settingsApply) Run(s *session) (err error) {
	file, err := c.read(s)
	if err != nil {
		return err
	}
	st, err := c.open(s.ctx, app.OpenStore)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	return c.apply(s, st, file)
}

func (c *settingsApply) apply(s *session, st store.Store, file *app.SettingsFile) error {
	if err := app.CheckTenant(s.ctx, st, c.Tenant); err != nil {
		return err
	}
	applied, err := file.Apply(s.ctx, st, time.Now())
	if err := s.report(c.File, applied.Warnings, err); err != nil {
		return err
	}
	if applied.Changed {
		fmt.Fprintf(s.out, "applied as version %d\n", applied.Version)
	} else {
		fmt.Fprintf(s.out, "nothing to change in version %d\n", applied.Version)
	}
	return nil
}

// report prints what was found in a settings file, and returns the error that
// the command ends with.
func (s *session) report(file string, warnings []oms.Warning, err error) error {
	mistakes, ok := errors.AsType[*oms.Error](err)
	if err != nil && !errors.Is(err, app.ErrWarned) && (!ok || len(mistakes.Fields) == 0) {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintf(s.out, "warning: %s: %s\n", w.Path, w.Message)
	}
	switch {
	case err == nil:
		return nil
	case !ok:
		return warnedError(file + ": " + counted(len(warnings), "warning") + ", and --strict is given")
	}
	for _, m := range mistakes.Fields {
		fmt.Fprintf(s.out, "%s: %s\n", m.Location, m.Message)
	}
	return app.Mistakef("%s: %s", file, counted(len(mistakes.Fields), "mistake"))
}

// warnedError is the end of a command that was to be strict.
type warnedError string

func (e warnedError) Error() string { return string(e) }

// counted is "1 mistake" or "3 mistakes".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
