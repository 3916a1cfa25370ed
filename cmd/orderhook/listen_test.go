package main

import (
	"bytes"
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
