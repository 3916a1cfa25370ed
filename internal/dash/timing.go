package dash

import "github.com/orderhook/orderhook/internal/attempt"

// timingView is the picture of how long the parts of a request took. It has no parts
// where the request took no time, as one that was never sent.
type timingView struct {
	Parts []timingPart
	Total float64 // milliseconds
}

// timingPart is one bar of the picture. Its place is in thousandths of the picture's
// width. Every part is there, also one that took no time, so that two pictures can be
// compared.
type timingPart struct {
	Name, Class string
	Ms          float64
	X, Width    float64
	Y           int
}

// timingRow is the height of a bar and the gap below it, in the picture's units.
const timingRow = 22

// Height is that of the picture.
func (t timingView) Height() int { return len(t.Parts) * timingRow }

// newTiming lays the parts one after the other. On a reused connection there is no name
// to look up and nothing to connect; what is left until the first byte is the time that
// the other side took. The parts may add up to a little more or less than the total,
// since they are measured apart; a bar never goes beyond the picture, and is wide enough
// to be seen.
func newTiming(t attempt.Timing, total float64) timingView {
	v := timingView{Total: total}
	if total <= 0 {
		return v
	}
	wait := max(t.FirstByte-t.DNS-t.Connect-t.TLS, 0)
	rest := 0.0
	if t.FirstByte > 0 {
		rest = max(total-t.FirstByte, 0)
	} else { // no byte came
		wait = max(total-t.DNS-t.Connect-t.TLS, 0)
	}
	at := 0.0
	for _, p := range []struct {
		name, class string
		ms          float64
	}{{"DNS", "dns", t.DNS}, {"Connect", "connect", t.Connect}, {"TLS", "tls", t.TLS}, {"Wait for first byte", "wait", wait}, {"Rest of the answer", "rest", rest}} {
		x := min(at/total*1000, 999)
		v.Parts = append(v.Parts, timingPart{Name: p.name, Class: p.class, Ms: p.ms, X: x, Width: max(min(p.ms/total*1000, 1000-x), 1), Y: len(v.Parts) * timingRow})
		at += p.ms
	}
	return v
}
