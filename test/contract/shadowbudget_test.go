package contract

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/outbound"
)

// What calls of shadows may take, docs/contract.md#shadow-steps: slots, memory and connections
// of their own. What does not fit is skipped, and said.

// timed is a client whose calls take as long as the test says, without anybody waiting for it.
type timed struct {
	poster
	took *atomic.Int64 // milliseconds
}

func (p timed) Post(ctx context.Context, r outbound.Request) outbound.Exchange {
	x := p.poster.Post(ctx, r)
	x.Duration = time.Duration(p.took.Load()) * time.Millisecond
	return x
}

// own is an orderhook of the test's own, which is changed before it runs.
func own(t *testing.T, change func(*rig), options ...func(*outbound.Options)) *rig {
	t.Helper()
	r := newRig(t, newDatabase(t))
	change(r)
	r.run(options...)
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() { r.sentConforms(); r.ownOutput(); r.end(patience) })
	return r
}

// TestAShadowThatIsSlower: twice as long as the live step, and a second at least. It has agreed
// all the same.
func TestAShadowThatIsSlower(t *testing.T) {
	var live, shadow atomic.Int64
	r := own(t, func(r *rig) {
		r.calling = func(p poster) poster { return timed{p, &live} }
		r.beside = func(p poster) poster { return timed{p, &shadow} }
	})
	answers := answering(t, scored("7"))
	other := answering(t, scored("7"), scored("7"), scored("7"), scored("7"), scored("8"))
	r.settings(config(status("Checked", shadowOf(other.URL, `,"promoteAfter":4`), fraud(answers.URL))))
	for i, c := range []struct {
		live, shadow int64
		result       string
		slower       int
	}{
		{400, 999, "same", 0},  // what is quicker than a second holds up nobody
		{600, 1200, "same", 0}, // twice as long is not more than that
		{600, 1201, "slower", 1},
		{1, 1000, "slower", 2},
		{1, 60000, "different", 2}, // that it differs says more
	} {
		live.Store(c.live)
		shadow.Store(c.shadow)
		list := r.checked(i, 1)
		r.get("/api/attempts/"+r.get("/api/attempts?kind=shadow").text("items[0].id")).is("comparison.result", c.result)
		list.is("items[0].agreement.slower", c.slower).is("items[0].promotable", i == 3)
	}
	r.get("/api/workflow-shadows").is("items[0].agreement.compared", 5).is("items[0].agreement.agreed", 4).is("items[0].agreement.different", 1).
		is("items[0].agreement.last[0].result", "different").is("items[0].agreement.last[1]", nil)
}

// hanging is an endpoint that holds every call until it is let go, and knows how many it holds.
type hanging struct {
	*sink
	mu       sync.Mutex
	now, top int
	free     chan struct{}
}

// holdingAll holds its calls; those that are let go get the answer.
func holdingAll(t *testing.T, answer string) *hanging {
	t.Helper()
	s := &hanging{free: make(chan struct{})}
	s.sink = endpointOf(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		s.add(1)
		defer s.add(-1)
		select {
		case <-s.free:
			_, _ = io.WriteString(w, answer)
		case <-r.Context().Done():
		}
	})
	return s
}

func (s *hanging) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += n
	s.top = max(s.top, s.now)
}

// held is how many calls it holds, and how many it held at most.
func (s *hanging) held() (now, top int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.top
}

