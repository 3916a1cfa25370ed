package listen

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// called writes down what an interceptor tells, and answers each call.
type called struct {
	told
	answer Answer
}

func (w *called) Intercepting(id string)                   { w.add("intercepting %s", id) }
func (w *called) Warned(text string)                       { w.add("warned %s", text) }
func (w *called) HandOn(_ context.Context, c *Call) Answer { return w.answer }
func (w *called) Away(_ error, again time.Duration)        { w.add("away %v", again) }
func (w *called) Back(after time.Duration)                 { w.add("back %v", after) }
func (w *called) Lapsed(why string, missed int)            { w.add("lapsed %s %d", why, missed) }
func (w *called) Answered(c *Call, a Answer, _ time.Duration, err error) {
	w.add("answered %s %d %v", c.ID, a.Status, err)
}

// intercept runs an interceptor against a script until the script is over.
func intercept(t *testing.T, a Answer, answers ...answer) (s *script, w *called, err error) {
	t.Helper()
	s, w = &script{t: t, answers: answers}, &called{answer: a}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		i := &Interceptor{Server: s, Watcher: w, Clock: clock.Real{}, Calls: Calls{Steps: []string{"Check"}, Orders: []string{"O1"}}}
		ended := make(chan struct{})
		go func() { err = i.Run(ctx); close(ended) }()
		select {
		case <-ended:
		case <-time.After(time.Hour):
		}
		cancel()
		<-ended
	})
	return s, w, err
}

const call1 = `{"items":[{"id":"h1","headers":{"A":"b"},"body":"{}","timeoutMs":10500,"orderId":"O1"}]}`

// TestALostConnectionOfCallsIsSaid has a connection lost, and the interception ended in the end.
func TestALostConnectionOfCallsIsSaid(t *testing.T) {
	gone := errors.New("connection refused")
	s, w, err := intercept(t, Answer{},
		answer{201, `{"id":"int_1"}`, nil}, answer{200, `{"items":[]}`, nil}, answer{err: gone}, answer{503, `busy`, nil}, answer{200, `{"items":[]}`, nil})
	want := []string{"intercepting int_1", "idle", "away 1s", "away 2s", "back 3s", "idle"}
	if err != nil || !slices.Equal(w.lines, want) {
		t.Errorf("%v: it told\n%s", err, strings.Join(w.lines, "\n"))
	}
	poll := "POST /api/interceptions/int_1/calls?wait=PT25S"
	asked := []string{`POST /api/interceptions {"steps":["Check"],"orderIds":["O1"]}`, poll, poll, poll, poll, poll, "DELETE /api/interceptions/int_1"}
	if !slices.Equal(s.asked, asked) {
		t.Errorf("it asked\n%s", strings.Join(s.asked, "\n"))
	}
}

// TestAnInterceptionThatLapsedIsMadeAnew: what went to the endpoint meanwhile is said, or that
// nobody knows it, as after a restart of the server.
func TestAnInterceptionThatLapsedIsMadeAnew(t *testing.T) {
	s, w, err := intercept(t, Answer{},
		answer{201, `{"id":"int_1"}`, nil}, answer{409, `{"detail":"it has ended"}`, nil},
		answer{201, `{"id":"int_2"}`, nil}, answer{200, `{"reason":"the listener was silent for too long","missed":2}`, nil},
		answer{404, `{"detail":"there is no interception"}`, nil}, answer{503, ``, nil},
		answer{404, `{"detail":"there is no interception"}`, nil}, answer{201, `{"id":"int_3"}`, nil}, answer{404, `{}`, nil})
	want := []string{"intercepting int_1", "lapsed the listener was silent for too long 2", "intercepting int_2", "away 1s",
		"lapsed the server answers 404: there is no interception -1", "intercepting int_3"}
	if err != nil || !slices.Equal(w.lines, want) {
		t.Errorf("%v: it told\n%s", err, strings.Join(w.lines, "\n"))
	}
	if last := s.asked[len(s.asked)-1]; last != "DELETE /api/interceptions/int_3" {
		t.Errorf("at last it asked %s", last)
	}
}

