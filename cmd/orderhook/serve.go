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
	Listen string `default:"127.0.0.1:8080" help:"Address and port to listen on; port 0 takes any that is free."`
	database
	APIKey                string   `name:"api-key" placeholder:"KEY" help:"Installs this admin key for the tenant 'default'. Without it one is made and printed, once, if the database has none."`
	Settings              string   `placeholder:"FILE" help:"Settings document to apply at the start, if it differs from what is stored."`
	Tenant                string   `default:"default" help:"Tenant whose settings --settings is."`
	TLSCert               string   `name:"tls-cert" placeholder:"FILE" help:"Certificate and chain, PEM; serves HTTPS. Needs --tls-key."`
	TLSKey                string   `name:"tls-key" placeholder:"FILE" help:"The certificate's private key, PEM."`
	PublicURL             string   `name:"public-url" placeholder:"URL" help:"Where callers reach the server, if not at --listen."`
	AllowPrivateTargets   *bool    `negatable:"" help:"Lets outgoing requests go to private and loopback addresses. The default is yes on a loopback --listen, else no."`
	UserAgent             string   `placeholder:"TEXT" help:"User-Agent of outgoing requests, instead of OmniumOms/VERSION."`
	DisableEndpointsAfter period   `default:"P5D" help:"How long an endpoint may do nothing but fail before it is turned off, as P5D or 120h."`
	MaxStatusChanges      count    `default:"60" help:"How often one order may enter a status through the API within a minute; 0 is as often as it likes."`
	Grace                 duration `default:"PT30S" help:"How long to finish what is in flight when stopped, as PT30S or 30s."`
	logging
}

// Run implements a kong command.
func (c *serve) Run(s *session) error {
	relaxGC()
	a, err := app.Start(s.ctx, c.options(s))
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

func (c *serve) options(s *session) app.Options {
	o := app.Options{
		Listen: c.Listen, Database: c.Database, EncryptionKey: c.EncryptionKey, APIKey: c.APIKey,
		SettingsFile: c.Settings, Tenant: c.Tenant,
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, PublicURL: c.PublicURL,
		AllowPrivate: c.AllowPrivateTargets, DisableAfter: time.Duration(c.DisableEndpointsAfter), MaxStatusChanges: int(c.MaxStatusChanges),
		UserAgent: c.UserAgent, Version: versionText(), Log: c.logger(s.errOut),
	}
	if s.config.file != nil {
		o.AllowHosts, o.WebHook = s.config.file.AllowHosts, s.config.file.WebHook
	}
	return o
}
