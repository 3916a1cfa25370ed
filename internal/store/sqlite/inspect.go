package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/store/core"
)

// Inspect looks for damage in a database file, and for what does not fit together in it.
// It tells found of each, and changes nothing. It may be called beside a server. It is an
// error if the file cannot be read, is not one of orderhook's, or has the schema of
// another version.
func Inspect(ctx context.Context, path string, found func(core.Finding)) error {
	f, err := openFile(ctx, path)
	// The damage may be in what the file is recognized by.
	if isCorrupt(err) {
		found(damaged(err.Error()))
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.inspect(ctx, found), f.Close())
}

// Rebuild has segments of the index of bodies built again, in a database that a server may
// have open. It only removes them; the maintenance of the server, or of the next one,
// builds them.
func Rebuild(ctx context.Context, path string, segments []int64) error {
	f, err := openFile(ctx, path)
	if err != nil {
		return err
	}
	for _, segment := range segments {
		if err == nil {
			err = f.rebuild(ctx, segment)
		}
	}
	return errors.Join(err, f.Close())
}

// file is a database file that is not open as a store. It has one connection. It knows no
// key, so what is sealed in it stays sealed.
type file struct {
	*sql.DB
	path string
}

// openFile opens a file that must be there, with further pragmas. It is an error if the
// file is not a database of orderhook's, so that no command works on another program's
// file.
func openFile(ctx context.Context, path string, pragmas ...string) (*file, error) {
	path, err := existing(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, append([]string{"secure_delete(ON)", "synchronous(FULL)"}, pragmas...)...))
	if err != nil {
		return nil, fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	// The pragmas and the transactions below must be on the same connection.
	db.SetMaxOpenConns(1)
	f := &file{db, path}
	if err := f.ours(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return f, nil
}

// Made returns an error unless the file is a database of orderhook's. It changes nothing, and
// is for commands that have no business with an empty file: opening that one makes a database
// of it.
func Made(ctx context.Context, path string) error {
	f, err := openFile(ctx, path, "query_only(ON)")
	if err != nil {
		return err
	}
	return f.Close()
}

// ours returns an error unless the file is a database of orderhook, of this version or an
// earlier one.
func (f *file) ours(ctx context.Context) error {
	if _, err := migrated(ctx, f.DB, f.path); err != nil {
		return err
	}
	var tables int
	if err := f.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return fmt.Errorf("the database %s cannot be read: %w", f.path, err)
	}
	if tables == 0 {
		return fmt.Errorf("the database %s is empty", f.path)
	}
	return nil
}

// QueryOnce implements [core.Asker].
func (f *file) QueryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	rows, err := f.QueryContext(ctx, text, args...)
	if err != nil {
		return stated(err, text)
	}
	return stated(core.EachRow(rows, each), text)
}

// damaged is the finding of a file that SQLite cannot read.
func damaged(how string) core.Finding { return core.Finding{Text: "the file is damaged: " + how} }

// inspect looks at the pages first: if one of them is damaged, nothing that follows says
// much.
func (f *file) inspect(ctx context.Context, found func(core.Finding)) error {
	sound := true
	err := f.QueryOnce(ctx, func(r core.Row) error {
		var text string
		err := r.Scan(&text)
		// SQLite returns "ok", or one line for each thing that is wrong, and no more than
		// 20.
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "ok" {
				sound = false
				found(damaged(line))
			}
		}
		return err
	}, `PRAGMA integrity_check(20)`)
	// The check itself may stumble over the damage.
	if isCorrupt(err) {
		found(damaged(err.Error()))
		return nil
	}
	if err != nil || !sound {
		return err
	}
	if current, err := migrated(ctx, f.DB, f.path); err != nil || !current {
		return err // the rules are those of the newest schema
	}
	if err := f.inspectNumbers(ctx, found); err != nil {
		return err
	}
	return core.Inspect(ctx, f, dialect, found)
}

// inspectNumbers looks for numbers that would be given out a second time: a row with a
// number above the last one that SQLite says it has given. That happens if rows were copied
// in by hand.
func (f *file) inspectNumbers(ctx context.Context, found func(core.Finding)) error {
	for table, column := range map[string]string{"events": "seq", "body_segments": "id"} {
		var given, used int64
		err := f.QueryRowContext(ctx, fmt.Sprintf(`SELECT coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = '%[1]s'), 0), coalesce((SELECT max(%[2]s) FROM %[1]s), 0)`,
			table, column)).Scan(&given, &used)
		if err != nil {
			return fmt.Errorf("the numbers of %s cannot be read: %w", table, err)
		}
		// Events and segments are found by these numbers: two of one number would be mixed
		// up.
		if used > given {
			found(core.Finding{Text: fmt.Sprintf("the numbers of %s: %d is used, but only those up to %d were given out", table, used, given)})
		}
	}
	return nil
}

// rebuild makes the changes for one segment in one transaction. If a server has the lock of
// the file, it waits for busyTimeout.
func (f *file) rebuild(ctx context.Context, segment int64) error {
	tx, err := f.BeginTx(ctx, nil)
	if err != nil {
		return failure(err)
	}
	// The texts have no pieces, so no dialect is needed.
	for _, c := range core.RebuildSegment(segment) {
		if _, err := tx.ExecContext(ctx, c.Text, c.Args...); err != nil {
			return errors.Join(failure(stated(err, c.Text)), tx.Rollback())
		}
	}
	return failure(tx.Commit())
}
