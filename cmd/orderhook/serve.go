package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// serve is the server's command.
type serve struct {
	targets
	database
	APIKey                string   `name:"api-key" placeholder:"KEY" help:"Installs this admin key for the tenant 'default'. Without it one is made and printed, once, if the database has none."`
	APIKeyFile            string   `name:"api-key-file" placeholder:"FILE" help:"File that holds the admin key, instead of --api-key."`
	Settings              string   `placeholder:"FILE" help:"Settings document to apply at the start, if it differs from what is stored. Newer settings that are stored stay, unless --settings-replace is given."`
	SettingsReplace       bool     `help:"Lets --settings replace settings that were stored since it was applied last."`
	SettingsVariables     nameList `placeholder:"NAMES" help:"Variables of the environment that settings may name through the API, besides ORDERHOOK_SECRET_…: names between commas, or beginnings with a * behind them."`
	Tenant                string   `default:"default" help:"Tenant of --settings and of --settings-variables."`
	TLSCert               string   `name:"tls-cert" placeholder:"FILE" help:"Certificate and chain, PEM; serves HTTPS. Needs --tls-key."`
	TLSKey                string   `name:"tls-key" placeholder:"FILE" help:"The certificate's private key, PEM."`
	PublicURL             string   `name:"public-url" placeholder:"URL" help:"Where callers reach the server, if not at --listen."`
	UserAgent             string   `placeholder:"TEXT" help:"User-Agent of outgoing requests, instead of OmniumOms/VERSION."`
	DisableEndpointsAfter period   `default:"P5D" help:"How long an endpoint may do nothing but fail before it is turned off, as P5D or 120h."`
	MaxStatusChanges      count    `default:"60" help:"How often one order may enter a status through the API within a minute; 0 is as often as it likes."`
	Grace                 duration `default:"PT30S" help:"How long to finish what is in flight when stopped, as PT30S or 30s."`
	limits
	settingsLimit
	outgoing
	logging
}

// Run implements a kong command.
func (c *serve) Run(s *session) error {
	relaxGC()
	moreThreads()
	o, err := c.options(s)
	if err != nil {
		return err
	}
	a, err := app.Start(s.ctx, o)
	if err != nil {
		return err
	}
	if a.NewKey != "" {
		fmt.Fprintf(s.out, "API key (admin, shown this once): %s\n", a.NewKey)
	}
	fmt.Fprintf(s.out, "listening on %s\n", a.URL)
	select {
	case <-s.ctx.Done():
	case err = <-a.Failed:
	}
	if err == nil {
		fmt.Fprintf(s.errOut, "stopping: finishing what is in flight, for %s at most; a second signal ends at once\n", time.Duration(c.Grace))
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Duration(c.Grace))
	defer cancel()
	return errors.Join(err, a.Stop(grace))
}

func (c *serve) options(s *session) (o app.Options, err error) {
	o = app.Options{
		Listen: c.Listen, Database: c.Database,
		SettingsFile: c.Settings, Tenant: c.Tenant, ReplaceSettings: c.SettingsReplace, SettingsVariables: c.SettingsVariables,
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, PublicURL: c.PublicURL,
		Targets: c.targets.options(s), DisableAfter: time.Duration(c.DisableEndpointsAfter), MaxStatusChanges: int(c.MaxStatusChanges),
		SecretFiles: []string{c.APIKeyFile, c.EncryptionKeyFile, s.config.path()},
		Limits:      c.limits.options(), UserAgent: c.UserAgent, Version: versionText(), Log: c.logger(s.errOut),
	}
	o.Limits.SettingsBytes = int64(c.MaxSettingsBytes)
	if s.config.file != nil {
		o.WebHook = s.config.file.WebHook
	}
	if o.EncryptionKey, err = c.key(); err != nil {
		return o, err
	}
	if err := c.outgoing.set(&o); err != nil {
		return o, err
	}
	o.APIKey, err = secretOf("api-key", c.APIKey, c.APIKeyFile)
	return o, err
}
