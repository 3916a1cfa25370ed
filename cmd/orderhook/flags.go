package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// database is the flags of every command that opens one.
type database struct {
	Config        string `placeholder:"FILE" help:"Config file, JSON. Without it ${defaultConfig} is read if it is there."`
	Database      string `default:"orderhook.db" help:"SQLite file; made if it is not there."`
	EncryptionKey string `placeholder:"KEY" help:"Key that encrypts the secrets in the database. Without it that in DATABASE.key, which is made if there is none."`
}

func (d *database) options() sqlite.Options {
	return sqlite.Options{EncryptionKey: d.EncryptionKey}
}

// The most that durations may be, so that a slip of the pen is not taken for a
// week's patience, or for a century's.
const (
	maxDuration = 24 * time.Hour
	maxPeriod   = 3650 * 24 * time.Hour
)

// duration is a flag that takes an ISO 8601 duration, as the API does (PT30S),
// or one as Go writes it (30s).
type duration time.Duration

func (d duration) String() string { return time.Duration(d).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(text, "PT30S or 30s")
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
	parsed, err := parseDuration(text, "P5D or 120h")
	if err != nil {
		return err
	}
	if parsed <= 0 || parsed > maxPeriod {
		return fmt.Errorf("%q is not over 0 and up to 3650 days", text)
	}
	*p = period(parsed)
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
