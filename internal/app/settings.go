package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// SettingsFile is a file with settings, and how it is to be taken. Read comes first, then
// Check or Apply.
type SettingsFile struct {
	Path   string
	Tenant string
	// Refused says why the target guard will refuse a URL, as in [settings.Incoming].
	Refused func(*url.URL) string
	// Strict takes a warning for an error: nothing is stored.
	Strict bool
	// AtStart says that `serve` applies it, as it does at each start. It leaves
	// stored settings alone that it has not made itself, unless it is to Replace
	// them. A file that is applied by hand replaces whatever is there.
	AtStart, Replace bool
	// MaxBytes is how large the file may be (docs/contract.md#limits).
	MaxBytes int64

	// What Read has found.
	doc *jsondoc.Object
	// literal says that a `${` in doc is that text: the variables are in their places.
	literal bool
	is      func(v secret.Value, text string) bool // as in [settings.Incoming]
}

// ErrWarned is the error of a strict look at settings that have a warning.
var ErrWarned = errors.New("there are warnings")

// Applied is what became of a settings file, for the log and for whoever has applied it.
type Applied struct {
	Version  int64 // of the settings that are in force now
	Changed  bool  // false if they were in force before
	Warnings []apierr.Warning
	// Unchanged says that newer settings are stored, and were left alone. FromFile is
	// the version that the file made last, 0 if none, and FileChanged says that
	// the file holds something else by now.
	Unchanged   bool
	FromFile    int64
	FileChanged bool
}

// Read reads the document in the file. Of its content it checks only that it is JSON; Check
// does the rest.
func (f *SettingsFile) Read() error {
	data, err := os.ReadFile(f.Path)
	if err != nil {
		return &UserError{err}
	}
	// The API has the same limit: settings are held in memory for each version that is in
	// use.
	if int64(len(data)) > f.MaxBytes {
		return UserErrorf("%s is larger than %d bytes, which is the most that --max-settings-bytes allows", f.Path, f.MaxBytes)
	}
	if f.doc, err = schema.Parse(data); err != nil {
		return &UserError{fmt.Errorf("%s: %w", f.Path, err)}
	}
	return nil
}

// Check reads the settings that the file would make of those that are stored, nil being
// none, and stores nothing. The file has been read. If it is strict, a warning is
// [ErrWarned].
func (f *SettingsFile) Check(stored *settings.Settings) (*settings.Settings, []apierr.Warning, error) {
	s, warnings, err := settings.Incoming{
		Doc: f.doc.Clone(), Stored: stored, Refused: f.Refused,
		// The file is that of whoever runs this, and so is the environment.
		Variables: settings.Variables{Lookup: os.LookupEnv, Owner: true}, Literal: f.literal, Is: f.is,
	}.Check()
	if err == nil && f.Strict && len(warnings) > 0 {
		err = ErrWarned
	}
	return s, warnings, err
}

// Apply makes the settings in the file the tenant's, unless they are so already: a restart
// makes no new version. A "***" keeps the stored secret. The file has been read. Warnings
// come with an error, too, so that one look shows all that is wrong.
func (f *SettingsFile) Apply(ctx context.Context, st store.Store, now time.Time) (a Applied, err error) {
	f.is = func(v secret.Value, text string) bool { return st.SecretIs(ctx, f.Tenant, v, text) }
	ctx = byCommand(ctx, f.by(), actionPutSettings)
	err = st.Write(ctx, func(tx store.Tx) error {
		a, err = f.apply(ctx, tx, now)
		return err
	})
	return a, doing("apply the settings in "+f.Path, err)
}

// apply is what Apply does in its write. It may run again, so it changes nothing but
// through tx.
func (f *SettingsFile) apply(ctx context.Context, tx store.Tx, now time.Time) (Applied, error) {
	stored, err := tx.Settings(ctx, f.Tenant)
	if err != nil {
		return Applied{}, fmt.Errorf("read those that are stored: %w", err)
	}
	next, warnings, err := f.Check(stored)
	a := Applied{Version: stored.Version, Warnings: warnings}
	if err != nil {
		return a, err
	}
	// Nothing is stored, but the version may be the file's from now on (mark).
	if sameSettings(stored, next) {
		return a, f.mark(ctx, tx, a.Version)
	}
	// A restart must not undo what somebody has changed since.
	if f.AtStart && !f.Replace {
		if err := f.compare(ctx, tx, &a); a.Unchanged || err != nil {
			return a, err
		}
	}
	if err := tx.PutSettings(ctx, f.Tenant, next, stored.Version, f.by(), now); err != nil {
		return a, fmt.Errorf("store them: %w", err)
	}
	a.Version, a.Changed = next.Version, true
	return a, f.mark(ctx, tx, a.Version)
}

// compare finds out whether the stored settings are newer than what the file made last:
// somebody has changed them through the API or a page since, and a restart must not undo
// that (docs/operating.md#the-settings-file-of-serve). It also finds out whether the file
// has changed since, so that the log can say so.
func (f *SettingsFile) compare(ctx context.Context, tx store.Tx, a *Applied) (err error) {
	if a.FromFile, err = tx.SettingsFromFile(ctx, f.Tenant); err != nil {
		return fmt.Errorf("read which version a file made: %w", err)
	}
	// What is stored is what the file made, so the file may make the next one.
	if a.FromFile == a.Version {
		return nil
	}
	last, err := tx.SettingsVersion(ctx, f.Tenant, a.FromFile)
	if err != nil {
		return fmt.Errorf("read version %d: %w", a.FromFile, err)
	}
	destroyed, err := tx.DestroyedSecrets(ctx, f.Tenant, last)
	if err != nil {
		return fmt.Errorf("read which of its secrets are gone: %w", err)
	}
	same := sameSettings
	if len(destroyed) > 0 { // nobody can tell whether the file still has those
		same = sameButSecrets
	}
	next, _, err := f.Check(last)
	a.Unchanged, a.FileChanged = true, err != nil || !same(last, next)
	return nil
}

// mark remembers the version that a start of `serve` finds or makes as the file's: the next
// start may replace it. A file that is applied by hand marks nothing.
func (f *SettingsFile) mark(ctx context.Context, tx store.Tx, version int64) error {
	if !f.AtStart || version == 0 {
		return nil
	}
	last, err := tx.SettingsFromFile(ctx, f.Tenant)
	// Most starts find the mark where it is, and write nothing.
	if err == nil && last != version {
		err = tx.MarkSettingsFromFile(ctx, f.Tenant, version)
	}
	if err != nil {
		return fmt.Errorf("note version %d as the file's: %w", version, err)
	}
	return nil
}

// by says in the settings' history, and in the audit log, who stored them.
func (f *SettingsFile) by() string {
	if f.AtStart {
		return "serve --settings"
	}
	return "settings apply"
}

// sameSettings compares the documents, in which a secret that is stored already is
// a reference.
func sameSettings(a, b *settings.Settings) bool {
	return bytes.Equal(a.Document().JSON(), b.Document().JSON())
}

// sameButSecrets compares the documents without their secrets.
func sameButSecrets(a, b *settings.Settings) bool {
	return bytes.Equal(a.Masked().JSON(), b.Masked().JSON())
}

// inFile says in one line which file is wrong, where first, and how to see all of it.
func inFile(path string, err error) error {
	e, ok := errors.AsType[*apierr.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	first := e.Fields[0]
	if len(e.Fields) == 1 {
		return UserErrorf("%s: %s: %s", path, first.Location, first.Message)
	}
	return UserErrorf("%s: %s: %s (and %d errors more: orderhook settings check %s)", path, first.Location, first.Message, len(e.Fields)-1, path)
}
