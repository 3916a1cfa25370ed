package dash

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
)

// TestCurlIsOneCommand: whatever a URL, a header or a body holds, a shell hands it on as
// one word. printf stands in for curl.
func TestCurlIsOneCommand(t *testing.T) {
	at := &fullAttempt{Attempt: attempt.Attempt{URL: "https://x.example/?a='b'&c=$(touch pwned)"}, Request: message{Method: "POST", Body: "it's\n`rm`\\ \"x\" $HOME !",
		Headers: map[string]string{"X-A": "'; exit 1; '", "Content-Length": "5", "Traceparent": "t", "User-Agent": "orderhook/1"}}}
	out, err := exec.Command("sh", "-c", strings.Replace(curl(at), "curl", `printf '%s|'`, 1)).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "--globoff|-X|POST|" + at.URL + "|-H|User-Agent: orderhook/1|-H|X-A: '; exit 1; '|--data-raw|" + at.Request.Body + "|"
	if string(out) != want {
		t.Errorf("the shell gets %q, not %q", out, want)
	}
	binary := &fullAttempt{Request: message{Method: "POST", BodyBase64: "/wD+"}}
	out, err = exec.Command("sh", "-c", strings.Replace(curl(binary), "curl", `cat; : `, 1)).Output()
	if err != nil || string(out) != "\xff\x00\xfe" {
		t.Errorf("a body that is no text: %q, %v", out, err)
	}
	for _, body := range []string{"{}\x7f\x7f\x7f\x7f; touch pwned", "{}\x03\ntouch pwned", "{}\x1b[201~\ntouch pwned", "\t", "\u009b", "\x00"} {
		keys := &fullAttempt{Request: message{Method: "POST", Body: body}}
		if strings.ContainsFunc(curl(keys), func(c rune) bool { return unicode.IsControl(c) && c != '\n' }) {
			t.Errorf("%q is pasted as keys: %q", body, curl(keys))
		}
		out, err = exec.Command("sh", "-c", strings.Replace(curl(keys), "curl", `cat; : `, 1)).Output()
		if err != nil || string(out) != body {
			t.Errorf("a body with control characters: %q is %q, %v", body, out, err)
		}
	}
}

func TestBodiesAsTheyWereSent(t *testing.T) {
	b := newSite(t).as(access.Reader)
	got := b.get("/attempts/1/response-body")
	if got.Body.String() != hostile || got.Header().Get("Content-Type") != "text/plain; charset=utf-8" || got.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q as %q", got.Body, got.Header().Get("Content-Type"))
	}
}

func TestTiming(t *testing.T) {
	v := newTiming(attempt.Timing{DNS: 1, Connect: 2, TLS: 3, FirstByte: 10}, 20)
	var at float64
	for i, want := range []float64{1, 2, 3, 4, 10} {
		if p := v.Parts[i]; p.Ms != want || p.X != at*50 || p.Width != want*50 {
			t.Errorf("%s takes %v from %v, %v wide", p.Name, p.Ms, p.X, p.Width)
		}
		at += want
	}
	for _, odd := range []timingView{newTiming(attempt.Timing{}, 5), newTiming(attempt.Timing{DNS: 9, FirstByte: 1}, 2), newTiming(attempt.Timing{Connect: 3}, 3)} {
		for _, p := range odd.Parts {
			if p.Ms < 0 || p.X < 0 || p.X+p.Width > 1000 {
				t.Errorf("%+v lies outside of the picture", p)
			}
		}
	}
	if len(newTiming(attempt.Timing{}, 0).Parts) != 0 {
		t.Error("there is a picture of nothing")
	}
}

// TestACallThatAListenerTook is shown as such, in lists and on its own page: whoever looks for the
// endpoint's answer must not take that of a listener for it.
func TestACallThatAListenerTook(t *testing.T) {
	s := newSite(t)
	taken := false
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !taken || !strings.HasPrefix(r.URL.Path, "/api/attempts") {
			fakeAPI(w, r)
			return
		}
		answer := httptest.NewRecorder()
		fakeAPI(answer, r)
		text := strings.ReplaceAll(answer.Body.String(), `"url":"`+escapedHostile()+`"`, `"url":"listener:ic_1"`)
		text = strings.Replace(text, `"remoteAddress":`, `"listener":{"interceptionId":"ic_1","keyId":"key_1","keyName":"Laptop of Ola"},"remoteAddress":`, 1)
		_, _ = io.WriteString(w, text)
	})
	b := s.as(access.Reader)
	for _, taken = range []bool{false, true} {
		for page, says := range map[string]string{"/attempts": "a listener, in place of the endpoint", "/attempts/1": "Laptop of Ola got the request in place of the endpoint", "/runs/1": "a listener, in place of the endpoint"} {
			if text := b.get(page).Body.String(); strings.Contains(text, says) != taken {
				t.Errorf("%s of a call that a listener took (%t) does not go by that", page, taken)
			}
		}
	}
}

