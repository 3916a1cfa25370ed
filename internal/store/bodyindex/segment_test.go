package bodyindex

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTranspose(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var square, turned [64]uint64
	for i := range square {
		square[i] = random.Uint64()
	}
	turned = square
	transpose(&turned)
	for i := range 64 {
		for j := range 64 {
			if square[i]>>j&1 != turned[j]>>i&1 {
				t.Fatalf("row %d, column %d", i, j)
			}
		}
	}
}

func TestSegmentFitsItsBounds(t *testing.T) {
	noise := rand.NewChaCha8([32]byte{})
	for _, c := range []struct {
		name          string
		docs          int
		body          func() []byte
		perByte, full float64 // the most bytes of index per byte of body, and the highest density
	}{
		{"orders", SegmentDocs, orderBodies(), 0.4, 0.125},
		{"few orders", 100, orderBodies(), 0.4, 0.35},
		{"one order", 1, orderBodies(), 0.6, 1},
		{"noise", 1000, func() []byte { body := make([]byte, 1500); _, _ = noise.Read(body); return body }, 0.4, 0.6},
		{"all the same", 1000, func() []byte { return []byte(strings.Repeat("same", 400)) }, 0.4, 0.2},
		{"empty", 1000, func() []byte { return nil }, 1e9, 0},
	} {
		b, text := NewBuilder(), 1
		for range c.docs {
			body := c.body()
			text += len(body)
			b.Add(body)
		}
		s := b.Finish()
		if got := float64(s.size()) / float64(text); got > c.perByte {
			t.Errorf("%s: %d bytes for %d of bodies, %.2f each", c.name, s.size(), text, got)
		}
		if got := s.density(); got > c.full {
			t.Errorf("%s: %.3f of the bits are set", c.name, got)
		}
		for i, chunk := range s.Chunks {
			if len(chunk) > ChunkBytes || len(chunk) != s.Header.ChunkLen(i) {
				t.Errorf("%s: chunk %d of %d has %d bytes", c.name, i, len(s.Chunks), len(chunk))
			}
		}
	}
}

func orderBodies() func() []byte {
	s := newShop(2)
	return func() []byte { return s.next().request }
}

// density is the share of set bits in the segment as it is stored.
func (s Segment) density() float64 {
	set := 0
	for _, b := range slices.Concat(s.Chunks...) {
		for ; b > 0; b &= b - 1 {
			set++
		}
	}
	return float64(set) / float64(s.Header.rows*s.Header.Blocks())
}

func TestBlocksEndByBytes(t *testing.T) {
	b := NewBuilder()
	for i := range 5 {
		b.Add(bytes.Repeat([]byte{byte('a' + i)}, BlockBytes/2))
	}
	for i := range BlockDocs + 1 {
		b.Add([]byte(strings.Repeat("small", i)))
	}
	h := b.Finish().Header
	var got []int
	for i := range h.Blocks() {
		from, to := h.Block(i)
		got = append(got, to-from)
	}
	if want := []int{2, 2, BlockDocs, 2}; !slices.Equal(got, want) || h.Docs() != 6+BlockDocs {
		t.Errorf("blocks of %v documents, of %d", got, h.Docs())
	}
}

func TestFull(t *testing.T) {
	b := NewBuilder()
	for i := range SegmentDocs {
		if b.Full() || b.Len() != i {
			t.Fatalf("after %d documents: full %v, %d", i, b.Full(), b.Len())
		}
		b.Add([]byte("body"))
	}
	if !b.Full() {
		t.Error("not full")
	}
	defer func() {
		if recover() == nil {
			t.Error("took one more")
		}
	}()
	b.Add([]byte("one more"))
}

func TestLargeDocumentsFillASegmentSooner(t *testing.T) {
	b, docs, large := NewBuilder(), 0, make([]byte, BlockBytes)
	for ; !b.Full(); docs++ {
		large[0] = byte(docs)
		b.Add(large)
	}
	if docs != maxBlocks {
		t.Errorf("%d documents", docs)
	}
}

