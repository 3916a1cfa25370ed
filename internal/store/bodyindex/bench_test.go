package bodyindex

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"testing"
)

// orders makes n orders' bodies.
func orders(n int) []sold {
	s, all := newShop(1), make([]sold, n)
	for i := range all {
		all[i] = s.next()
	}
	return all
}

// built makes a segment of at most SegmentDocs orders.
func built(all []sold) Segment {
	b := NewBuilder()
	for _, o := range all {
		b.Add(o.request, o.response)
	}
	return b.Finish()
}

// size is the bytes of what is stored of a segment.
func (s Segment) size() int {
	n := len(s.Header.Append(nil))
	for _, chunk := range s.Chunks {
		n += len(chunk)
	}
	return n
}

// BenchmarkBuild says how many orders of 1.5 KB are indexed in a second, and
// how large the index is.
func BenchmarkBuild(b *testing.B) {
	all := orders(SegmentDocs)
	text := 0
	for _, o := range all {
		text += len(o.request) + len(o.response)
	}
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = built(all).size()
	}
	b.ReportMetric(float64(b.N*len(all))/b.Elapsed().Seconds(), "bodies/s")
	b.ReportMetric(float64(size)/float64(len(all)), "B/body")
	b.ReportMetric(float64(text)/float64(len(all)), "text/body")
}

// BenchmarkBuildEscaped is BenchmarkBuild of JSON within a JSON string.
func BenchmarkBuildEscaped(b *testing.B) {
	all := orders(SegmentDocs)
	for i := range all {
		all[i].request = []byte(strconv.QuoteToASCII(string(all[i].request)))
	}
	for b.Loop() {
		built(all)
	}
	b.ReportMetric(float64(b.N*len(all))/b.Elapsed().Seconds(), "bodies/s")
}

// BenchmarkMatch is the check of a body that is no match.
func BenchmarkMatch(b *testing.B) {
	for _, kind := range []struct{ name, body string }{
		{"ASCII", string(newShop(9).next().request)},
		{"letters", string(orders(3)[0].request)},
		{"escapes", strconv.QuoteToASCII(string(orders(3)[0].request))},
	} {
		b.Run(kind.name, func(b *testing.B) {
			q, err := NewQuery("No Such Piece")
			if err != nil {
				b.Fatal(err)
			}
			body := []byte(kind.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				q.Match(body)
			}
		})
	}
}

// wanted is what people look for, by kind.
var wanted = []struct {
	name string
	in   func(sold) string
}{
	{"order number", func(o sold) string { return o.number }},
	{"no such number", func(o sold) string { return "98" + o.number[2:] }},
	{"UUID", func(o sold) string { return o.uuid }},
	{"email", func(o sold) string { return o.email }},
	{"name", func(o sold) string { return o.name }},
	{"SKU", func(o sold) string { return o.sku }},
	{"member", func(o sold) string { return `"orderNumber":"` + o.number + `","status"` }},
	{"six digits", func(o sold) string { return o.sku[4:] }},
	{"five digits", func(o sold) string { return o.sku[5:] }},
	{"four hex", func(o sold) string { return o.uuid[9:13] }},
	{"three letters", func(sold) string { return "qxz" }},
	{"in all", func(sold) string { return "shippingMethodName" }},
	{"long, in none", func(sold) string { return "this shipment was lost on its way" }},
}

// BenchmarkSearch goes through all segments of SEARCH_BODIES orders (100,000),
// and says for each kind of piece how many chunks it reads and how many blocks
// it has to check in vain, both per 1,000,000 orders.
func BenchmarkSearch(b *testing.B) {
	total := 100_000
	if n, err := strconv.Atoi(os.Getenv("SEARCH_BODIES")); err == nil {
		total = n
	}
	lib := shelve(total)
	for _, kind := range wanted {
		b.Run(kind.name, func(b *testing.B) {
			var sum tally
			for i := 0; b.Loop(); i++ {
				sum.add(lib.search(b, kind.in(lib.samples[i%len(lib.samples)])))
			}
			scale := 1e6 / float64(total) / float64(b.N)
			b.ReportMetric(float64(sum.chunks)*scale, "chunks/1M")
			b.ReportMetric(float64(sum.candidates)*scale, "blocks/1M")
			b.ReportMetric(float64(sum.candidates-sum.right)*scale, "false/1M")
		})
	}
}

// library is the segments of many orders, whose bodies are made again when a
// candidate is checked.
type library struct {
	segments []Segment
	samples  []sold
	bodies   [][]byte
}

func shelve(total int) *library {
	l, s := new(library), newShop(1)
	for builder := NewBuilder(); s.n < total; {
		o := s.next()
		builder.Add(o.request, o.response)
		if s.n%(total/50) == 7 {
			l.samples = append(l.samples, o)
		}
		l.bodies = append(l.bodies, o.request)
		if builder.Full() || s.n == total {
			l.segments = append(l.segments, builder.Finish())
			builder = NewBuilder()
		}
	}
	return l
}

type tally struct{ chunks, candidates, right int }

func (t *tally) add(u tally) {
	t.chunks, t.candidates, t.right = t.chunks+u.chunks, t.candidates+u.candidates, t.right+u.right
}

// search goes through all segments, newest first, as a store does.
func (l *library) search(b *testing.B, piece string) tally {
	var t tally
	q, err := NewQuery(piece)
	if err != nil {
		b.Fatal(err)
	}
	for n := len(l.segments) - 1; n >= 0; n-- {
		s := l.segments[n]
		mask, err := q.Blocks(s.Header, func(i int) ([]byte, error) { t.chunks++; return s.Chunks[i], nil })
		if err != nil {
			b.Fatal(err)
		}
		t.candidates += bits.OnesCount64(mask)
		t.right += l.right(b, q, n, mask)
	}
	return t
}

// right counts the blocks that do have a match.
func (l *library) right(b *testing.B, q *Query, segment int, mask uint64) int {
	b.StopTimer()
	defer b.StartTimer()
	n := 0
	for i := range l.segments[segment].Header.Blocks() {
		from, to := l.segments[segment].Header.Block(i)
		for _, body := range l.bodies[segment*SegmentDocs+from : segment*SegmentDocs+to] {
			if mask>>i&1 == 1 && q.Match(body) {
				n++
				break
			}
		}
	}
	return n
}

func ExampleQuery_Blocks() {
	b := NewBuilder()
	for i := range 200 {
		b.Add(fmt.Appendf(nil, `{"orderNumber":"A%05d"}`, i*377), []byte(`{"ok":true}`))
	}
	segment := b.Finish()
	q, err := NewQuery("a37323")
	if err != nil {
		panic(err)
	}
	mask, err := q.Blocks(segment.Header, func(chunk int) ([]byte, error) { return segment.Chunks[chunk], nil })
	if err != nil {
		panic(err)
	}
	from, to := segment.Header.Block(bits.TrailingZeros64(mask))
	fmt.Println(bits.OnesCount64(mask), "block: documents", from, "to", to-1)
	// Output: 1 block: documents 64 to 127
}
