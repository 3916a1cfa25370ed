package core

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// segment is a part of the index of bodies. It has the attempts of a tenant whose seq is
// from first to last. The index itself is in chunks, which are rows of their own, so that a
// search reads only the few chunks that it needs (docs/design.md#search-in-bodies).
type segment struct {
	id    int64
	state string
	// young says that the segment is small, and is to be put together with others later.
	young       bool
	first, last int64
	// header and starts are empty for a segment that has no chunks.
	header bodyindex.Header
	starts []int64 // the seq of the first attempt in each block
}

// The states of a segment.
const (
	segmentReady = "ready"
	segmentBare  = "bare" // its chunks were removed: only the bodies themselves say what is in them
	segmentVoid  = "void" // nothing is looked up in it: it is being built, or was replaced
)

// end returns the seq that all seqs of a block are below.
func (g *segment) end(block int) int64 {
	if block+1 < len(g.starts) {
		return g.starts[block+1]
	}
	return g.last + 1
}

// segmentColumns are what scanSegment reads.
const segmentColumns = `id, state, young, first, last, header, starts`

// scanSegment reads a segment. A row without a header is one that is bare, or void and not
// finished: such a segment has no blocks.
func scanSegment(r Row) (*segment, error) {
	g := &segment{}
	var header, starts []byte
	err := r.Scan(&g.id, &g.state, &g.young, &g.first, &g.last, &header, &starts)
	if err != nil || header == nil {
		return g, err
	}
	if g.header, err = bodyindex.ParseHeader(header); err != nil {
		return nil, fmt.Errorf("segment %d: %w", g.id, err)
	}
	g.starts, err = parseStarts(starts, g.header.Blocks())
	return g, err
}

// appendStarts appends ascending seqs as the differences between them. parseStarts reads
// them.
func appendStarts(b []byte, starts []int64) []byte {
	last := int64(0)
	for _, start := range starts {
		b = binary.AppendUvarint(b, uint64(start-last))
		last = start
	}
	return b
}

// parseStarts is the reverse of appendStarts. It is an error if there is not one start for
// each block: then the row is damaged, and `orderhook check` names it.
func parseStarts(b []byte, blocks int) ([]int64, error) {
	starts, last := make([]int64, 0, blocks), int64(0)
	for len(b) > 0 {
		difference, n := binary.Uvarint(b)
		if n <= 0 {
			break
		}
		b, last = b[n:], last+int64(difference)
		starts = append(starts, last)
	}
	if len(starts) != blocks {
		return nil, fmt.Errorf("a segment of %d blocks has %d starts", blocks, len(starts))
	}
	return starts, nil
}

