package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// Finding is something about an installation that somebody should do something about.
type Finding struct {
	// Kind names what it is: one of Advices.
	Kind string `json:"kind"`
	// Tenant is whose it is; "" where it is about the whole installation.
	Tenant string `json:"tenant,omitempty"`
	// Text says what was found, and names the thing that it is about.
	Text   string `json:"text"`
	Advice string `json:"advice"`
	// Section is where docs/troubleshooting.md says more.
	Section string `json:"section"`
}

// Advice is what to do about a kind of finding, and the heading that says more.
type Advice struct{ Kind, Section, Advice string }

// The kinds of findings.
const (
	foundDamage      = "database-damaged"
	foundSchema      = "schema-old"
	foundClock       = "clock-wrong"
	foundDisk        = "disk-low"
	foundDescriptors = "descriptors-low"
	foundMode        = "file-readable"
	foundCertificate = "certificate-expires"
	foundOff         = "endpoint-off"
	foundFailing     = "endpoint-failing"
	foundConnector   = "connector-failing"
	foundSettings    = "settings-do-not-work"
	foundSecret      = "secret-not-sent"
	foundKey         = "key-expires"
	foundLimit       = "limit-hit"
	foundNotReady    = "server-not-ready"
)

// troubleshooting is the page that has the sections.
const troubleshooting = "docs/troubleshooting.md"

// Advices has all kinds of findings. Each section is one of that page.
var Advices = []Advice{
	{foundDamage, "the-database-is-damaged", "stop the server and restore a backup; `orderhook check` names all that is wrong"},
	{foundSchema, "the-schema-is-not-up-to-date", "start the new version, or run `orderhook migrate`"},
	{foundClock, "the-clock-is-wrong", "set the clock of this machine, with NTP"},
	{foundDisk, "the-disk-is-full-the-database-is-locked", "free some space, or keep less with `retention`"},
	{foundDescriptors, "too-few-descriptors", "raise `ulimit -n`, or LimitNOFILE of the systemd unit"},
	{foundMode, "others-can-read-a-secret-file", "take that away with chmod 600"},
	{foundCertificate, "a-certificate-expires", "put a new certificate in its place"},
	{foundOff, "an-endpoint-was-turned-off", "put it right, turn it on, and recover what it missed"},
	{foundFailing, "a-circuit-is-open", "look at its newest attempts, and repair the receiver"},
	{foundConnector, "a-step-failed", "look at its newest attempts, and repair what answers there"},
	{foundSettings, "settings-cannot-work", "correct the place that is named"},
	{foundSecret, "a-secret-is-not-sent", "give the secret again for where it goes now"},
	{foundKey, "a-key-expires", "make another key, or give this one a later time with `orderhook keys update`"},
	{foundLimit, "a-limit-was-hit", "find out who asks for so much, or raise the limit"},
	{foundNotReady, "the-server-is-not-ready", "the text says why"},
}

// Doctor looks at an installation, beside a server or without one. It changes nothing.
type Doctor struct {
	Options *Options // as `serve` would have them
	Online  bool     // asks the servers of endpoints and connectors for their certificates
	Server  Server   // a server that runs; nil: none is asked
	Now     time.Time

	way      outbound.Options // what outgoing calls of the server go by
	findings []Finding
	skipped  []string
}

// Server asks a server that runs, through its API.
type Server interface {
	Ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error)
}

// Diagnosis is what a Doctor has found, and what it could not look at.
type Diagnosis struct {
	Findings []Finding `json:"findings"`
	Skipped  []string  `json:"skipped"`
}

// Run looks at everything. It is an error if the database cannot be looked at, or a server that
// is to be asked does not answer, or refuses the key.
func (d *Doctor) Run(ctx context.Context) (Diagnosis, error) {
	// The looks below read the options as a server does, so they need the same defaults.
	d.Options.setDefaults()
	// What needs no database comes first: it is told even if the database cannot be opened.
	d.files()
	d.descriptors()
	d.disk()
	d.ownCertificate()
	d.network()
	// A webHook section that cannot be opened ends the look: a server would not start with it.
	if err := d.webHookCertificate(); err != nil {
		return d.diagnosis(), err
	}
	// An error of the database does not end the look: a server that runs can still be asked.
	err := d.database(ctx)
	if d.Server != nil {
		err = errors.Join(err, d.server(ctx))
	} else {
		// What is not looked at is said, so that nobody takes a short list for a complete one.
		d.skip("what a running server has in its memory, as limits that were hit and breakers: give --url and --key-file")
	}
	if !d.Online {
		d.skip("the certificates of endpoints and connectors: give --online")
	}
	// A look that was stopped has skipped what was left, and must not pass for one that found
	// nothing.
	if err == nil {
		err = ctx.Err()
	}
	return d.diagnosis(), err
}

// diagnosis has lists that are never null, for whoever reads it as JSON.
func (d *Doctor) diagnosis() Diagnosis {
	return Diagnosis{append([]Finding{}, d.findings...), append([]string{}, d.skipped...)}
}