// oneCall is a server that hands out one call, and takes its answer at the given try.
type oneCall struct {
	taken  bool
	puts   []string
	fails  int
	status int
}

// Ask implements [Server].
func (s *oneCall) Ask(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	switch {
	case method == "DELETE":
		return 204, nil, nil
	case method == "PUT":
		if s.puts = append(s.puts, path+" "+string(body)); len(s.puts) <= s.fails {
			return 0, nil, errors.New("connection reset")
		}
		return s.status, []byte(`{"detail":"too late"}`), nil
	case path == interceptions:
		return 201, []byte(`{"id":"int_1"}`), nil
	case !s.taken:
		s.taken = true
		return 200, []byte(call1), nil
	}
	<-ctx.Done()
	return 0, nil, ctx.Err()
}

func TestAnAnswerIsBroughtBack(t *testing.T) {
	const to = "/api/interceptions/int_1/calls/h1 "
	for name, c := range map[string]struct {
		answer        Answer
		fails, status int
		puts          int
		put, told     string
	}{
		"at once":              {Answer{Status: 200, Body: []byte("a\"")}, 0, 204, 1, to + `{"body":"a\"","headers":null,"status":200}`, "answered h1 200 <nil>"},
		"bytes":                {Answer{Status: 200, Body: []byte{0xff}}, 0, 204, 1, to + `{"bodyBase64":"/w==","headers":null,"status":200}`, "answered h1 200 <nil>"},
		"none":                 {Answer{Error: "refused"}, 0, 204, 1, to + `{"error":"refused"}`, "answered h1 0 <nil>"},
		"over a bad line":      {Answer{Status: 204}, 3, 204, 4, to + `{"body":"","headers":null,"status":204}`, "answered h1 204 <nil>"},
		"too late":             {Answer{Status: 200}, 0, 409, 1, to + `{"body":"","headers":null,"status":200}`, "answered h1 200 the server answers 409: too late"},
		"over a line for ever": {Answer{Status: 200}, 1 << 20, 204, 16, to + `{"body":"","headers":null,"status":200}`, "answered h1 200 connection reset"},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := &oneCall{fails: c.fails, status: c.status}, &called{answer: c.answer}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- (&Interceptor{Server: s, Watcher: w, Clock: clock.Real{}}).Run(ctx) }()
				synctest.Wait()
				cancel() // what was taken is answered nevertheless
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
			if len(s.puts) != c.puts || s.puts[0] != c.put || w.lines[len(w.lines)-1] != c.told {
				t.Errorf("%d times %s, and it told %q", len(s.puts), s.puts[0], w.lines)
			}
		})
	}
}

func TestAnInterceptionThatIsRefusedEndsIt(t *testing.T) {
	_, w, err := intercept(t, Answer{}, answer{403, `{"detail":"this needs a key of the role operator"}`, nil})
	if refused := (*Refused)(nil); !errors.As(err, &refused) || refused.Status != 403 || len(w.lines) > 0 {
		t.Errorf("it ended with %v and told %v", err, w.lines)
	}
	_, _, err = intercept(t, Answer{}, answer{201, `{"id":"int_1"}`, nil}, answer{409, `{}`, nil}, answer{409, `{"detail":"several nodes"}`, nil})
	if refused := (*Refused)(nil); !errors.As(err, &refused) || !strings.Contains(refused.Why, "several nodes") {
		t.Errorf("it ended with %v", err)
	}
}

// TestStepsThatNobodyHasAreSaid, each time that an interception begins.
func TestStepsThatNobodyHasAreSaid(t *testing.T) {
	const warnings = `,"warnings":[{"path":"steps[0]","message":"no such step"}]}`
	_, w, err := intercept(t, Answer{}, answer{201, `{"id":"int_1"` + warnings, nil}, answer{404, `{"detail":"gone"}`, nil},
		answer{201, `{"id":"int_2"` + warnings, nil}, answer{404, `{}`, nil})
	want := []string{"intercepting int_1", "warned no such step", "lapsed the server answers 404: gone -1", "intercepting int_2", "warned no such step"}
	if err != nil || !slices.Equal(w.lines, want) {
		t.Errorf("%v: it told\n%s", err, strings.Join(w.lines, "\n"))
	}
}
