package main

import (
	"fmt"
	"strings"
	"time"

	iso "github.com/sosodev/duration"

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

// maxDuration keeps a slip of the pen from being taken for a week's patience.
const maxDuration = 24 * time.Hour

// duration is a flag that takes an ISO 8601 duration, as the API does (PT30S),
// or one as Go writes it (30s).
type duration time.Duration

func (d duration) String() string { return time.Duration(d).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%q is no duration: write PT30S or 30s", text)
	}
	if parsed < 0 || parsed > maxDuration {
		return fmt.Errorf("%q is not between 0 and 24 hours", text)
	}
	*d = duration(parsed)
	return nil
}

func parseDuration(s string) (time.Duration, error) {
	if !strings.HasPrefix(s, "P") {
		return time.ParseDuration(s)
	}
	d, err := iso.Parse(s)
	if err != nil || !strings.ContainsAny(s, "0123456789") { // a bare PT is nothing to iso, but no error
		return 0, iso.ErrUnexpectedInput
	}
	return d.ToTimeDuration(), nil
}