// found adds a finding. A kind that Advices does not have is an error of the program, and
// panics.
func (d *Doctor) found(kind, tenant, format string, args ...any) {
	i := slices.IndexFunc(Advices, func(a Advice) bool { return a.Kind == kind })
	d.findings = append(d.findings, Finding{Kind: kind, Tenant: tenant, Text: fmt.Sprintf(format, args...),
		Advice: Advices[i].Advice, Section: troubleshooting + "#" + Advices[i].Section})
}

// skip notes what was not looked at, and why. It is no finding: nothing need be wrong there.
func (d *Doctor) skip(format string, args ...any) {
	d.skipped = append(d.skipped, fmt.Sprintf(format, args...))
}

// files looks at the modes of the files that hold secrets. A file that is not there is no
// finding.
func (d *Doctor) files() {
	for _, f := range d.Options.readable() {
		d.found(foundMode, "", "others can open %s, which may hold secrets: its mode is %04o", f.name, f.mode)
	}
}

// descriptors compares the limit of this process with what a server may need. It is only a
// hint: whoever starts the server may give it another limit.
func (d *Doctor) descriptors() {
	if have, need := d.Options.descriptors(); have < need {
		d.found(foundDescriptors, "", "the limit of open files is %d here, and the limits of the server may need %d", have, need)
	}
}

// leastFree is how much of the disk of a database has to be free: with less, a server takes
// no writes. Half a gigabyte more is time to do something about it.
// It is in bytes: 128 MiB, below which the server is not ready, and 512 MiB more.
const leastFree = 640 << 20

// disk looks at the disk of the folder that the database's file is in. A database on a
// PostgreSQL server is left out: its disk may be in another machine.
func (d *Doctor) disk() {
	if server, _ := checkDatabase(d.Options.Database); server {
		return
	}
	var disk syscall.Statfs_t
	// The folder is asked, and not the file, which need not be there yet.
	dir := filepath.Dir(d.Options.Database)
	if err := syscall.Statfs(dir, &disk); err != nil {
		d.skip("the disk of %s: %v", d.Options.Database, err)
		return
	}
	// Bavail counts blocks, and leaves out those that are reserved for root.
	d.free(uint64(disk.Bavail) * uint64(disk.Bsize))
}

// free adds a finding if so many free bytes are too few. It is apart from disk, so that a test
// needs no full disk.
func (d *Doctor) free(bytes uint64) {
	if bytes < leastFree {
		d.found(foundDisk, "", "%s are free on the disk of %s; below 128 MiB the server says on /readyz that it is not ready", humanize.IBytes(bytes), d.Options.Database)
	}
}

// certificateSoon is how long before its end a certificate is told of.
// Three weeks are enough for somebody who renews it by hand.
const certificateSoon = 21 * 24 * time.Hour

// lookAtCertificate looks at when a certificate ends, by the Doctor's Now. The nil certificate is
// one that is not there, which is no finding.
func (d *Doctor) lookAtCertificate(tenant, what string, c *x509.Certificate) {
	switch {
	case c == nil:
	case !d.Now.Before(c.NotAfter):
		d.found(foundCertificate, tenant, "%s expired at %s", what, c.NotAfter.UTC().Format(time.RFC3339))
	case c.NotAfter.Sub(d.Now) < certificateSoon:
		d.found(foundCertificate, tenant, "%s expires at %s", what, c.NotAfter.UTC().Format(time.RFC3339))
	}
}

// ownCertificate reads the files of --tls-cert and --tls-key, as a server does at its start.
func (d *Doctor) ownCertificate() {
	own, err := newCertificate(d.Options.TLSCert, d.Options.TLSKey, d.Options.Log)
	switch {
	case err != nil:
		// A server that runs goes on with the pair from before, so callers may not have
		// noticed.
		d.found(foundCertificate, "", "no server starts with %v", err)
	case own != nil:
		d.lookAtCertificate("", "the certificate "+d.Options.TLSCert+" of the server", own.pair.Leaf)
	}
}

// network looks at what outgoing calls go by.
func (d *Doctor) network() {
	out, err := d.Options.network(addressAt(d.Options.Listen))
	// The look goes on after an error, without a proxy.
	if err != nil {
		d.found(foundSettings, "", "no server starts with %v", err)
	}
	d.way = out
	if d.Options.CAFile == "" {
		return
	}
	added, _ := authoritiesIn(d.Options.CAFile) // whose error is the one above
	// An authority that has expired makes all certificates below it worthless.
	for _, c := range added {
		d.lookAtCertificate("", "the certificate of "+c.Subject.String()+" in --ca-file "+d.Options.CAFile, c)
	}
}

// webHookCertificate opens the files of the webHook section. Nothing is looked at where the
// section is off.
func (d *Doctor) webHookCertificate() error {
	opened, err := d.Options.openWebHook()
	if err == nil && opened != nil {
		d.lookAtCertificate(opened.Tenant, "the client certificate of the webHook section", opened.Trust.Own())
	}
	return err
}

