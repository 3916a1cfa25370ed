package core

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// Finding is something in a database that is damaged, or that does not fit the rest.
type Finding struct {
	Text string // for the operator: it names rows by their ids, and contains none of their data
	// Segment is the part of the index of bodies that is wrong, and can be built again;
	// 0: it is something else.
	Segment int64
}

// Asker asks a database that is not open as a store, so that it can be inspected beside a
// server.
type Asker interface {
	QueryOnce(ctx context.Context, each func(Row) error, text string, args ...any) error
}

// rowRule is what must be true of all rows. query returns the rows of which it is not true:
// the tenant, and what names the row there, as text. wrong says what is wrong with such a
// row.
type rowRule struct{ wrong, query string }

// rowRules are the rules that the schema itself does not enforce. Each is one statement,
// so that it sees one moment of the database, also beside a server.
var rowRules = []rowRule{
	// Deliveries that have ended may be left for a while: a removal takes the event first.
	{"a pending delivery of an event that is not there: event", `SELECT tenant, CAST(event AS TEXT) FROM deliveries AS d
		WHERE d.status = 'p' AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.seq = d.event AND e.tenant = d.tenant)`},
	{"a delivery to an endpoint that is not there: endpoint", `SELECT tenant, CAST(endpoint AS TEXT) FROM deliveries AS d
		WHERE NOT EXISTS (SELECT 1 FROM endpoints AS e WHERE e.tenant = d.tenant AND e.no = d.endpoint)`},
	{"deliveries of a group that all wait for one before them: of the endpoint", `SELECT tenant, CAST(endpoint AS TEXT) FROM deliveries
		WHERE status = 'p' AND grp <> '' AND NOT (grp >= '+' AND grp < ',')
			AND NOT EXISTS (SELECT 1 FROM endpoints AS e WHERE e.tenant = deliveries.tenant AND e.no = deliveries.endpoint AND e.deleted = 1)
		GROUP BY tenant, endpoint, grp HAVING max(due) = 0`},
	{"the health of an endpoint that is not there: endpoint", `SELECT tenant, CAST(endpoint AS TEXT) FROM endpoint_health AS h
		WHERE NOT EXISTS (SELECT 1 FROM endpoints AS e WHERE e.tenant = h.tenant AND e.no = h.endpoint)`},
	{"a version of an order that is not there: order", `SELECT tenant, order_id FROM order_versions AS x WHERE ` + noOrder},
	{"the history of an order that is not there: order", `SELECT tenant, order_id FROM order_history AS x WHERE ` + noOrder},
	{"a run of an order that is not there: run", `SELECT tenant, id FROM runs AS x WHERE ` + noOrder},
	{"an external id of an order that is not there: order", `SELECT of_tenant, of_order FROM order_external_ids AS x
		WHERE NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.tenant = x.of_tenant AND o.id = x.of_order)`},
	{"an earlier version of an order that is not earlier than the order: order", `SELECT v.tenant, v.order_id FROM order_versions AS v
		JOIN orders AS o ON o.tenant = v.tenant AND o.id = v.order_id WHERE v.version >= o.version`},
	{"the request body of a call without attempts: call", `SELECT tenant, call_id FROM bodies AS b
		WHERE NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.tenant = b.tenant AND a.call_id = b.call_id AND a.call_id <> '')`},
	{"a part of the index of bodies that covers the attempts of another: segment", `SELECT a.tenant, CAST(a.id AS TEXT) FROM body_segments AS a
		JOIN body_segments AS b ON b.tenant = a.tenant AND b.first >= a.first AND b.first <= a.last
		WHERE b.id <> a.id AND a.state <> 'void' AND b.state <> 'void'`},
}

// noOrder is true of rows whose order is neither there nor being erased.
const noOrder = `NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.tenant = x.tenant AND o.id = x.order_id)
	AND NOT EXISTS (SELECT 1 FROM erasures AS e WHERE e.tenant = x.tenant AND e.order_id = x.order_id)`

// mostOfARule is how many rows are named for each rule that is broken.
const mostOfARule = 5

// Inspect looks for rows that do not fit the others, and for parts of the index of bodies
// that are damaged. It tells found of each, and returns an error only if the database
// cannot be read. `orderhook check` calls it, and so do a backup and a restore, with the
// copy.
func Inspect(ctx context.Context, a Asker, d *Dialect, found func(Finding)) error {
	for _, rule := range rowRules {
		if err := rule.check(ctx, a, d, found); err != nil {
			return err
		}
	}
	return inspectIndex(ctx, a, d, found)
}

