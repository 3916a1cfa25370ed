package api

import "time"

// These say how fast callers must send and receive. A slow caller holds memory that
// others need, so the connection is closed (docs/contract.md#fairness).
const (
	paceStart = 30 * time.Second
	paceRate  = 32 << 10 // bytes a second
)

// pace is how long the other side may take for one body or answer: paceStart, and one
// second more for each paceRate bytes. A steady transfer is never cut off, however long
// it takes. One that stops is cut off after paceStart. The zero pace is that of a
// transfer that has not begun. One goroutine uses it.
type pace struct {
	bytes int64         // that there are until now
	spent time.Duration // waiting for the other side
	began time.Time     // the wait that goes on; zero: none does
}

// deadline returns when the time is over, for a wait that begins or continues now. Every
// byte makes it later, and so does the time in which the server itself was busy, because
// that is not counted.
func (p *pace) deadline(now time.Time) time.Time {
	if p.began.IsZero() {
		p.began = now
	}
	return p.began.Add(paceStart - p.spent + time.Duration(p.bytes)*(time.Second/paceRate))
}

// pause ends a wait. Until the next one, no time is counted.
func (p *pace) pause(now time.Time) {
	p.spent += now.Sub(p.began)
	p.began = time.Time{}
}
