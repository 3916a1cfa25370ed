package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// meeting is where the nodes of a database meet: a connection of its own, whose end others
// take for that of the node, and on which it is notified. It implements [nodes.Database].
//
// Most of it is used by one goroutine (see [nodes.Database]); Claim, Unclaim and Post use
// connections of the pools.
type meeting struct {
	*engine
	config *config
	conn   *pgx.Conn // nil: it is to be made
	fresh  bool      // it was made since the node was noted last
}

// Nodes returns where the nodes of the database meet. What connections they need is made
// when it is first asked.
func (db *DB) Nodes() nodes.Database { return &meeting{engine: db.engine, config: db.engine.config} }

// The channel of notifications, and what they say. Each database has its own.
const (
	listenTo     = `LISTEN orderhook`
	toldChange   = "change"
	notifyChange = `SELECT pg_notify('orderhook', 'change')`
)

// The statements of the nodes. All times in them are the server's own, because the clocks
// of nodes differ. A node is in the table nodes as long as it is taken for alive. A lease
// whose node is not in that table is free.
const (
	// insertNode has no row where a process is alone, the schema excludes this version, or
	// the encryption key has been replaced, and insertAlone none where anybody is.
	// A node that joins holds lockJoin, so that two see each other.
	lockJoin    = `SELECT pg_advisory_xact_lock($1)`
	selectGone  = `SELECT id FROM nodes WHERE ` + isGone
	dropDead    = `DELETE FROM nodes WHERE until <= clock_timestamp() OR id = ANY ($1) AND ` + isGone
	insertNode  = insertInto + ` WHERE NOT EXISTS (SELECT FROM nodes WHERE name = '` + soleName + `') AND ` + selectCompatible + ` <= $7 AND EXISTS (SELECT FROM meta WHERE name = '` + core.MetaSalt + `' AND value = $8)`
	selectSole  = `SELECT EXISTS (SELECT FROM nodes WHERE name = '` + soleName + `')`
	insertAlone = insertInto + ` WHERE NOT EXISTS (SELECT FROM nodes)`
	insertInto  = `INSERT INTO nodes (id, name, address, version, started, seen, until, pid, schema) SELECT $1, $2, $3, $4, $5::timestamptz, clock_timestamp(), clock_timestamp() + $6 * interval '1 ms', 0, $7::bigint`
	dropSole    = `DELETE FROM nodes WHERE name = '` + soleName + `' AND (until <= clock_timestamp() OR ` + isGone + `)`
	selectLast  = `SELECT coalesce(max(number), 0) FROM news`
	// renewNode notes that the node is alive, and by which connection. A pooler gives away
	// its own number for that of the server's process: then the connection says nothing.
	renewNode = `UPDATE nodes SET seen = clock_timestamp(), until = greatest(until, clock_timestamp() + $2 * interval '1 ms'), pid = CASE WHEN a.pid::bigint = $3::bigint THEN a.pid ELSE 0 END, connected = a.backend_start
		FROM pg_stat_activity AS a WHERE a.pid = pg_backend_pid() AND id = $1`
	removeNews  = `DELETE FROM news WHERE at < now() - $1 * interval '1 ms'`
	selectNodes = `SELECT id, name, address, version, started, seen, until <= clock_timestamp(), ` + isGone + `, clock_timestamp() FROM nodes`
	isGone      = `(pid <> 0 AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.pid = nodes.pid AND a.backend_start = nodes.connected))`
	selectHeld  = `SELECT name, epoch, node FROM leases WHERE name NOT LIKE 'claim/%'`
	// lockFree locks leases against everybody who uses them, but for those that somebody
	// uses now: that one ends first.
	lockFree   = `SELECT name FROM unnest($1::text[], $2::bigint[]) AS l (name, number) WHERE pg_try_advisory_xact_lock(number)`
	takeLeases = `INSERT INTO leases AS l (name, epoch, node) SELECT name, 1, $1 FROM unnest($2::text[]) AS t (name) WHERE EXISTS (SELECT FROM nodes WHERE id = $1)
		ON CONFLICT (name) DO UPDATE SET epoch = l.epoch + 1, node = excluded.node WHERE NOT EXISTS (SELECT FROM nodes AS n WHERE n.id = l.node) RETURNING name, epoch`
	endLeases = `UPDATE leases AS l SET node = '' FROM unnest($2::text[], $3::bigint[]) AS e (name, epoch) WHERE l.name = e.name AND l.epoch = e.epoch AND l.node = $1`
	claim     = `INSERT INTO leases AS l (name, epoch, node) SELECT $2, 1, $1 WHERE EXISTS (SELECT FROM nodes WHERE id = $1)
		ON CONFLICT (name) DO UPDATE SET node = excluded.node WHERE NOT EXISTS (SELECT FROM nodes AS n WHERE n.id = l.node)`
	unclaim    = `DELETE FROM leases WHERE node = $1 AND name = $2`
	dropClaims = `DELETE FROM leases AS l WHERE name LIKE 'claim/%' AND NOT EXISTS (SELECT FROM nodes AS n WHERE n.id = l.node)`
	buryNode   = `DELETE FROM nodes WHERE id = $1 AND (until <= clock_timestamp() OR ` + isGone + `)`
	removeNode = `DELETE FROM nodes WHERE id = $1`
	// lockNews has the news committed in the order of its numbers.
	lockNews   = `SELECT pg_advisory_xact_lock($1)`
	insertNews = `WITH told AS (INSERT INTO news (node, body) SELECT $1, $2 WHERE EXISTS (SELECT FROM nodes WHERE id <> $1) RETURNING number)
		SELECT pg_notify('orderhook', 'news') FROM told`
	selectNews = `SELECT number, node, body FROM news WHERE number > $1 ORDER BY number`
	selectNow  = `SELECT clock_timestamp()`

	// checkLeases finds a row if all leases are those that a write was made by.
	checkLeases = `SELECT 1 WHERE (SELECT count(*) FROM unnest($1::text[], $2::bigint[]) AS w (name, epoch) JOIN leases AS l ON l.name = w.name AND l.epoch = w.epoch) = $3`
)

