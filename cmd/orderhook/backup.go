package main

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// backup copies a database while a server uses it (docs/design.md#backup-and-restore).
type backup struct {
	File string `arg:"" help:"File to make. There must be none of that name."`
	database
	WithKey bool `help:"Copies the encryption key, too, to FILE.key."`
}

// Run implements a kong command. If a signal stops it, no file is left that could be
// taken for a backup.
func (c *backup) Run(s *session) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	bar := progress{session: s, what: "copied"}
	err = app.Backup(s.ctx, string(c.Database), c.File, sqlite.BackupOptions{WithKey: c.WithKey, EncryptionKey: key,
		Copied: bar.bytes, Checking: func() { fmt.Fprintln(s.errOut, "checking the copy") }})
	if err != nil {
		return s.unlessStopped(err, "no backup was made")
	}
	if !c.WithKey {
		fmt.Fprintf(s.errOut, "the encryption key is not in the backup, and without it the backup does not open: keep a copy of it elsewhere, or use --with-key\n")
	}
	fmt.Fprintf(s.out, "%s is a backup of %s\n", c.File, c.Database)
	return nil
}

// progress tells how far a long command is, once a second. It writes to standard error,
// so that standard output has results alone. One goroutine uses it.
type progress struct {
	session *session
	what    string
	last    time.Time
}

// progressEvery is how often a line is written: a file in which the output ends up should
// not be longer than it is useful.
const progressEvery = time.Second

// due reports whether it is time for a line, and notes that one is written.
func (p *progress) due() bool {
	if time.Since(p.last) < progressEvery {
		return false
	}
	p.last = time.Now()
	return true
}

// bytes tells how many of how many bytes are done. The last line is written in any case.
func (p *progress) bytes(done, of int64) {
	if done == of || p.due() {
		fmt.Fprintf(p.session.errOut, "%s %s of %s\n", p.what, humanize.IBytes(uint64(done)), humanize.IBytes(uint64(of)))
	}
}
