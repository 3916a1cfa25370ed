package main

import (
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/app"
)

// migrate brings a schema up to date, or copies one database into another. The two have
// nothing in common but their name, which people look for. The flags of the copy have the
// prefixes from and to, since both sides have a key.
type migrate struct {
	database
	From                  databaseName `placeholder:"DATABASE" help:"Copy this database into that of --to, a whole installation: sqlite://FILE or postgres://user@host:5432/name. No server may be running on either. A copy that was interrupted is gone on with."`
	FromEncryptionKey     string       `placeholder:"KEY" help:"Encryption key of --from. Without it that in FILE.key."`
	FromEncryptionKeyFile string       `placeholder:"FILE" help:"File that holds the encryption key of --from."`
	To                    databaseName `placeholder:"DATABASE" help:"The database that --from is copied into. It is empty, or does not exist yet, or is a copy that was interrupted."`
	ToEncryptionKey       string       `placeholder:"KEY" help:"Encryption key of --to, which its secrets are sealed with. Without it that in FILE.key, which is made if there is none."`
	ToEncryptionKeyFile   string       `placeholder:"FILE" help:"File that holds the encryption key of --to."`
}

// Run implements a kong command. `serve` does it at its start, too; the command is for
// those who want it done before.
func (c *migrate) Run(s *session) error {
	// Either flag means a copy; without both the schema of --database is brought up to
	// date.
	if c.From != "" || c.To != "" {
		return c.transfer(s)
	}
	if err := app.Migrate(s.ctx, string(c.Database)); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s is up to date\n", app.DatabaseName(string(c.Database)))
	return nil
}

// transfer copies --from into --to, and says how far it is
// (docs/design.md#moving-between-databases).
func (c *migrate) transfer(s *session) error {
	if c.From == "" || c.To == "" {
		return app.UserErrorf("--from and --to are given together")
	}
	// Both keys are read before anything begins, and both errors are said.
	fromKey, err := secretOf("from-encryption-key", c.FromEncryptionKey, c.FromEncryptionKeyFile)
	toKey, err2 := secretOf("to-encryption-key", c.ToEncryptionKey, c.ToEncryptionKeyFile)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	// The copy says what it does line by line, since it may take long.
	from, to := app.Side{Database: string(c.From), EncryptionKey: fromKey}, app.Side{Database: string(c.To), EncryptionKey: toKey}
	if err := app.Transfer(s.ctx, from, to, func(line string) { fmt.Fprintln(s.errOut, line) }); err != nil {
		return s.unlessStopped(err, "run the same command again, which goes on with it")
	}
	fmt.Fprintf(s.out, "%s is a copy of %s\n", app.DatabaseName(to.Database), app.DatabaseName(from.Database))
	return nil
}
