package core

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// youngDocs is how many attempts a segment has at first. It is small, so that few
// attempts must be searched one by one. Young segments are put together to full ones
// later, because a search takes as long for a small segment as for a large one.
const youngDocs = bodyindex.SegmentDocs / 8

// fullBlocks is how many blocks a segment can have.
const fullBlocks = bodyindex.SegmentDocs / bodyindex.BlockDocs

// indexing is what is remembered of each tenant while the database is open. Only one build
// runs at a time. The lock is held during a build, which may take seconds.
type indexing struct {
	sync.Mutex
	begun map[string]bool // the tenants of which there was a look for stale segments
	tails map[string]tail
}

func newIndexing() indexing { return indexing{begun: map[string]bool{}, tails: map[string]tail{}} }

// tail is what was seen of a tenant's attempts behind the last segment, while they are too
// few for a segment: so that each is looked at once, and not every second.
type tail struct {
	indexed int64 // where the last segment ended
	last    int64 // the last attempt that was seen
	count   int
}

// lateness is how long after its start an attempt is recorded at most, of those of the last
// minutes, whichever node records it. What started later is not indexed yet: an attempt that
// comes to be before what is indexed costs a segment that is built anew.
type lateness struct {
	mu          sync.Mutex
	now, before time.Duration // of this span, and of the one before
	told        time.Duration // what other nodes know of this span's
	// until is the end of this span.
	until time.Time // the end of this span
}

const (
	latenessSpan  = time.Minute
	leastLateness = time.Second
	mostLateness  = time.Minute
)

// note notes that an attempt is recorded so long after its start.
func (l *lateness) note(now time.Time, late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(now, late)
}

// hear notes the lateness of another node. All nodes hear of it, so it need not be told on.
func (l *lateness) hear(now time.Time, late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(now, late)
	l.told = max(l.told, late)
}

// add does what note does. The caller has the lock.
func (l *lateness) add(now time.Time, late time.Duration) {
	if !now.Before(l.until) {
		l.now, l.before, l.told, l.until = 0, l.now, 0, now.Add(latenessSpan)
	}
	l.now = max(l.now, late)
}

// untold returns what other nodes are to be told, which do not see what this one records: its
// lateness, where that has grown by leastLateness, so that they are told of it seldom; 0:
// nothing.
func (l *lateness) untold() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now < l.told+leastLateness {
		return 0
	}
	l.told = l.now
	return l.told
}

// most returns how old an attempt must be to be indexed. It is bounded, so that one
// endpoint that takes minutes does not keep all other attempts out of the index.
func (l *lateness) most() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return min(max(l.now, l.before)+leastLateness, mostLateness)
}

// IndexBodies implements [store.Maintenance]. One call builds one segment at most. A void
// segment that it finds is what a crash, or a build that was given up, has left: only one
// build runs at a time, and this is not it.
func (s *Store) IndexBodies(ctx context.Context, tenant string, yield store.Yield) (done bool, err error) {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	// This is done once for each start: the version of the index changes only with the
	// program.
	if !s.indexing.begun[tenant] {
		if err := s.dropStale(ctx, tenant, yield); err != nil {
			return false, err
		}
		s.indexing.begun[tenant] = true
	}
	open, err := s.openSegments(ctx, tenant)
	for _, g := range open {
		if err == nil && g.state == segmentVoid {
			err = s.dropSegment(ctx, tenant, g.id, yield)
		}
	}
	if err != nil {
		return false, err
	}
	// The void ones are gone, and the others say what is to be done next.
	b, err := s.nextBuild(ctx, tenant, open)
	if b == nil || err != nil {
		return b == nil, err
	}
	b.db, b.tenant, b.yield = s, tenant, yield
	err = b.run(ctx)
	if errors.Is(err, errEnded) {
		err = nil // the build is begun again later
	}
	return false, err
}

// dropStale makes segments bare that another version of the index made, so that they are
// built again. Until then searches read their bodies one by one.
func (s *Store) dropStale(ctx context.Context, tenant string, yield store.Yield) error {
	for below := int64(math.MaxInt64); ; {
		segments, err := s.segmentsBelow(ctx, tenant, below, store.AttemptFilter{})
		if err != nil || len(segments) == 0 {
			return err
		}
		for _, g := range segments {
			if below = g.first; g.state == segmentBare || !g.header.Stale() {
				continue
			}
			if err := s.bareSegment(ctx, tenant, g.id, yield); err != nil {
				return err
			}
		}
	}
}

// nextBuild returns what to build next, nil if there is nothing. First comes what was
// erased, then what can be put together, then what is in no segment yet.
func (s *Store) nextBuild(ctx context.Context, tenant string, open []*segment) (*build, error) {
	var young []*segment
	for _, g := range open {
		if g.state == segmentBare {
			return newBuild(g.young, g.first, g.last, g), nil
		}
		if g.state == segmentReady {
			young = append(young, g)
		}
	}
	if full := fillSegment(young); full != nil {
		return newBuild(false, full[0].first, full[len(full)-1].last, full...), nil
	}
	return s.nextOfTail(ctx, tenant, len(young) == 0)
}

// fillSegment returns the young segments that make a full one: as many as fit into it, if
// the next one does not fit. It returns nil if they do not fill a segment yet. They follow
// each other, since young is sorted.
func fillSegment(young []*segment) []*segment {
	blocks := 0
	for i, g := range young {
		switch blocks += g.header.Blocks(); {
		case blocks == fullBlocks:
			return young[:i+1]
		case blocks > fullBlocks:
			return young[:i]
		}
	}
	return nil
}

// nextOfTail returns what to build from the attempts that are in no segment yet: a young
// segment, or a full one if there are enough attempts and no young segments to put together
// first. Attempts that are so young that others may still come to be before them are left
// for later. Once there are enough, those that were seen are forgotten and all are looked
// at anew.
func (s *Store) nextOfTail(ctx context.Context, tenant string, full bool) (*build, error) {
	newest := ids.FirstNumber(s.clock().Add(-s.lateness.most()))
	seen := s.indexing.tails[tenant]
	last, err := s.lastIndexed(ctx, tenant)
	if err != nil {
		return nil, err
	}
	// The segments have changed since, so what was counted is not true any more.
	if seen.indexed != last {
		seen = tail{indexed: last, last: last}
	}
	most := youngDocs
	if full {
		most = bodyindex.SegmentDocs
	}
	seqs, err := collect(ctx, s.q.Query, scanNumber,
		`SELECT seq FROM attempts INDEXED BY attempts_tenant WHERE tenant = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?`, tenant, seen.last, newest, most)
	if err != nil {
		return nil, err
	}
	// There are too few for a segment: the next call looks only at what comes behind these.
	if seen.count += len(seqs); seen.count < youngDocs {
		if len(seqs) > 0 {
			seen.last = seqs[len(seqs)-1]
		}
		s.indexing.tails[tenant] = seen
		return nil, nil
	}
	delete(s.indexing.tails, tenant)
	if seen.last > last { // it was looked at in parts
		// The tail is forgotten, so this reads all of them, and ends here.
		return s.nextOfTail(ctx, tenant, full)
	}
	// So many wait that young segments would only be put together again at once.
	if len(seqs) == bodyindex.SegmentDocs {
		return newBuild(false, last+1, seqs[len(seqs)-1]), nil
	}
	return newBuild(true, last+1, seqs[youngDocs-1]), nil
}
