package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"

	"github.com/orderhook/orderhook/internal/store/core"
)

// BackupOptions say what a backup has besides the database, and who hears of it.
//
// The callbacks are called on the goroutine of the caller, and may be nil.
type BackupOptions struct {
	// WithKey has the backup include the encryption key, in FILE.key: the given one, or
	// else that of the database.
	WithKey       bool
	EncryptionKey string
	// Copied is told how many bytes of how many are copied; Checking that all are, and
	// that the copy is checked now.
	Copied   func(bytes, of int64)
	Checking func()
}

// Backup copies a database to a new file, also beside a server, and checks the copy. The
// file is there under its name only if it is complete: a process that is killed leaves a
// file with the ending .part, which the next backup writes over. The copy is of one moment:
// the source is in one read transaction meanwhile, so nothing that is written makes the
// copy begin again (docs/design.md#backup-and-restore). An error that wraps [ErrDamaged]
// says that the copy, and so the source, is damaged.
func Backup(ctx context.Context, path, to string, o BackupOptions) error {
	f, err := openFile(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(f.backup(ctx, to, o), f.Close())
}

// backup is Backup for a file that is open. After an error, or when ctx ends, nothing that
// it made is left.
func (f *file) backup(ctx context.Context, to string, o BackupOptions) (err error) {
	// A log that is left of another database would be played into the copy by whoever opens
	// it.
	if err := unused(to, "", "-wal", "-shm", "-journal"); err != nil {
		return err
	}
	key, err := f.keyOf(ctx, to, o)
	if err != nil {
		return err
	}
	// The name is the same each time, so that a second backup to the same file is refused,
	// and what a killed one has left does not stay.
	part := to + ".part"
	lock, err := claim(part)
	if err != nil {
		return err
	}
	// The lock is freed last: to close the file frees the locks that SQLite has on it.
	defer func() { err = errors.Join(err, lock.Close()) }()
	defer func() {
		if err != nil {
			err = errors.Join(err, removeAll(part, part+"-journal", part+"-wal", part+"-shm"))
		}
	}()
	if err := f.copyTo(ctx, part, o.Copied); err != nil {
		return err
	}
	if o.Checking != nil {
		o.Checking()
	}
	if err := checkCopy(ctx, part); err != nil {
		return err
	}
	// The key comes before the copy has its name: a backup that is there can be used.
	if key != "" {
		if err := writeKey(to+".key", key, self()); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, removeAll(to+".key"))
			}
		}()
	}
	return putInPlace(part, to)
}

// keyOf returns the key that goes into a backup, "" for none. It must be the key of the
// database.
func (f *file) keyOf(ctx context.Context, to string, o BackupOptions) (string, error) {
	if !o.WithKey {
		return "", nil
	}
	if err := unused(to, ".key"); err != nil {
		return "", err
	}
	// The key that was given is the one that the server was given, if it has none in a
	// file.
	key, from := o.EncryptionKey, "the given encryption key"
	if key == "" {
		var err error
		from = f.path + ".key"
		if key, err = readKey(from); err != nil {
			return "", err
		}
		if key == "" {
			return "", fmt.Errorf("%s is missing: give the key that the database was opened with", from)
		}
	}
	return key, f.fits(ctx, key, from)
}

// stepPages is how many pages are copied between two looks at whether to go on. That is 4
// MiB: a signal or the end of ctx is noticed within the time that these take.
const stepPages = 512