// TestReplayIsSentOnce: a second click of one form is the same request of the API's; a form
// that was changed, or opened anew, is another one.
func TestReplayIsSentOnce(t *testing.T) {
	s := newSite(t)
	var keys, bodies []string
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			keys = append(keys, r.Header.Get("Idempotency-Key"))
			var body strings.Builder
			_ = r.Write(&body)
			bodies = append(bodies, body.String()[strings.Index(body.String(), "\r\n\r\n")+4:])
		}
		fakeAPI(w, r)
	})
	b := s.as(access.Operator)
	for range 2 {
		got := b.post("/attempts/1/replay", url.Values{"once": {"key-1"}, "url": {"https://x.example/"}})
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != href("attempts", "1", "replays", hostile) {
			t.Errorf("%d %s", got.Code, got.Header().Get("Location"))
		}
	}
	b.post("/attempts/1/replay", url.Values{"once": {"key-1"}, "url": {"https://y.example/"}})
	b.post("/attempts/1/replay", url.Values{"once": {"key-2"}, "url": {"https://x.example/"}})
	if len(keys) != 4 || keys[0] == "" || keys[1] != keys[0] || keys[2] == keys[0] || keys[3] == keys[0] || !strings.Contains(bodies[0], `{"url":"https://x.example/"}`) {
		t.Errorf("keys %v, bodies %q", keys, bodies)
	}
	if page := b.get("/attempts/1/replay").Body.String(); !strings.Contains(page, `name="once" value="`) || !strings.Contains(page, "It changes nothing here") {
		t.Error("the form has no key, or does not say what it does")
	}
}

// TestAReplayThatIsRefused shows the form again, with what was filled in.
func TestAReplayThatIsRefused(t *testing.T) {
	s := newSite(t)
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			refuse(w, http.StatusUnprocessableEntity, "the body is not valid")
			return
		}
		fakeAPI(w, r)
	})
	got := s.as(access.Operator).post("/attempts/1/replay", url.Values{"once": {"key-1"}, "url": {"nonsense"}})
	for _, want := range []string{"the body is not valid", `value="nonsense"`, `name="once"`} {
		if !strings.Contains(got.Body.String(), want) || got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%d without %s", got.Code, want)
		}
	}
}

// TestWhatWasErasedIsNotReplayed: there is nothing left to send.
func TestWhatWasErasedIsNotReplayed(t *testing.T) {
	for request, offered := range map[string]bool{`{"method":"POST","body":"{}","bodyBytes":2}`: true, `{"method":"POST","bodyBytes":2}`: false, `{"method":"GET","bodyBytes":0}`: true} {
		s := newSite(t)
		s.answering("/api/attempts/1", `{"id":"1","request":`+request+`}`)
		if page := s.as(access.Operator).get("/attempts/1").Body.String(); strings.Contains(page, `href="/attempts/1/replay"`) != offered {
			t.Errorf("%s: offered to replay: %v", request, !offered)
		}
	}
}

// TestPatchesOfAReplay are compared where there are any.
func TestPatchesOfAReplay(t *testing.T) {
	for both, want := range map[string]string{`{"original":{"patch":{"total":1.0}},"replay":{"patch":{"total":1.00}}}`: "1.00", `{"original":{},"replay":{}}`: ""} {
		s := newSite(t)
		s.answering("/api/attempts/1/replays/2", both)
		page := s.as(access.Reader).get("/attempts/1/replays/2").Body.String()
		_, patches, shown := strings.Cut(page, `id="patches-differ"`)
		if shown != (want != "") || !strings.Contains(patches, want) {
			t.Errorf("%s: %s", both, page)
		}
	}
}

func TestComparedHeadersLeaveOutTheTimeOfDay(t *testing.T) {
	a := &message{Headers: map[string]string{"Date": "Sat, 28 Nov 2026 21:49:49 GMT", "A": "1", "B": "2"}}
	b := &message{Headers: map[string]string{"Date": "Sat, 28 Nov 2026 21:50:00 GMT", "A": "1", "B": "3"}}
	if got := comparedHeaders(a, b); len(got) != 1 || got[0].Path != "B" {
		t.Errorf("%v", got)
	}
}
