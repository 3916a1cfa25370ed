package main

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/config"
)

// reloader has a server that runs go by what its flags, variables, config file and the
// files that these name have become (docs/operating.md#reloading).
// The reloader has two sessions, which differ after a reload. One tells what a reload has
// changed, the other what still waits for a start.
type reloader struct {
	app          *app.App
	log          *slog.Logger
	level        *slog.LevelVar
	started, now *session // what was read at the start, and what the server goes by
}

// reloadable are the flags, and the section of the config file, that a reload takes over.
// All others take effect with the next start alone.
var reloadable = []string{"outgoing", "log-level", "max-requests", "max-request-bytes-in-flight", "allow-private-targets", "proxy", "no-proxy", "proxy-lookup", "resolver", "ca-file",
	"connection-max-age", "trusted-proxies", "forwarded-header", "tls-cert", "tls-key"}

// reload reads all anew. If anything is wrong, nothing changes. No line of the log has a
// value: some are secrets. It is called by one goroutine at a time.
func (r *reloader) reload() {
	// The command line itself cannot change, but the files and the config file that it names
	// can.
	next, err := r.now.again()
	if err == nil {
		var o app.Options
		if o, err = next.serve().options(next); err == nil {
			err = r.take(next, o)
		}
	}
	if err != nil {
		// The metrics show the failure, for whoever does not read the log.
		r.app.ReloadFailed()
		r.log.Warn("the reload has failed, and nothing was changed", "error", oneLine(err))
	}
}

// take has the server go by the options, and says what that has changed.
func (r *reloader) take(next *session, o app.Options) error {
	before, after := r.started.serve(), next.serve()
	changed, ignored := r.differences(next)
	// The port serves what it served at the start, with TLS or without.
	if before.TLSCert == "" || after.TLSCert == "" {
		changed = slices.DeleteFunc(changed, isTLS)
	}
	if (before.TLSCert == "") != (after.TLSCert == "") {
		ignored = append(ignored, "tls-cert", "tls-key")
	}
	replaced, err := r.app.Reload(next.ctx, o)
	if err != nil {
		return err
	}
	// The level changes only now, so that a failed reload leaves it as it was.
	r.level.Set(after.LogLevel.Level)
	r.now = next
	changed = append(changed, replaced...)
	// A reload that changes nothing else still names these, each time: the operator may
	// believe that they hold.
	if len(ignored) > 0 {
		r.log.Warn("what differs from the start takes effect with the next start alone", "flags", strings.Join(ignored, ", "))
	}
	r.log.Info("reloaded", "changed", strings.Join(changed, ", "))
	return nil
}

// isTLS reports whether a flag is one of the two that name the certificate.
func isTLS(flag string) bool { return flag == "tls-cert" || flag == "tls-key" }

// differences names the flags and sections that a reload changes, and those that are not as
// they were at the start, which it has to ignore.
func (r *reloader) differences(next *session) (changed, ignored []string) {
	started, now := valuesOf(r.started), valuesOf(r.now)
	for name, value := range valuesOf(next) {
		// What can be reloaded is compared with now, so that a change is told once. All else
		// is compared with the start, which it still goes by.
		if slices.Contains(reloadable, name) {
			if !reflect.DeepEqual(now[name], value) {
				changed = append(changed, name)
			}
		} else if !reflect.DeepEqual(started[name], value) {
			ignored = append(ignored, name)
		}
	}
	// A map has no order, and a line of the log should have one.
	slices.Sort(changed)
	slices.Sort(ignored)
	return changed, ignored
}

// valuesOf are the values of the flags of serve, by their names, and of the sections of
// the config file, which are no flags.
func valuesOf(s *session) map[string]any {
	// A file that is not there has empty sections, so that these can be compared.
	file := s.config.file
	if file == nil {
		file = &config.File{}
	}
	values := map[string]any{"outgoing": file.Outgoing, "webHook": file.WebHook}
	for _, flag := range s.command.Flags() {
		// Flags that no file and no variable gave have their defaults here.
		values[flag.Name] = flag.Target.Interface()
	}
	return values
}
