package bodyindex

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// foldTable maps a rune to the one that stands for all of its case variants,
// in pages of 256 runes. A page without cased runes is nil.
type foldTable [unicode.MaxRune>>8 + 1]*[256]rune

// folds is made from the orbits of [unicode.SimpleFold] when the first text
// beyond ASCII comes.
var folds = sync.OnceValue(func() *foldTable {
	t := new(foldTable)
	for _, cased := range unicode.CaseRanges {
		for r := rune(cased.Lo); r <= rune(cased.Hi); r++ {
			t.set(r)
		}
	}
	return t
})

func (t *foldTable) set(r rune) {
	first := representative(r)
	if first == r {
		return
	}
	page := t[r>>8]
	if page == nil {
		page = new([256]rune)
		for i := range page {
			page[i] = r&^0xff + rune(i)
		}
		t[r>>8] = page
	}
	page[r&0xff] = first
}

func (t *foldTable) fold(r rune) rune {
	if page := t[r>>8]; page != nil {
		return page[r&0xff]
	}
	return r
}

// representative returns the rune that stands for the case variants of r: a
// lower-case ASCII letter if one is among them, otherwise the lowest of the
// shortest, so that no text grows when it is folded.
func representative(r rune) rune {
	best := r
	for v := unicode.SimpleFold(r); v != r; v = unicode.SimpleFold(v) {
		if better := utf8.RuneLen(v) - utf8.RuneLen(best); better < 0 || better == 0 && v < best {
			best = v
		}
	}
	if 'A' <= best && best <= 'Z' {
		best += 'a' - 'A'
	}
	return best
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x80 * everyByte
)

// appendFolded appends the text with each rune's case folded. Bytes that are
// not UTF-8 stay as they are. The result is no longer than the text.
func appendFolded(dst, text []byte) []byte {
	// The eight bytes more are room for the last whole store.
	dst = slices.Grow(dst, len(text)+8)
	for len(text) >= 8 {
		eight := binary.LittleEndian.Uint64(text)
		dst = binary.LittleEndian.AppendUint64(dst, lower(eight))
		beyond := eight & highBits
		if beyond == 0 {
			text = text[8:]
			continue
		}
		ascii := bits.TrailingZeros64(beyond) / 8
		dst, text = appendFoldedRune(dst[:len(dst)-8+ascii], text[ascii:])
	}
	for len(text) > 0 {
		if c := text[0]; c < utf8.RuneSelf {
			dst, text = append(dst, byte(lower(uint64(c)))), text[1:]
		} else {
			dst, text = appendFoldedRune(dst, text)
		}
	}
	return dst
}

// lower turns those of eight bytes that are upper-case ASCII letters into
// lower case.
func lower(eight uint64) uint64 {
	seven := eight &^ highBits
	fromA := seven + (0x80-'A')*everyByte
	afterZ := seven + (0x80-'Z'-1)*everyByte
	return eight | (fromA^afterZ)&^eight&highBits>>2
}

// appendFoldedRune appends the first rune of the text, which is beyond ASCII,
// and returns the rest of the text.
func appendFoldedRune(dst, text []byte) (folded, rest []byte) {
	r, size := utf8.DecodeRune(text)
	if r == utf8.RuneError {
		return append(dst, text[:size]...), text[size:]
	}
	return utf8.AppendRune(dst, folds().fold(r)), text[size:]
}
