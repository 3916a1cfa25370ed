package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The event crash test kills the server with SIGKILL at random moments while
// events are published and delivered, and proves from what publishers were
// acknowledged and what endpoints were sent that no acknowledged event was lost
// and that the order was preserved. EVENT_CRASH_ROUNDS sets how often;
// EVENT_CRASH_SEED repeats a choice of moments.
func TestKilledAtAnyMomentEveryAcknowledgedEventArrives(t *testing.T) {
	rounds, seed := 2, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv("EVENT_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("EVENT_CRASH_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("EVENT_CRASH_SEED=%d", seed)
	cut := 0
	for round := range rounds {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) { cut += eventCrashRound(t, newWhere(t), seed+uint64(round)) })
	}
	if cut == 0 && !t.Failed() {
		t.Error("no kill fell into a delivery: the rounds prove nothing")
	}
}

// TestKilledOnPostgreSQLEveryAcknowledgedEventArrives is the same on a PostgreSQL server.
func TestKilledOnPostgreSQLEveryAcknowledgedEventArrives(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("EVENT_CRASH_ROUNDS"))
	for round := range max(1, rounds/10) {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) { eventCrashRound(t, onPostgreSQL(t), uint64(time.Now().UnixNano())) })
	}
}

const eventKills = 6 // in a round

// eventCrashRound returns how many deliveries the kills cut off.
func eventCrashRound(t *testing.T, w where, seed uint64) (cut int) {
	w = w.with("ORDERHOOK_API_KEY=" + crashKey)
	all := newCrashReceivers(t)
	s := w.serve(t)
	all.subscribe(t, s)
	l := startLoad(seed, s)
	random := rand.New(rand.NewPCG(seed, 0))
	cutting := random.IntN(eventKills)
	for kill := range eventKills {
		time.Sleep(time.Duration(20+random.IntN(380)) * time.Millisecond) // the moment is the point of it
		if kill == cutting {                                              // one is sure to fall into a delivery, however slow the machine is
			all.begun.await(t, "a delivery to cut off")
		}
		_ = s.cmd.Process.Kill()
		<-s.ended
		s = w.serve(t)
		l.server.Store(s)
	}
	cut = all.check(t, s, l.end(t))
	s.stop(t)
	return cut
}

// check waits until all has arrived, and sees that it has as it should. It returns how many
// deliveries the kills cut off.
func (c *crashReceivers) check(t *testing.T, s *server, facts *facts) (cut int) {
	t.Helper()
	for _, r := range c.reliable() {
		s.awaitDeliveries(t, crashKey, r.made)
		if failed := s.deliveries(t, crashKey, r.made, "failed"); len(failed) > 0 {
			t.Errorf("%s: %d deliveries or more failed for good, one of them %v", r.name, len(failed), failed[0])
		}
		facts.check(t, r)
	}
	cut = c.healthy.repeats() + c.ordered.repeats()
	t.Logf("%d events acknowledged, %d of their deliveries cut off", facts.acknowledged(), cut)
	return cut
}

// crashReceivers are the endpoints of a round: what ails some must not harm
// the others.
type crashReceivers struct {
	healthy, ordered, flaky, broken, hanging *crashReceiver
	begun                                    *interruption // of a delivery to healthy
}

// crashReceiver is an endpoint of a round.
type crashReceiver struct {
	*receiver
	name    string
	more    string // of its subscription
	ordered bool
	made    endpoint
}

func newCrashReceivers(t *testing.T) *crashReceivers {
	const often = `"eventTypes":["*"],"retrySchedule":["PT0.02S","PT0.03S","PT0.02S","PT0.03S","PT0.02S","PT0.03S","PT0.02S","PT0.03S","PT0.02S","PT0.03S"]`
	const inOrder = `,"ordering":"subject"`
	begun := newInterruption()
	return &crashReceivers{
		begun: begun,
		healthy: &crashReceiver{newReceiver(t, func(w http.ResponseWriter, req *http.Request, one receipt) {
			if !begun.hold(req) {
				works(w, req, one)
			}
		}), "healthy", `"eventTypes":["*"]`, false, endpoint{}},
		ordered: &crashReceiver{newReceiver(t, works), "ordered", `"eventTypes":["*"]` + inOrder, true, endpoint{}},
		flaky:   &crashReceiver{newReceiver(t, failingHalf()), "flaky", often + inOrder, true, endpoint{}},
		broken:  &crashReceiver{newReceiver(t, always(500)), "broken", often, false, endpoint{}},
		hanging: &crashReceiver{newReceiver(t, hang), "hanging", often + `,"timeout":"PT1S"`, false, endpoint{}},
	}
}

// reliable are those that everything arrives at in the end.
func (c *crashReceivers) reliable() []*crashReceiver {
	return []*crashReceiver{c.healthy, c.ordered, c.flaky}
}

func (c *crashReceivers) subscribe(t *testing.T, s *server) {
	t.Helper()
	for _, r := range append(c.reliable(), c.broken, c.hanging) {
		r.made = s.subscribe(t, crashKey, r.URL, r.more)
	}
}

// works answers after a moment, into which a kill may fall.
func works(http.ResponseWriter, *http.Request, receipt) {
	time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
}

func always(status int) func(http.ResponseWriter, *http.Request, receipt) {
	return func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(status) }
}

// failingHalf fails every second time or so, but no event as often as the
// schedule would have it given up.
func failingHalf() func(http.ResponseWriter, *http.Request, receipt) {
	var mu sync.Mutex
	failed := map[string]int{}
	return func(w http.ResponseWriter, _ *http.Request, r receipt) {
		mu.Lock()
		defer mu.Unlock()
		if failed[r.webhookID()] < 6 && rand.IntN(2) == 0 {
			failed[r.webhookID()]++
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}
