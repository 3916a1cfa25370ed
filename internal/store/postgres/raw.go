package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// Raw is a database whose rows are read and written as they are. `orderhook migrate --from
// … --to …` copies all of one database into another with it. No node serves the database
// meanwhile: a Raw is alone with it. It does not check what is written; package transfer
// does.
type Raw struct {
	*alone
	Sealer *secret.Sealer
	config *config
}

// ErrUnused is the error of opening a database raw that no server has opened yet.
var ErrUnused = errors.New("nothing is to be copied: no server of this version has opened the database yet")

// OpenRaw opens a database that has been used. Its schema must be the newest.
func OpenRaw(ctx context.Context, url, key string) (*Raw, error) {
	return openRaw(ctx, url, key, false)
}

// CreateRaw opens a database, and makes its schema if it has none.
func CreateRaw(ctx context.Context, url, key string) (*Raw, error) {
	return openRaw(ctx, url, key, true)
}

// openRaw first looks whether the database can be used for what is asked, and changes
// nothing before.
func openRaw(ctx context.Context, url, key string, create bool) (r *Raw, err error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	r = &Raw{config: config}
	used, err := r.used(ctx)
	if err != nil {
		return nil, err
	}
	if create && !used {
		err = migrate(ctx, config)
	} else if !used {
		err = ErrUnused
	}
	if err != nil {
		return nil, err
	}
	if r.alone, err = takeAlone(ctx, config); err != nil {
		return nil, err
	}
	if r.Sealer, err = unlock(ctx, config, key); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// used reports whether the database has been opened before. One that has must have the
// newest schema: migrations are for its owner to ask for. One that is not orderhook's is an
// error.
func (r *Raw) used(ctx context.Context) (used bool, err error) {
	conn, err := r.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := suits(ctx, conn); err != nil {
		return false, failure(err)
	}
	s, err := schemaOf(ctx, conn)
	if err == nil {
		err = s.suits()
	}
	if err != nil || s.number == 0 {
		return false, failure(err)
	}
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM meta WHERE name = $1)`, core.MetaSalt).Scan(&used)
	if err == nil && used && s.number != newestSchema {
		err = errOtherSchema(s.number)
	}
	return used, failure(err)
}

// errOtherSchema is the error of copying a database whose schema is not the newest that this
// version knows. One that is newer suits a server of this version, but a copy of it would
// lack what was added.
func errOtherSchema(number int64) error {
	if number > newestSchema {
		return fmt.Errorf("the schema of the database is %d, and this version copies only what it knows, which is schema %d: use the version of orderhook that the database is of", number, newestSchema)
	}
	return errors.New("the schema of the database is of an older version: run `orderhook migrate --database postgres://…` first")
}

// Connect makes a connection, which the caller closes.
func (r *Raw) Connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := r.config.connect(ctx)
	return conn, failure(err)
}

// Text returns a text as PostgreSQL takes it: U+FFFD stands for a zero byte, and for
// what is no UTF-8. Whatever the server writes goes through it, too.
func Text(s string) string { return text(s) }

// PartitionNames is what the names of partitions are like. One may be there that is detached.
const PartitionNames = "^(" + partitionNames + ")$"

// IsUncovered reports whether a row was refused since there is no partition for its number;
// Cover makes it.
func IsUncovered(err error) bool { return isUncovered(err) }

// Cover makes the partitions that numbers of a table have none of.
func (r *Raw) Cover(ctx context.Context, table string, numbers []int64) error {
	return newPartitions(r.config, nil, nil).Cover(ctx, table, numbers)
}

// FillIDs notes the ids of events that a server would have noted when it added them
// (insertIDs).
const FillIDs = `INSERT INTO event_ids (tenant, id, seq) SELECT tenant, id, seq FROM events
	WHERE webhook_id <> '' OR id !~ '^evt_[0-9a-f]{12}7[0-9a-f]{19}$' ON CONFLICT DO NOTHING`

// LastNumber is the highest number of an event that a value of the sequence
// event_numbers stands for.
func LastNumber(value int64) int64 { return (value + 1) * blockOf }

// ValueAbove is the first value of the sequence event_numbers whose numbers are all above
// one.
func ValueAbove(number int64) int64 { return (number + blockOf - 1) / blockOf }
