package main

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// restore puts a backup in the place of the database (docs/operating.md#restore).
type restore struct {
	File string `arg:"" help:"Backup, as orderhook backup makes it."`
	database
}

// Run implements a kong command. The files of before are moved into a folder and not
// removed, so a restore of the wrong backup can be undone.
func (c *restore) Run(s *session) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	bar := progress{session: s, what: "copied"}
	// A large backup takes minutes, so what it does is said on standard error.
	before, err := app.Restore(s.ctx, c.File, string(c.Database), sqlite.RestoreOptions{EncryptionKey: key,
		Copied: bar.bytes, Checking: func() { fmt.Fprintln(s.errOut, "checking the copy") }})
	if err != nil {
		// Nothing is put in the place of the database before the copy was checked.
		return s.unlessStopped(err, "the database is as it was")
	}
	fmt.Fprintf(s.out, "%s is restored from %s\n", c.Database, c.File)
	if before != "" {
		fmt.Fprintf(s.out, "the files of before are in %s\n", before)
	}
	return nil
}
