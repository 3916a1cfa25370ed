package app

import (
	"context"

	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// RotateEncryption seals the secrets of the database that --database names with another
// encryption key, in one write. Nobody may have it open. It returns the file that the old
// key is in afterwards; "" if the key was given, and then the new one has to be given, too:
// a key that was made here would be nowhere.
func RotateEncryption(ctx context.Context, database, key, newKey string) (done core.Resealed, oldKey string, err error) {
	server, err := checkDatabase(database)
	switch {
	case err != nil:
		return done, "", err
	// The file of a key is beside a database that is a file, and nowhere else.
	case (server || key != "") && newKey == "":
		return done, "", UserErrorf("the encryption key was given, so the new one has to be: --new-encryption-key-file")
	case newKey != "" && len(newKey) < sqlite.MinKeyLength:
		return done, "", UserErrorf("the new encryption key is too short: it needs %d characters or more", sqlite.MinKeyLength)
	case newKey != "" && newKey == key:
		return done, "", UserErrorf("the new encryption key is the one that was given")
	}
	if server {
		done, err = postgres.Rotate(ctx, database, key, newKey)
	} else {
		done, oldKey, err = sqlite.Rotate(ctx, database, key, newKey)
	}
	return done, oldKey, userErrorUnlessCanceled(ctx, err)
}