// TestShadowsThatHangTakeNothingOfOthers: with room for one live call at a time, live calls go on
// beside shadows that hang. The orders are so large that few calls may wait: the others are
// skipped, which is counted and said, and is no disagreement. Once the shadows are
// answered there is room again.
func TestShadowsThatHangTakeNothingOfOthers(t *testing.T) {
	live, shadow := answering(t, scored("7")), holdingAll(t, scored("7"))
	r := own(t, func(*rig) {}, func(o *outbound.Options) { o.Outgoing, o.MaxAnswerBytes = fair.New(1), 1<<20 })
	r.settings(config(status("Checked", shadowOf(shadow.URL, ""), fraud(live.URL))))
	const orders = 12
	note := strings.Repeat("x", 400<<10)
	agreement := func(field string) string {
		return fmt.Sprint(r.get("/api/workflow-shadows").at("items[0].agreement." + field))
	}
	skipped := func() int {
		var n int
		fmt.Sscan(agreement("skipped"), &n)
		return n
	}
	check := func(id string) {
		t.Helper()
		r.post(`{"id":"` + id + `","status":"New","properties":[{"key":"Note","value":"` + note + `"}]}`)
		r.call("POST", "/api/orders/"+id+"/status", `{"status":"Checked"}`).want(200).is("orderActionExecutionResults[0].actionStatus", "Success")
	}
	for i := range orders {
		check(fmt.Sprint("L", i))
	}
	r.until("each call of a shadow hangs or was skipped", func() bool { now, _ := shadow.held(); return now+skipped() == orders })
	called, _ := shadow.held()
	// A call takes about 20 times the order's 400 KiB, so that 64 MiB have room for eight at most.
	if called < 2 || called > 8 {
		t.Errorf("%d calls of shadows wait at once", called)
	}
	if n := r.slots.Used(); n != 0 {
		t.Errorf("the shadows have %d of the slots of live calls", n)
	}
	if n := r.client.Answers().Used(); n != 0 {
		t.Errorf("the shadows have %d bytes of the memory of live calls", n)
	}
	equals(t, "slots of shadows", int(r.shadowSlots.Used()), called)
	lines := r.warnings("a shadow was not called")
	if len(lines) == 0 || !strings.Contains(lines[0], `reason="too many shadow calls wait"`) || !strings.Contains(lines[0], "shadow="+r.get("/api/workflow-shadows").text("items[0].id")) {
		t.Errorf("the log says of what was skipped %q", lines)
	}
	if text := r.scraped(); !strings.Contains(text, fmt.Sprintf("orderhook_shadow_calls_skipped_total{tenant=%q} %d\n", r.tenant(), orders-called)) {
		t.Errorf("the metrics do not say that %d calls were skipped", orders-called)
	}
	equals(t, "compared", agreement("compared"), "0")
	close(shadow.free)
	r.until("those that were called were compared", func() bool { return agreement("compared") == fmt.Sprint(called) })
	for i := range 3 {
		check(fmt.Sprint("M", i))
		r.until("there is room again", func() bool { return agreement("compared") == fmt.Sprint(called+i+1) })
	}
	r.get("/api/workflow-shadows").is("items[0].agreement.skipped", orders-called).is("items[0].agreement.inARow", called+3).is("items[0].agreement.last[0]", nil)
}

// TestLargeAnswersOfShadowsTakeNothingOfOthers: the memory for answers is apart, too, while they are
// read.
func TestLargeAnswersOfShadowsTakeNothingOfOthers(t *testing.T) {
	free, begun := make(chan struct{}), make(chan struct{}, 9)
	shadow := endpointOf(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.WriteString(w, `{"x":"`+strings.Repeat("x", 1<<20))
		w.(http.Flusher).Flush()
		begun <- struct{}{}
		select {
		case <-free:
		case <-r.Context().Done():
		}
	})
	defer close(free)
	live := answering(t, `{"orderPatch":{"properties":[{"key":"Long","value":"`+strings.Repeat("y", 200<<10)+`"}]}}`)
	r := own(t, func(*rig) {}, func(o *outbound.Options) { o.MaxAnswerBytes = 1 << 20 })
	r.settings(config(status("Checked", shadowOf(shadow.URL, ""), fraud(live.URL))))
	for i := range 3 {
		id := fmt.Sprint("S", i)
		r.post(`{"id":"` + id + `","status":"New"}`)
		r.call("POST", "/api/orders/"+id+"/status", `{"status":"Checked"}`).want(200).is("orderActionExecutionResults[0].actionStatus", "Success")
		<-begun
	}
	if n := r.client.Answers().Used(); n != 0 {
		t.Errorf("the answers of shadows have %d bytes of the memory of live ones", n)
	}
}

// TestThirtyTwoShadowsAreUnderWayAtOnce, of as many tenants: the next one is called when one of them
// has its answer.
func TestThirtyTwoShadowsAreUnderWayAtOnce(t *testing.T) {
	const most, tenants = 32, 40
	live, shadow := answering(t, scored("7")), holdingAll(t, scored("7"))
	r := own(t, func(*rig) {})
	for i := range tenants {
		secret := fmt.Sprint(adminKey, "-of-", i)
		r.addKey(secret, fmt.Sprint("shop-", i), access.Admin)
		shop := r.as(secret)
		shop.settings(config(status("Checked", shadowOf(shadow.URL, ""), fraud(live.URL))))
		shop.post(`{"id":"A","status":"New"}`)
		shop.call("POST", "/api/orders/A/status", `{"status":"Checked"}`).want(200).is("orderActionExecutionResults[0].actionStatus", "Success")
	}
	r.until("32 are under way", func() bool { now, _ := shadow.held(); return now >= most })
	equals(t, "slots of shadows", int(r.shadowSlots.Capacity()), most)
	for range tenants - most {
		shadow.free <- struct{}{}
	}
	r.until("all were called", func() bool { return len(shadow.got()) == tenants })
	if _, top := shadow.held(); top != most {
		t.Errorf("%d calls of shadows were under way at once", top)
	}
	close(shadow.free)
	shop := r.as(fmt.Sprint(adminKey, "-of-", tenants-1))
	r.until("the last was compared", func() bool {
		return fmt.Sprint(shop.get("/api/workflow-shadows").at("items[0].agreement.compared")) == "1"
	})
	shop.get("/api/workflow-shadows").is("items[0].agreement.skipped", 0)
}
