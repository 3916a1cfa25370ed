package bodyindex

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// searcher is what tests report to.
type searcher interface {
	Helper()
	Fatalf(format string, args ...any)
}

func query(t searcher, piece string) *Query {
	t.Helper()
	q, err := NewQuery(piece)
	if err != nil {
		t.Fatalf("%q: %v", piece, err)
	}
	return q
}

// candidates searches a segment all of whose chunks are there.
func candidates(t searcher, q *Query, s Segment) uint64 {
	t.Helper()
	mask, err := q.Blocks(s.Header, s.read)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return mask
}

func (s Segment) read(chunk int) ([]byte, error) { return s.Chunks[chunk], nil }

// otherCase writes some letters in another of their cases.
func otherCase(text string, pick func() bool) string {
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError {
			out.WriteString(text[:size])
		} else {
			for pick() {
				r = unicode.SimpleFold(r)
			}
			out.WriteRune(r)
		}
		text = text[size:]
	}
	return out.String()
}

// part draws a piece of at least three characters, false if the text is shorter.
func part(t *rapid.T, text string) (string, bool) {
	var at []int // where characters begin, and the end
	for i := range text {
		at = append(at, i)
	}
	if at = append(at, len(text)); len(at) <= MinChars {
		return "", false
	}
	from := rapid.IntRange(0, len(at)-1-MinChars).Draw(t, "from")
	to := rapid.IntRange(from+MinChars, len(at)-1).Draw(t, "to")
	return text[at[from]:at[to]], true
}

// TestFindsEveryPart says that no piece of any document is missed, in whatever
// case it is written, be it as the body is or with its escapes decoded.
func TestFindsEveryPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, docs := NewBuilder(), rapid.SliceOfN(rapid.SliceOfN(anyText, 1, 2), 1, 70).Draw(t, "docs")
		for _, doc := range docs {
			b.Add([]byte(doc[0]), []byte(doc[len(doc)-1]))
		}
		s := b.Finish()
		n := rapid.IntRange(0, len(docs)-1).Draw(t, "n")
		body := rapid.SampledFrom(docs[n]).Draw(t, "body")
		text := body
		if rapid.Bool().Draw(t, "decoded") {
			text = string(appendUnescaped(nil, []byte(body)))
		}
		piece, ok := part(t, text)
		if !ok {
			return
		}
		piece = otherCase(piece, func() bool { return rapid.IntRange(0, 2).Draw(t, "fold") == 0 })
		q := query(t, piece)
		if !q.Match([]byte(body)) {
			t.Fatalf("%q does not match %q", piece, body)
		}
		if mask := candidates(t, q, s); mask>>(n/BlockDocs)&1 == 0 {
			t.Fatalf("%q of document %d, %q, is not found: %b", piece, n, body, mask)
		}
	})
}

// TestMatchAgreesWithTheRule holds Match against the rule, written another way.
func TestMatchAgreesWithTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body, piece := anyText.Draw(t, "body"), anyText.Draw(t, "piece")
		if utf8.RuneCountInString(piece) < MinChars {
			return
		}
		want := strings.Contains(foldSlowly(body), foldSlowly(piece)) ||
			strings.Contains(foldSlowly(string(appendUnescaped(nil, []byte(body)))), foldSlowly(piece))
		if got := query(t, piece).Match([]byte(body)); got != want {
			t.Fatalf("%q in %q: %v", piece, body, got)
		}
	})
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		piece, body string
		want        bool
	}{
		{"ålesund", `{"city":"ÅLESUND"}`, true},
		{"ålesund", `{"city":"\u00c5lesund"}`, true},
		{`\U00C5LES`, `{"city":"\u00c5lesund"}`, true}, // as it is written
		{`les`, `{"city":"\u00c5lesund"}`, true},
		{`\u00e5les`, `{"city":"ålesund"}`, false}, // a piece is never decoded
		{`say "hi"`, `{"text":"say \"hi\""}`, true},
		{`a/b/c`, `a\/b\/c`, true},
		{"one\ntwo", `one\ntwo`, true},
		{"kelvin", "\u212aelvin", true},
		{"straſse", "STRASSE", true},
		{"strasse", "straße", false},
		{"🛒🛒🛒", `\ud83d\uded2\ud83d\uded2\ud83d\uded2`, true},
		{"\xff\xfe\xfd", "a\xff\xfe\xfdb", true},
		{"abc", "", false},
		{"abc", "ab", false},
		{"abc", "abab", false},
	} {
		if got := query(t, c.piece).Match([]byte(c.body)); got != c.want {
			t.Errorf("%q in %q: %v", c.piece, c.body, got)
		}
	}
}

