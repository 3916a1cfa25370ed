package listen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// script is a server that answers as it is told, question by question.
type script struct {
	t       *testing.T
	asked   []string
	answers []answer
}

type answer struct {
	status int
	body   string
	err    error
}

// Ask implements [Server]. When nothing is left to answer, it waits for the caller to go.
func (s *script) Ask(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	s.asked = append(s.asked, strings.TrimSpace(method+" "+path+" "+string(body)))
	if method == "DELETE" {
		return 204, nil, nil
	}
	if len(s.answers) == 0 {
		<-ctx.Done()
		return 0, nil, ctx.Err()
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	return a.status, []byte(a.body), a.err
}

// told writes down what it is told.
type told struct {
	lines []string
	each  func(Event)
}

func (w *told) add(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *told) Listening(endpoint string)                { w.add("listening %s", endpoint) }
func (w *told) Lost(after, upTo string)                  { w.add("lost %s %s", after, upTo) }
func (w *told) Disconnected(err error, in time.Duration) { w.add("disconnected %v", in) }
func (w *told) LeftOver(endpoint string, err error)      { w.add("left %s %v", endpoint, err) }
func (w *told) Idle()                                    { w.add("idle") }
func (w *told) Connected(after time.Duration, n int, more bool) {
	w.add("connected %v %d %v", after, n, more)
}
func (w *told) Event(e Event) {
	w.add("event %s", e.EventID)
	if w.each != nil {
		w.each(e)
	}
}

// run runs a listener against a script until the script is over.
func run(t *testing.T, l *Listener, answers ...answer) (s *script, w *told, err error) {
	t.Helper()
	s, w = &script{t: t, answers: answers}, &told{}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l.Server, l.Watcher, l.Clock = s, w, clock.Real{}
		ended := make(chan struct{})
		go func() { err = l.Run(ctx); close(ended) }()
		// It has all answers once an hour has passed, whatever pauses there were.
		select {
		case <-ended:
		case <-time.After(time.Hour):
		}
		cancel()
		<-ended
	})
	return s, w, err
}

// TestALostConnectionIsSaidAndFollowed has a server go away twice: each time it is said, and
// the reading goes on from the position that was reached.
func TestALostConnectionIsSaidAndFollowed(t *testing.T) {
	gone := errors.New("connection refused")
	s, w, err := run(t, &Listener{Endpoint: "ep_1", After: "5"}, answer{200, `{}`, nil},
		answer{200, `{"items":[{"position":"7","eventId":"a"}],"next":"7","more":false}`, nil},
		answer{err: gone}, answer{503, `busy`, nil}, answer{429, `{"detail":"slower"}`, nil}, answer{200, `{"html":1}`, nil},
		answer{200, `{"items":[{"position":"8","eventId":"b"},{"position":"9","eventId":"c"}],"next":"9","more":true}`, nil},
		answer{err: gone},
		answer{200, `{"items":[],"next":"12","more":false,"lost":{"after":"9","upTo":"11"}}`, nil})
	want := []string{"listening ep_1", "event a", "disconnected 1s", "disconnected 2s", "disconnected 4s", "disconnected 8s", "connected 15s 2 true", "event b", "event c",
		"disconnected 1s", "connected 1s 0 false", "lost 9 11", "idle"}
	if err != nil || !slices.Equal(w.lines, want) {
		t.Errorf("%v: it told\n%s", err, strings.Join(w.lines, "\n"))
	}
	feed := "GET /api/endpoints/ep_1/feed?after="
	asked := []string{"GET /api/endpoints/ep_1", feed + "5&wait=PT25S", feed + "7&wait=PT25S", feed + "7", feed + "7", feed + "7", feed + "7", feed + "9&wait=PT25S", feed + "9", feed + "12&wait=PT25S"}
	if !slices.Equal(s.asked, asked) {
		t.Errorf("it asked\n%s", strings.Join(s.asked, "\n"))
	}
}

// TestTheEndpointIsMadeAndRemoved has it end after as many events as were wanted.
func TestTheEndpointIsMadeAndRemoved(t *testing.T) {
	s, w, err := run(t, &Listener{Types: []string{"order_*"}, Orders: []string{`O"1`}, Most: 1},
		answer{201, `{"id":"ep_2"}`, nil}, answer{200, `{"items":[]}`, nil}, answer{200, `{"items":[],"next":"3","more":false}`, nil},
		answer{200, `{"items":[{"position":"4","eventId":"a"},{"position":"5","eventId":"b"}],"next":"5","more":false}`, nil})
	if want := []string{"listening ep_2", "event a"}; err != nil || !slices.Equal(w.lines, want) {
		t.Errorf("%v: it told %v", err, w.lines)
	}
	want := []string{`POST /api/endpoints {"description":"orderhook listen, in use at 2000-01-01T00:00:00Z","eventTypes":["order_*"],"filter":"orderId in [\"O\\\"1\"]","url":"feed:"}`,
		"GET /api/endpoints?limit=200&q=orderhook+listen%2C+in+use+at",
		"GET /api/endpoints/ep_2/feed?after=latest", "GET /api/endpoints/ep_2/feed?after=3&wait=PT25S", "DELETE /api/endpoints/ep_2"}
	if !slices.Equal(s.asked, want) {
		t.Errorf("it asked\n%s", strings.Join(s.asked, "\n"))
	}
}

