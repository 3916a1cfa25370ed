package api

import "time"

// What callers have to keep up with, both ways. Who sends or takes less holds
// memory that others need, so the connection is closed.
const (
	paceStart = 30 * time.Second
	paceRate  = 32 << 10 // bytes a second
)

// pace says how long the other side may go on with one body, or one answer: for
// paceStart, and a second more for each paceRate bytes. A steady transfer is
// never cut off, however long it takes; one that stands still is, after paceStart.
type pace struct {
	bytes int64         // that there are until now
	spent time.Duration // waiting for the other side
	began time.Time     // the wait that goes on; zero: none does
}

// deadline is when the time is over, of a wait that begins, or goes on, now.
func (p *pace) deadline(now time.Time) time.Time {
	if p.began.IsZero() {
		p.began = now
	}
	return p.began.Add(paceStart - p.spent + time.Duration(p.bytes)*(time.Second/paceRate))
}

// rest ends a wait: until the next one the time stands still.
func (p *pace) rest(now time.Time) {
	p.spent += now.Sub(p.began)
	p.began = time.Time{}
}
