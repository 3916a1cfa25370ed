package app

import (
	"context"
	"slices"

	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// Backup copies the database that --database names to a new file, and checks the copy. That
// of a PostgreSQL server is refused: it has its own means. [sqlite.Backup] says what the
// copy is.
func Backup(ctx context.Context, database, to string, o sqlite.BackupOptions) error {
	if err := onlyFiles(database, "backup", "copy it with pg_dump"); err != nil {
		return err
	}
	return userErrorUnlessCanceled(ctx, sqlite.Backup(ctx, database, to, o))
}

// onlyFiles refuses a database on a server for a command that works with files. instead is
// what to do there.
func onlyFiles(database, command, instead string) error {
	server, err := checkDatabase(database)
	if err == nil && server {
		err = UserErrorf("%s works with a database that is a file: %s, see docs/operating.md", command, instead)
	}
	return err
}

// Check inspects the database that --database names, and tells found of what is wrong. It
// changes nothing, and works beside a server.
func Check(ctx context.Context, database string, found func(core.Finding)) error {
	server, err := checkDatabase(database)
	if err != nil {
		return err
	}
	if server {
		return userErrorUnlessCanceled(ctx, postgres.Inspect(ctx, database, found))
	}
	return userErrorUnlessCanceled(ctx, sqlite.Inspect(ctx, database, found))
}

// Repair has those findings put right that are about what the server can build again, and
// returns how many that are. All others need somebody who decides what is right, or a
// backup.
func Repair(ctx context.Context, database string, findings []core.Finding) (int, error) {
	var segments []int64
	for _, f := range findings {
		if f.Segment != 0 {
			segments = append(segments, f.Segment)
		}
	}
	repaired := len(segments)
	// Several findings may be about one segment.
	slices.Sort(segments)
	segments = slices.Compact(segments)
	server, err := checkDatabase(database)
	switch {
	case err != nil || len(segments) == 0:
		return 0, err
	case server:
		err = postgres.Rebuild(ctx, database, segments)
	default:
		err = sqlite.Rebuild(ctx, database, segments)
	}
	return repaired, userErrorUnlessCanceled(ctx, err)
}

// Restore puts a backup in the place of the database that --database names, which nobody
// may have open. It returns the folder with the files of before, "" if there were none.
func Restore(ctx context.Context, from, database string, o sqlite.RestoreOptions) (before string, err error) {
	if err := onlyFiles(database, "restore", "restore it with pg_restore"); err != nil {
		return "", err
	}
	before, err = sqlite.Restore(ctx, from, database, o)
	return before, userErrorUnlessCanceled(ctx, err)
}
