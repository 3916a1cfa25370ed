package sqlite

import (
	"context"
	"errors"
	"math"
	"sync"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// builds is what the builder of segments remembers of each tenant. There is
// one build at a time.
type builds struct {
	sync.Mutex
	// due is the newest seq of all attempts at which a tenant may have enough of
	// them for a segment.
	due map[string]int64
}

// The steps of a build: each reads, or holds up all who write, for a few
// milliseconds.
const (
	bodiesAtOnce    = 256
	bodyBytesAtOnce = 1 << 20
	chunksAtOnce    = 16
)

// build is a segment in the making. Its row is there from the start, so that
// [tx.EraseOrder] can put an end to it and a crash leaves nothing that is not
// known.
type build struct {
	db     *DB
	tenant string
	rest   store.Rest
	segment
	replaces       *segment // a bare one; nil if the attempts have not been in any
	seqs           []int64  // of the documents
	oldest, newest int64
}

// errEnded says that a build has no row any more: an order was erased meanwhile.
var errEnded = errors.New("the bodies changed while they were read")

// IndexBodies implements [store.Upkeep].
func (db *DB) IndexBodies(ctx context.Context, tenant string, rest store.Rest) (done bool, err error) {
	db.builds.Lock()
	defer db.builds.Unlock()
	if err := db.clearUp(ctx, tenant, rest); err != nil {
		return false, err
	}
	b, err := db.nextBuild(ctx, tenant, rest)
	if b == nil || err != nil {
		return b == nil, err
	}
	err = b.run(ctx)
	if errors.Is(err, errEnded) {
		err = nil // to be begun anew
	}
	return false, err
}

// clearUp removes what a build left that did not come to its end. The first
// time it also makes segments bare that another version of the index made.
func (db *DB) clearUp(ctx context.Context, tenant string, rest store.Rest) error {
	if _, known := db.builds.due[tenant]; !known {
		if err := db.dropStale(ctx, tenant, rest); err != nil {
			return err
		}
	}
	left, err := db.openSegments(ctx, tenant, segmentBuilding)
	for _, g := range left {
		if err == nil {
			err = db.dropSegment(ctx, g.id, rest)
		}
	}
	return err
}

// openSegments returns the segments of a tenant that are not ready, but are in
// another state.
func (db *DB) openSegments(ctx context.Context, tenant, state string) ([]*segment, error) {
	return collect(ctx, db.readers.query, scanSegment, `
		SELECT id, first, last, NULL, NULL FROM body_segments WHERE tenant = ? AND state <> 'ready' AND state = ?`, tenant, state)
}

func (db *DB) dropStale(ctx context.Context, tenant string, rest store.Rest) error {
	for below := int64(math.MaxInt64); ; {
		segments, err := db.segmentsBelow(ctx, tenant, below, store.AttemptFilter{})
		if err != nil || len(segments) == 0 {
			return err
		}
		for _, g := range segments {
			if below = g.first; g.bare() || !g.header.Stale() {
				continue
			}
			if err := db.bareSegment(ctx, g.id, rest); err != nil {
				return err
			}
		}
	}
}

// nextBuild begins the next segment of a tenant, nil if there is nothing for one.
func (db *DB) nextBuild(ctx context.Context, tenant string, rest store.Rest) (*build, error) {
	bare, err := db.openSegments(ctx, tenant, segmentBare)
	if err != nil {
		return nil, err
	}
	if len(bare) > 0 {
		return db.beginBuild(ctx, tenant, bare[0].first, bare[0].last, bare[0], rest)
	}
	last, end, err := db.tail(ctx, tenant)
	if end == 0 || err != nil {
		return nil, err
	}
	return db.beginBuild(ctx, tenant, last+1, end, nil, rest)
}

// tail returns the seq that a tenant's segments go up to, and the one where the
// next would end, 0 if there are too few attempts for it yet.
func (db *DB) tail(ctx context.Context, tenant string) (last, end int64, err error) {
	var newest, count int64
	if err := one(ctx, db.readers, []any{&newest}, `SELECT coalesce(max(seq), 0) FROM attempts`); err != nil || newest < db.builds.due[tenant] {
		return 0, 0, err
	}
	if last, err = db.lastIndexed(ctx, tenant); err != nil {
		return 0, 0, err
	}
	err = one(ctx, db.readers, []any{&count, &end}, `
		SELECT count(*), coalesce(max(seq), 0) FROM (SELECT seq FROM attempts INDEXED BY attempts_tenant
			WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?)`, tenant, last, bodyindex.SegmentDocs)
	if err != nil {
		return 0, 0, err
	}
	missing := bodyindex.SegmentDocs - count
	db.builds.due[tenant] = newest + missing
	if missing > 0 {
		return 0, 0, nil
	}
	return last, end, nil
}

func (db *DB) beginBuild(ctx context.Context, tenant string, first, last int64, replaces *segment, rest store.Rest) (*build, error) {
	b := &build{db: db, tenant: tenant, rest: rest, replaces: replaces, oldest: math.MaxInt64, newest: math.MinInt64}
	b.first, b.last = first, last
	return b, db.change(ctx, func(t *tx) (err error) {
		b.id, _, err = t.w.insert(`
			INSERT INTO body_segments (tenant, state, first, last, oldest, newest) VALUES (?, 'building', ?, ?, 0, 0)`, tenant, first, last)
		return err
	})
}

func (b *build) run(ctx context.Context) error {
	builder := bodyindex.NewBuilder()
	if err := b.gather(ctx, builder); err != nil {
		return err
	}
	if builder.Len() == 0 {
		return b.db.change(ctx, b.dissolve)
	}
	made := builder.Finish()
	if err := b.rest(ctx); err != nil {
		return err
	}
	b.header = made.Header
	for n := range made.Header.Blocks() {
		from, _ := made.Header.Block(n)
		b.starts = append(b.starts, b.seqs[from])
	}
	if err := b.store(ctx, made.Chunks); err != nil {
		return err
	}
	return b.db.change(ctx, b.finish)
}

// gather adds the bodies of the segment's attempts to the builder; the segment
// ends with the last that it takes.
func (b *build) gather(ctx context.Context, builder *bodyindex.Builder) error {
	for next := b.first; next <= b.last; {
		if builder.Full() {
			b.last = next - 1
			return nil
		}
		from, rows, bytes := next, 0, 0
		err := b.db.readers.query(ctx, func(r row) error {
			var seq, started int64
			var read bodies
			if err := r.Scan(append([]any{&seq, &started}, read.columns()...)...); err != nil {
				return err
			}
			request := read.request()
			builder.Add(request, read.response)
			b.seqs, b.oldest, b.newest = append(b.seqs, seq), min(b.oldest, started), max(b.newest, started)
			next, rows, bytes = seq+1, rows+1, bytes+len(request)+len(read.response)
			if bytes > bodyBytesAtOnce || builder.Full() {
				return errEnough
			}
			return nil
		}, `SELECT a.seq, a.started, `+bodyColumns+` FROM attempts AS a INDEXED BY attempts_tenant `+bodyJoins+`
			WHERE a.tenant = ? AND a.seq >= ? AND a.seq <= ? ORDER BY a.seq LIMIT ?`, b.tenant, from, b.last, bodiesAtOnce)
		if err != nil || rows == 0 {
			return err
		}
		if err := b.rest(ctx); err != nil {
			return err
		}
	}
	return nil
}

// store writes the chunks, a few in each transaction.
func (b *build) store(ctx context.Context, chunks [][]byte) error {
	for from := 0; from < len(chunks); from += chunksAtOnce {
		err := b.db.change(ctx, func(t *tx) error {
			for n := from; n < min(from+chunksAtOnce, len(chunks)); n++ {
				added, err := t.w.exec(`
					INSERT INTO body_chunks (key, chunk) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM body_segments WHERE id = ?3)`,
					chunkKey(b.id, n), chunks[n], b.id)
				if err == nil && added == 0 {
					err = errEnded
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			err = b.rest(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish has searches use the segment from now on. Of one that is replaced
// what the builder did not take stays bare.
func (b *build) finish(t *tx) error {
	n, err := t.w.exec(`UPDATE body_segments SET state = 'ready', last = ?, oldest = ?, newest = ?, header = ?, starts = ? WHERE id = ?`,
		b.last, b.oldest, b.newest, b.header.Append(nil), appendStarts(nil, b.starts), b.id)
	if err == nil && n == 0 {
		return errEnded
	}
	if err != nil || b.replaces == nil {
		return err
	}
	_, err = t.w.exec(`UPDATE body_segments SET first = ? WHERE id = ?`, b.last+1, b.replaces.id)
	if err == nil {
		_, err = t.w.exec(`DELETE FROM body_segments WHERE id = ? AND first > last`, b.replaces.id)
	}
	return err
}

// dissolve is finish for attempts that are all gone.
func (b *build) dissolve(t *tx) error {
	_, err := t.w.exec(`DELETE FROM body_segments WHERE id = ?`, b.id)
	if err == nil && b.replaces != nil {
		_, err = t.w.exec(`DELETE FROM body_segments WHERE id = ?`, b.replaces.id)
	}
	return err
}
