package receiver

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"
)

// The model of a receiver that has the worst of luck: deliveries are lost, come twice and in
// any order, the feed is behind or cannot be asked, and the program is killed at each step of
// its work. Whatever happens, each event must have had its effect once, and in order.

// durable is what a program that is killed leaves behind, with the places where it is killed.
type durable interface {
	Store
	// effect notes the effect of an event in the transaction of the context.
	effect(ctx context.Context, n int) error
	// effects are those that were committed, in their order.
	effects() []int
}

// killed is panicked with where the program is killed.
type killed struct{ at string }

// errFault is a failure of the network or the database.
var errFault = errors.New("a fault of the test")

// luck decides what goes wrong.
type luck struct {
	*rand.Rand
	killedAt map[string]int // how often, so that a test can see that each step had its turn
}

// kill ends the program here, one time in so many.
func (l *luck) kill(at string, one int) {
	if one > 0 && l.IntN(one) == 0 {
		l.killedAt[at]++
		panic(killed{at})
	}
}

// publisher has the events of an endpoint: their positions are texts that say nothing.
type publisher struct {
	luck      *luck
	published int // events 1 to published are committed
	most      int // events of a page
}

func position(n int) string {
	if n == 0 {
		return ""
	}
	return "at-" + strconv.FormatInt(int64(n)*7919, 36)
}

func (p *publisher) event(n int) Event {
	e, err := eventOf(Call{Key: "evt_" + strconv.Itoa(n), Body: eventBody(n), Header: http.Header{}})
	if err != nil {
		panic(err)
	}
	e.Position, e.Previous = position(n), position(n-1)
	return *e
}

func eventBody(n int) []byte {
	return fmt.Appendf(nil, `{"id":"evt_%d","type":"thing_happened","timestamp":"2026-11-30T07:00:00Z","data":{"n":%d}}`, n, n)
}

// After implements Feed. It is behind now and then, and fails.
func (p *publisher) After(_ context.Context, after string, _ time.Duration) (page Page, err error) {
	p.luck.kill("asking the feed", 100)
	if p.luck.IntN(100) == 0 {
		return Page{}, errFault
	}
	n := 0
	if after != "" {
		at, err := strconv.ParseInt(after[len("at-"):], 36, 64)
		if err != nil {
			return Page{}, err
		}
		n = int(at / 7919)
	}
	visible := p.published - max(0, p.luck.IntN(20)-16)
	for n++; n <= visible && len(page.Events) < p.most; n++ {
		page.Events = append(page.Events, p.event(n))
	}
	page.More = n <= visible
	if page.Next = after; len(page.Events) > 0 {
		page.Next = page.Events[len(page.Events)-1].Position
	}
	return page, nil
}

const modelSecret = "whsec_c2VjcmV0IG9mIHRoZSBtb2RlbCBvZiBldmVudHM="

// request is a delivery as orderhook sends it.
func (p *publisher) request(n int) *http.Request {
	req, err := http.NewRequest(http.MethodPost, "http://receiver/hooks", bytes.NewReader(eventBody(n)))
	if err != nil {
		panic(err)
	}
	sign(req.Header, eventBody(n), "evt_"+strconv.Itoa(n), time.Now())
	req.Header.Set(positionHeader, position(n))
	if n > 1 {
		req.Header.Set(previousHeader, position(n-1))
	}
	return req
}

