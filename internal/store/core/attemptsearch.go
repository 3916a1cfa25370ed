package core

import (
	"context"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// effort bounds the work for one page of a list, so that the page of the dashboard that
// shows it has its first byte within 100 ms.
type effort struct {
	rows      int // to be examined as to the filter
	bodies    int // of about bodyUnit each to be searched, if a body is asked for
	documents int // bytes of orders to be searched, if a text or a tag is asked for
}

var defaultEffort = effort{rows: 20_000, bodies: 4000, documents: 5 << 20}

// defaultCountEffort is for a count, which nobody wants to wait for.
var defaultCountEffort = effort{rows: 20_000, bodies: 1000, documents: 4 << 20}

const (
	// bodyUnit is how many bytes can be searched in about the time that it takes
	// to read an attempt that has none.
	bodyUnit = 4 << 10
	// segmentUnits is what it takes to look a piece up in one segment.
	segmentUnits = 4
)

// Attempts implements [store.Reader].
func (q queries) Attempts(ctx context.Context, tenant string, f store.AttemptFilter, asked store.Page) (store.List[*oms.Attempt], error) {
	class := store.Listing
	if f.Body != "" {
		class = store.Search
	}
	s, err := q.attemptSearch(tenant, f)
	if err != nil {
		return store.List[*oms.Attempt]{}, err
	}
	s.columns, s.scan = attemptColumns+", a.seq", scanFound
	found, err := pageOf(ctx, q, tenant, class, asked, s.cursorOf, s.run)
	return converted(found, err, func(a foundAttempt) *oms.Attempt { return a.Attempt })
}

// AttemptCount implements [store.Reader].
func (q queries) AttemptCount(ctx context.Context, tenant string, f store.AttemptFilter) (store.Count, error) {
	class := store.Listing
	if f.Body != "" {
		class = store.Search
	}
	s, err := q.attemptSearch(tenant, f)
	if err != nil {
		return store.Count{}, err
	}
	s.columns, s.scan = "a.id, a.seq", func(r Row) (f foundAttempt, err error) {
		f.Attempt = &oms.Attempt{}
		return f, r.Scan(&f.ID, &f.seq)
	}
	return counted(ctx, q, tenant, class, func(ctx context.Context, p *page[foundAttempt]) error { return s.run(ctx, p, nil) })
}

// attemptSearch is a page of attempts that is being put together.
type attemptSearch struct {
	queries
	*walk
	tenant string
	filter store.AttemptFilter
	body   *bodyindex.Query // nil: whatever the bodies are
	left   int              // of the effort

	columns string // of what is read of an attempt
	scan    func(Row) (foundAttempt, error)

	page  *page[foundAttempt]
	below any // the key that everything not yet examined is below; nil: nothing is examined
	ended bool
}

type foundAttempt struct {
	*oms.Attempt
	seq int64
}

func (q queries) attemptSearch(tenant string, f store.AttemptFilter) (s *attemptSearch, err error) {
	s = &attemptSearch{queries: q, walk: walkOf(tenant, f), tenant: tenant, filter: f}
	if f.Body != "" {
		if s.body, err = bodyindex.NewQuery(f.Body); err != nil {
			return nil, oms.Wrong("query.body", "%v", err)
		}
		if !s.selective() {
			s.walk = s.asRecorded(f)
		}
	}
	return s, nil
}

// run fills the page. One that has room left ends, too, if there are rows that
// were not examined.
func (s *attemptSearch) run(ctx context.Context, p *page[foundAttempt], after *store.Cursor) (err error) {
	if s.page = p; after != nil {
		s.below = s.keyOf(*after)
	}
	if s.left = p.effort.rows; s.body != nil {
		s.left = p.effort.bodies
	}
	if s.key == "a.seq" {
		err = s.newestSegments(ctx)
	} else {
		s.ended, err = s.down(ctx, nil)
	}
	if err == nil && !p.ended() && !s.ended {
		p.end(s.cursor(s.below))
	}
	return err
}

// done reports whether the page is full, or has been worked at enough.
func (s *attemptSearch) done() bool { return s.page.ended() || s.left <= 0 }

func (s *attemptSearch) cursorOf(a foundAttempt) store.Cursor {
	return s.cursor(s.keyOf(store.Cursor{At: a.seq, ID: a.ID}))
}

// keyOf returns the key that a cursor names, and cursor the cursor of a key.
func (s *attemptSearch) keyOf(c store.Cursor) any {
	if s.key == "a.seq" {
		return c.At
	}
	return c.ID
}

func (s *attemptSearch) cursor(key any) store.Cursor {
	if seq, ok := key.(int64); ok {
		return store.Cursor{At: seq}
	}
	return store.Cursor{ID: key.(string)}
}

// The steps in which rows are examined: few at first, since a page is filled by
// few unless the filter is rare; and always few if bodies are searched.
const (
	firstStep  = 1000
	stepGrowth = 4
	bodyStep   = 256
)

// down examines the rows that are not below the floor, nil for all, and reports
// whether there are no more of them.
func (s *attemptSearch) down(ctx context.Context, floor any) (ended bool, err error) {
	for step := firstStep; !s.done(); step *= stepGrowth {
		if s.body != nil {
			step = bodyStep
		}
		step = min(step, s.left)
		next, err := s.stepFloor(ctx, span{s.below, floor}, step)
		if err != nil {
			return false, err
		}
		if next == nil {
			return true, s.examine(ctx, span{s.below, floor})
		}
		if err := s.examine(ctx, span{s.below, next}); err != nil {
			return false, err
		}
		s.below, s.left = next, s.left-step
	}
	return false, nil
}

// stepFloor is where a step ends, nil if it goes to the span's end: so it does
// where no row can fail.
func (s *attemptSearch) stepFloor(ctx context.Context, all span, rows int) (any, error) {
	if len(s.rest.conditions) == 0 && s.body == nil {
		return nil, nil
	}
	return s.floor(ctx, s.q, all, rows)
}

// examine adds what the filter picks of a span.
func (s *attemptSearch) examine(ctx context.Context, rows span) error {
	if s.body != nil {
		return s.examineBodies(ctx, rows)
	}
	text, args := s.sql(s.columns, "", rows, s.page.wanted())
	return s.page.read(ctx, s.q.QueryOnce, s.scan, text, args...)
}

func scanFound(r Row) (foundAttempt, error) {
	var seq int64
	a, err := scanAttempt(r, &seq)
	return foundAttempt{a, seq}, err
}

// examineBodies is examine where the bodies count: what is shown of an attempt
// is read only once they match.
func (s *attemptSearch) examineBodies(ctx context.Context, rows span) error {
	seqs, err := s.matches(ctx, rows)
	for _, seq := range slices.Backward(seqs) {
		if err == nil && !s.page.ended() {
			err = s.page.read(ctx, s.q.Query, s.scan, `SELECT `+s.columns+` FROM attempts AS a WHERE a.seq = ? AND a.tenant = ?`, seq, s.tenant)
		}
	}
	return err
}

// matches returns the seqs of a span's attempts whose bodies match.
func (s *attemptSearch) matches(ctx context.Context, rows span) (seqs []int64, err error) {
	text, args := s.upwards("a.seq, "+bodyColumns, bodyJoins, rows)
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

// newestSegments searches the bodies by their index, in the order the attempts
// were recorded: those of no segment first, then segment by segment.
func (s *attemptSearch) newestSegments(ctx context.Context) error {
	last, err := s.lastIndexed(ctx, s.tenant)
	if err != nil {
		return err
	}
	if s.below == nil || s.below.(int64) > last+1 {
		if ended, err := s.down(ctx, last+1); err != nil || !ended {
			return err
		}
		s.below = last + 1
	}
	for !s.done() && !s.ended {
		segments, err := s.segmentsBelow(ctx, s.tenant, s.below.(int64), s.filter)
		if err != nil {
			return err
		}
		if err := s.searchSegments(ctx, segments); err != nil {
			return err
		}
		s.ended = len(segments) < segmentsAtOnce && !s.done()
	}
	return nil
}

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

// searchSegment searches the attempts of a segment below s.below, which it
// moves down to where it came.
func (s *attemptSearch) searchSegment(ctx context.Context, g *segment) error {
	s.below = min(s.below.(int64), g.last+1)
	if g.state == segmentBare {
		ended, err := s.down(ctx, g.first)
		if ended {
			s.below = g.first
		}
		return err
	}
	candidates, err := s.body.Blocks(g.header, func(chunk int) ([]byte, error) { return s.chunk(ctx, g.id, chunk) })
	if err != nil {
		return err
	}
	s.left -= segmentUnits
	for n := g.header.Blocks() - 1; n >= 0; n-- {
		if candidates>>n&1 == 0 || g.starts[n] >= s.below.(int64) {
			continue
		}
		if err := s.examine(ctx, span{min(s.below.(int64), g.end(n)), g.starts[n]}); err != nil {
			return err
		}
		s.below, s.left = g.starts[n], s.left-bodyindex.BlockDocs
		if s.done() {
			return nil
		}
	}
	s.below = g.first
	return nil
}
