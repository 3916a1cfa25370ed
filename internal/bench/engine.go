package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/app"
)

// engine is a database engine that is measured, and what is asked of it: a server of its
// own is asked more than a file is, and answers later. A measurement runs once for each.
type engine struct {
	name   string
	server string // URL of a PostgreSQL server, on which databases are made; "": SQLite
	bars   bars
}

// bars are what an engine is held to (docs/design.md#aims). The report says of each
// figure whether it meets its bar; a bar that is missed ends nothing.
type bars struct {
	// Deliveries a second, of those of the bare client: in arrays, one by one by 32
	// publishers, and by 256.
	arrays, few, singles float64
	p50, p99             time.Duration // from publishing to arrival
	step                 time.Duration // that a step adds, p50
	steps                float64       // a second at 64 orders, of bare POSTs
}

var (
	// A commit of SQLite is a write to a file of this process. One of PostgreSQL is a
	// question to another process on the same cores, so less is asked of it.
	sqliteBars   = bars{arrays: 0.45, few: 0.2, singles: 0.25, p50: 1500 * time.Microsecond, p99: 4 * time.Millisecond, step: 800 * time.Microsecond, steps: 0.12}
	postgresBars = bars{arrays: 0.15, few: 0.08, singles: 0.08, p50: 3 * time.Millisecond, p99: 8 * time.Millisecond, step: 3 * time.Millisecond, steps: 0.02}
)

// postgresName is its name in reports, and in the list of the measurements that are for
// it alone.
const postgresName = "PostgreSQL"

// engines are those of a run: SQLite, and a PostgreSQL server if there is one.
func (o *Options) engines() []engine {
	all := []engine{{name: "SQLite", bars: sqliteBars}}
	if o.Database != "" {
		all = append(all, engine{name: postgresName, server: o.Database, bars: postgresBars})
	}
	return all
}

// encryptionKey is that of databases which live for one measurement. Nothing in such a
// database is a secret of anybody.
const encryptionKey = "encryption key of a benchmark's database"

// database is one that lives for one measurement. url is nil for a file.
type database struct {
	engine engine
	name   string // as --database takes it
	url    *url.URL
}

// newDatabase makes a database: one on a server at once, a file when it is opened. The
// name has the id of this process, so that two runs on one server do not meet.
func (e engine) newDatabase(ctx context.Context, folder, name string) (*database, error) {
	if e.server == "" {
		// The server makes the file when it opens it.
		return &database{engine: e, name: filepath.Join(folder, name+".db")}, nil
	}
	u, err := url.Parse(e.server)
	if err != nil {
		return nil, app.UserErrorf("--database is not the URL of a PostgreSQL server, as postgres://user@host:5432/postgres")
	}
	// The user, the password and the parameters of the URL stay as they are.
	u.Path = fmt.Sprintf("/orderhook_bench_%d_%s", os.Getpid(), name)
	d := &database{engine: e, name: u.String(), url: u}
	return d, d.onServer(ctx, `CREATE DATABASE `+d.identifier())
}

// identifier is the database's name as a statement has it.
func (d *database) identifier() string {
	return pgx.Identifier{strings.TrimPrefix(d.url.Path, "/")}.Sanitize()
}

// remove removes a database from its server. A file goes with its folder. Connections
// that are still open are ended. It is done after a signal, too.
func (d *database) remove(ctx context.Context) error {
	if d.url == nil {
		return nil
	}
	return d.onServer(context.WithoutCancel(ctx), `DROP DATABASE IF EXISTS `+d.identifier()+` WITH (FORCE)`)
}

// onServer runs a statement in the database that --database names.
func (d *database) onServer(ctx context.Context, statement string) error {
	_, err := d.ask(ctx, d.engine.server, statement)
	return err
}

// ask runs a statement, and returns the one number of its answer, if it has one. Each
// question has a connection of its own, since there are few, and none may be left open
// when the database is removed.
func (d *database) ask(ctx context.Context, database, statement string) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return 0, fmt.Errorf("the PostgreSQL server of --database cannot be reached: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	rows, err := conn.Query(ctx, statement)
	if err != nil {
		return 0, err
	}
	if rows.Next() {
		err = rows.Scan(&n)
	}
	rows.Close()
	return n, errors.Join(err, rows.Err())
}

// size is the bytes that a database takes. With SQLite that is all of its files, the log
// included.
func (d *database) size(ctx context.Context) (size int64, err error) {
	if d.url != nil {
		return d.ask(ctx, d.name, `SELECT pg_database_size(current_database())`)
	}
	// The log and its index are files beside it, whose names begin with its name.
	files, err := filepath.Glob(d.name + "*")
	for _, f := range files {
		info, found := os.Stat(f)
		if err = errors.Join(err, found); found == nil {
			size += info.Size()
		}
	}
	return size, err
}

// titled says in the headings of a report what it was measured on. The reports of SQLite
// stay as they are, because it is what most people use.
func (e engine) titled(report string) string {
	if e.server == "" {
		return report
	}
	lines := strings.Split(report, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "## ") {
			lines[i] += ", on " + e.name
		}
	}
	return strings.Join(lines, "\n")
}