// TestRepeatedBodiesAreOneBody says that a body seen in the block before
// changes nothing, and one seen in an earlier block is indexed anew.
func TestRepeatedBodiesAreOneBody(t *testing.T) {
	b := NewBuilder()
	for range 3 * BlockDocs {
		b.Add([]byte("the very same body"), []byte(`{"ok":true}`))
	}
	if s := b.Finish(); candidates(t, query(t, "very same"), s) != 0b111 {
		t.Error("not in all blocks")
	}
	if got := b.blocks[1].bytes; got != len("the very same body")+len(`{"ok":true}`) {
		t.Errorf("%d bytes were indexed", got)
	}
}

func TestEmptySegment(t *testing.T) {
	s := NewBuilder().Finish()
	q := query(t, "abc")
	if s.Header.Docs() != 0 || candidates(t, q, s) != 0 || len(q.Chunks(s.Header)) != 0 {
		t.Error("has documents")
	}
}

func TestHeaderIsStored(t *testing.T) {
	for _, n := range []int{0, 1, 64, 65, 700, SegmentDocs} {
		b := NewBuilder()
		for range n {
			b.Add([]byte(`{"ok":true}`))
		}
		s := b.Finish()
		stored := s.Header.Append([]byte("x"))
		h, err := ParseHeader(stored[1:])
		if err != nil || !slices.Equal(h.docs, s.Header.docs) || h.rows != s.Header.rows || h.Stale() || len(stored) > 100 {
			t.Errorf("%d documents: %+v, %v", n, h, err)
		}
		if h.Docs() != n {
			t.Errorf("%d documents of %d", h.Docs(), n)
		}
	}
}

func TestHeaderOfAnotherVersionRulesOutNothing(t *testing.T) {
	s := built(orders(200))
	s.Header.format = "1/9.0.0"
	h, err := ParseHeader(s.Header.Append(nil))
	if err != nil || !h.Stale() || h.Docs() != 200 {
		t.Fatal(h, err)
	}
	q := query(t, "in no body at all")
	if mask := candidates(t, q, Segment{Header: h}); mask != 0b1111 || q.Chunks(h) != nil {
		t.Errorf("%b", mask)
	}
}

func TestRefusesWhatIsNoHeader(t *testing.T) {
	good := built(orders(130)).Header.Append(nil) // it ends in 64, 64, 2
	rows := len(good) - 3 - 4
	for name, damage := range map[string]func(h []byte) []byte{
		"nothing":         func([]byte) []byte { return nil },
		"no rows":         func(h []byte) []byte { return h[:rows+3] },
		"rows of 0":       func(h []byte) []byte { return append(h[:rows], 0, 0, 0, 0, 64) },
		"odd rows":        func(h []byte) []byte { h[rows]++; return h },
		"too many rows":   func(h []byte) []byte { h[rows+3] = 0x7f; return h },
		"an empty block":  func(h []byte) []byte { h[len(h)-1] = 0; return h },
		"a large block":   func(h []byte) []byte { h[len(h)-1] = BlockDocs + 1; return h },
		"too many blocks": func(h []byte) []byte { return append(h, bytes.Repeat([]byte{1}, maxBlocks-2)...) },
		"a long name":     func(h []byte) []byte { h[0] = 255; return h },
	} {
		if h, err := ParseHeader(damage(bytes.Clone(good))); err == nil {
			t.Errorf("%s: taken for %+v", name, h)
		}
	}
}

// TestAnyHeaderIsSafe says that bytes that no header was written as are refused
// or at least read without panic.
func TestAnyHeaderIsSafe(t *testing.T) {
	good := built(orders(200)).Header.Append(nil)
	rapid.Check(t, func(t *rapid.T) {
		stored := bytes.Clone(good[:rapid.IntRange(0, len(good)).Draw(t, "len")])
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			if len(stored) > 0 {
				stored[rapid.IntRange(0, len(stored)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		h, err := ParseHeader(stored)
		if err != nil {
			return
		}
		if !bytes.Equal(h.Append(nil), stored) {
			t.Fatalf("%q was taken for %+v", stored, h)
		}
		q := query(t, "abcdef")
		q.Chunks(h)
		candidates(t, q, Segment{Header: h, Chunks: make([][]byte, maxRows)})
	})
}
