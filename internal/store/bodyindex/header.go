package bodyindex

import (
	"encoding/binary"
	"errors"
	"unicode"
)

// format names what decides which bit a text sets. It changes with the hash,
// and with Go's Unicode tables, as new letters get case variants.
const format = "1/" + unicode.Version

// errHeader says that bytes are no header.
var errHeader = errors.New("not the header of a segment of the body index")

// Header says how to read a segment: it is to be stored with the chunks.
type Header struct {
	format string
	rows   int
	docs   []int // of each block
}

// Append appends the header as it is stored, less than 100 bytes.
func (h Header) Append(to []byte) []byte {
	to = append(append(to, byte(len(h.format))), h.format...)
	to = binary.LittleEndian.AppendUint32(to, uint32(h.rows))
	for _, docs := range h.docs {
		to = append(to, byte(docs))
	}
	return to
}

// ParseHeader reads what [Header.Append] wrote. Bytes that it cannot have
// written are an error.
func ParseHeader(stored []byte) (Header, error) {
	if len(stored) == 0 || len(stored) < 1+int(stored[0])+4 {
		return Header{}, errHeader
	}
	name, rest := stored[1:1+int(stored[0])], stored[1+int(stored[0]):]
	rows, blocks := binary.LittleEndian.Uint32(rest), rest[4:]
	if rows == 0 || maxRows%rows != 0 || len(blocks) > maxBlocks {
		return Header{}, errHeader
	}
	h := Header{format: string(name), rows: int(rows)}
	for _, docs := range blocks {
		if docs == 0 || docs > BlockDocs {
			return Header{}, errHeader
		}
		h.docs = append(h.docs, int(docs))
	}
	return h, nil
}

// Stale reports whether the segment was made by another version of this
// package or of Unicode. All its blocks are candidates of every search, so that
// it misses nothing, but it should be built anew.
func (h Header) Stale() bool { return h.format != format }

// Blocks returns how many blocks the documents are in.
func (h Header) Blocks() int { return len(h.docs) }

// Block returns the documents of a block: from, up to but without to.
func (h Header) Block(n int) (from, to int) {
	for i := range n + 1 {
		from, to = to, to+h.docs[i]
	}
	return from, to
}

// all is the mask of all blocks.
func (h Header) all() uint64 { return 1<<len(h.docs) - 1 }

// width is the bytes of a row.
func (h Header) width() int { return max((len(h.docs)+7)/8, 1) }

// chunkRows is how many rows a chunk holds, but for the last.
func (h Header) chunkRows() int { return ChunkBytes / h.width() }

// place returns where the row is that a gram's row of maxRows was laid on: the
// chunk, and the first byte in it.
func (h Header) place(row uint32) (chunk, offset int) {
	n := int(row) % h.rows
	return n / h.chunkRows(), n % h.chunkRows() * h.width()
}

// Chunks returns how many chunks a segment must have.
func (h Header) Chunks() int { return (h.rows + h.chunkRows() - 1) / h.chunkRows() }

// ChunkLen returns how many bytes a chunk must have.
func (h Header) ChunkLen(chunk int) int {
	return min(h.chunkRows(), h.rows-chunk*h.chunkRows()) * h.width()
}
