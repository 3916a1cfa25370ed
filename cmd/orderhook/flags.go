package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// database is the flags of every command that opens one.
type database struct {
	Config        string `placeholder:"FILE" help:"Config file, JSON. Without it ${defaultConfig} is read if it is there."`
	Database      string `default:"orderhook.db" help:"SQLite file; made if it is not there."`
	EncryptionKey string `placeholder:"KEY" help:"Key that encrypts the secrets in the database. Without it that in DATABASE.key, which is made if there is none."`
	// EncryptionKeyFile keeps the key out of the process list and the environment.
	EncryptionKeyFile string `placeholder:"FILE" help:"File that holds the encryption key, instead of --encryption-key."`
}

// open opens the database with one of the functions of package app that do.
func (d *database) open(ctx context.Context, with func(context.Context, string, sqlite.Options) (*sqlite.DB, error)) (*sqlite.DB, error) {
	key, err := d.key()
	if err != nil {
		return nil, err
	}
	return with(ctx, d.Database, sqlite.Options{EncryptionKey: key})
}

// key is the encryption key that was given, "" if none was.
func (d *database) key() (string, error) {
	return secretOf("encryption-key", d.EncryptionKey, d.EncryptionKeyFile)
}

// targets are the flags that say where outgoing requests may go.
type targets struct {
	Listen              string `default:"127.0.0.1:8080" help:"Address and port that the server listens on; port 0 takes any that is free."`
	AllowPrivateTargets *bool  `negatable:"" help:"Lets outgoing requests go to private and loopback addresses. The default is yes on a loopback --listen, else no."`
}

func (t *targets) options(s *session) app.Targets {
	out := app.Targets{AllowPrivate: t.AllowPrivateTargets}
	if s.config.file != nil {
		out.AllowHosts = s.config.file.AllowHosts
	}
	return out
}

// The most that durations may be, so that a slip of the pen is not taken for a
// week's patience, or for a century's.
const (
	maxDuration = 24 * time.Hour
	maxPeriod   = 3650 * 24 * time.Hour
)

// duration is a flag that takes a duration in either form that the API takes
// (PT30S, 00:00:30), or as Go writes it (30s).
type duration time.Duration

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

// period is a duration of days rather than seconds, and never 0.
type period time.Duration

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

// nameList is a flag that takes names between commas.
type nameList []string

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

func parseDuration(text []byte, like string) (time.Duration, error) {
	s := strings.TrimSpace(string(text))
	if d, ok := oms.ParseDuration(s, math.MaxInt64); ok {
		return d, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write %s", text, like)
	}
	return d, nil
}