// joinLock is the advisory lock of who joins. Its digits are a word in ASCII, so that it is
// unlikely to be somebody else's.
const joinLock = 0x6f726465726a6f69

// soleName is the name of a node that has a database for itself (alone.go).
const soleName = "(alone)"

// newsLock is the advisory lock of who tells news. With it the numbers of news ascend in
// the order of the commits, so whoever has read one misses none before it.
const newsLock = 0x6f7264656e657773

// leaseLock is what who uses a lease locks, shared, and who takes it, for itself. So
// whoever takes a lease sees all that was written by it before, and what comes later is
// refused by its epoch.
func leaseLock(name string, shared bool) core.Lock {
	return core.Lock{Name: "lease/" + name, Shared: shared}
}

// connected returns the connection, which listens for notifications. If it is gone, another
// one is made.
func (m *meeting) connected(ctx context.Context) (*pgx.Conn, error) {
	if m.conn != nil && !m.conn.IsClosed() {
		return m.conn, nil
	}
	conn, err := m.config.connectIdle(ctx)
	if err != nil {
		return nil, failure(err)
	}
	if _, err := conn.Exec(ctx, listenTo); err != nil {
		return nil, errors.Join(failure(err), conn.Close(ctx))
	}
	m.conn, m.fresh = conn, true
	return conn, nil
}

// batch sends statements at once, in one transaction.
func (m *meeting) batch(ctx context.Context, b *pgx.Batch) error {
	conn, err := m.connected(ctx)
	if err != nil {
		return err
	}
	return failure(conn.SendBatch(ctx, b).Close())
}

// Join implements [nodes.Database]. A node is refused while a command has the database for
// itself ([ErrTaken]), unless that is dead.
func (m *meeting) Join(ctx context.Context, self nodes.Info, lasts time.Duration) (last int64, err error) {
	var b pgx.Batch
	b.Queue(lockJoin, int64(joinLock))
	// A command that was killed must not keep nodes away for ever.
	b.Queue(dropSole)
	var s schema
	b.Queue(selectSchema).QueryRow(func(row pgx.Row) error { return row.Scan(&s.number, &s.compatible) })
	var joined, alone bool
	b.Queue(insertNode, self.ID, self.Name, self.Address, self.Version, self.Started, lasts.Milliseconds(), newestSchema, m.salt).Exec(func(added pgconn.CommandTag) error {
		joined = added.RowsAffected() == 1
		return nil
	})
	b.Queue(selectSole).QueryRow(func(row pgx.Row) error { return row.Scan(&alone) })
	b.Queue(notifyChange)
	switch err := m.batch(ctx, &b); {
	case err != nil:
		return 0, err
	case alone:
		return 0, ErrTaken
	case !joined:
		return 0, fmt.Errorf("%w (%w)", cmp.Or(s.suits(), error(core.ErrKeyReplaced)), nodes.ErrBarred)
	}
	m.fresh = true
	if _, err := m.conn.Exec(ctx, forgetMarks); err != nil {
		return 0, failure(err)
	}
	return last, failure(m.conn.QueryRow(ctx, selectLast).Scan(&last))
}

// Look implements [nodes.Database]. It is one way to the server. After the loss of a
// connection it tells by which one the node is alive now, even if it is not yet time to say
// that it is alive.
func (m *meeting) Look(ctx context.Context, id string, lasts time.Duration) (v nodes.View, err error) {
	conn, err := m.connected(ctx)
	if err != nil {
		return v, err
	}
	// The row of the node names the connection that is gone.
	if m.fresh && lasts == 0 {
		lasts = time.Millisecond // that it may be silent for longer is noted already
	}
	var b pgx.Batch
	if lasts > 0 {
		b.Queue(renewNode, id, lasts.Milliseconds(), int64(conn.PgConn().PID()))
		b.Queue(removeNews, (2 * nodes.MostSilence).Milliseconds())
	}
	// All of it is one transaction, so nodes and leases are of nearly one moment.
	v.Leases = map[string]nodes.Held{}
	b.Queue(selectNodes).Query(func(rows pgx.Rows) error {
		var n nodes.Neighbor
		_, err := pgx.ForEachRow(rows, []any{&n.ID, &n.Name, &n.Address, &n.Version, &n.Started, &n.Seen, &n.Silent, &n.Gone, &v.Now}, func() error {
			v.Nodes = append(v.Nodes, n)
			return nil
		})
		return err
	})
	b.Queue(selectHeld).Query(func(rows pgx.Rows) error {
		var name string
		var h nodes.Held
		_, err := pgx.ForEachRow(rows, []any{&name, &h.Epoch, &h.Node}, func() error { v.Leases[name] = h; return nil })
		return err
	})
	b.Queue(selectNow).QueryRow(func(row pgx.Row) error { return row.Scan(&v.Now) })
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		return v, failure(err)
	}
	m.fresh = false
	return v, nil
}

