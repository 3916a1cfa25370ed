package core

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
// [draft.EraseOrder] can put an end to it and a crash leaves nothing that is not
// known.
type build struct {
	db     *Store
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
	if err := b.db.write(ctx, b.begin); err != nil {
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
	if err := b.db.write(ctx, b.finish); err != nil {
		return err
	}
	for _, g := range b.replaces {
		if g.last > b.last {
			continue
		}
		if err := b.db.dropSegment(ctx, b.tenant, g.id, b.rest); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) begin(d *draft) error {
	d.of(b.tenant).add(Change{Rows: 1, Into: func(r Row) error { return r.Scan(&b.id) }, Text: `
		INSERT INTO body_segments (tenant, state, young, first, last, oldest, newest) VALUES (?, 'void', ?, ?, ?, 0, 0) RETURNING id`,
		Args: []any{b.tenant, b.young, b.first, b.last}})
	return nil
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
	return b.db.q.Query(ctx, func(r Row) error {
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

// store writes the chunks, a few in each write.
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
		if err := b.db.write(ctx, func(d *draft) error { return b.storeSome(ctx, d, made.Chunks, from, to) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) storeSome(ctx context.Context, d *draft, chunks [][]byte, from, to int) error {
	if err := b.goesOn(ctx, d); err != nil {
		return err
	}
	for n := from; n < to; n++ {
		d.of(b.tenant).change(`INSERT INTO body_chunks (key, chunk) VALUES (?, ?)`, chunkKey(b.id, n), chunks[n])
	}
	return nil
}

// goesOn is errEnded if the build has no row any more, which it must have when
// the write is committed.
func (b *build) goesOn(ctx context.Context, d *draft) error {
	var there bool
	err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM body_segments WHERE id = ?)`, b.id)
	if err == nil && !there {
		err = errEnded
	}
	d.of(b.tenant).check(`SELECT 1 FROM body_segments WHERE id = ?`, b.id)
	return err
}

// finish has searches use the segment from now on, in place of those it
// replaces. Of these, what the builder did not take stays bare; and if there
// are no attempts any more, there is no segment for them either.
func (b *build) finish(d *draft) error {
	if err := b.goesOn(context.Background(), d); err != nil {
		return err
	}
	for _, g := range b.replaces {
		change := `UPDATE body_segments SET state = 'void' WHERE id = ? AND last <= ?`
		if g.last > b.last {
			change = `UPDATE body_segments SET first = ?2 + 1 WHERE id = ?1`
		}
		d.of(b.tenant).change(change, g.id, b.last)
	}
	if len(b.seqs) == 0 {
		d.dropSegment(b.tenant, b.id)
		return nil
	}
	d.of(b.tenant).changeOne(`
		UPDATE body_segments SET state = 'ready', young = ?, last = ?, oldest = ?, newest = ?, header = ?, starts = ? WHERE id = ?`,
		b.young, b.last, b.oldest, b.newest, b.header.Append(nil), appendStarts(nil, b.starts), b.id)
	return nil
}
