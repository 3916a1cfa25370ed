package core

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// segment is some attempts of a tenant as the index of their bodies has them:
// all whose seq is from first to last.
type segment struct {
	id          int64
	state       string
	young       bool
	first, last int64
	header      bodyindex.Header
	starts      []int64 // the seq of the first attempt in each block
}

// The states of a segment.
const (
	segmentReady = "ready"
	segmentBare  = "bare" // its chunks were removed: only the bodies themselves say what is in them
	segmentVoid  = "void" // nothing is looked up in it: it is being built, or was replaced
)

// end returns what all seqs of a block are below.
func (g *segment) end(block int) int64 {
	if block+1 < len(g.starts) {
		return g.starts[block+1]
	}
	return g.last + 1
}

const segmentColumns = `id, state, young, first, last, header, starts`

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

// appendStarts appends ascending seqs as their differences.
func appendStarts(b []byte, starts []int64) []byte {
	last := int64(0)
	for _, start := range starts {
		b = binary.AppendUvarint(b, uint64(start-last))
		last = start
	}
	return b
}

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

// lastIndexed returns the seq that the segments of a tenant go up to, 0 if it
// has none. What comes behind it is searched directly.
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

// segmentsBelow returns the newest segments that begin below a seq and have
// attempts of the filter's time.
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

// openSegments returns the segments of a tenant that something is to be done
// about, the oldest first.
func (q queries) openSegments(ctx context.Context, tenant string) ([]*segment, error) {
	return collect(ctx, q.q.Query, scanSegment, `
		SELECT `+segmentColumns+` FROM body_segments INDEXED BY body_segments_open
		WHERE tenant = ? AND (state <> 'ready' OR young = 1) ORDER BY first`, tenant)
}

// mostChunks is more than any segment has.
const mostChunks = 1024

func chunkKey(segment int64, chunk int) int64 { return segment*mostChunks + int64(chunk) }

// chunk reads one chunk of a segment, nil if it is gone: then it rules out nothing.
func (q queries) chunk(ctx context.Context, segment int64, number int) (chunk []byte, err error) {
	err = one(ctx, q.q, []any{&chunk}, `SELECT chunk FROM body_chunks WHERE key = ?`, chunkKey(segment, number))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return chunk, err
}

// chunksGoneAtOnce is how many chunks one step removes.
const chunksGoneAtOnce = 64

// dropSegment removes a segment, in steps.
func (s *Store) dropSegment(ctx context.Context, tenant string, id int64, rest store.Rest) error {
	if err := s.dropChunks(ctx, tenant, id, rest); err != nil {
		return err
	}
	return s.write(ctx, func(d *draft) error { d.dropSegment(tenant, id); return nil })
}

// bareSegment has a segment built anew, in steps.
func (s *Store) bareSegment(ctx context.Context, tenant string, id int64, rest store.Rest) error {
	if err := s.dropChunks(ctx, tenant, id, rest); err != nil {
		return err
	}
	return s.write(ctx, func(d *draft) error { d.bareSegment(tenant, id); return nil })
}

func (s *Store) dropChunks(ctx context.Context, tenant string, segment int64, rest store.Rest) error {
	for {
		var keys []int64
		err := s.write(ctx, func(d *draft) (err error) {
			keys, err = d.chunksOf(ctx, segment)
			d.dropSome(tenant, keys)
			return err
		})
		if err == nil {
			err = rest(ctx)
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

func (d *draft) dropSome(tenant string, chunks []int64) {
	for _, key := range chunks {
		d.of(tenant).change(`DELETE FROM body_chunks WHERE key = ?`, key)
	}
}

// bareSegment leaves of a segment which attempts it is about.
func (d *draft) bareSegment(tenant string, id int64) {
	d.of(tenant).change(deleteChunks, chunkKey(id, 0), chunkKey(id+1, 0))
	d.of(tenant).change(`UPDATE body_segments SET state = 'bare', header = NULL, starts = NULL WHERE id = ?`, id)
}

func (d *draft) dropSegment(tenant string, id int64) {
	d.of(tenant).change(deleteChunks, chunkKey(id, 0), chunkKey(id+1, 0))
	d.of(tenant).change(`DELETE FROM body_segments WHERE id = ?`, id)
}

const deleteChunks = `DELETE FROM body_chunks WHERE key >= ? AND key < ?`
