package core

import (
	"context"
	"errors"
	"math"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// The sizes of the steps of a build. Each step reads for a few milliseconds, or holds up
// all writers for so long.
const (
	bodiesAtOnce    = 256
	bodyBytesAtOnce = 1 << 20
	chunksAtOnce    = 32
)

// build is a segment while it is built. Its row exists from the beginning, so that others
// can see the build: an order that is erased ends it ([draft.EraseSome]), and after a crash
// the next call finds the row, with whatever chunks it has, and removes both.
type build struct {
	db     *Store
	tenant string
	yield  store.Yield
	segment
	replaces []*segment // the segments that this one replaces; they follow each other without attempts between them
	// seqs and the times are what gather has found; the row has them only when the build is
	// finished.
	seqs           []int64 // the seqs of the attempts in it
	oldest, newest int64
}

// newBuild returns a build of the attempts from first to last. Its database, tenant and
// yield are set by IndexBodies.
func newBuild(young bool, first, last int64, replaces ...*segment) *build {
	return &build{segment: segment{young: young, first: first, last: last}, replaces: replaces, oldest: math.MaxInt64, newest: math.MinInt64}
}

// errEnded says that the row of the build was removed: an order was erased meanwhile.
var errEnded = errors.New("the bodies changed while they were read")

// run builds the segment. It stores the row, waits for the writes that are under way, reads
// the bodies, writes the chunks, and then has searches use the new segment. Only after that
// it removes the segments that were replaced, so that a search always finds everything. If
// a write does not end soon, the build is given up, and begun again later: an attempt of
// that write could be missed.
func (b *build) run(ctx context.Context) error {
	if err := b.db.write(ctx, b.begin); err != nil {
		return err
	}
	// An attempt that is being recorded now may get a seq within the segment, and does not
	// see its row.
	if over, err := b.db.q.AwaitOthers(ctx); err != nil || !over {
		return errors.Join(err, b.db.write(ctx, func(d *draft) error { d.dropSegment(b.tenant, b.id); return nil }))
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
	if err := b.db.write(ctx, func(d *draft) error { return b.finish(ctx, d) }); err != nil {
		return err
	}
	for _, g := range b.replaces {
		// The builder did not take all of this one's attempts: finish has left it the
		// others.
		if g.last > b.last {
			continue
		}
		if err := b.db.dropSegment(ctx, b.tenant, g.id, b.yield); err != nil {
			return err
		}
	}
	return nil
}

// begin stores the row. newest is 0 until the build is finished; indexLate sets it to 1 to
// say that an attempt came that the build may have missed.
func (b *build) begin(d *draft) error {
	d.of(b.tenant).add(Change{Rows: 1, Into: func(r Row) error { return r.Scan(&b.id) }, Text: `
		INSERT INTO body_segments (tenant, state, young, first, last, oldest, newest) VALUES (?, 'void', ?, ?, ?, 0, 0) RETURNING id`,
		Args: []any{b.tenant, b.young, b.first, b.last}})
	return nil
}

// gather adds the bodies of the segment's attempts to the builder. The segment ends with
// the last attempt that the builder takes.
func (b *build) gather(ctx context.Context, builder *bodyindex.Builder) error {
	for next := b.first; next <= b.last; {
		// A segment that is full ends before the next attempt, whatever was planned.
		if builder.Full() {
			b.last, b.young = next-1, false
			return nil
		}
		before := next
		if err := b.gatherSome(ctx, builder, &next); err != nil || next == before {
			return err
		}
		if err := b.yield(ctx); err != nil {
			return err
		}
	}
	return nil
}

// gatherSome adds the bodies of the next attempts, until it has read so many of them, or so
// many bytes, or the builder is full. next is where it continues; it stays if there are no
// more.
func (b *build) gatherSome(ctx context.Context, builder *bodyindex.Builder, next *int64) error {
	from, bytes := *next, 0
	return b.db.q.Query(ctx, func(r Row) error {
		var seq int64
		var read bodies
		if err := r.Scan(append([]any{&seq}, read.columns()...)...); err != nil {
			return err
		}
		started := micros(ids.NumberTime(seq))
		request := read.request()
		builder.Add(request, read.response)
		b.seqs, b.oldest, b.newest = append(b.seqs, seq), min(b.oldest, started), max(b.newest, started)
		*next = seq + 1
		if bytes += len(request) + len(read.response); bytes > bodyBytesAtOnce || builder.Full() {
			return errEnough
		}
		return nil
	}, `SELECT a.seq, `+bodyColumns+` FROM attempts AS a INDEXED BY attempts_tenant `+bodyJoins+`
		WHERE a.tenant = ? AND a.seq >= ? AND a.seq <= ? ORDER BY a.seq LIMIT ?`, b.tenant, from, b.last, bodiesAtOnce)
}

// store writes the chunks, a few in each write. Nothing looks them up yet: the row is void.
func (b *build) store(ctx context.Context, made bodyindex.Segment) error {
	b.header = made.Header
	// A search goes by the seqs of a block, and the builder knows only the numbers of its
	// documents.
	for n := range made.Header.Blocks() {
		from, _ := made.Header.Block(n)
		b.starts = append(b.starts, b.seqs[from])
	}
	for from := 0; from < len(made.Chunks); from += chunksAtOnce {
		if err := b.yield(ctx); err != nil {
			return err
		}
		// Chunks are small, but there are up to a thousand of them.
		to := min(from+chunksAtOnce, len(made.Chunks))
		if err := b.db.write(ctx, func(d *draft) error { return b.storeSome(ctx, d, made.Chunks, from, to) }); err != nil {
			return err
		}
	}
	return nil
}

// storeSome writes some chunks, unless the build has ended.
func (b *build) storeSome(ctx context.Context, d *draft, chunks [][]byte, from, to int) error {
	if err := b.goesOn(ctx, d); err != nil {
		return err
	}
	for n := from; n < to; n++ {
		d.of(b.tenant).change(`INSERT INTO body_chunks (key, chunk) VALUES (?, ?)`, chunkKey(b.id, n), chunks[n])
	}
	return nil
}

// goesOn returns errEnded if the row of the build was removed, or has a mark that an attempt
// came that the build may have missed (indexLate). The write checks it again
// at the commit.
func (b *build) goesOn(ctx context.Context, d *draft) error {
	var there bool
	err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM body_segments WHERE id = ? AND newest = 0)`, b.id)
	if err == nil && !there {
		err = errEnded
	}
	d.of(b.tenant).lock(b.tenant, "bodies")
	d.of(b.tenant).check(`SELECT 1 FROM body_segments WHERE id = ? AND newest = 0`, b.id)
	return err
}

// finish makes searches use the segment from now on, in place of the segments that it
// replaces. What the builder did not take of those stays without chunks. If no attempts
// are left, there is no segment for them.
func (b *build) finish(ctx context.Context, d *draft) error {
	if err := b.goesOn(ctx, d); err != nil {
		return err
	}
	for _, g := range b.replaces {
		change := `UPDATE body_segments SET state = 'void' WHERE id = ? AND last <= ?`
		if g.last > b.last {
			// The old segment keeps the attempts that the new one does not have.
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
