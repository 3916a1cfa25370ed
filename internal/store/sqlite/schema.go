package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
)

// newSchema is what all migrations together make of an empty file, with their numbers. It is
// there because a new database is made in a quarter of the time from it, and every test
// makes one; and it is the one place where the whole schema can be read. The migrations
// stay what decides: TestTheSchemaIsThatOfTheMigrations writes this file from them
// (go test ./internal/store/sqlite -run TheSchema -update), and fails where the two differ.
//
//go:embed schema.sql
var newSchema string

// makeNew makes the schema in a file that holds nothing yet. It is one transaction: a
// process that dies in it leaves the empty file that there was.
func makeNew(ctx context.Context, db *sql.DB, path string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err == nil {
		defer func() { _ = tx.Rollback() }() // nothing is to be undone after the commit
		_, err = tx.ExecContext(ctx, newSchema)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("the database %s cannot be made: %w", path, err)
	}
	return nil
}
