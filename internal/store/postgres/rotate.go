package postgres

import (
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/store/core"
)

// Rotate seals the secrets of the database of a URL with another encryption key. No node
// may work with it ([ErrInUse]). All of it is one transaction: the old key opens everything
// before its commit, and the new one after it.
func Rotate(ctx context.Context, url, key, newKey string) (core.Resealed, error) {
	if err := Made(ctx, url); err != nil {
		return core.Resealed{}, err
	}
	// Nodes hold the old key in memory, so none may run.
	db, err := OpenAlone(ctx, url, Options{EncryptionKey: key})
	if err != nil {
		return core.Resealed{}, err
	}
	done, err := db.Reseal(ctx, newKey)
	return done, errors.Join(err, db.Close())
}
