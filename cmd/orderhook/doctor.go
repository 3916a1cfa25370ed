package main

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/spelling"
)

// doctor looks at an installation and says what is to be done. It has the flags of serve that
// its looks depend on, so that the same variables and config file serve both.
type doctor struct {
	targets
	database
	limits
	outgoing
	remote
	APIKeyFile string `name:"api-key-file" placeholder:"FILE" help:"File that holds the admin key, as serve has it."`
	Settings   string `placeholder:"FILE" help:"Settings file, as serve has it."`
	TLSCert    string `name:"tls-cert" placeholder:"FILE" help:"Certificate and chain, as serve has them."`
	TLSKey     string `name:"tls-key" placeholder:"FILE" help:"The certificate's private key, as serve has it."`
	Online     bool   `help:"Also asks the servers of endpoints and connectors for their certificates. Nothing is sent to them."`
	JSON       bool   `name:"json" help:"Prints the findings as JSON."`
}

// Run implements a kong command.
func (c *doctor) Run(s *session) error {
	// The files of secrets are given by flags, so package app knows of them only if they are
	// named here.
	o := &app.Options{Listen: c.Listen, Database: string(c.Database), Targets: c.targets.options(s), Limits: c.limits.options(),
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, SettingsFile: c.Settings, SecretFiles: []string{c.APIKeyFile, c.EncryptionKeyFile, c.KeyFile, s.config.path()}}
	// The section webHook is in the config file alone, and has no flag.
	if s.config.file != nil {
		o.WebHook = s.config.file.WebHook
	}
	var err error
	if o.EncryptionKey, err = c.key(); err != nil {
		return err
	}
	if err := c.outgoing.set(o); err != nil {
		return err
	}
	d := &app.Doctor{Options: o, Online: c.Online, Now: time.Now()}
	// The server is asked with the authorities that outgoing calls trust, as it may have a
	// certificate of its own organization.
	if server, err := c.remote.server(c.CAFile); err != nil {
		return err
	} else if server != nil {
		defer server.close()
		// Server stays nil without --url. A nil pointer in it would not be the nil interface.
		d.Server = server
	}
	found, err := d.Run(s.ctx)
	// What was found is printed also after an error: it is true all the same.
	if shown := c.show(s, found, err == nil); shown != nil {
		return shown
	}
	switch {
	case err != nil:
		// Unless a signal has stopped it, the exit code is that of a user error: the command
		// did not do what it was asked to.
		return s.unlessStopped(lookError{err}, "not everything was looked at")
	case len(found.Findings) > 0:
		// An exit code tells a script that there are findings, without reading them.
		return foundError(spelling.Count(len(found.Findings), "finding"))
	}
	return nil
}

// show prints what was found. whole says that everything was looked at that could be: without
// it, an empty list does not mean that all is well.
func (c *doctor) show(s *session, found app.Diagnosis, whole bool) error {
	if c.JSON {
		data, err := json.Marshal(found, jsontext.WithIndent("  "))
		if err == nil {
			_, err = fmt.Fprintf(s.out, "%s\n", data)
		}
		return err
	}
	for _, f := range found.Findings {
		of := ""
		if f.Tenant != "" {
			of = " (tenant " + f.Tenant + ")"
		}
		fmt.Fprintf(s.out, "%s%s: %s\n  %s: %s\n", f.Kind, of, f.Text, f.Section, f.Advice)
	}
	// What was not looked at is printed, but does not change the exit code.
	for _, what := range found.Skipped {
		fmt.Fprintf(s.out, "not looked at: %s\n", what)
	}
	if whole && len(found.Findings) == 0 {
		fmt.Fprintln(s.out, "nothing is to be done")
	}
	return nil
}

// lookError ends a command that could not look at what it was asked about.
type lookError struct{ error }

// Unwrap lets callers find the reason behind it, as a signal.
func (e lookError) Unwrap() error { return e.error }
