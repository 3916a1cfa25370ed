package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// compatibleSchema is the oldest schema whose versions of orderhook can work with the newest
// one, too: the migrations since then only add. Whoever writes a migration that drops or
// changes something, which versions until then use, raises it to the schema of the first
// version that does without. That is one version earlier at least, so that a node of the
// version before can always be at work meanwhile.
const compatibleSchema = 1

// schema is what a database says of its own schema.
type schema struct {
	number     int64 // of the last migration; 0: there is none yet
	compatible int64 // [compatibleSchema] of who brought it up to date; 0: nobody has noted it
}

const (
	// selectSchema reads the schema of a database that has one. What is compatible is noted
	// in the table of marks, as a text.
	selectSchema     = `SELECT (SELECT max(version_id) FROM goose_db_version), ` + selectCompatible
	selectCompatible = `coalesce((SELECT convert_from(value, 'UTF8')::bigint FROM meta WHERE name = '` + metaCompatible + `'), 0)`
	noteCompatible   = `INSERT INTO meta (name, value) VALUES ('` + metaCompatible + `', convert_to($1::bigint::text, 'UTF8'))
		ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE convert_from(meta.value, 'UTF8')::bigint < $1`
	metaCompatible = "schema.compatible"

	// selectTrace looks for the column that the schema of 0.1.0 got last.
	selectTrace = `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('events') AND attname = 'trace')`

	// selectTables counts the tables, and those that say what schema there is.
	selectTables = `SELECT count(*), count(*) FILTER (WHERE tablename = 'goose_db_version'), count(*) FILTER (WHERE tablename = 'meta')
		FROM pg_tables WHERE schemaname = current_schema()`
	// selectOlder lists the nodes that are at work and do not know a schema.
	selectOlder = `SELECT name, version FROM nodes WHERE schema < $1 AND until > clock_timestamp() AND NOT ` + isGone + ` ORDER BY name`
)

// schemaOf reads the schema of a database. A database that is not one of orderhook's is an
// error.
func schemaOf(ctx context.Context, conn *pgx.Conn) (s schema, err error) {
	var tables, migrations, marks int
	if err := conn.QueryRow(ctx, selectTables).Scan(&tables, &migrations, &marks); err != nil {
		return s, err
	}
	switch {
	case migrations == 0 && tables > 0:
		return s, errors.New("the database is not one of orderhook's: other tables are in its schema")
	case migrations == 0:
		return s, nil
	case marks == 0:
		return s, conn.QueryRow(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&s.number)
	}
	if err := conn.QueryRow(ctx, selectSchema).Scan(&s.number, &s.compatible); err != nil || s.number == 0 {
		return s, err
	}
	var has bool
	if err := conn.QueryRow(ctx, selectTrace).Scan(&has); err != nil || has {
		return s, err
	}
	return s, errOldBuild
}

// errOldBuild is the error of a database of a build from before 0.1.0. The first migration
// was changed until then, so no later one can bring such a schema up to date.
var errOldBuild = errors.New("the database is of a build from before orderhook 0.1.0, whose PostgreSQL schema cannot be brought up to date: give orderhook an empty database")

// suits is an error if this version cannot work with the schema, or could not with the one
// that a newer version is about to make of it.
func (s schema) suits() error {
	switch {
	case s.compatible > newestSchema:
		return fmt.Errorf("the database is of a newer orderhook: its schema is %d, which versions can work with that know schema %d, and this one knows those up to %d", s.number, s.compatible, newestSchema)
	case s.number > newestSchema && s.compatible == 0:
		return fmt.Errorf("the database is of a newer orderhook: its schema is %d, this one knows those up to %d", s.number, newestSchema)
	}
	return nil
}

// bringUpToDate notes which versions can work with the newest schema, and then makes it. In
// this order no older node can join between the two.
func (s schema) bringUpToDate(ctx context.Context, c *config, conn *pgx.Conn) error {
	if s.number > 0 {
		if err := announce(ctx, conn); err != nil {
			return err
		}
	}
	if err := runMigrations(ctx, c); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, noteCompatible, int64(compatibleSchema)); err != nil {
		return err
	}
	parts, err := partitionsOf(ctx, c, asker{conn}.QueryOnce, slog.New(slog.DiscardHandler))
	if err != nil || parts == nil {
		return err
	}
	// A writer would have to make the first partitions else.
	return parts.Ahead(ctx, time.Now(), firstLength)
}

// announce notes which versions can work with the schema that is to come. It is an error
// while a node of another version is at work. One that joins holds the same lock.
func announce(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockJoin, int64(joinLock)); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, selectOlder, int64(compatibleSchema)) // ForEachRow returns its error
		var older []string
		var name, version string
		_, err := pgx.ForEachRow(rows, []any{&name, &version}, func() error {
			older = append(older, fmt.Sprintf("%s (version %s)", name, version))
			return nil
		})
		if err == nil && len(older) > 0 {
			err = fmt.Errorf("older nodes are at work with the database, which cannot work with the schema of this version: stop %s first", strings.Join(older, ", "))
		}
		if err == nil {
			_, err = tx.Exec(ctx, noteCompatible, int64(compatibleSchema))
		}
		return err
	})
}
