package bench

import (
	"bytes"
	"fmt"
	"strconv"
)

// publication is the body of a POST /api/events, the same each time but for the
// numbers of its orders. They ascend, as those of a shop do, and each order has
// some events soon after one another. The text is made once. For each publication it is
// copied, and only the numbers are written anew, since a publisher takes part of the
// cores that it measures.
type publication struct {
	events  int
	text    []byte
	numbers [][]int // where the number of each event's order stands
}

const (
	// An order has so many events. All numbers have as many digits as the first, so they
	// take the same place in the text.
	eventsOfOrder = 5
	firstOrder    = 100_000_000
)

// newPublication makes a publication of one event, or of several in an array.
// The server makes their ids. An array is made after the places are known, so these move
// by one.
func newPublication(events int) *publication {
	p := &publication{events: events}
	number := []byte(strconv.Itoa(firstOrder))
	for i := range events {
		if i > 0 {
			p.text = append(p.text, ',')
		}
		// Only the places behind this one are this event's.
		at := len(p.text)
		p.text = fmt.Appendf(p.text, `{"type":%q,"orderId":"%s","data":%s}`, eventType, number, orderOf(string(number), "New"))
		p.numbers = append(p.numbers, places(p.text, number, at))
	}
	if events > 1 {
		p.text = append(append([]byte{'['}, p.text...), ']')
		for _, of := range p.numbers {
			for i := range of {
				of[i]++
			}
		}
	}
	return p
}

// places returns where a piece stands in a text from some place on.
func places(text, piece []byte, from int) (all []int) {
	for {
		i := bytes.Index(text[from:], piece)
		if i < 0 {
			return all
		}
		all = append(all, from+i)
		from += i + len(piece)
	}
}

// appendNth appends the text as it is published for the nth time. It writes into what it
// has appended; the number of the n-th order has exactly as many digits.
func (p *publication) appendNth(to []byte, n int64) []byte {
	start := len(to)
	to = append(to, p.text...)
	// Each publication begins a fifth of its length further on than the one before it, so
	// each order is in five of them.
	first := firstOrder + n*int64(p.events)/eventsOfOrder
	for i, of := range p.numbers {
		for _, at := range of {
			strconv.AppendInt(to[:start+at], first+int64(i), 10)
		}
	}
	return to
}
