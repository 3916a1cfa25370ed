package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

type settingsFile struct {
	Check settingsCheck `cmd:"" help:"Say what is wrong with a settings file, and store nothing."`
	Apply settingsApply `cmd:"" help:"Make a settings file a tenant's settings, if it differs from what is stored."`
}

type settingsCheck struct {
	File string `arg:"" help:"Settings document, JSON."`
}

// Run implements a kong command.
func (c *settingsCheck) Run(s *session) error {
	doc, err := app.ReadSettings(c.File)
	var warnings []oms.Warning
	if err == nil {
		_, warnings, err = settings.Parse(doc)
	}
	mistakes, ok := errors.AsType[*oms.Error](err)
	if err != nil && (!ok || len(mistakes.Fields) == 0) {
		return err
	}
	s.warn(warnings)
	if err == nil {
		fmt.Fprintf(s.out, "%s: no mistakes\n", c.File)
		return nil
	}
	for _, m := range mistakes.Fields {
		fmt.Fprintf(s.out, "%s: %s\n", m.Location, m.Message)
	}
	return app.Mistakef("%s: %s", c.File, counted(len(mistakes.Fields), "mistake"))
}

type settingsApply struct {
	File string `arg:"" help:"Settings document, JSON."`
	database
	Tenant string `default:"default" help:"Tenant whose settings to change."`
}

// Run implements a kong command.
func (c *settingsApply) Run(s *session) (err error) {
	st, err := app.OpenStore(s.ctx, c.Database, c.options())
	if err != nil {
		return err
	}
	defer closing(st, &err)
	if err := app.CheckTenant(s.ctx, st, c.Tenant); err != nil {
		return err
	}
	applied, err := app.ApplySettings(s.ctx, st, c.Tenant, c.File, time.Now())
	if err != nil {
		return err
	}
	s.warn(applied.Warnings)
	if applied.Changed {
		fmt.Fprintf(s.out, "applied as version %d\n", applied.Version)
	} else {
		fmt.Fprintf(s.out, "nothing to change in version %d\n", applied.Version)
	}
	return nil
}

func (s *session) warn(warnings []oms.Warning) {
	for _, w := range warnings {
		fmt.Fprintf(s.out, "warning: %s: %s\n", w.Path, w.Message)
	}
}

// counted is "1 mistake" or "3 mistakes".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