// check tells found of the rows that break the rule, and of no more than a few: a rule that
// one row breaks may be broken by a million.
func (r rowRule) check(ctx context.Context, a Asker, d *Dialect, found func(Finding)) error {
	rows := 0
	return a.QueryOnce(ctx, func(row Row) error {
		var tenant, name string
		if err := row.Scan(&tenant, &name); err != nil {
			return err
		}
		// The query returns one row more than are named, to know whether there are more.
		if rows++; rows > mostOfARule {
			found(Finding{Text: r.wrong + " …, and more of them"})
			return errEnough
		}
		found(Finding{Text: fmt.Sprintf("%s %s of the tenant %s", r.wrong, name, tenant)})
		return nil
	}, d.TextOnce(fmt.Sprintf("%s LIMIT %d", r.query, mostOfARule+1)))
}

// inspectIndex looks at each part of the index that searches use. Those of another version
// of the index are left out: they are built anew by themselves.
func inspectIndex(ctx context.Context, a Asker, d *Dialect, found func(Finding)) error {
	segments, err := collect(ctx, a.QueryOnce, scanNumber, d.Text(`SELECT id FROM body_segments WHERE state = ? ORDER BY id`), segmentReady)
	for _, id := range segments {
		if err != nil {
			return err
		}
		var wrong string
		if wrong, err = wrongOf(ctx, a, d, id); wrong != "" {
			found(Finding{Text: fmt.Sprintf("the index of bodies: segment %d %s", id, wrong), Segment: id})
		}
	}
	if err != nil {
		return err
	}
	return inspectChunks(ctx, a, d, found)
}

// selectIndexed reads a segment that searches use, and behind it its chunks, in one
// statement: a server may replace the segment between two.
const selectIndexed = `SELECT -1 AS part, 0 AS length, header, starts FROM body_segments WHERE id = ?1 AND state = 'ready'
	UNION ALL SELECT key, length(chunk), NULL, NULL FROM body_chunks WHERE key >= ?2 AND key < ?3 ORDER BY part`

// wrongOf says what is wrong with a segment, "" if nothing is, or if it is not there any more.
func wrongOf(ctx context.Context, a Asker, d *Dialect, id int64) (wrong string, err error) {
	var h bodyindex.Header
	next, known := 0, false
	err = a.QueryOnce(ctx, func(r Row) error {
		var key int64
		var length int
		var header, starts []byte
		if err := r.Scan(&key, &length, &header, &starts); err != nil {
			return err
		}
		switch {
		case key < 0:
			if h, wrong = wrongHeader(header, starts); wrong != "" || h.Stale() {
				return errEnough
			}
			known = true
		case !known:
			return errEnough // its chunks go, too
		case key != chunkKey(id, next) || next >= h.Chunks() || length != h.ChunkLen(next):
			wrong, known = lacking(next), false
			return errEnough
		default:
			next++
		}
		return nil
	}, d.Text(selectIndexed), id, chunkKey(id, 0), chunkKey(id+1, 0))
	if err == nil && known && next < h.Chunks() {
		wrong = lacking(next)
	}
	return wrong, err
}

func lacking(chunk int) string { return fmt.Sprintf("lacks its chunk %d, or that is damaged", chunk) }

// wrongHeader reads what a segment says of itself. What is stale is not read further.
func wrongHeader(header, starts []byte) (h bodyindex.Header, wrong string) {
	h, err := bodyindex.ParseHeader(header)
	if err != nil {
		return h, "has a damaged header"
	}
	if h.Stale() {
		return h, ""
	}
	if _, err := parseStarts(starts, h.Blocks()); err != nil {
		return h, "does not say where its blocks begin"
	}
	return h, ""
}

// inspectChunks looks for chunks of no segment.
func inspectChunks(ctx context.Context, a Asker, d *Dialect, found func(Finding)) error {
	return a.QueryOnce(ctx, func(r Row) error {
		var chunks, segment int64
		err := r.Scan(&chunks, &segment)
		if err == nil && chunks > 0 {
			found(Finding{Text: fmt.Sprintf("the index of bodies: %d chunks of segments that are not there, the first of segment %d", chunks, segment), Segment: segment})
		}
		return err
	}, d.Text(fmt.Sprintf(`SELECT count(*), coalesce(min(key), 0) / %d FROM body_chunks AS c
		WHERE NOT EXISTS (SELECT 1 FROM body_segments AS g WHERE g.id = c.key / %[1]d)`, mostChunks)))
}

// RebuildSegment returns the changes that have a segment of the index of bodies built
// again: its chunks are removed, and the maintenance of a server builds it from the bodies
// themselves. Until then a search reads those. Nothing is lost: the index holds nothing
// that the bodies do not have.
func RebuildSegment(segment int64) []Change {
	b := &Batch{}
	b.change(deleteChunks, chunkKey(segment, 0), chunkKey(segment+1, 0))
	b.change(bareSegment, segment)
	return b.Changes
}