// database looks at the database, first from outside: opening one whose schema is old would
// change it.
func (d *Doctor) database(ctx context.Context) error {
	// A path that is misspelt must not make a new database, so the file has to be there.
	there, err := DatabaseExists(d.Options.Database)
	if err == nil && !there {
		err = UserErrorf("there is no database %s", d.Options.Database)
	}
	if err != nil {
		return err
	}
	// This look changes nothing, and may be made beside a server that runs.
	c, err := condition(ctx, d.Options.Database)
	if err != nil {
		return userErrorUnlessCanceled(ctx, err)
	}
	// A damaged file is not opened: what it says of tenants may be wrong, too.
	if len(c.Damage) > 0 {
		d.found(foundDamage, "", "the file of the database is damaged: %s", c.Damage[0])
		return nil
	}
	// The quick look ends after some seconds, however large the file is.
	if c.Partial {
		d.skip("all pages of the database, which would take longer: `orderhook check` does")
	}
	// ClockAhead is in seconds. It is 0 for a file, which has no clock of its own.
	d.serverClock(time.Duration(c.ClockAhead * float64(time.Second)))
	// In both cases the database is not opened, since its first opening by this version
	// changes it.
	switch {
	case c.Schema < c.Newest:
		d.found(foundSchema, "", "the schema of the database is %d, and this version has %d", c.Schema, c.Newest)
		return nil
	case !c.Opened:
		d.found(foundSchema, "", "no server of this version has opened the database yet")
		return nil
	}
	// What the store would log is no finding, and would stand between them.
	quiet := slog.New(slog.DiscardHandler)
	st, err := OpenExisting(ctx, d.Options.Database, StoreOptions{EncryptionKey: d.Options.EncryptionKey, Log: quiet})
	if err != nil {
		return err
	}
	return errors.Join(d.store(ctx, st), st.Close())
}

// serverClock looks at how far the clock of the database's server is ahead of this machine's.
func (d *Doctor) serverClock(ahead time.Duration) {
	if ahead.Abs() > clockOff {
		d.found(foundClock, "", "the clock of the database's server is %s ahead of this machine's", ahead.Round(time.Second))
	}
}

// condition looks at a database of either kind from outside, without opening it as a store.
func condition(ctx context.Context, database string) (core.Condition, error) {
	if server, err := checkDatabase(database); err != nil || server {
		if err != nil {
			return core.Condition{}, err
		}
		return postgres.Condition(ctx, database)
	}
	return sqlite.Condition(ctx, database)
}

// store looks at what is stored, tenant by tenant.
func (d *Doctor) store(ctx context.Context, st store.Store) error {
	tenants, err := st.Tenants(ctx)
	if err != nil {
		return doing("read the tenants", err)
	}
	// Such a name limits nobody, so the operator believes in a limit that does not exist.
	for _, name := range d.Options.unknownTenants(tenants) {
		d.found(foundSettings, name, "outgoing.tenants of the config file names a tenant that does not exist")
	}
	// The guard is that of the address that the server listens at: on loopback it may call
	// private addresses.
	guard := d.Options.at(d.Options.Listen)
	// The client sends nothing here. It only opens secrets, as it would before a call.
	t := &tenantDoctor{Doctor: d, st: st, client: outbound.New(outbound.Options{Guard: guard, Secrets: st.Secrets()}), asked: map[string]bool{}}
	defer t.client.Close()
	// The first tenant that cannot be read ends the look: the others are in the same database.
	for _, t.tenant = range tenants {
		t.guard = guard.For(t.tenant)
		for _, look := range []func(context.Context) error{t.settings, t.endpoints, t.keys, t.clock} {
			if err := look(ctx); err != nil {
				return doing("look at tenant "+t.tenant, err)
			}
		}
	}
	return nil
}

// server asks a server that runs for what only that knows. The error is that of the first path
// that it did not answer, or did not answer with this key: somebody relies on its being looked
// at, and a server that is down must not look well.
func (d *Doctor) server(ctx context.Context) (failed error) {
	// ask returns nil where there is no answer to look at. It has noted the reason then, and
	// the next path is asked all the same.
	ask := func(path string) []byte {
		status, answer, err := d.Server.Ask(ctx, http.MethodGet, path, nil)
		if refused := status == http.StatusUnauthorized || status == http.StatusForbidden; failed == nil && err != nil {
			failed = doing("ask the server", err)
		} else if failed == nil && refused {
			failed = fmt.Errorf("ask the server: it answers %s with %d: the key is not one of its, or may not do that", path, status)
		}
		switch {
		case err != nil:
			d.skip("%s of the server: %v", path, err)
			return nil
		// 503 of this path is an answer: its text says why the server is not ready.
		case path == "/readyz" && status == http.StatusServiceUnavailable:
			d.found(foundNotReady, "", "the server takes no requests: %s", oneLineOf(answer))
			return nil
		case status != http.StatusOK:
			d.skip("%s of the server, which answers %d", path, status)
			return nil
		}
		return answer
	}
	// If the server is not ready, ask has added the finding.
	ask("/readyz")
	if text := ask("/metrics"); text != nil {
		d.limits(text)
	}
	if answer := ask("/api/connectors/health"); answer != nil {
		d.breakers(answer)
	}
	return failed
}

// hostOf names a server in a text, without what a URL may hide.
func hostOf(u *url.URL) string { return u.Scheme + "://" + u.Host }