// lastIndexed returns the last seq that is in a segment of the tenant, 0 if there is
// none. Attempts after it are searched one by one.
func (q queries) lastIndexed(ctx context.Context, tenant string) (last int64, err error) {
	err = one(ctx, q.q, []any{&last}, `
		SELECT last FROM body_segments WHERE tenant = ? AND state <> 'void' ORDER BY first DESC LIMIT 1`, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return last, err
}

// segmentsAtOnce is how many segments are read at a time.
const segmentsAtOnce = 64

// segmentsBelow returns the newest segments that begin below a seq and have attempts of
// the time that the filter names.
func (q queries) segmentsBelow(ctx context.Context, tenant string, below int64, f store.AttemptFilter) ([]*segment, error) {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !f.From.IsZero() {
		from = micros(f.From)
	}
	if !f.To.IsZero() {
		to = micros(f.To)
	}
	return collect(ctx, q.q.Query, scanSegment, `
		SELECT `+segmentColumns+` FROM body_segments
		WHERE tenant = ? AND first < ? AND state <> 'void' AND newest >= ? AND oldest < ?
		ORDER BY first DESC LIMIT ?`, tenant, below, from, to, segmentsAtOnce)
}

// openSegments returns the segments of a tenant that need work, the oldest first: those
// that are void or bare, and the young ones. An index holds just these.
func (q queries) openSegments(ctx context.Context, tenant string) ([]*segment, error) {
	return collect(ctx, q.q.Query, scanSegment, `
		SELECT `+segmentColumns+` FROM body_segments INDEXED BY body_segments_open
		WHERE tenant = ? AND (state <> 'ready' OR young = 1) ORDER BY first`, tenant)
}

// mostChunks is more than any segment has.
const mostChunks = 1024

// chunkKey is the key of a chunk. The chunks of one segment follow each other in the table,
// so that a range of keys is all of them.
func chunkKey(segment int64, chunk int) int64 { return segment*mostChunks + int64(chunk) }

// chunk reads one chunk of a segment. It returns nil if the chunk was removed: then no
// attempt can be ruled out by it.
func (q queries) chunk(ctx context.Context, segment int64, number int) (chunk []byte, err error) {
	err = one(ctx, q.q, []any{&chunk}, `SELECT chunk FROM body_chunks WHERE key = ?`, chunkKey(segment, number))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return chunk, err
}

// chunksGoneAtOnce is how many chunks one step removes.
const chunksGoneAtOnce = 64

// dropSegment removes a segment, in steps: it may have up to mostChunks chunks, and one
// write with all of them would hold up all other writers.
func (s *Store) dropSegment(ctx context.Context, tenant string, id int64, yield store.Yield) error {
	if err := s.dropChunks(ctx, tenant, id, yield); err != nil {
		return err
	}
	return s.write(ctx, func(d *draft) error { d.dropSegment(tenant, id); return nil })
}

// bareSegment removes the chunks of a segment in steps, so that it is built again.
func (s *Store) bareSegment(ctx context.Context, tenant string, id int64, yield store.Yield) error {
	if err := s.dropChunks(ctx, tenant, id, yield); err != nil {
		return err
	}
	return s.write(ctx, func(d *draft) error { d.bareSegment(tenant, id); return nil })
}

// dropChunks removes the chunks of a segment, some in each write. A search that needs one
// that is gone reads the bodies themselves instead. If the process dies in between, the
// next call removes the rest.
func (s *Store) dropChunks(ctx context.Context, tenant string, segment int64, yield store.Yield) error {
	for {
		var keys []int64
		err := s.write(ctx, func(d *draft) (err error) {
			keys, err = d.chunksOf(ctx, segment)
			d.dropSome(tenant, keys)
			return err
		})
		if err == nil {
			err = yield(ctx)
		}
		if err != nil || len(keys) < chunksGoneAtOnce {
			return err
		}
	}
}

// chunksOf returns the keys of some chunks of a segment.
func (d *draft) chunksOf(ctx context.Context, segment int64) ([]int64, error) {
	return collect(ctx, d.q.Query, scanNumber, `SELECT key FROM body_chunks WHERE key >= ? AND key < ? LIMIT ?`,
		chunkKey(segment, 0), chunkKey(segment+1, 0), chunksGoneAtOnce)
}

// dropSome removes chunks by their keys.
func (d *draft) dropSome(tenant string, chunks []int64) {
	for _, key := range chunks {
		d.of(tenant).change(`DELETE FROM body_chunks WHERE key = ?`, key)
	}
}

// bareSegment removes what is left of the chunks of a segment, and leaves the row, which
// says which attempts it is about. So searches go through the bodies of those one by one
// until the segment is built again.
func (d *draft) bareSegment(tenant string, id int64) {
	d.of(tenant).change(deleteChunks, chunkKey(id, 0), chunkKey(id+1, 0))
	d.of(tenant).change(bareSegment, id)
}

// dropSegment removes a segment, and what is left of its chunks, in this write.
func (d *draft) dropSegment(tenant string, id int64) {
	d.of(tenant).change(deleteChunks, chunkKey(id, 0), chunkKey(id+1, 0))
	d.of(tenant).change(`DELETE FROM body_segments WHERE id = ?`, id)
}

const (
	deleteChunks = `DELETE FROM body_chunks WHERE key >= ? AND key < ?`
	bareSegment  = `UPDATE body_segments SET state = 'bare', header = NULL, starts = NULL WHERE id = ?`
)

// indexLate keeps the index of bodies right about attempts that are recorded late: their
// numbers are lower than the last one that is indexed. The number of an attempt says when
// it began, so that happens if an endpoint took minutes to answer. The segment that such an
// attempt belongs to is made bare, so that it is built again with it, and a build that is
// under way is begun again. It hardly ever happens: a write first assumes that it does not,
// and its check finds out.
func (d *draft) indexLate(ctx context.Context, tenant string, seqs []int64) error {
	first, last := slices.Min(seqs), int64(-1)
	const none = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM body_segments WHERE tenant = ? AND last >= ?)`
	if d.again {
		err := one(ctx, d.q, []any{&last}, `SELECT coalesce(max(last), -1) FROM body_segments WHERE tenant = ?`, tenant)
		if err != nil {
			return err
		}
	}
	b := d.of(tenant)
	if first > last {
		b.check(none, tenant, first)
		return nil
	}
	// Builds and erasing take the same lock: on PostgreSQL they would not see each other's
	// rows.
	b.lock(tenant, "bodies")
	for _, seq := range slices.Sorted(slices.Values(seqs)) {
		if seq > last {
			b.check(none, tenant, seq) // and so for those above it
			break
		}
		at := micros(ids.NumberTime(seq))
		b.change(`UPDATE body_segments SET newest = 1 WHERE tenant = ? AND state = 'void' AND last >= ?`, tenant, seq)
		b.change(`
			UPDATE body_segments SET state = 'bare', header = NULL, starts = NULL, first = CASE WHEN first < ?2 THEN first ELSE ?2 END,
				oldest = CASE WHEN oldest < ?3 THEN oldest ELSE ?3 END, newest = CASE WHEN newest > ?3 THEN newest ELSE ?3 END
			WHERE id = (SELECT id FROM body_segments WHERE tenant = ?1 AND state <> 'void' AND last >= ?2 ORDER BY last LIMIT 1)`, tenant, seq, at)
	}
	return nil
}
