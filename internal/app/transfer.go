package app

import (
	"context"
	"errors"
	"os"

	"github.com/orderhook/orderhook/internal/store/sqlite"
	"github.com/orderhook/orderhook/internal/transfer"
)

// Side is a database that `orderhook migrate --from … --to …` copies from or into. Database
// is as --database.
type Side struct {
	Database string
	// EncryptionKey is as in [StoreOptions].
	EncryptionKey string
}

// Transfer copies a whole installation into another database, compares the two, and tells
// progress how far it is. A copy that was interrupted is gone on with. An error that says
// what is wrong with one of the flags is a [UserError].
func Transfer(ctx context.Context, from, to Side, progress func(line string)) error {
	source, err := from.side("from")
	if err != nil {
		return err
	}
	target, err := to.side("to")
	if err != nil {
		return err
	}
	if sameDatabase(from.Database, to.Database) {
		return UserErrorf("--from and --to are the same database")
	}
	err = transfer.Run(ctx, transfer.Options{From: source, To: target, Progress: progress})
	// Nothing was copied, and the flag that is wrong is named.
	if _, is := errors.AsType[*transfer.OpenError](err); is && ctx.Err() == nil {
		return &UserError{err}
	}
	// The error says what differs, and what to do.
	if err == nil || errors.Is(err, transfer.ErrDiffers) {
		return err
	}
	return doing("the copy is not finished; run the same command again, which goes on with it", err)
}

// side checks one of the two flags, and returns it as package transfer wants it.
func (s Side) side(flag string) (out transfer.Side, err error) {
	server, err := checkDatabase(s.Database)
	if err != nil {
		return out, UserErrorf("--%s: %w", flag, err)
	}
	out.Key = s.EncryptionKey
	switch {
	case out.Key != "" && len(out.Key) < sqlite.MinKeyLength:
		return out, UserErrorf("--%s-encryption-key: it is too short: it needs %d characters or more", flag, sqlite.MinKeyLength)
	case server && out.Key == "":
		return out, UserErrorf("--%s: a PostgreSQL database needs an encryption key: give --%[1]s-encryption-key-file", flag)
	case server:
		out.URL = s.Database
	default:
		out.Path = s.Database
	}
	return out, nil
}

// sameDatabase reports whether two names are of one database, as far as that can be seen.
// If it cannot, as with two URLs that lead to one server, the lock of the source keeps the
// same database from being the target.
func sameDatabase(a, b string) bool {
	// Two names, or a link, may lead to one file.
	one, err := os.Stat(a)
	other, failed := os.Stat(b)
	return a == b || err == nil && failed == nil && os.SameFile(one, other)
}
