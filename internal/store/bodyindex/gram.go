package bodyindex

import (
	"encoding/binary"
	"math/bits"
)

// The lengths of the runs of bytes that are indexed. Short ones are for pieces
// that hold no long one.
const (
	shortGram = 3
	longGram  = 5
)

// maxRows is how many rows a segment is built with. The number of rows it ends
// up with divides this, so that rows can be laid on top of each other.
const maxRows = 64 * wordsPerBlock

// wordsPerBlock is 2^5·3^2·5^2 to have many divisors.
const wordsPerBlock = 7200

// longRow returns the row, of maxRows, of the first [longGram] bytes of eight.
func longRow(eight uint64) uint32 { return rowOf(eight & (1<<(8*longGram) - 1)) }

// shortRow is longRow of the first [shortGram] bytes.
func shortRow(eight uint64) uint32 { return rowOf(eight & (1<<(8*shortGram) - 1)) }

// rowOf spreads by the golden ratio (Knuth, The Art of Computer Programming,
// volume 3, section 6.4).
func rowOf(gram uint64) uint32 {
	row, _ := bits.Mul64(gram*0x9E3779B97F4A7C15, maxRows)
	return uint32(row)
}

// eightBytes reads the eight bytes from i on, zeros behind the text's end.
func eightBytes(text []byte, i int) uint64 {
	if len(text)-i >= 8 {
		return binary.LittleEndian.Uint64(text[i:])
	}
	var padded [8]byte
	copy(padded[:], text[i:])
	return binary.LittleEndian.Uint64(padded[:])
}
