package core

import (
	"context"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// effort bounds the work for one page of a list, so that the page of the dashboard that
// shows it has its first byte within 100 ms.
type effort struct {
	// rows is how many rows may be compared with the filter.
	rows int
	// bodies is how many bodies, of about bodyUnit each, may be searched if a body is asked
	// for.
	bodies int
	// documents is how many bytes of orders may be searched if a text or a tag is asked
	// for.
	documents int
	// time ends the work on a machine that is slower, or busier, than the one where the
	// other bounds were measured.
	time time.Duration
}

// defaultEffort is the effort of a page. The numbers were found by measuring with a million
// attempts and a writer beside the page (docs/design.md#lists-and-pages).
var defaultEffort = effort{rows: 16_000, bodies: 4000, documents: 4 << 20, time: 40 * time.Millisecond}

// defaultCountEffort is for a count, which nobody wants to wait for.
var defaultCountEffort = effort{rows: 20_000, bodies: 1000, documents: 4 << 20, time: 20 * time.Millisecond}

const (
	// bodyUnit is how many bytes can be searched in about the time that it takes
	// to read an attempt that has none.
	bodyUnit = 4 << 10
	// segmentUnits is what it takes to look a piece up in one segment.
	segmentUnits = 4
)

// Attempts implements [store.Reader]. A filter with a body makes the page a search.
func (q queries) Attempts(ctx context.Context, tenant string, f store.AttemptFilter, asked store.Page) (store.List[*attempt.Attempt], error) {
	class := store.Listing
	if f.Body != "" {
		class = store.Search
	}
	s, err := q.attemptSearch(ctx, tenant, f)
	if err != nil {
		return store.List[*attempt.Attempt]{}, err
	}
	s.columns, s.joins, s.scan = attemptColumns, eventOfAttempt, scanFound
	found, err := pageOf(ctx, q, tenant, class, asked, s.cursorOf, s.run)
	return converted(found, err, func(a foundAttempt) *attempt.Attempt { return a.Attempt })
}

// AttemptCount implements [store.Reader]. It reads no more of an attempt than its number,
// unless the filter is about its event.
func (q queries) AttemptCount(ctx context.Context, tenant string, f store.AttemptFilter) (store.Count, error) {
	class := store.Listing
	if f.Body != "" {
		class = store.Search
	}
	s, err := q.attemptSearch(ctx, tenant, f)
	if err != nil {
		return store.Count{}, err
	}
	s.columns, s.scan = "a.seq", func(r Row) (f foundAttempt, err error) { return f, r.Scan(&f.seq) }
	if s.needsEvents() {
		s.joins = eventOfAttempt
	}
	return counted(ctx, q, tenant, class, func(ctx context.Context, p *page[foundAttempt]) error { return s.run(ctx, p, nil) })
}

// attemptSearch is a page of attempts that is being put together. It goes from the highest
// seq down: below is how far it has come, and left is how much of the work for the page is
// left.
type attemptSearch struct {
	queries
	*walk
	tenant string
	filter store.AttemptFilter
	body   *bodyindex.Query // nil: whatever the bodies are
	work   int              // that there is for a page, in rows or in bodies
	left   int              // of the work

	columns, joins string // of what is read of an attempt
	scan           func(Row) (foundAttempt, error)

	page  *page[foundAttempt]
	below *int64 // the seq that everything not yet examined is below; nil: nothing is examined
	ended bool
}

// foundAttempt is an attempt with its seq, by which a search continues. The attempt is nil
// if it is only counted.
type foundAttempt struct {
	*attempt.Attempt
	seq int64
}

// attemptSearch returns the search for a filter, without its page. If the filter names a
// thing with an index, the search goes along that. If it names a thing whose events lead to
// more attempts than one page may look at, the search goes through all attempts instead. A
// filter with a body and nothing that picks few attempts goes by the index of bodies.
func (q queries) attemptSearch(ctx context.Context, tenant string, f store.AttemptFilter) (s *attemptSearch, err error) {
	s = &attemptSearch{queries: q, walk: walkOf(tenant, f), tenant: tenant, filter: f}
	if f.Body != "" {
		if s.body, err = bodyindex.NewQuery(f.Body); err != nil {
			return nil, apierr.Wrong("query.body", "%v", err)
		}
	}
	many, err := s.many(ctx, q.q, q.effort.rows)
	if many {
		s.walk = s.throughAll(tenant, f)
	}
	return s, err
}

// run fills the page. A page that is not full ends, too, with a cursor, if there are rows
// that were not examined: only a page without a cursor is the last one.
func (s *attemptSearch) run(ctx context.Context, p *page[foundAttempt], after *store.Cursor) (err error) {
	if s.page = p; after != nil {
		below := seqOfCursor(*after)
		s.below = &below
	}
	if s.left = p.effort.rows; s.body != nil {
		s.left = p.effort.bodies
	}
	s.work = s.left
	if s.body != nil && !s.selective() {
		err = s.newestSegments(ctx)
	} else {
		s.ended, err = s.down(ctx, nil)
	}
	if err == nil && !p.ended() && !s.ended {
		p.end(store.Cursor{At: *s.below})
	}
	return err
}

// done reports whether the page is full, or has been worked at enough.
func (s *attemptSearch) done() bool {
	return s.page.ended() || s.left <= 0 || s.page.late(s.left, s.work)
}

// cursorOf is where the list continues behind an attempt.
func (s *attemptSearch) cursorOf(a foundAttempt) store.Cursor { return store.Cursor{At: a.seq} }

// seqOfCursor returns the seq that a cursor stands for. An earlier orderhook wrote the id of
// an attempt into it: the page behind that begins with what is of the same microsecond.
func seqOfCursor(c store.Cursor) int64 {
	if at, ok := ids.TimeOf(ids.Attempt, c.ID); ok {
		return ids.FirstNumber(at.Add(time.Microsecond))
	}
	return c.At
}

// bodyStep is how many rows a step has at most if bodies are searched.
const bodyStep = 256

// down examines the rows that are not below the floor, nil for all, and reports whether
// there are no more of them. It notes in s.below how far it came.
func (s *attemptSearch) down(ctx context.Context, floor *int64) (ended bool, err error) {
	largest := max(s.left, 1)
	if s.body != nil {
		largest = bodyStep
	}
	stopped, ended, err := inSteps(&s.left, largest, s.below, s.page,
		func(below *int64, rows int) (*int64, error) { return s.stepFloor(ctx, span{below, floor}, rows) },
		func(below, next *int64) error {
			if next == nil {
				next = floor
			}
			return s.examine(ctx, span{below, next})
		})
	if stopped != nil {
		s.below = stopped
	}
	return ended, err
}

// stepFloor is where a step ends. It is nil, for the end of the span, if no row can fail:
// then each row is one of the page, and the limit of the query ends the reading.
func (s *attemptSearch) stepFloor(ctx context.Context, all span, rows int) (*int64, error) {
	if len(s.rest.conditions) == 0 && s.body == nil {
		return nil, nil
	}
	return s.floor(ctx, s.q, all.and(startedIn(s.filter)), rows)
}

// examine adds to the page what the filter picks of a span, cut to the time that the filter
// names.
func (s *attemptSearch) examine(ctx context.Context, rows span) error {
	rows = rows.and(startedIn(s.filter))
	if s.body != nil {
		return s.examineBodies(ctx, rows)
	}
	text, args := s.sql(s.columns, s.joins, rows, s.page.wanted())
	return s.page.read(ctx, s.q.QueryOnce, s.scan, text, args...)
}

// scanFound reads attemptColumns.
func scanFound(r Row) (f foundAttempt, err error) {
	f.Attempt, f.seq, err = scanAttempt(r)
	return f, err
}

// examineBodies is examine for a filter with a body: what is shown of an attempt is read
// only once its bodies match. The matches are found from the lowest seq up, and added from
// the highest down.
func (s *attemptSearch) examineBodies(ctx context.Context, rows span) error {
	seqs, err := s.matches(ctx, rows)
	for _, seq := range slices.Backward(seqs) {
		if err == nil && !s.page.ended() {
			err = s.page.read(ctx, s.q.Query, s.scan, `SELECT `+s.columns+` FROM attempts AS a`+s.joins+` WHERE a.seq = ? AND a.tenant = ?`, seq, s.tenant)
		}
	}
	return err
}

// matches returns the seqs of a span's attempts whose bodies match. The request's body or
// the answer's is enough. Each body takes up some of the work for the page, by its size.
func (s *attemptSearch) matches(ctx context.Context, rows span) (seqs []int64, err error) {
	text, args := s.upwards("a.seq, "+bodyColumns, bodyJoins, rows)
	// A statement that other filters have too is worth being prepared.
	query := s.q.QueryOnce
	if len(s.rest.conditions) == 0 { // of which there are few, and many are asked for one page
		query = s.q.Query
	}
	var seq int64
	var b bodies
	into := append([]any{&seq}, b.columns()...)
	err = query(ctx, func(r Row) error {
		if err := r.Scan(into...); err != nil {
			return err
		}
		request := b.request()
		s.left -= (len(request) + len(b.response)) / bodyUnit
		if s.body.Match(request) || s.body.Match(b.response) {
			seqs = append(seqs, seq)
		}
		return nil
	}, text, args...)
	return seqs, err
}

// newestSegments searches the bodies by their index, from the newest down. The attempts
// that are in no segment yet are searched one by one first, so that nothing is missed. Then
// come the segments, one after the other.
func (s *attemptSearch) newestSegments(ctx context.Context) error {
	last, err := s.lastIndexed(ctx, s.tenant)
	if err != nil {
		return err
	}
	if last++; s.below == nil || *s.below > last {
		if ended, err := s.down(ctx, &last); err != nil || !ended {
			return err
		}
		s.below = &last
	}
	for !s.done() && !s.ended {
		segments, err := s.segmentsBelow(ctx, s.tenant, *s.below, s.filter)
		if err != nil {
			return err
		}
		if err := s.searchSegments(ctx, segments); err != nil {
			return err
		}
		// There are fewer than were asked for, so there is no older segment.
		s.ended = len(segments) < segmentsAtOnce && !s.done()
	}
	return nil
}

// searchSegments searches segments, the newest first, until the page is full or the work
// for it is used up.
func (s *attemptSearch) searchSegments(ctx context.Context, segments []*segment) error {
	for _, g := range segments {
		if s.done() {
			return nil
		}
		if err := s.searchSegment(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// searchSegment searches the attempts of a segment below s.below, and moves s.below down to
// where it came. The index names blocks of up to 64 attempts that may have the text; only
// the bodies of these are read. A segment that is bare has no index: all of its bodies are
// read, in steps.
func (s *attemptSearch) searchSegment(ctx context.Context, g *segment) error {
	s.goDown(g.last + 1)
	if g.state == segmentBare {
		ended, err := s.down(ctx, &g.first)
		if ended {
			s.goDown(g.first)
		}
		return err
	}
	candidates, err := s.body.Blocks(g.header, func(chunk int) ([]byte, error) { return s.chunk(ctx, g.id, chunk) })
	if err != nil {
		return err
	}
	s.left -= segmentUnits
	// The newest block comes first. Blocks at and above s.below were searched for an
	// earlier page.
	for n := g.header.Blocks() - 1; n >= 0; n-- {
		if candidates>>n&1 == 0 || g.starts[n] >= *s.below {
			continue
		}
		below := min(*s.below, g.end(n))
		if err := s.examine(ctx, span{&below, &g.starts[n]}); err != nil {
			return err
		}
		s.goDown(g.starts[n])
		if s.left -= bodyindex.BlockDocs; s.done() {
			return nil
		}
	}
	s.goDown(g.first)
	return nil
}

// goDown notes that everything from a seq on was examined. It never moves up again.
func (s *attemptSearch) goDown(seq int64) {
	if s.below == nil || seq < *s.below {
		s.below = &seq
	}
}