func sign(h http.Header, body []byte, id string, at time.Time) {
	key, _ := base64.StdEncoding.DecodeString(modelSecret[len("whsec_"):])
	seconds := strconv.FormatInt(at.Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", seconds)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum(key, fmt.Appendf(nil, "%s.%s.%s", id, seconds, body))))
}

// status is an answer of which only the status counts.
type status struct {
	header http.Header
	code   int
}

func (s *status) Header() http.Header { return s.header }
func (s *status) WriteHeader(c int)   { s.code = c }
func (s *status) Write(b []byte) (int, error) {
	if s.code == 0 {
		s.code = 200
	}
	return len(b), nil
}

// program is one life of the receiving program.
func program(t *testing.T, d durable, p *publisher) *Events {
	t.Helper()
	r, err := New(Config{Verifier: Verifier{Secrets: []string{modelSecret}}, Store: d, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return r.Events("things", p, func(ctx context.Context, e *Event) error {
		p.luck.kill("before the effect", 300)
		if p.luck.IntN(200) == 0 {
			return errFault
		}
		var data struct{ N int }
		if _, err := (Members{"data": e.Data}).Decode("data", &data); err != nil {
			return err
		}
		if err := d.effect(ctx, data.N); err != nil {
			return err
		}
		p.luck.kill("after the effect", 300)
		return nil
	})
}

// lived runs one piece of a program's work, and reports whether it lived through it.
func lived(work func()) (alive bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			alive = false
		}
	}()
	work()
	return true
}

// runModel publishes so many events to a program with such luck, and returns when all is calm.
func runModel(t *testing.T, d durable, l *luck, events int) {
	t.Helper()
	p := &publisher{luck: l, most: 20}
	program1 := program(t, d, p)
	var pending []int // deliveries that are on their way
	for p.published < events || len(pending) > 0 {
		if p.published < events && len(pending) < 40 {
			p.published++
			if l.IntN(10) > 0 { // else it is lost
				pending = append(pending, p.published)
			}
			continue
		}
		i := l.IntN(len(pending))
		n := pending[i]
		answer := &status{header: http.Header{}}
		alive := lived(func() { program1.ServeHTTP(answer, p.request(n)) })
		if !alive {
			program1 = program(t, d, p)
		}
		acknowledged := alive && answer.code == http.StatusNoContent
		// A delivery that was not acknowledged comes again, or is given up; one that was may come
		// again all the same.
		if acknowledged && l.IntN(10) > 0 || !acknowledged && l.IntN(20) == 0 {
			pending[i] = pending[len(pending)-1]
			pending = pending[:len(pending)-1]
		}
	}
	// At the end nothing more is delivered. What was lost is found at the next start.
	for len(d.effects()) < events {
		if !lived(func() { _, _ = program1.CatchUp(t.Context()) }) {
			program1 = program(t, d, p)
		}
	}
}

// checkEffects sees that each event had its effect once, in the order of the feed.
func checkEffects(t *testing.T, d durable, events int) {
	t.Helper()
	got := d.effects()
	if len(got) != events {
		t.Fatalf("%d effects of %d events", len(got), events)
	}
	for i, n := range got {
		if n != i+1 {
			t.Fatalf("the effect at place %d is of event %d", i+1, n)
		}
	}
}

// transactions is a Store in memory whose transactions outlive the program. It is killed on
// each side of a commit.
type transactions struct {
	luck      *luck
	marks     map[string]bool
	at        string
	committed []int
}

type staged struct{}

func (s *transactions) Once(ctx context.Context, mark Mark, do func(context.Context) ([]byte, error)) ([]byte, bool, error) {
	if s.at != mark.From {
		return nil, false, ErrMoved
	}
	repeated := s.marks[mark.Key]
	var effects []int
	if !repeated {
		if _, err := do(context.WithValue(ctx, staged{}, &effects)); err != nil {
			return nil, false, err
		}
	}
	s.luck.kill("before the commit", 300)
	s.marks[mark.Key], s.at, s.committed = true, mark.To, append(s.committed, effects...)
	s.luck.kill("after the commit", 300)
	return nil, repeated, nil
}

func (s *transactions) Done(_ context.Context, _, key string) (bool, error) {
	s.luck.kill("looking for a mark", 1000)
	return s.marks[key], nil
}

func (s *transactions) Position(context.Context, string) (string, error) {
	s.luck.kill("reading the position", 1000)
	return s.at, nil
}

func (s *transactions) effect(ctx context.Context, n int) error {
	effects := ctx.Value(staged{}).(*[]int)
	*effects = append(*effects, n)
	return nil
}

func (s *transactions) effects() []int { return s.committed }

// TestEachEventHasItsEffectOnce: RECEIVER_EVENTS says of how many events.
func TestEachEventHasItsEffectOnce(t *testing.T) {
	events := 10_000
	if text := os.Getenv("RECEIVER_EVENTS"); text != "" {
		var err error
		if events, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	l := &luck{rand.New(rand.NewPCG(seed, 0)), map[string]int{}}
	d := &transactions{luck: l, marks: map[string]bool{}}
	runModel(t, d, l, events)
	checkEffects(t, d, events)
	for _, at := range []string{"asking the feed", "before the effect", "after the effect", "before the commit", "after the commit", "looking for a mark", "reading the position"} {
		if l.killedAt[at] == 0 {
			t.Errorf("the program was never killed %s", at)
		}
	}
}
