package sqlite

import (
	"context"
	"errors"
	"math"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// The steps of a build: each reads, or holds up all who write, for a few
// milliseconds.
const (
	bodiesAtOnce    = 256
	bodyBytesAtOnce = 1 << 20
	chunksAtOnce    = 32
)

// build is a segment in the making. Its row is there from the start, so that
// [tx.EraseOrder] can put an end to it and a crash leaves nothing that is not
// known.
type build struct {
	db     *DB
	tenant string
	rest   store.Rest
	segment
	replaces       []*segment // which lie one after the other, and no attempts between
	seqs           []int64    // of the documents
	oldest, newest int64
}

func newBuild(young bool, first, last int64, replaces ...*segment) *build {
	return &build{segment: segment{young: young, first: first, last: last}, replaces: replaces, oldest: math.MaxInt64, newest: math.MinInt64}
}

// errEnded says that a build has no row any more: an order was erased meanwhile.
var errEnded = errors.New("the bodies changed while they were read")

func (b *build) run(ctx context.Context) error {
	if err := b.db.change(ctx, b.begin); err != nil {
		return err
	}
	builder := bodyindex.NewBuilder()
	if err := b.gather(ctx, builder); err != nil {
		return err
	}
	if len(b.seqs) > 0 {
		if err := b.store(ctx, builder.Finish()); err != nil {
			return err
		}
	}
	if err := b.db.change(ctx, b.finish); err != nil {
		return err
	}
	for _, g := range b.replaces {
		if g.last > b.last {
			continue
		}
		if err := b.db.dropSegment(ctx, g.id, b.rest); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) begin(t *tx) error {
	return one(context.Background(), t.q, []any{&b.id}, `
		INSERT INTO body_segments (tenant, state, young, first, last, oldest, newest) VALUES (?, 'void', ?, ?, ?, 0, 0) RETURNING id`,
		b.tenant, b.young, b.first, b.last)
}

// gather adds the bodies of the segment's attempts to the builder; the segment
// ends with the last that it takes.
func (b *build) gather(ctx context.Context, builder *bodyindex.Builder) error {
	for next := b.first; next <= b.last; {
		if builder.Full() {
			b.last, b.young = next-1, false
			return nil
		}
		before := next
		if err := b.gatherSome(ctx, builder, &next); err != nil || next == before {
			return err
		}
		if err := b.rest(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) gatherSome(ctx context.Context, builder *bodyindex.Builder, next *int64) error {
	from, bytes := *next, 0
	return b.db.readers.query(ctx, func(r row) error {
		var seq, started int64
		var read bodies
		if err := r.Scan(append([]any{&seq, &started}, read.columns()...)...); err != nil {
			return err
		}
		request := read.request()
		builder.Add(request, read.response)
		b.seqs, b.oldest, b.newest = append(b.seqs, seq), min(b.oldest, started), max(b.newest, started)
		*next = seq + 1
		if bytes += len(request) + len(read.response); bytes > bodyBytesAtOnce || builder.Full() {
			return errEnough
		}
		return nil
	}, `SELECT a.seq, a.started, `+bodyColumns+` FROM attempts AS a INDEXED BY attempts_tenant `+bodyJoins+`
		WHERE a.tenant = ? AND a.seq >= ? AND a.seq <= ? ORDER BY a.seq LIMIT ?`, b.tenant, from, b.last, bodiesAtOnce)
}

// store writes the chunks, a few in each transaction.
func (b *build) store(ctx context.Context, made bodyindex.Segment) error {
	b.header = made.Header
	for n := range made.Header.Blocks() {
		from, _ := made.Header.Block(n)
		b.starts = append(b.starts, b.seqs[from])
	}
	for from := 0; from < len(made.Chunks); from += chunksAtOnce {
		if err := b.rest(ctx); err != nil {
			return err
		}
		to := min(from+chunksAtOnce, len(made.Chunks))
		if err := b.db.change(ctx, func(t *tx) error { return b.storeSome(t, made.Chunks, from, to) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) storeSome(t *tx, chunks [][]byte, from, to int) error {
	for n := from; n < to; n++ {
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
}

// finish has searches use the segment from now on, in place of those it
// replaces. Of these, what the builder did not take stays bare; and if there
// are no attempts any more, there is no segment for them either.
func (b *build) finish(t *tx) error {
	for _, g := range b.replaces {
		change := `UPDATE body_segments SET state = 'void' WHERE id = ? AND last <= ?`
		if g.last > b.last {
			change = `UPDATE body_segments SET first = ?2 + 1 WHERE id = ?1`
		}
		if _, err := t.w.exec(change, g.id, b.last); err != nil {
			return err
		}
	}
	if len(b.seqs) == 0 {
		return t.dropSegment(b.id)
	}
	n, err := t.w.exec(`
		UPDATE body_segments SET state = 'ready', young = ?, last = ?, oldest = ?, newest = ?, header = ?, starts = ? WHERE id = ?`,
		b.young, b.last, b.oldest, b.newest, b.header.Append(nil), appendStarts(nil, b.starts), b.id)
	if err == nil && n == 0 {
		return errEnded
	}
	return err
}
