package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// database is the flags of all commands that open a database.
type database struct {
	Config        string       `placeholder:"FILE" help:"Config file, JSON. Without it ${defaultConfig} is read if it is there."`
	Database      databaseName `default:"orderhook.db" help:"SQLite file, which is made if it is not there, or postgres://user@host:5432/name of a database on a PostgreSQL server."`
	EncryptionKey string       `placeholder:"KEY" help:"Key that encrypts the secrets in the database. Without it that in DATABASE.key, which is made if there is none. One on a PostgreSQL server needs it."`
	// EncryptionKeyFile keeps the key out of the process list and the environment.
	EncryptionKeyFile string `placeholder:"FILE" help:"File that holds the encryption key, instead of --encryption-key."`
}

// open opens the database with one of the functions of package app that do. The functions
// differ in what they do where there is no database: some make one, and others refuse.
// The caller closes the store (closing).
func (d *database) open(ctx context.Context, with func(context.Context, string, app.StoreOptions) (store.Store, error)) (store.Store, error) {
	key, err := d.key()
	if err != nil {
		return nil, err
	}
	return with(ctx, string(d.Database), app.StoreOptions{EncryptionKey: key})
}

// headerText is a flag whose text goes into a header of requests.
type headerText string

// UnmarshalText implements encoding.TextUnmarshaler. What no header may have would fail each
// request that is made with it.
func (h *headerText) UnmarshalText(text []byte) error {
	if !httpguts.ValidHeaderFieldValue(string(text)) {
		return errors.New("must have no line break and no other control character: it goes into a header of each request")
	}
	*h = headerText(text)
	return nil
}

// databaseName is a flag that names a database: the path of a file, also with sqlite://
// before it, or a URL. The prefix is taken off here, so that no other part of the program
// has to know it.
type databaseName string

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *databaseName) UnmarshalText(text []byte) error {
	*n = databaseName(strings.TrimPrefix(string(text), "sqlite://"))
	return nil
}

// key is the encryption key that was given, "" if none was. Without one, package app
// takes the key from the file beside the database, or makes it.
func (d *database) key() (string, error) {
	return secretOf("encryption-key", d.EncryptionKey, d.EncryptionKeyFile)
}

// targets are the flags that say where outgoing requests may go. Commands that take
// settings need them, too, and --listen with them: whether private addresses may be
// called depends on where the server listens (docs/contract.md#targets).
type targets struct {
	Listen              string `default:"127.0.0.1:8080" help:"Address and port that the server listens on; port 0 takes any that is free."`
	AllowPrivateTargets *bool  `negatable:"" help:"Lets outgoing requests go to private and loopback addresses. The default is yes on a loopback --listen, else no."`
}

// options returns what the flags and the config file say together. Hosts that are allowed
// by name are in the file alone, since they are a list.
func (t *targets) options(s *session) app.Targets {
	out := app.Targets{AllowPrivate: t.AllowPrivateTargets}
	if s.config.file != nil {
		section := s.config.file.Outgoing
		out.AllowHosts, out.Hosts, out.TenantHosts = section.AllowHosts, section.Hosts, section.Tenants
	}
	return out
}

// The upper limits of durations, so that a typing error does not become a timeout of a
// week or a century.
const (
	maxDuration = 24 * time.Hour
	maxPeriod   = 3650 * 24 * time.Hour
)

// duration is a flag with a duration, in one of the two forms of the API (PT30S,
// 00:00:30) or as Go writes it (30s). Flags, variables and the config file all give it as
// a text.
type duration time.Duration

// String is how the help shows a default.
func (d duration) String() string { return time.Duration(d).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(text, "PT30S, 00:00:30 or 30s")
	if err != nil {
		return err
	}
	if parsed < 0 || parsed > maxDuration {
		return fmt.Errorf("%q is not between 0 and 24 hours", text)
	}
	*d = duration(parsed)
	return nil
}

// period is a duration of days rather than seconds, and never 0. A period of 0 would turn
// off every endpoint at its first failure.
type period time.Duration

// String is how the help shows a default.
func (p period) String() string { return time.Duration(p).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *period) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(text, "P5D, 5.00:00:00 or 120h")
	if err != nil {
		return err
	}
	if parsed <= 0 || parsed > maxPeriod {
		return fmt.Errorf("%q is not over 0 and up to 3650 days", text)
	}
	*p = period(parsed)
	return nil
}

// nameList is a flag that takes names between commas. White space and empty names do not
// count.
type nameList []string

// String writes the names as they may be given.
func (l nameList) String() string { return strings.Join(l, ",") }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *nameList) UnmarshalText(text []byte) error {
	*l = nil
	for name := range strings.SplitSeq(string(text), ",") {
		if name = strings.TrimSpace(name); name != "" {
			*l = append(*l, name)
		}
	}
	return nil
}

// maxCount is the most that a flag that counts something may be.
const maxCount = 1_000_000

// count is a flag that counts something; 0 is none or off.
type count int

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n < 0 || n > maxCount {
		return fmt.Errorf("%q is no whole number from 0 to %d", text, maxCount)
	}
	*c = count(n)
	return nil
}

// parseDuration reads a duration in any of the forms. like is an example for the message.
func parseDuration(text []byte, like string) (time.Duration, error) {
	s := strings.TrimSpace(string(text))
	if d, ok := timetext.ParseDuration(s, math.MaxInt64); ok {
		return d, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write %s", text, like)
	}
	return d, nil
}
