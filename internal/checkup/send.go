package checkup

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"

	"github.com/orderhook/orderhook/internal/outbound"
)

// send makes a request of a call and notes it in the case. Without a request that was made
// it returns nil, and why.
func (p *probe) send(c *call, v variation, about string) (*sent, error) {
	s, err := p.make(c, v, about)
	if s != nil {
		p.note(s)
	}
	return s, err
}

// make makes a request of a call.
func (p *probe) make(c *call, v variation, about string) (*sent, error) {
	r, err := c.request(v)
	if err != nil {
		return nil, err
	}
	r.BreaksOff = v.broken
	client := p.client
	if v.stale {
		client = p.late
	}
	x := client.Post(p.ctx, r)
	// The answer is small beside the budget of the client, which is this check's alone.
	x.Memory.Give()
	switch {
	case p.ctx.Err() != nil:
		return nil, p.ctx.Err()
	case x.Class() == outbound.OwnTrouble:
		return nil, fmt.Errorf("the call cannot be made: %s", x.Failure())
	}
	return &sent{effect: c.effect(r, x), call: c, variation: v, about: about, request: r, exchange: x}, nil
}

// note adds a request to the case.
func (p *probe) note(s *sent) {
	failure := s.exchange.Failure()
	if !s.answered() {
		failure = s.Reason
	}
	p.now.Calls = append(p.now.Calls, Call{Sent: s.what(), Key: s.key(), Attempt: cmp.Or(s.request.Delivery, s.request.Attempt), Status: s.exchange.Status,
		DurationMs: float64(s.exchange.Duration.Microseconds()) / 1000, Failure: failure, Effect: s.text, Answer: excerpt(s.exchange.Body)})
}

// key is what the endpoint knows the call by.
func (s *sent) key() string { return cmp.Or(s.request.IdempotencyKey, s.request.ID) }

// what says what was sent, in a few words.
func (s *sent) what() string {
	subject := "order"
	switch s.request.Kind {
	case "validator":
		subject = "cart"
	case "event":
		subject = "event " + s.request.About.EventType
	}
	if id := s.call.doc.Text("id"); id != "" {
		subject += " " + id
	}
	parts := []string{"POST", subject, humanize.IBytes(uint64(len(s.request.Body)))}
	if n := cmp.Or(s.request.Delivery, s.request.Attempt); n > 1 {
		parts = append(parts, fmt.Sprint("attempt ", n))
	}
	if s.about != "" {
		parts = append(parts, s.about)
	}
	return strings.Join(parts, ", ")
}

// came says what came back, in a few words.
func (s *sent) came() string {
	x := s.exchange
	if x.Status == 0 {
		return fmt.Sprintf("no answer after %s: %s", rounded(x.Duration), x.Failure())
	}
	parts := []string{fmt.Sprintf("%d after %s", x.Status, rounded(x.Duration))}
	if t := x.Header.Get("Content-Type"); t != "" {
		parts = append(parts, printable(t))
	}
	body := excerpt(x.Body)
	if body == "" {
		body = "no body"
	}
	return strings.Join(append(parts, body), ", ")
}

// mostShown is how many bytes of a body are shown.
const mostShown = 200

// excerpt is the beginning of a body on one line.
func excerpt(body []byte) string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(body[:min(len(body), mostShown+4)]), "\uFFFD"))
	if len(body) > mostShown {
		text = strings.ToValidUTF8(text[:min(len(text), mostShown)], "") + "…"
	}
	return printable(text)
}

// printable puts a space in place of what would change a terminal, or the line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\u00A0' || !unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) && r != '\u200D' {
			return ' '
		}
		return r
	}, text)
}

// rounded is a length of time as people read it.
func rounded(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond)
	case d < time.Second:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Millisecond)
}