// TestWhatIsRefusedEndsIt: no other try would change it.
func TestWhatIsRefusedEndsIt(t *testing.T) {
	refused := func(err error, why string) {
		t.Helper()
		if r := (*Refused)(nil); !errors.As(err, &r) || r.Why != why {
			t.Errorf("it ended with %v", err)
		}
	}
	_, w, err := run(t, &Listener{}, answer{403, `{"detail":"this needs a key of the role operator"}`, nil})
	refused(err, "the server answers 403: this needs a key of the role operator")
	if len(w.lines) > 0 {
		t.Errorf("it told %v", w.lines)
	}
	_, w, err = run(t, &Listener{Endpoint: "ep_nope", After: "0"}, answer{404, `{"detail":"there is no endpoint ep_nope"}`, nil})
	refused(err, "the server answers 404: there is no endpoint ep_nope")
	if len(w.lines) > 0 {
		t.Errorf("it told %v", w.lines)
	}
	_, _, err = run(t, &Listener{Endpoint: "ep_1", After: "x"}, answer{200, `{}`, nil}, answer{422, `{"detail":"the request is not valid","errors":[{"location":"query.after","message":"is no position"}]}`, nil})
	refused(err, "the server answers 422: the request is not valid: query.after is no position")
}

// TestWhatAKilledListenerLeftIsRemoved by the next one, and what others use is not. The fake clock
// begins in the year 2000.
func TestWhatAKilledListenerLeftIsRemoved(t *testing.T) {
	left := func(id, url, description string) string {
		return fmt.Sprintf(`{"id":%q,"url":%q,"description":%q}`, id, url, description)
	}
	s, w, err := run(t, &Listener{Most: 1}, answer{201, `{"id":"ep_2"}`, nil},
		answer{200, `{"items":[` + strings.Join([]string{
			left("ep_2", "feed:", "orderhook listen, in use at 2000-01-01T00:00:00Z"),
			left("ep_used", "feed:", "orderhook listen, in use at 1999-12-31T00:00:01Z"),
			left("ep_left", "feed:", "orderhook listen, in use at 1999-12-31T00:00:00Z"),
			left("ep_mine", "feed:", "orderhook listen, in use at my desk"),
			left("ep_own", "feed:", "see orderhook listen, in use at 1999-12-30T00:00:00Z"),
			left("ep_sent", "https://a.example/", "orderhook listen, in use at 1999-12-30T00:00:00Z"),
		}, ",") + `]}`, nil},
		answer{200, `{"items":[],"next":"3","more":false}`, nil}, answer{200, `{"items":[{"position":"4","eventId":"a"}],"next":"4","more":false}`, nil})
	if want := []string{"left ep_left <nil>", "listening ep_2", "event a"}; err != nil || !slices.Equal(w.lines, want) {
		t.Errorf("%v: it told %v", err, w.lines)
	}
	var removed []string
	for _, asked := range s.asked {
		if id, is := strings.CutPrefix(asked, "DELETE /api/endpoints/"); is {
			removed = append(removed, id)
		}
	}
	if !slices.Equal(removed, []string{"ep_left", "ep_2"}) {
		t.Errorf("it removed %v", removed)
	}
}

// TestAnEndpointThatIsInUseSaysSo each six hours, so that no other listener removes it.
func TestAnEndpointThatIsInUseSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &told{}
		l := &Listener{Watcher: w, Clock: clock.Real{}}
		ctx, cancel := context.WithCancel(t.Context())
		feed := answer{200, `{"items":[],"next":"3","more":false}`, nil}
		s := &script{t: t, answers: []answer{{201, `{"id":"ep_2"}`, nil}, {200, `{"items":[]}`, nil}, feed}}
		l.Server = serverFunc(func(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
			if len(s.answers) == 0 && method == "GET" {
				select {
				case <-time.After(25 * time.Second):
					s.answers = []answer{feed}
				case <-ctx.Done():
				}
			}
			if method == "PATCH" {
				s.answers = []answer{{200, "{}", nil}}
			}
			return s.Ask(ctx, method, path, body)
		})
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		<-time.After(19 * time.Hour)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		marks := slices.DeleteFunc(s.asked, func(asked string) bool { return !strings.HasPrefix(asked, "PATCH") })
		if len(marks) != 3 || !strings.HasPrefix(marks[0], `PATCH /api/endpoints/ep_2 {"description":"orderhook listen, in use at 2000-01-01T06:00:`) {
			t.Errorf("it said\n%s", strings.Join(marks, "\n"))
		}
	})
}

type serverFunc func(ctx context.Context, method, path string, body []byte) (int, []byte, error)

// Ask implements [Server].
func (f serverFunc) Ask(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	return f(ctx, method, path, body)
}
