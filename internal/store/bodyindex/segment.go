package bodyindex

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	// ChunkBytes is the most bytes of a chunk. With its number it fits a page of
	// 4 KB of SQLite, in a table that has a rowid: one WITHOUT ROWID keeps but 1 KB
	// of a row in the page.
	ChunkBytes = 3840

	// aim is the share of set bits that a segment is sized for: at a quarter,
	// pieces of few grams have too many false candidates.
	aim = 0.125
	// share is the most bytes of a segment for each byte of its bodies, which
	// prevails over aim.
	share = 0.4
)

// Segment is what is to be stored of a number of documents. It is immutable.
type Segment struct {
	Header Header
	Chunks [][]byte // each is read on its own, by its index
}

// Finish returns the segment of the documents that were added. The builder must
// not be used any more.
func (b *Builder) Finish() Segment {
	s := Segment{Header: Header{format: format, rows: maxRows / b.overlay()}}
	for _, block := range b.blocks {
		s.Header.docs = append(s.Header.docs, block.docs)
	}
	s.Chunks = cut(b.matrix(s.Header.rows, s.Header.width()), s.Header.chunkRows()*s.Header.width())
	return s
}

// overlay returns how many of the maxRows are to be laid on top of each other
// to make one row of the segment: as many as aim allows, or share demands.
func (b *Builder) overlay() int {
	text, width := 0, Header{docs: make([]int, len(b.blocks))}.width()
	for _, block := range b.blocks {
		text += block.bytes
	}
	densities, best := b.densities(), 1
	for n := 2; n <= wordsPerBlock; n++ {
		if wordsPerBlock%n != 0 {
			continue
		}
		tooLarge := float64(maxRows/best*width) > share*float64(text)
		if !tooLarge && overlaid(densities, n) > aim {
			break
		}
		best = n
	}
	return best
}

// densities returns the share of set bits in each block.
func (b *Builder) densities() []float64 {
	var all []float64
	for _, block := range b.blocks {
		set := 0
		for _, word := range block.bits {
			set += bits.OnesCount64(word)
		}
		all = append(all, float64(set)/maxRows)
	}
	return all
}

// overlaid estimates the mean density once n rows at a time are laid on top of
// each other.
func overlaid(densities []float64, n int) float64 {
	sum := 0.0
	for _, density := range densities {
		sum += 1 - math.Pow(1-density, float64(n))
	}
	return sum / float64(max(len(densities), 1))
}

// matrix returns the rows one after another, each with a bit for every block,
// in as many bytes as that takes.
func (b *Builder) matrix(rows, width int) []byte {
	out := make([]byte, 0, rows*width+8)
	for word := range rows / 64 {
		var square [64]uint64
		for i, block := range b.blocks {
			for from := word; from < wordsPerBlock; from += rows / 64 {
				square[i] |= block.bits[from]
			}
		}
		transpose(&square)
		for _, row := range square {
			n := len(out)
			out = binary.LittleEndian.AppendUint64(out, row)[:n+width]
		}
	}
	return out
}

// transpose swaps rows and columns of 64 by 64 bits: halves, then the quarters
// of each, and so on (Warren, Hacker's Delight, section 7-3).
func transpose(square *[64]uint64) {
	mask := uint64(1<<32 - 1)
	for size := 32; size > 0; size /= 2 {
		for i := 0; i < 64; i = (i + size + 1) &^ size {
			swapped := (square[i]>>size ^ square[i+size]) & mask
			square[i] ^= swapped << size
			square[i+size] ^= swapped
		}
		mask ^= mask << (size / 2)
	}
}

// cut divides the bytes into chunks of a size, the last of which may be short.
func cut(whole []byte, size int) [][]byte {
	var chunks [][]byte
	for len(whole) > size {
		chunks = append(chunks, whole[:size:size])
		whole = whole[size:]
	}
	return append(chunks, whole[:len(whole):len(whole)])
}
