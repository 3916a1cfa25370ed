package bodyindex

// block is one column of a segment that is being built: a bit for each of
// maxRows, and how much went into it.
type block struct {
	bits  [wordsPerBlock]uint64
	docs  int
	bytes int // of the bodies that were not repeats
}

// full reports whether the block takes no more documents.
func (b *block) full() bool { return b.docs == BlockDocs || b.bytes >= BlockBytes }

// add sets the bits of a folded text's grams.
func (b *block) add(text []byte) {
	i := 0
	for ; i+8 <= len(text); i++ {
		eight := eightBytes(text, i)
		b.set(shortRow(eight))
		b.set(longRow(eight))
	}
	for ; i+shortGram <= len(text); i++ {
		b.set(shortRow(eightBytes(text, i)))
		if i+longGram <= len(text) {
			b.set(longRow(eightBytes(text, i)))
		}
	}
}

func (b *block) set(row uint32) { b.bits[row/64] |= 1 << (row % 64) }
