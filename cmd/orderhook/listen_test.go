package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/listen"
)

// TestListenIsNeverSilent for much longer than a minute, though nothing comes; and says no more than
// one line a minute.
func TestListenIsNeverSilent(t *testing.T) {
	for name, c := range map[string]struct {
		json bool
		want string
	}{
		"for people":   {false, "waiting      1 event and 0 calls so far"},
		"for programs": {true, `"what":"waiting"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				w := &listenLines{session: &session{out: &out}, ctx: t.Context(), json: c.json, said: time.Now(), enough: func() {}}
				w.Event(listen.Event{Type: "OrderCreated", EventID: "evt_1"})
				out.Reset()
				// Both the feed and the calls are asked, and have nothing, every 25 seconds.
				for range 12 {
					time.Sleep(25 * time.Second)
					w.Idle()
					w.Idle()
				}
				lines := strings.Split(strings.TrimSpace(out.String()), "\n")
				if len(lines) != 4 || !strings.Contains(lines[0], c.want) {
					t.Errorf("in five minutes it says\n%s", out.String())
				}
			})
		})
	}
}

// TestTheLineOfAnEventNamesItsOrder, of full and of thin bodies.
func TestTheLineOfAnEventNamesItsOrder(t *testing.T) {
	for body, want := range map[string]string{
		`{"type":"order_completed","data":{"orderId":"ORD-1"}}`: "order_completed evt_1 of ORD-1\n",
		`{"type":"order_created","data":{"id":"ORD-2"}}`:        "order_completed evt_1 of ORD-2\n",
		`{"orderId":"ORD-1","eventType":"OrderAccepted"}`:       "order_completed evt_1 of ORD-1\n",
		`{"type":"stock_changed","data":{"code":"S"}}`:          "order_completed evt_1\n",
		`[`: "order_completed evt_1\n",
	} {
		var out bytes.Buffer
		w := &listenLines{session: &session{out: &out}, ctx: t.Context(), enough: func() {}}
		w.Event(listen.Event{Type: "order_completed", EventID: "evt_1", Body: []byte(body)})
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("%s: %q", body, out.String())
		}
	}
}

// TestTimesOfFlagsMayBeDates, as those of the API.
func TestTimesOfFlagsMayBeDates(t *testing.T) {
	var m momentIn
	if err := m.UnmarshalText([]byte("2026-11-30")); err != nil || !time.Time(m).Equal(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%v, %v", time.Time(m), err)
	}
}

// TestAListenerThatIsRefusedSaysWhyAlone: of feed and calls one is refused first, and what that ends
// is no reason.
func TestAListenerThatIsRefusedSaysWhyAlone(t *testing.T) {
	for _, refused := range []string{"/api/interceptions", "/api/endpoints"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == refused {
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"detail":"this needs a key of the role operator"}`))
				return
			}
			_, _ = io.Copy(io.Discard, r.Body) // before that the server does not notice that the client goes
			<-r.Context().Done()
		}))
		var out, errOut bytes.Buffer
		code := run(t.Context(), []string{"listen", "--url", s.URL, "--key", "k", "--step", "a", "--all-orders", "--forward", "http://127.0.0.1:1/"}, &out, &errOut)
		if code != exitUserError || !strings.HasSuffix(errOut.String(), "orderhook: the server answers 403: this needs a key of the role operator\n") {
			t.Errorf("code %d, %s", code, errOut.String())
		}
		s.Close()
	}
}

// TestWhatIsNotAcknowledgedIsCounted among all that came, events and calls.
func TestWhatIsNotAcknowledgedIsCounted(t *testing.T) {
	for want, c := range map[string]*listening{
		"1 of 2 events":           {},
		"1 of 2 calls":            {CallsOnly: true, Steps: []string{"a"}},
		"1 of 2 events and calls": {Steps: []string{"a"}},
	} {
		if got := c.notAcknowledged(&listenLines{events: 1, calls: 1, failed: 1}); got != want+" not acknowledged" {
			t.Errorf("%q is not %q", got, want)
		}
	}
}
