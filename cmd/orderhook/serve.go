package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

// serve is the server's command. All of its flags are keys of the config file, too
// (learnKeys), but --config itself.
type serve struct {
	// The groups of flags are shared with other commands.
	targets
	database
	APIKey                string     `name:"api-key" placeholder:"KEY" help:"Installs this admin key for the tenant 'default'. Without it one is made and printed, once, if the database has none."`
	APIKeyFile            string     `name:"api-key-file" placeholder:"FILE" help:"File that holds the admin key, instead of --api-key."`
	Settings              string     `placeholder:"FILE" help:"Settings document to apply at the start, if it differs from what is stored. Newer settings that are stored stay, unless --settings-replace is given."`
	SettingsReplace       bool       `help:"Lets --settings replace settings that were stored since it was applied last."`
	SettingsVariables     nameList   `placeholder:"NAMES" help:"Variables of the environment that settings may name through the API, besides ORDERHOOK_SECRET_…: names between commas, or beginnings with a * behind them."`
	Tenant                string     `default:"${tenant}" help:"Tenant of --settings and of --settings-variables."`
	TLSCert               string     `name:"tls-cert" placeholder:"FILE" help:"Certificate and chain, PEM; serves HTTPS. Needs --tls-key."`
	TLSKey                string     `name:"tls-key" placeholder:"FILE" help:"The certificate's private key, PEM."`
	PublicURL             string     `name:"public-url" placeholder:"URL" help:"Where callers reach the server, if not at --listen."`
	MetricsListen         string     `name:"metrics-listen" placeholder:"ADDRESS" help:"Address and port that answers GET /metrics to everybody who reaches it, as 10.0.0.5:9464. At --listen it needs a key."`
	DebugListen           string     `name:"debug-listen" placeholder:"ADDRESS" help:"Loopback address and port with profiles under /debug/pprof/, as 127.0.0.1:6060."`
	UserAgent             headerText `placeholder:"TEXT" help:"User-Agent of outgoing requests, instead of OmniumOms/VERSION."`
	DisableEndpointsAfter period     `default:"${disableAfter}" help:"How long an endpoint may do nothing but fail before it is turned off, as P5D or 120h."`
	MaxStatusChanges      count      `default:"60" help:"How often one order may enter a status through the API within a minute; 0 is as often as it likes."`
	LeaseTime             duration   `default:"PT30S" hidden:"" help:"How long a node of a PostgreSQL database may be silent before others take its work over; for tests."`
	Grace                 duration   `default:"PT30S" help:"How long to finish what is in flight when stopped, as PT30S or 30s."`
	limits
	settingsLimit
	outgoing
	forwarding
	logging
}

// Run implements a kong command. It serves until a signal comes, or until the server
// fails by itself, and stops it in either case. What is printed to standard output is for
// scripts: the key, if one was made, and the address.
func (c *serve) Run(s *session) error {
	// Both are settings of the Go runtime for a server. Other commands are short, and do
	// without.
	relaxGC()
	moreThreads()
	outlivesReader.Store(true)
	o, err := c.options(s)
	if err != nil {
		return err
	}
	level := &slog.LevelVar{}
	o.Log = c.logger(s.errOut, level)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // before the start: it would end the process
	defer signal.Stop(hangups)
	a, err := app.Start(s.ctx, o)
	if err != nil {
		return err
	}
	// Nobody can see this key again: the database has only its hash.
	if a.NewKey != "" {
		fmt.Fprintf(s.out, "API key (admin, shown this once): %s\n", a.NewKey)
	}
	fmt.Fprintf(s.out, "listening on %s\n", a.URL)
	err = runUntil(s, a, &reloader{app: a, log: o.Log, level: level, started: s, now: s}, hangups)
	if err == nil {
		fmt.Fprintf(s.errOut, "stopping: finishing what is in flight, for %s at most; a second signal ends at once\n", time.Duration(c.Grace))
	}
	// The context of the session has ended by now, and the stop needs one that goes on.
	// Runs that are not done by then go on after the next start.
	grace, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Duration(c.Grace))
	defer cancel()
	return errors.Join(err, a.Stop(grace))
}

// runUntil waits until the server is to stop, or ends by itself, and reloads it meanwhile.
func runUntil(s *session, a *app.App, r *reloader, hangups <-chan os.Signal) error {
	// One reload at a time is made beside this loop: a file that hangs while it is read, as one
	// on a disk that is gone, must not keep anybody from stopping the server.
	next, done := hangups, make(chan struct{}, 1)
	for {
		select {
		case <-s.ctx.Done():
			return nil
		case err := <-a.Failed:
			return err
		case <-next:
			next = nil
			go func() {
				r.reload()
				done <- struct{}{}
			}()
		case <-done:
			next = hangups
		}
	}
}
func (c *serve) options(s *session) (o app.Options, err error) {
	// A flag that is not in this list would be without effect, so a new one is added
	// here, too.
	o = app.Options{
		Listen: c.Listen, Database: string(c.Database),
		SettingsFile: c.Settings, Tenant: c.Tenant, ReplaceSettings: c.SettingsReplace, SettingsVariables: c.SettingsVariables,
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, PublicURL: c.PublicURL, LeaseTime: time.Duration(c.LeaseTime),
		Beside:  app.Beside{MetricsListen: c.MetricsListen, DebugListen: c.DebugListen},
		Targets: c.targets.options(s), DisableAfter: time.Duration(c.DisableEndpointsAfter), MaxStatusChanges: int(c.MaxStatusChanges),
		SecretFiles: []string{c.APIKeyFile, c.EncryptionKeyFile, s.config.path()},
		Limits:      c.limits.options(), UserAgent: string(c.UserAgent), Version: versionText(), Forwarding: c.forwarding.options(),
	}
	o.Limits.SettingsBytes = int64(c.MaxSettingsBytes)
	// The section webHook is in the config file alone, and has no flag.
	if s.config.file != nil {
		o.WebHook = s.config.file.WebHook
	}
	// Secrets may be given as flags or in files; not both.
	if o.EncryptionKey, err = c.key(); err != nil {
		return o, err
	}
	if err := c.outgoing.set(&o); err != nil {
		return o, err
	}
	o.APIKey, err = secretOf("api-key", c.APIKey, c.APIKeyFile)
	return o, err
}
