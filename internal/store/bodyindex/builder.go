package bodyindex

const (
	// SegmentDocs is the most documents that a segment covers.
	SegmentDocs = maxBlocks * BlockDocs
	// BlockDocs is the most documents of a block, all of which are to be checked
	// if the block is a candidate.
	BlockDocs = 64
	// BlockBytes of bodies end a block too, so that large bodies do not fill its
	// column with bits, nor make its check long.
	BlockBytes = 128 << 10
)

const maxBlocks = 64

// Builder makes a segment of documents. It takes 58 KB for each block begun,
// 3.7 MB for a whole segment, and about twice the largest body; Finish takes
// the segment's size more. Not for concurrent use.
type Builder struct {
	blocks []*block
	docs   int

	// seen is the bodies of the last block. An event goes to many endpoints, and
	// many receivers answer the same.
	seen              map[string]struct{}
	unescaped, folded []byte // reused
}

// NewBuilder begins a segment.
func NewBuilder() *Builder { return &Builder{seen: map[string]struct{}{}} }

// Len returns how many documents there are.
func (b *Builder) Len() int { return b.docs }

// Full reports whether the segment takes no more documents: there are
// [SegmentDocs], or fewer that are large.
func (b *Builder) Full() bool {
	return len(b.blocks) == maxBlocks && b.blocks[maxBlocks-1].full()
}

// Add appends a document, which is numbered from 0 in the order of the calls.
// The bodies are not stored. It panics if the segment is full.
func (b *Builder) Add(bodies ...[]byte) {
	last := b.open()
	for _, body := range bodies {
		b.addBody(last, body)
	}
	last.docs++
	b.docs++
}

// open returns the block that takes the next document.
func (b *Builder) open() *block {
	if b.Full() {
		panic("bodyindex: the segment is full")
	}
	if n := len(b.blocks); n > 0 && !b.blocks[n-1].full() {
		return b.blocks[n-1]
	}
	clear(b.seen)
	last := new(block)
	b.blocks = append(b.blocks, last)
	return last
}

func (b *Builder) addBody(to *block, body []byte) {
	if _, repeat := b.seen[string(body)]; repeat {
		return
	}
	if len(body) <= BlockBytes {
		b.seen[string(body)] = struct{}{}
	}
	to.bytes += len(body)
	b.folded = appendFolded(b.folded[:0], body)
	to.add(b.folded)
	if hasEscapes(body) {
		b.unescaped = appendUnescaped(b.unescaped[:0], body)
		b.folded = appendFolded(b.folded[:0], b.unescaped)
		to.add(b.folded)
	}
}