// Await implements [nodes.Database]. It also returns where the connection ends: another is
// made then, before others take the node for dead.
func (m *meeting) Await(ctx context.Context) nodes.Notice {
	if m.conn == nil || m.conn.IsClosed() {
		return nodes.Changed
	}
	told, err := m.conn.WaitForNotification(ctx)
	switch {
	// The caller's time is over, and the connection is as good as before.
	case err != nil && ctx.Err() != nil:
		return nodes.Nothing
	case err != nil || told.Payload == toldChange:
		return nodes.Changed
	}
	return nodes.NewsCame
}

// Take implements [nodes.Database]. A lease that a transaction uses at this moment is left
// out: the next look asks for it again.
func (m *meeting) Take(ctx context.Context, id string, names []string) (taken []nodes.Lease, err error) {
	conn, err := m.connected(ctx)
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, len(names))
	for i, name := range names {
		numbers[i] = lockNumber(leaseLock(name, false))
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, lockFree, names, numbers) // CollectRows returns its error
		// The locks hold until the leases are taken, so nobody writes by one of them
		// meanwhile.
		free, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		rows, _ = tx.Query(ctx, takeLeases, id, free)
		taken, err = pgx.CollectRows(rows, pgx.RowToStructByPos[nodes.Lease])
		return err
	})
	return taken, failure(err)
}

// End implements [nodes.Database]. Other nodes are notified, and take the leases at once.
// An epoch that is not the last one changes nothing.
func (m *meeting) End(ctx context.Context, id string, leases []nodes.Lease) error {
	names, epochs := split(leases)
	var b pgx.Batch
	b.Queue(endLeases, id, names, epochs)
	b.Queue(notifyChange)
	return m.batch(ctx, &b)
}

// Bury implements [nodes.Database]. The statement looks again whether the node is dead, by
// the server's clock. Its claims go with it.
func (m *meeting) Bury(ctx context.Context, id string) error {
	var b pgx.Batch
	b.Queue(buryNode, id)
	b.Queue(dropClaims)
	return m.batch(ctx, &b)
}

// Leave implements [nodes.Database]. With the row of the node all of its leases are free.
func (m *meeting) Leave(ctx context.Context, id string) error {
	var b pgx.Batch
	b.Queue(removeNode, id)
	b.Queue(notifyChange)
	return m.batch(ctx, &b)
}

// Claim implements [nodes.Database].
func (m *meeting) Claim(ctx context.Context, id, name string) (bool, error) {
	got, err := m.pools[store.Work].Exec(ctx, claim, id, name)
	return got.RowsAffected() == 1, failure(err)
}

// Unclaim implements [nodes.Database].
func (m *meeting) Unclaim(ctx context.Context, id, name string) error {
	_, err := m.pools[store.Work].Exec(ctx, unclaim, id, name)
	return failure(err)
}

// Post implements [nodes.Database]. It uses the pool of the class Check, which nothing else
// uses for long: so no search or list holds up the news.
func (m *meeting) Post(ctx context.Context, id string, body []byte) error {
	var b pgx.Batch
	b.Queue(lockNews, int64(newsLock))
	b.Queue(insertNews, id, string(body))
	return failure(m.pools[store.Check].SendBatch(ctx, &b).Close())
}

// News implements [nodes.Database].
func (m *meeting) News(ctx context.Context, after int64) (all []nodes.Posted, now time.Time, err error) {
	conn, err := m.connected(ctx)
	if err != nil {
		return nil, now, err
	}
	var b pgx.Batch
	b.Queue(selectNow).QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	b.Queue(selectNews, after).Query(func(rows pgx.Rows) error {
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[nodes.Posted])
		return err
	})
	err = conn.SendBatch(ctx, &b).Close()
	return all, now, failure(err)
}

// Close implements [nodes.Database]. It waits a moment only: the server ends the
// connection, too.
func (m *meeting) Close() error {
	if m.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return m.conn.Close(ctx)
}

// split returns the names and the epochs of leases as two lists, which statements take.
func split(leases []nodes.Lease) (names []string, epochs []int64) {
	for _, l := range leases {
		names, epochs = append(names, l.Name), append(epochs, l.Epoch)
	}
	return names, epochs
}
