package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The crash test kills the server with SIGKILL at random moments while orders
// go through a workflow of three steps, and proves from what the endpoint was
// sent and what the orders' history says that every order ended exactly as it
// should have. CRASH_ROUNDS sets how often; `make test-long` does it 20 times.
func TestKilledAtAnyMomentEveryRunEndsAsItShould(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("CRASH_ROUNDS"))
	for round := range max(1, rounds) {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) { crashRound(t, newWhere(t)) })
	}
}

// TestKilledOnPostgreSQLEveryRunEndsAsItShould is the same on a PostgreSQL server.
func TestKilledOnPostgreSQLEveryRunEndsAsItShould(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("CRASH_ROUNDS"))
	for round := range max(1, rounds/4) {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) { crashRound(t, onPostgreSQL(t)) })
	}
}

const (
	crashKey     = "crash-test-admin-key-0123"
	crashOrders  = 200
	crashClients = 16
	crashKills   = 4
	crashSteps   = 3
)

func crashRound(t *testing.T, w where) {
	w = w.with("ORDERHOOK_API_KEY=" + crashKey)
	endpoint := newCrashEndpoint(t)
	s := w.serve(t)
	s.expect(t, 200, "PUT", "/api/settings", crashKey, endpoint.settings())
	var current atomic.Pointer[server]
	current.Store(s)
	posted := postAll(&current)
	for kill := range crashKills {
		if kill == 0 { // all others may come when the runs have ended, where the machine is fast
			endpoint.cut.await(t, "a call to cut off")
		} else {
			// A server that has just started calls nobody yet, and to kill it then proves little.
			endpoint.awaitCall()
			time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond) // the moment is the point of it
		}
		_ = s.cmd.Process.Kill()
		<-s.ended
		s = w.serve(t)
		current.Store(s)
	}
	posted.Wait()
	for i := range crashOrders {
		endpoint.check(t, awaitEnd(t, s, orderID(i)), i)
	}
	if n := endpoint.repeated(); n == 0 {
		t.Error("no kill fell into a call: the round proves nothing")
	} else {
		t.Logf("%d attempts were made again", n)
	}
	s.stop(t)
}

func orderID(i int) string { return fmt.Sprintf("ORD-%04d", i) }

// postAll posts every order, again and again until it is answered: a client
// cannot know whether the server died before or after it stored the order.
func postAll(current *atomic.Pointer[server]) *sync.WaitGroup {
	var wg sync.WaitGroup
	next := atomic.Int64{}
	for range crashClients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < crashOrders; i = int(next.Add(1)) - 1 {
				for !postOnce(current.Load(), i) {
					time.Sleep(10 * time.Millisecond) // the server is being started again
				}
			}
		})
	}
	return &wg
}

func postOnce(s *server, i int) bool {
	body := fmt.Sprintf(`{"id":%q,"orderType":"Online","marketId":"NOR","customerEmail":"kari%d@example.com",
		"orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":2,"placedPrice":499.50}]}}`, orderID(i), i)
	a := s.callWith("POST", "/api/orders?wait=false", crashKey, body, "Idempotency-Key", "post-"+orderID(i))
	return a.err == nil && a.status == 202
}

// awaitEnd waits until the order's run has ended and returns what is known of it.
func awaitEnd(t *testing.T, s *server, id string) ended {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		runs := items(s.expect(t, 200, "GET", "/api/runs?orderId="+id, crashKey, ""))
		if len(runs) != 1 {
			t.Fatalf("%s has %d runs", id, len(runs))
		}
		if status := runs[0]["status"]; status != "running" && status != "waiting" {
			return ended{id: id, run: runs[0],
				order:   s.expect(t, 200, "GET", "/api/orders/"+id, crashKey, "").body,
				history: items(s.expect(t, 200, "GET", "/api/orders/"+id+"/history?limit=200", crashKey, ""))}
		}
	}
	t.Fatalf("the run of %s does not end", id)
	return ended{}
}

// ended is an order whose run has ended.
type ended struct {
	id      string
	run     map[string]any
	order   map[string]any
	history []map[string]any
}

func items(a answer) []map[string]any {
	var out []map[string]any
	list, _ := a.body["items"].([]any)
	for _, v := range list {
		m, _ := v.(map[string]any)
		out = append(out, m)
	}
	return out
}
