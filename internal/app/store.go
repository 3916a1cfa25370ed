package app

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// OpenStore opens the database that --database names, and makes it if it is
// not there.
func OpenStore(ctx context.Context, database string, o sqlite.Options) (*sqlite.DB, error) {
	if err := checkDatabase(database); err != nil {
		return nil, err
	}
	if o.EncryptionKey != "" && len(o.EncryptionKey) < sqlite.MinKeyLength {
		return nil, Mistakef("the encryption key is too short: it needs %d characters or more", sqlite.MinKeyLength)
	}
	db, err := sqlite.Open(ctx, database, o)
	return db, mistakeUnlessCanceled(ctx, err)
}

// OpenExisting opens the database as OpenStore does, and makes none: for
// commands that have no business with an empty one.
func OpenExisting(ctx context.Context, database string, o sqlite.Options) (*sqlite.DB, error) {
	if err := checkDatabase(database); err != nil {
		return nil, err
	}
	if _, err := os.Stat(database); errors.Is(err, os.ErrNotExist) {
		return nil, Mistakef("there is no database %s", database)
	}
	return OpenStore(ctx, database, o)
}

// Migrate brings the database's schema up to date, and makes the database if
// it is not there.
func Migrate(ctx context.Context, database string) error {
	if err := checkDatabase(database); err != nil {
		return err
	}
	return mistakeUnlessCanceled(ctx, sqlite.Migrate(ctx, database))
}

// checkDatabase refuses what this version cannot open. The name of a server's
// database may hold a password, so it is not repeated.
func checkDatabase(database string) error {
	scheme, _, isURL := strings.Cut(database, "://")
	switch {
	case database == "":
		return Mistakef("the database has no name")
	case isURL && strings.HasPrefix(strings.ToLower(scheme), "postgres"):
		return Mistakef("PostgreSQL comes later: this version has SQLite only, whose --database is the path of a file")
	case isURL:
		return Mistakef("a database %s://… is not known: --database is the path of a file", scheme)
	}
	return nil
}

// mistakeUnlessCanceled: a database that cannot be opened is one that was named
// wrongly, or is in use, or cannot be read by this user, or has another key.
func mistakeUnlessCanceled(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &Mistake{err}
}