// copyTo copies all pages as they are at one moment, and waits until they are on the disk.
// copied is told how far it is; it may be nil. The transaction begins with its first read,
// which is the moment that the copy is of.
func (f *file) copyTo(ctx context.Context, to string, copied func(bytes, of int64)) (err error) {
	conn, err := f.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var pageSize, tables int64
	if err := conn.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&pageSize); err != nil {
		return fmt.Errorf("the database %s cannot be read: %w", f.path, err)
	}
	if _, err := conn.ExecContext(ctx, `BEGIN`); err != nil {
		return fmt.Errorf("the database %s cannot be read: %w", f.path, err)
	}
	if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables); err != nil { // the moment
		return fmt.Errorf("the database %s cannot be read: %w", f.path, err)
	}
	err = conn.Raw(func(driver any) error {
		return copyPages(ctx, driver, to, func(pages, of int) {
			if copied != nil {
				copied(int64(pages)*pageSize, int64(of)*pageSize)
			}
		})
	})
	// The caller's context may have ended, and a transaction that stays open would keep the
	// log from ever being reused.
	_, ended := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	if err = errors.Join(err, ended); err != nil {
		return err
	}
	// What was written meanwhile is in the log. It is moved into the file here, so that
	// no writer of the server has to do all of it at its next commit.
	if _, err := conn.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`); err != nil {
		return fmt.Errorf("the log of the database %s cannot be moved into the file: %w", f.path, err)
	}
	return nil
}

// copyPages copies pages in steps. If another process writes meanwhile, SQLite begins a
// copy again, unless the connection that is copied is in a transaction; this one is.
func copyPages(ctx context.Context, driver any, to string, copied func(pages, of int)) error {
	// database/sql has no backups, so the driver's connection is asked itself.
	source, ok := driver.(interface {
		NewBackup(to string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("the driver of the database makes no copies")
	}
	// Nobody reads the copy before it is complete and synced, so it needs no journal.
	b, err := source.NewBackup(dsn(to, "journal_mode(OFF)", "synchronous(OFF)"))
	if err != nil {
		return fmt.Errorf("the copy %s cannot be made: %w", to, err)
	}
	for more := true; more && err == nil; {
		if err = ctx.Err(); err != nil {
			break
		}
		// The server's readers and its writer go on between two steps, and within one, too.
		more, err = b.Step(stepPages)
		if err == nil {
			copied(b.PageCount()-b.Remaining(), b.PageCount())
		}
	}
	// Finish repeats the error of a step.
	if finished := b.Finish(); err == nil {
		err = finished
	}
	// An error that follows from the end of ctx is not the disk's.
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("the copy %s cannot be written, is its disk full? %w", to, err)
	}
	return err
}

// checkCopy makes a copy one file, without a log beside it, and inspects it as `orderhook
// check` does. A finding is an error here: nobody should trust such a copy without having
// seen it.
func checkCopy(ctx context.Context, path string) error {
	f, err := openFile(ctx, path, "journal_mode(DELETE)")
	if err != nil {
		return fmt.Errorf("the copy: %w", err)
	}
	var first string
	found := 0
	err = f.inspect(ctx, func(wrong core.Finding) {
		// The first finding is in the error; there may be very many.
		if found++; found == 1 {
			first = wrong.Text
		}
	})
	if err = errors.Join(err, f.Close()); err == nil && found > 0 {
		err = fmt.Errorf("%w: %s; %d findings in all, which orderhook check shows", ErrDamaged, first, found)
	}
	return err
}

// ErrDamaged is in the error of [Backup] and [Restore] if something in the database is
// damaged, or does not fit the rest.
var ErrDamaged = errors.New("the copy is not sound")

// fits returns an error unless a key is that of the database. from says in the error where
// the key came from.
func (f *file) fits(ctx context.Context, key, from string) error {
	var salt []byte
	err := f.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, core.MetaSalt).Scan(&salt)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("the database %s has no encryption key yet", f.path)
	}
	if err != nil {
		return fmt.Errorf("the salt of the encryption key cannot be read: %w", err)
	}
	_, err = checked(salt, key, from, func(name string) (value []byte, err error) {
		err = f.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
		return value, err
	})
	return err
}

// existing returns a path with symbolic links resolved. It is an error if there is no file,
// or if a restore of it was begun and not finished.
func existing(path string) (string, error) {
	path, err := resolved(path)
	if err != nil {
		return "", err
	}
	if err := refuseUnfinished(path); err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no database %s", path)
	}
	if err != nil {
		return "", fmt.Errorf("the database cannot be found: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	return path, nil
}

// unused returns an error if there is a file of a name with one of the endings. Lstat is
// asked, since a link that leads nowhere is there, too.
func unused(path string, endings ...string) error {
	for _, ending := range endings {
		if _, err := os.Lstat(path + ending); !errors.Is(err, os.ErrNotExist) {
			return errors.Join(fmt.Errorf("%s is there already: a backup replaces no file", path+ending), err)
		}
	}
	return nil
}

// claim makes an empty file and locks it for this process. A file that is there was left by
// a process that was killed, unless its lock is taken: then another one is writing it.
func claim(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the copy cannot be made: %w", err)
	}
	// It does not wait: the other one may take an hour.
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%s is being written by another orderhook", path)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		err = removeAll(path+"-journal", path+"-wal", path+"-shm")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// putInPlace gives a complete file its name. Both are durable then: first the content, then
// the name in its folder.
func putInPlace(part, to string) error {
	// Without it a crash could leave a complete name with a file that is not.
	err := syncFile(part)
	if err == nil {
		err = os.Rename(part, to)
	}
	if err == nil {
		err = syncDir(filepath.Dir(to))
	}
	if err != nil {
		return fmt.Errorf("%s cannot be made durable: %w", to, err)
	}
	return nil
}

// syncFile makes the content of a file durable.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeAll removes files that may not be there. It tries all of them.
func removeAll(paths ...string) error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