func TestMatchesWithoutAllocating(t *testing.T) {
	q, body := query(t, "no such piece"), []byte(strings.Repeat(`{"name":"Kari","åpen":"\u00e5"}`, 50))
	q.Match(body)
	if n := testing.AllocsPerRun(100, func() { q.Match(body) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPieceOfThreeCharacters(t *testing.T) {
	for _, short := range []string{"", "ab", "åå", "🛒🛒", "\xff\xff"} {
		if _, err := NewQuery(short); !errors.Is(err, ErrShort) {
			t.Errorf("%q: %v", short, err)
		}
	}
	for _, piece := range []string{"abc", "ååå", "\xff\xff\xff", "\u212a\u212a\u212a", "   ", strings.Repeat("long ", 4000)} {
		b := NewBuilder()
		b.Add([]byte(piece))
		if mask := candidates(t, query(t, piece), b.Finish()); mask != 1 {
			t.Errorf("%.20q is not found", piece)
		}
	}
}

// TestRulesOut says that the index is worth its space: it leads to the right
// block and to hardly another, of a segment of sequential orders.
func TestRulesOut(t *testing.T) {
	all := orders(SegmentDocs)
	s := built(all)
	limits := map[string]float64{ // false candidates in a segment
		"order number": 0.5, "no such number": 0.5, "UUID": 0.05, "email": 0.5, "name": 1, "SKU": 1, "member": 0.5, "six digits": 3,
		"long, in none": 0.05,
	}
	for _, kind := range wanted {
		limit, ok := limits[kind.name]
		if !ok {
			continue
		}
		excess, tries := 0, 100
		for i := range tries {
			o := all[i*37]
			q := query(t, kind.in(o))
			excess += falseBlocks(candidates(t, q, s), q, s.Header, all)
		}
		if mean := float64(excess) / float64(tries); mean > limit {
			t.Errorf("%s: %.2f false candidates of %d blocks", kind.name, mean, maxBlocks)
		}
	}
}

// falseBlocks counts the candidates without a match.
func falseBlocks(mask uint64, q *Query, h Header, all []sold) int {
	n := 0
	for i := range h.Blocks() {
		if mask>>i&1 == 0 {
			continue
		}
		n++
		from, to := h.Block(i)
		for _, o := range all[from:to] {
			if q.Match(o.request) || q.Match(o.response) {
				n--
				break
			}
		}
	}
	return n
}

// TestLearnsWhatRulesOut says that a search reads fewer chunks once it knows
// which parts of its piece all bodies have.
func TestLearnsWhatRulesOut(t *testing.T) {
	s := built(orders(1000))
	q := query(t, `"shippingMethodName":"Home delivery","trackingNumber":"98zq`)
	var reads []int
	for range 3 {
		n := 0
		if _, err := q.Blocks(s.Header, func(chunk int) ([]byte, error) { n++; return s.read(chunk) }); err != nil {
			t.Fatal(err)
		}
		reads = append(reads, n)
	}
	if reads[2] > 3 || reads[2] >= reads[0] {
		t.Errorf("chunks read: %v", reads)
	}
}

func TestChunksAreWhatBlocksReadsFirst(t *testing.T) {
	all := orders(500)
	s := built(all)
	for _, kind := range wanted {
		for _, o := range all[:20] {
			q := query(t, kind.in(o))
			chunks, asked := q.Chunks(s.Header), 0
			if len(chunks) == 0 || len(chunks) > prefetched {
				t.Fatalf("%s: chunks %v", kind.name, chunks)
			}
			fetched := map[int][]byte{}
			for i, chunk := range chunks {
				fetched[chunk] = s.Chunks[chunk]
				if i > 0 && chunks[i-1] >= chunk {
					t.Fatalf("%s: chunks %v are not sorted, each once", kind.name, chunks)
				}
			}
			mask, err := q.Blocks(s.Header, func(chunk int) ([]byte, error) {
				if asked++; asked <= len(chunks) && fetched[chunk] == nil {
					t.Fatalf("%s: chunk %d is not among %v", kind.name, chunk, chunks)
				}
				return fetched[chunk], nil
			})
			if exact := candidates(t, query(t, kind.in(o)), s); err != nil || mask&exact != exact {
				t.Fatalf("%s: %b of %b, %v", kind.name, mask, exact, err)
			}
		}
	}
}

func TestReadErrorIsPassedOn(t *testing.T) {
	failed := errors.New("disk")
	s := built(orders(5))
	if _, err := query(t, "abc").Blocks(s.Header, func(int) ([]byte, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
}

// TestDamagedChunksRuleOutNothing says that chunks of a wrong length, or none,
// make a search slower and nothing else.
func TestDamagedChunksRuleOutNothing(t *testing.T) {
	all := orders(BlockDocs * 10)
	s, random := built(all), rand.New(rand.NewPCG(1, 2))
	for i, o := range all {
		mask, err := query(t, o.uuid).Blocks(s.Header, func(chunk int) ([]byte, error) {
			whole := s.Chunks[chunk]
			some := random.IntN(len(whole))
			return slices.Clip([][]byte{whole, nil, {}, whole[:some], whole[some:], append([]byte{0}, whole...)}[random.IntN(6)]), nil
		})
		if err != nil || mask>>(i/BlockDocs)&1 == 0 || mask>>s.Header.Blocks() != 0 {
			t.Fatalf("document %d: %b, %v", i, mask, err)
		}
	}
}

func FuzzNeverMisses(f *testing.F) {
	f.Add([]byte(`{"city":"\u00c5lesund"}`), "ålesund")
	f.Add([]byte("STRA\u017fSE \u212a \xff\xe2\x84"), "ssse")
	f.Add([]byte(`\ud83d\uded2\\u00e5\`), "🛒\\u")
	f.Fuzz(func(t *testing.T, body []byte, piece string) {
		q, err := NewQuery(piece)
		if err != nil {
			if utf8.RuneCountInString(piece) >= MinChars {
				t.Fatal(err)
			}
			return
		}
		b := NewBuilder()
		b.Add(body, []byte(piece))
		b.Add(body)
		s := b.Finish()
		if mask := candidates(t, q, s); mask != 1 || !q.Match([]byte(piece)) {
			t.Fatalf("%q misses itself", piece)
		}
		b = NewBuilder()
		b.Add(body)
		if q.Match(body) && candidates(t, q, b.Finish()) != 1 {
			t.Fatalf("%q misses %q", piece, body)
		}
	})
}
