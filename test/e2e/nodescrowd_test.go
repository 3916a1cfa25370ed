package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	crowdSize      = 200
	crowdUnhealthy = 20
	crowdTypes     = 40
)

// crowd is many endpoints, of which some answer nothing, or nothing but errors. Each hears
// of one type of events, as several others do.
type crowd struct {
	*httptest.Server
	over atomic.Bool
	all  sync.WaitGroup

	mu    sync.Mutex
	got   map[string]bool // endpoint and event
	acked []string        // event ids
}

func newCrowd(t *testing.T, s *server) *crowd {
	t.Helper()
	c := &crowd{got: map[string]bool{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	for i := range crowdSize {
		s.subscribe(t, crashKey, fmt.Sprintf("%s/%d", c.URL, i), fmt.Sprintf(`"eventTypes":["crowd_%d"],"timeout":"PT2S","maxConcurrency":2`, i%crowdTypes))
	}
	return c
}

// unhealthy says what ails an endpoint.
func unhealthy(i int) bool { return i%(crowdSize/crowdUnhealthy) == 3 }

// ServeHTTP implements http.Handler.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var event struct{ ID string }
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		return // cut off: its sender was killed
	}
	var i int
	if _, err := fmt.Sscanf(r.URL.Path, "/%d", &i); err == nil && unhealthy(i) {
		if i%20 == 3 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices that the sender gives up
		<-r.Context().Done()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[fmt.Sprint(i, " ", event.ID)] = true
}

// start publishes events until end is called.
func (c *crowd) start(to *cluster, seed uint64) {
	for p := range 2 {
		c.all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(100+p)))
			for n := 0; !c.over.Load(); n++ {
				id := fmt.Sprintf("crowd-%d-%d", p, n)
				body := fmt.Sprintf(`{"id":%q,"type":"crowd_%d","data":{}}`, id, typeOf(id))
				for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
					if a := to.hurried().call("POST", "/api/events", crashKey, body); a.err == nil && a.status == 202 {
						c.mu.Lock()
						c.acked = append(c.acked, id)
						c.mu.Unlock()
						break
					}
				}
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			}
		})
	}
}

// typeOf is the type of an event of the crowd.
func typeOf(id string) (n int) {
	for _, part := range strings.Split(id, "-")[1:] {
		var one int
		_, _ = fmt.Sscan(part, &one)
		n += one
	}
	return n % crowdTypes
}

func (c *crowd) end() {
	c.over.Store(true)
	c.all.Wait()
}

func (c *crowd) acknowledged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// check waits until each event that was acknowledged has arrived at each healthy endpoint
// that wants it.
func (c *crowd) check(t *testing.T) {
	t.Helper()
	var missing []string
	for deadline := time.Now().Add(4 * patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if missing = c.missing(); len(missing) == 0 {
			return
		}
	}
	t.Errorf("%d did not arrive, the first of them %s", len(missing), missing[0])
}

func (c *crowd) missing() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.acked {
		for i := typeOf(id); i < crowdSize; i += crowdTypes {
			if key := fmt.Sprint(i, " ", id); !unhealthy(i) && !c.got[key] {
				all = append(all, key)
			}
		}
	}
	return all
}
