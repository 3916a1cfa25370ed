package bodyindex

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// MinChars is the fewest characters of a piece that can be searched for.
const MinChars = 3

// ErrShort says that a piece has fewer than [MinChars] characters.
var ErrShort = errors.New("at least three characters are needed to search bodies")

const (
	// maxLong is how many of a piece's long grams are looked at, of whatever
	// length it is.
	maxLong = 32
	// enough is how many grams make the short ones unnecessary.
	enough = 8
	// prefetched is how many grams [Query.Chunks] is about.
	prefetched = 8
	// worthwhile is how many blocks a chunk must be expected to rule out: to
	// check one takes many times as long as to read a chunk.
	worthwhile = 1.0 / 16
)

// Query is a search for one piece of text. It learns from the segments it reads
// which grams rule out most. Not for concurrent use.
type Query struct {
	piece             []byte // folded
	grams             []queryGram
	unescaped, folded []byte // reused
}

// queryGram is one gram of the piece, and how common it was so far.
type queryGram struct {
	row         uint32 // of maxRows
	set, blocks float64
}

// density is the share of the blocks that have the gram, half at first.
func (g *queryGram) density() float64 { return (g.set + 4) / (g.blocks + 8) }

// NewQuery begins a search. A piece of fewer than [MinChars] characters is
// [ErrShort]; a byte that is not UTF-8 is a character.
func NewQuery(piece string) (*Query, error) {
	if utf8.RuneCountInString(piece) < MinChars {
		return nil, ErrShort
	}
	q := &Query{piece: appendFolded(nil, []byte(piece))}
	q.pick(longGram, maxLong, longRow)
	if len(q.grams) < enough {
		q.pick(shortGram, enough-len(q.grams), shortRow)
	}
	return q, nil
}

// pick adds at most limit grams of a size, spread over the piece from its first
// to its last.
func (q *Query) pick(size, limit int, row func(eight uint64) uint32) {
	last := len(q.piece) - size
	n := min(last+1, limit)
	for i := range n {
		g := queryGram{row: row(eightBytes(q.piece, i*last/max(n-1, 1)))}
		if !slices.Contains(q.grams, g) {
			q.grams = append(q.grams, g)
		}
	}
}

// Match reports whether the piece stands in the body, in any case, either as
// the body is written or with its JSON escapes decoded.
func (q *Query) Match(body []byte) bool {
	q.folded = appendFolded(q.folded[:0], body)
	if bytes.Contains(q.folded, q.piece) {
		return true
	}
	if !hasEscapes(body) {
		return false
	}
	q.unescaped = appendUnescaped(q.unescaped[:0], body)
	q.folded = appendFolded(q.folded[:0], q.unescaped)
	return bytes.Contains(q.folded, q.piece)
}

// Chunks returns the chunks that [Query.Blocks] will ask for first, at most
// eight, sorted, each once: for a caller that reads many at a time.
func (q *Query) Chunks(h Header) []int {
	if h.Stale() || h.Blocks() == 0 {
		return nil
	}
	q.sort()
	var chunks []int
	for _, g := range q.grams[:min(len(q.grams), prefetched)] {
		chunk, _ := h.place(g.row)
		chunks = append(chunks, chunk)
	}
	slices.Sort(chunks)
	return slices.Compact(chunks)
}

// Blocks returns the candidates among a segment's blocks, bit i for block i: no
// other block has a document that matches. It reads one chunk after another and
// stops when the next would hardly rule out more. A chunk that is nil, as it
// was not prefetched, or of the wrong length, rules out nothing. An error of
// read is returned as it is.
func (q *Query) Blocks(h Header, read func(chunk int) ([]byte, error)) (uint64, error) {
	candidates := h.all()
	if h.Stale() {
		return candidates, nil
	}
	q.sort()
	for i := range q.grams {
		if float64(bits.OnesCount64(candidates))*(1-q.grams[i].density()) < worthwhile {
			break
		}
		row, err := q.grams[i].read(h, read)
		if err != nil {
			return 0, err
		}
		candidates &= row
	}
	return candidates, nil
}

// sort puts the grams that rule out most first.
func (q *Query) sort() {
	slices.SortStableFunc(q.grams, func(a, b queryGram) int { return cmp.Compare(a.density(), b.density()) })
}

// read returns the blocks that may have the gram.
func (g *queryGram) read(h Header, read func(chunk int) ([]byte, error)) (uint64, error) {
	number, offset := h.place(g.row)
	chunk, err := read(number)
	if err != nil || len(chunk) != h.ChunkLen(number) {
		return h.all(), err
	}
	var row [8]byte
	copy(row[:], chunk[offset:offset+h.width()])
	blocks := binary.LittleEndian.Uint64(row[:])
	g.set += float64(bits.OnesCount64(blocks))
	g.blocks += float64(h.Blocks())
	return blocks, nil
}
