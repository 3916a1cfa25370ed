package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// unlock returns what seals and opens the database's secrets. The first key that a database
// is opened with is its key from then on; another one is refused. If two nodes open a
// new database at once, the second finds what the first one stored.
func unlock(ctx context.Context, c *config, key string) (*secret.Sealer, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, failure(err)
	}
	// The connection is not of a pool: it is used once, while the database is opened.
	defer conn.Close(context.WithoutCancel(ctx))
	// It is used only if the database has no salt yet.
	fresh := make([]byte, 16)
	_, _ = rand.Read(fresh) // never fails
	if err := insertCheck(ctx, conn, key, fresh); err != nil {
		return nil, failure(err)
	}
	var salt, check []byte
	err = conn.QueryRow(ctx, `SELECT salt.value, sealed.value FROM meta AS salt, meta AS sealed WHERE salt.name = $1 AND sealed.name = $2`,
		core.MetaSalt, core.MetaCheck).Scan(&salt, &check)
	// insertCheck stores both or neither, so somebody has removed one of them.
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errors.New("the database says nothing of its encryption key: a part of it is missing")
	}
	if err != nil {
		return nil, failure(err)
	}
	sealer, err := secret.NewSealer(key, salt)
	if err != nil {
		return nil, err
	}
	// A node with another key must not store secrets that the others cannot open.
	if err := sealer.Fits(string(check)); err != nil {
		return nil, fmt.Errorf("the given encryption key does not fit the database: %w", err)
	}
	return sealer, nil
}

// insertCheck gives a new database a salt and a check value, both or neither. Whichever
// node inserts the salt first also stores the check value; the other one's transaction
// waits for that and then changes nothing.
func insertCheck(ctx context.Context, conn *pgx.Conn, key string, salt []byte) error {
	// Nearly always it is there, and nothing has to be written.
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM meta WHERE name = $1)`, core.MetaSalt).Scan(&there); err != nil || there {
		return err
	}
	sealer, err := secret.NewSealer(key, salt)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		added, err := tx.Exec(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, core.MetaSalt, salt)
		// Only the node whose salt it is knows the check value that belongs to it.
		if err == nil && added.RowsAffected() == 1 {
			_, err = tx.Exec(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)`, core.MetaCheck, []byte(sealer.Check()))
		}
		return err
	})
}
