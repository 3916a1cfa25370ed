package api

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/nodes/nodestest"
	"github.com/orderhook/orderhook/internal/store"
)

// answers is a database that answers.
type answers struct{ store.Store }

func (answers) Ping(context.Context) error { return nil }

// TestReadinessKnowsTheLeases: the database answers, and the node is ready until it cannot be
// sure of its leases any more.
func TestReadinessKnowsTheLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{Options: Options{Store: answers{}, Node: nodestest.Unsure(t), Log: slog.New(slog.DiscardHandler)}}
		ready := func(want int, says string) {
			t.Helper()
			w := httptest.NewRecorder()
			a.readyz(w, httptest.NewRequest("GET", "/readyz", nil))
			if w.Code != want || !strings.Contains(w.Body.String(), says) {
				t.Errorf("it answers %d: %s", w.Code, w.Body)
			}
		}
		ready(200, "ready")
		time.Sleep(nodes.DefaultLasts - time.Second)
		ready(503, "the leases of this node are not certain")
		time.Sleep(time.Minute)
		ready(503, "this node has been cut off from the database for 1m29s")
	})
}

// TestANodeThatMakesNoCallsIsNotReady, and says for how long; one that is alone always may.
func TestANodeThatMakesNoCallsIsNotReady(t *testing.T) {
	for _, c := range []struct {
		leases nodes.Leases
		want   string
	}{
		{nodes.Alone().Leases(), ""},
		{nodes.Leases{Shared: true, Sure: true, Age: 8 * time.Second, Lasts: 30 * time.Second}, ""},
		{nodes.Leases{Shared: true, Age: 8 * time.Second, Lasts: 30 * time.Second}, "not certain: it has not renewed them for 8s"},
		{nodes.Leases{Shared: true, Age: 30 * time.Second, Lasts: 30 * time.Second}, "cut off from the database for 30s"},
	} {
		if got := unsure(c.leases); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q, want %q", c.leases, got, c.want)
		}
	}
}
