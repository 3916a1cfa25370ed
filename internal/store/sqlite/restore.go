package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// RestoreOptions say which key a restored database has, and who hears how far it is. The
// callbacks may be nil.
type RestoreOptions struct {
	// EncryptionKey is the key of the backup. If it is empty, the key is that in the file
	// beside the backup, or else that beside the database.
	EncryptionKey string
	Copied        func(bytes, of int64)
	Checking      func()
	Clock         func() time.Time // nil means time.Now
	// step is called before each step that changes files, in tests.
	step func(what string) error
}

// Restore puts a backup in the place of the database at path, and returns the folder that
// the files of before are in, "" if there were none. Nobody may have the database open: it
// is [ErrInUse] if somebody has the lock.
//
// If the process dies meanwhile, there is either the database of before, or one that [Open]
// refuses until Restore has been called again: at no moment can an old log be beside a new
// database, which SQLite would play into it (docs/design.md#backup-and-restore).
func Restore(ctx context.Context, from, path string, o RestoreOptions) (aside string, err error) {
	path, err = resolved(path)
	if err != nil {
		return "", err
	}
	if same(from, path) {
		return "", fmt.Errorf("%s is the database itself, and no backup of it", from)
	}
	lock, err := lockFile(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	r := &restoration{RestoreOptions: o, from: from, path: path}
	if r.belongs, err = ownerOf(path); err != nil {
		return "", err
	}
	if r.Clock == nil {
		r.Clock = time.Now
	}
	if err := r.refuseLeftovers(); err != nil {
		return "", err
	}
	if err := r.prepare(ctx); err != nil {
		return "", errors.Join(err, removeAll(r.copy(), r.copy()+"-journal", r.copy()+"-wal", r.copy()+"-shm", r.copy()+".key"))
	}
	if err := r.replace(); err != nil {
		return "", fmt.Errorf("%w: the database is refused until orderhook restore was run again", err)
	}
	return r.aside, nil
}

// restoration is one call of Restore.
type restoration struct {
	RestoreOptions
	from, path string
	aside      string // the folder for the files of before; "" if there is none
	newKey     bool   // a key file comes with the backup
	belongs    owner  // whose all of it is to be
}

// restoring is the ending of the complete copy, while the files of before are moved. A
// database beside such a file is not opened.
const restoring = ".restoring"

// copy is the copy of the backup while it is made, and marker the same file while the files
// of before are moved.
func (r *restoration) copy() string   { return r.path + ".restore" }
func (r *restoration) marker() string { return r.path + restoring }

// parts are the endings of the files of a database that must not be beside another one.
var parts = []string{"", "-wal", "-shm", "-journal"}

// refuseLeftovers returns an error if a log with something in it is beside the backup, or if
// a log is where the database is to be, but no database there: it belongs to one that was moved, and may hold its last
// writes. After a restore that was interrupted it is known whose that is.
func (r *restoration) refuseLeftovers() error {
	for _, ending := range []string{"-wal", "-journal"} {
		// An empty log holds nothing: SQLite makes one for a reader, such as a restore that was
		// killed.
		if info, err := os.Lstat(r.from + ending); err == nil && info.Size() > 0 {
			return fmt.Errorf("%s%s is there: %[1]s is a database in use, or was not closed, and no backup", r.from, ending)
		}
	}
	// The logs are those of the database that is there, or of one that a restore was
	// moving.
	if there(r.path) || there(r.marker()) {
		return nil
	}
	for _, ending := range parts[1:] {
		if there(r.path + ending) {
			return fmt.Errorf("%s%s is there without %[1]s: it may hold the last writes of a database that was moved; move it to where that is", r.path, ending)
		}
	}
	return nil
}

// there reports whether a name is taken, by whatever it is.
func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// prepare copies the backup, and its key, beside the database, and checks the copy. Nothing
// of the database is touched yet, so an error here leaves it as it was. The copy is on the
// same disk, so that it gets its place by a rename.
func (r *restoration) prepare(ctx context.Context) error {
	f, err := openFile(ctx, r.from, "query_only(1)")
	if err != nil {
		return err
	}
	key, err := r.findKey(ctx, f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	lock, err := claim(r.copy())
	if err != nil {
		return errors.Join(err, f.Close())
	}
	// The backup is copied and not moved, so that it can be restored again.
	if err = r.belongs.give(lock); err == nil {
		err = f.copyTo(ctx, r.copy(), r.Copied)
	}
	if err = errors.Join(err, f.Close(), lock.Close()); err != nil {
		return err
	}
	if r.Checking != nil {
		r.Checking()
	}
	if err := checkCopy(ctx, r.copy()); err != nil {
		return err
	}
	if r.newKey = key != ""; r.newKey {
		if err := writeKey(r.copy()+".key", key, r.belongs); err != nil {
			return err
		}
	}
	return syncFile(r.copy())
}

// findKey returns the key that is to be in the file beside the database; "" if the right
// one is there already, or the key is given each time. Each key is tried on the backup
// before anything moves.
func (r *restoration) findKey(ctx context.Context, f *file) (string, error) {
	if r.EncryptionKey != "" {
		return "", f.fits(ctx, r.EncryptionKey, "the given encryption key")
	}
	key, err := readKey(f.path + ".key")
	if err != nil {
		return "", err
	}
	if key != "" {
		return key, f.fits(ctx, key, f.path+".key")
	}
	if key, err = readKey(r.path + ".key"); err != nil {
		return "", err
	}
	if key == "" {
		return "", fmt.Errorf("the key of the backup is missing: put it into %s.key, or give it with --encryption-key-file", r.from)
	}
	return "", f.fits(ctx, key, r.path+".key")
}

// replace moves the files of before away, and the new ones to their place. Each step is
// durable before the next one: a power cut must not bring back a log that was moved. Each
// step can be done again: it does nothing if its file was moved before. A test dies before
// each of them.
func (r *restoration) replace() error {
	steps := []struct {
		what string
		do   func() error
	}{
		{"make a folder for the files of before", r.makeAside},
		{"say that a restore is under way", func() error { return r.rename(r.copy(), r.marker()) }},
		{"move the database away", func() error { return r.moveAside("") }},
		{"move its log away", func() error { return r.moveAside("-wal") }},
		{"move the index of its log away", func() error { return r.moveAside("-shm") }},
		{"move its journal away", func() error { return r.moveAside("-journal") }},
		{"copy its key", r.copyKeyAside},
		{"put the new key there", r.putKey},
		{"put the new database there", func() error { return r.rename(r.marker(), r.path) }},
	}
	for _, step := range steps {
		if r.step != nil {
			if err := r.step(step.what); err != nil {
				return err
			}
		}
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// beforeRestore begins the ending of the folder that the files of before are moved to.
const beforeRestore = ".before-restore-"

// makeAside makes the folder for the files of before, if there are any. A restore that was
// interrupted has made it already, and may have moved some of them there: then the same
// folder gets the rest.
func (r *restoration) makeAside() error {
	if there(r.marker()) {
		made, err := filepath.Glob(quoted(r.path) + beforeRestore + "*")
		if err == nil && len(made) > 0 { // their names end with the time, so the last is the newest
			r.aside = made[len(made)-1]
			return nil
		}
	}
	if !there(r.path) {
		return nil
	}
	r.aside = r.path + beforeRestore + r.Clock().UTC().Format("20060102T150405.000Z")
	if err := os.Mkdir(r.aside, 0o700); err != nil {
		return err
	}
	if err := r.belongs.giveNamed(r.aside); err != nil {
		return err
	}
	return syncDir(filepath.Dir(r.path))
}

// quoted is a path for [filepath.Glob], which takes it by its letters.
func quoted(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// moveAside moves one file of the database of before, if it is there.
func (r *restoration) moveAside(ending string) error {
	if r.aside == "" || !there(r.path+ending) {
		return nil
	}
	return r.rename(r.path+ending, filepath.Join(r.aside, filepath.Base(r.path)+ending))
}

// copyKeyAside copies the key of before into the folder, since the files there need it. It
// stays beside the database as well, unless another one comes with the backup.
func (r *restoration) copyKeyAside() error {
	to := filepath.Join(r.aside, filepath.Base(r.path))
	if r.aside == "" || there(to+".key") {
		return nil
	}
	key, err := readKey(r.path + ".key")
	if err != nil || key == "" {
		return err
	}
	return writeKey(to+".key", key, r.belongs)
}

// putKey puts the key of the backup beside the database. The database gets its name only
// after that.
func (r *restoration) putKey() error {
	if !r.newKey {
		return nil
	}
	return r.rename(r.copy()+".key", r.path+".key")
}

// rename gives a file another name, durably.
func (r *restoration) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	// The new name first: a crash between the two leaves both names, and never none.
	if filepath.Dir(to) != filepath.Dir(from) {
		if err := syncDir(filepath.Dir(to)); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(from))
}

// same reports whether two paths lead to one file. If one of them cannot be looked at, they
// do not.
func same(a, b string) bool {
	one, errOne := os.Stat(a)
	other, errOther := os.Stat(b)
	return errOne == nil && errOther == nil && os.SameFile(one, other)
}
