package core

import (
	"context"
	"errors"
	"math"
	"sync"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/bodyindex"
)

// youngDocs is how many attempts make a segment at first, so that few are left
// to be searched one by one. Young segments are put together to full ones, for
// a search takes as long for a small one.
const youngDocs = bodyindex.SegmentDocs / 8

// fullBlocks is how many blocks a segment can have.
const fullBlocks = bodyindex.SegmentDocs / bodyindex.BlockDocs

// indexing is what is remembered of each tenant while the database is open.
// There is one build at a time.
type indexing struct {
	sync.Mutex
	// due is the newest seq of all attempts at which a tenant may have enough of
	// them for a segment.
	due map[string]int64
}

// IndexBodies implements [store.Upkeep].
func (s *Store) IndexBodies(ctx context.Context, tenant string, rest store.Rest) (done bool, err error) {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	if _, known := s.indexing.due[tenant]; !known {
		if err := s.dropStale(ctx, tenant, rest); err != nil {
			return false, err
		}
	}
	open, err := s.openSegments(ctx, tenant)
	for _, g := range open {
		if err == nil && g.state == segmentVoid {
			err = s.dropSegment(ctx, tenant, g.id, rest)
		}
	}
	if err != nil {
		return false, err
	}
	b, err := s.nextBuild(ctx, tenant, open)
	if b == nil || err != nil {
		return b == nil, err
	}
	b.db, b.tenant, b.rest = s, tenant, rest
	err = b.run(ctx)
	if errors.Is(err, errEnded) {
		err = nil // to be begun anew
	}
	return false, err
}

// dropStale has segments built anew that another version of the index made.
func (s *Store) dropStale(ctx context.Context, tenant string, rest store.Rest) error {
	for below := int64(math.MaxInt64); ; {
		segments, err := s.segmentsBelow(ctx, tenant, below, store.AttemptFilter{})
		if err != nil || len(segments) == 0 {
			return err
		}
		for _, g := range segments {
			if below = g.first; g.state == segmentBare || !g.header.Stale() {
				continue
			}
			if err := s.bareSegment(ctx, tenant, g.id, rest); err != nil {
				return err
			}
		}
	}
}

// nextBuild returns what to build next, nil if there is nothing: first what was
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

// fillSegment returns the young segments that make a full one, nil if they do
// not: as many as it has room for, once it has none for the next.
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

// nextOfTail returns what to build of the attempts that are in no segment: a
// young one, or a full one at once if there are as many, and no young ones are
// to be put together first.
func (s *Store) nextOfTail(ctx context.Context, tenant string, full bool) (*build, error) {
	var newest int64
	err := one(ctx, s.q, []any{&newest}, `SELECT coalesce(max(seq), 0) FROM attempts`)
	if due, known := s.indexing.due[tenant]; err != nil || known && newest < due {
		return nil, err
	}
	last, err := s.lastIndexed(ctx, tenant)
	if err != nil {
		return nil, err
	}
	most := youngDocs
	if full {
		most = bodyindex.SegmentDocs
	}
	seqs, err := collect(ctx, s.q.Query, func(r Row) (seq int64, err error) {
		err = r.Scan(&seq)
		return seq, err
	}, `SELECT seq FROM attempts INDEXED BY attempts_tenant WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?`, tenant, last, most)
	if err != nil {
		return nil, err
	}
	s.indexing.due[tenant] = newest + int64(max(youngDocs-len(seqs), 0))
	switch {
	case len(seqs) == bodyindex.SegmentDocs:
		return newBuild(false, last+1, seqs[len(seqs)-1]), nil
	case len(seqs) >= youngDocs:
		return newBuild(true, last+1, seqs[youngDocs-1]), nil
	}
	return nil, nil
}
