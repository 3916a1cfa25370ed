package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store"
)

// settingsFile are the commands about a settings file.
type settingsFile struct {
	Check settingsCheck `cmd:"" help:"Say what is wrong with a settings file, and store nothing."`
	Apply settingsApply `cmd:"" help:"Make a settings file a tenant's settings, if it differs from what is stored."`
}

// settingsFlags are the flags of both commands, check and apply. Both must find the same
// errors in a file, and end with the same exit code.
type settingsFlags struct {
	File   string `arg:"" help:"Settings document, JSON."`
	Tenant string `default:"${tenant}" help:"Tenant whose settings they are, or are to be."`
	Strict bool   `help:"Take a warning for an error: store nothing, and end with exit code 1."`
	settingsLimit
	database
	targets
}

// read reads the file, before any database is opened. A file that is no settings at all
// should not make a database.
func (f *settingsFlags) read(s *session) (*app.SettingsFile, error) {
	file := &app.SettingsFile{Path: f.File, Tenant: f.Tenant, Refused: f.options(s).Refusal(f.Listen, f.Tenant), Strict: f.Strict, MaxBytes: int64(f.MaxSettingsBytes)}
	return file, file.Read()
}

// settingsCheck says what apply would say, and stores nothing.
type settingsCheck struct{ settingsFlags }

// Run implements a kong command. The file is checked against what is stored, since *** in
// it stands for a secret of that.
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
	fmt.Fprintf(s.out, "%s: no errors\n", c.File)
	return nil
}

// stored returns the settings that the file would replace. It returns nil if there is no
// database; apply would make one. A tenant that does not exist is an error, as apply
// would find.
func (c *settingsCheck) stored(ctx context.Context) (_ *settings.Settings, err error) {
	if there, err := app.DatabaseExists(string(c.Database)); err != nil {
		return nil, err
	} else if !there {
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
	stored, err := st.Settings(ctx, c.Tenant)
	if err != nil {
		return nil, fmt.Errorf("read the settings of tenant %s: %w", c.Tenant, err)
	}
	return stored, nil
}

// settingsApply stores the file, if it differs. It works beside a running server, which
// reads the settings from the database.
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
	return c.do(s, st, file)
}

// do stores the file and says as which version.
func (c *settingsApply) do(s *session, st store.Store, file *app.SettingsFile) error {
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

// report prints what was found in a settings file, and returns the error with which the
// command ends. Each finding is a line of standard output, and the error that the command
// ends with counts them. An error that is none of the file, as of the database, is
// returned as it is.
func (s *session) report(file string, warnings []apierr.Warning, err error) error {
	found, ok := errors.AsType[*apierr.Error](err)
	if err != nil && !errors.Is(err, app.ErrWarned) && (!ok || len(found.Fields) == 0) {
		return err
	}
	s.warn(warnings)
	switch {
	case err == nil:
		return nil
	case !ok:
		return warnedError(file + ": " + spelling.Count(len(warnings), "warning") + ", and --strict is given")
	}
	for _, m := range found.Fields {
		fmt.Fprintf(s.out, "%s: %s\n", m.Location, m.Message)
	}
	return app.UserErrorf("%s: %s", file, spelling.Count(len(found.Fields), "error"))
}

// warn prints the warnings about settings, which end no command.
func (s *session) warn(warnings []apierr.Warning) {
	for _, w := range warnings {
		fmt.Fprintf(s.out, "warning: %s: %s\n", w.Path, w.Message)
	}
}

// warnedError ends a command with --strict after a warning. It has an exit code of its
// own, so that a pipeline can tell it from an error.
type warnedError string

// Error implements error.
func (e warnedError) Error() string { return string(e) }
