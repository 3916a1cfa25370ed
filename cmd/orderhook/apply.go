package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store"
)

// apply has a whole installation be as a file says: settings, endpoints and keys
// (docs/operating.md#an-installation-in-a-file). It is for those who keep that in version
// control, and run it again and again.
type apply struct {
	File   string `arg:"" help:"What is to be there: settings, endpoints and keys, JSON."`
	Tenant string `default:"${tenant}" help:"Tenant whose they are to be."`
	DryRun bool   `help:"Show the differences and change nothing; exit code 1 if there is one."`
	settingsLimit
	database
	// The flags say where requests may go, since a URL that the server would refuse is
	// refused here.
	targets
	remote
}

// Run implements a kong command. It first only looks, and changes something if there is
// anything to change. What it has found may have changed by the time of the change, which
// therefore compares again.
func (c *apply) Run(s *session) error {
	in := &app.Installation{Path: c.File, Tenant: c.Tenant, Targets: c.options(s), Listen: c.Listen, MaxBytes: int64(c.MaxSettingsBytes)}
	if err := in.Read(); err != nil {
		return err
	}
	server, err := c.remote.server("")
	if err != nil {
		return err
	}
	apply := func(dryRun, alone bool) (app.Found, error) { return c.do(s, in, dryRun, alone) }
	switch {
	case server != nil:
		defer server.close()
		apply = func(dryRun, _ bool) (app.Found, error) { return in.ApplyThrough(s.ctx, server, dryRun) }
	case c.DryRun:
		remove, err := c.standIn()
		if err != nil {
			return err
		}
		defer remove()
	}
	found, err := apply(true, false)
	s.warn(found.Warnings)
	if err != nil {
		return err
	}
	for _, d := range found.Differences {
		fmt.Fprintln(s.out, d.Text)
	}
	differences := spelling.Count(len(found.Differences), "difference")
	switch {
	case len(found.Differences) == 0:
		fmt.Fprintln(s.out, "nothing to change")
		return nil
	case c.DryRun:
		return foundError(c.File + ": " + differences)
	}
	if _, err := apply(false, found.HasEndpoints()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "applied: %s\n", differences)
	return nil
}

// standIn has a dry run look at an empty database where the one that is named is a file that
// is not there: a dry run makes none. It is in a folder beside that name, where the real one
// would be made. remove removes it. A key without its database is left to be refused.
func (c *apply) standIn() (remove func(), err error) {
	path := string(c.Database)
	for _, name := range []string{path, path + ".key"} {
		if there, err := app.DatabaseExists(name); there || err != nil {
			return func() {}, err
		}
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), "orderhook-dry-run-")
	if err != nil {
		return nil, app.UserErrorf("the database %s cannot be made: %w", path, err)
	}
	c.Database = databaseName(filepath.Join(folder, "empty.db"))
	return func() { _ = os.RemoveAll(folder) }, nil
}

// do works on the database itself. A change of endpoints needs the file of one alone: a
// server has them in its memory, and hears of a write by another process only where the
// database is on a server of PostgreSQL.
func (c *apply) do(s *session, in *app.Installation, dryRun, alone bool) (found app.Found, err error) {
	st, err := c.open(s.ctx, func(ctx context.Context, database string, o app.StoreOptions) (store.Store, error) {
		o.Exclusive = alone
		return app.OpenStore(ctx, database, o)
	})
	if errors.Is(err, app.ErrInUse) {
		err = app.UserErrorf("%w: give its --url, and --key-file, to have it change its endpoints", err)
	}
	if err != nil {
		return found, err
	}
	defer closing(st, &err)
	return in.Apply(s.ctx, st, time.Now(), dryRun)
}
