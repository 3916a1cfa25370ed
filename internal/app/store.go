package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// StoreOptions say how a database is opened, whichever engine has it.
type StoreOptions struct {
	// EncryptionKey seals the secrets in the database. That of a file may be "": it is
	// in DATABASE.key then. One on a server needs it.
	EncryptionKey string
	// Exclusive keeps every other exclusive user off the file of a database for as long as
	// it is open, as `serve` does. A database on a server may have several, who hear of each
	// other's changes.
	Exclusive bool
	Clock     func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: slog.Default()
}

// ErrInUse is in the error of a file that another process has exclusively.
var ErrInUse = sqlite.ErrInUse

// OpenStore opens the database that --database names, and makes it if it is a file that is
// not there. It brings the schema up to date. An error is a [UserError], unless ctx has
// ended: nearly always the name, the key or the moment is wrong.
func OpenStore(ctx context.Context, database string, o StoreOptions) (store.Store, error) {
	server, err := checkDatabase(database)
	if err != nil {
		return nil, err
	}
	if o.EncryptionKey != "" && len(o.EncryptionKey) < sqlite.MinKeyLength {
		return nil, UserErrorf("the encryption key is too short: it needs %d characters or more", sqlite.MinKeyLength)
	}
	var st store.Store
	switch {
	// Exclusive is for files: several servers may work on a database of a PostgreSQL
	// server.
	case server:
		var db *postgres.DB
		db, err = postgres.Open(ctx, database, postgres.Options{EncryptionKey: o.EncryptionKey, Clock: o.Clock, Log: o.Log})
		if st, err = opened(db, err); err == nil { // who joins the nodes tells them in another way
			db.Tell(nodes.Outside(ctx, db.Nodes(), cmp.Or(o.Log, slog.Default())))
		}
	default:
		st, err = opened(sqlite.Open(ctx, database, sqlite.Options{EncryptionKey: o.EncryptionKey, Exclusive: o.Exclusive, Clock: o.Clock, Log: o.Log}))
	}
	return st, userErrorUnlessCanceled(ctx, err)
}

// opened returns a nil store with an error. The pointer to a database, which is nil then,
// would make an interface that is not.
func opened[T store.Store](db T, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return db, nil
}

// OpenExisting opens the database as OpenStore does, and makes none. It is for commands
// that have no business with an empty one: a name that is misspelt must not make a
// database, be it that of a file or that of an empty database on a server.
func OpenExisting(ctx context.Context, database string, o StoreOptions) (store.Store, error) {
	server, err := checkDatabase(database)
	switch {
	case err != nil:
		return nil, err
	case server:
		err = postgres.Made(ctx, database)
	default:
		err = sqlite.Made(ctx, database)
	}
	if err != nil {
		return nil, userErrorUnlessCanceled(ctx, err)
	}
	return OpenStore(ctx, database, o)
}

// DatabaseExists reports whether there is the file that --database names. A database on a
// server is taken to be there: whether it is, its opening says.
func DatabaseExists(database string) (bool, error) {
	server, err := checkDatabase(database)
	if server || err != nil {
		return server, err
	}
	_, err = os.Stat(database)
	return !errors.Is(err, os.ErrNotExist), nil
}

// Migrate brings the database's schema up to date, and makes the database if it is a file
// that is not there. It needs no key.
func Migrate(ctx context.Context, database string) error {
	server, err := checkDatabase(database)
	if err != nil {
		return err
	}
	if server {
		return userErrorUnlessCanceled(ctx, postgres.Migrate(ctx, database))
	}
	return userErrorUnlessCanceled(ctx, sqlite.Migrate(ctx, database))
}

// DatabaseName is what --database names, without what may be a secret, for logs and pages.
func DatabaseName(database string) string {
	server, err := checkDatabase(database)
	switch {
	case err != nil:
		return "(no database)"
	case !server:
		return database
	}
	// User, password and parameters are left out.
	u, err := url.Parse(database)
	if err != nil || strings.Contains(u.Path, "@") { // the path may be the rest of a password with a /
		return "postgres://…"
	}
	return (&url.URL{Scheme: "postgres", Host: cmp.Or(u.Host, u.Query().Get("host")), Path: u.Path}).String()
}

// checkDatabase reports whether a database is on a server of PostgreSQL, and refuses what
// cannot be opened. The name of a server's database may hold a password, so it is not
// repeated. Everything without :// is the path of a file.
func checkDatabase(database string) (server bool, err error) {
	scheme, _, isURL := strings.Cut(database, "://")
	switch {
	case database == "":
		return false, UserErrorf("the database has no name")
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		return true, nil
	// Of these nothing is repeated: a file is hardly called so, and there is a password in them.
	case strings.HasPrefix(database, "postgres:"), strings.HasPrefix(database, "postgresql:"), strings.Contains(database, "password="):
		return false, UserErrorf("a database on a PostgreSQL server is named by a URL, postgres://user@host:5432/name: with two slashes, and not as host=… password=…")
	// The error names only the scheme, since the rest may hold a secret.
	case isURL:
		return false, UserErrorf("a database %s://… is not known: --database is the path of a file, or postgres://user@host:5432/name", scheme)
	}
	return false, nil
}

// userErrorUnlessCanceled makes an error of opening a database a [UserError]: the database
// was named wrongly, or is in use, or cannot be read by this user, or has another key. What
// fails because ctx has ended is nobody's error.
func userErrorUnlessCanceled(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &UserError{err}
}
