package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// feedPage is a page of a feed, as the API answers it.
type feedPage struct {
	ids   []string
	items []map[string]any
	next  string
}

// feed reads one page of the feed of an endpoint.
func (s *server) feed(t *testing.T, key string, e endpoint, query string) feedPage {
	t.Helper()
	a := s.expect(t, 200, "GET", "/api/endpoints/"+e.id+"/feed?"+query, key, "")
	p := feedPage{items: items(a), next: fmt.Sprint(a.body["next"])}
	for _, item := range p.items {
		p.ids = append(p.ids, fmt.Sprint(item["eventId"]))
	}
	return p
}

// TestAReceiverFindsAGapAndFetchesIt has an endpoint lose deliveries for good, and the server
// die: by the headers of the next delivery the receiver knows that something is missing, and
// the feed has exactly that, byte for byte as it would have been delivered.
func TestAReceiverFindsAGapAndFetchesIt(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	admin := s.newKey
	var down atomic.Bool
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, one receipt) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	e := s.subscribe(t, admin, r.URL, `"eventTypes":["seen.*"],"retrySchedule":["P1D"]`)
	s.mustPublish(t, admin, "seen.first", "e1", map[string]any{"n": 1})
	s.awaitDeliveries(t, admin, e)
	down.Store(true)
	s.mustPublish(t, admin, "other.type", "x1", map[string]any{})
	s.expect(t, 202, "POST", "/api/events", admin, `[{"type":"seen.second","id":"e2","data":{"price": 1.50,"much":12345678901234567890.10}},{"type":"seen.third","id":"e3","data":{"text":"<&>"}}]`)
	lost := s.awaitFailed(t, admin, e, 2)
	// It is sent again only in a day.
	if len(lost) != 2 {
		t.Fatalf("%d attempts failed", len(lost))
	}
	s.signal(t, syscall.SIGKILL)
	s.code(t)
	s = w.serve(t)
	down.Store(false)
	s.mustPublish(t, admin, "seen.fourth", "e4", map[string]any{"n": 4})
	got := r.await(t, "the fourth event", func(got []receipt) bool { return got[len(got)-1].ID == "e4" })
	position := func(one receipt) string { return one.header.Get("Webhook-Position") }
	first, last := got[0], got[len(got)-1]
	if previous := last.header.Get("Webhook-Previous-Position"); previous == position(first) || previous == "" {
		t.Fatalf("the fourth event is said to follow %q, as the first one is at %q", previous, position(first))
	}
	missed := s.feed(t, admin, e, "after="+position(first))
	if want := []string{"e2", "e3", "e4"}; !slices.Equal(missed.ids, want) {
		t.Fatalf("behind the first event come %v, want %v", missed.ids, want)
	}
	if a := s.expect(t, 200, "GET", "/api/endpoints/"+e.id+"/feed?after="+position(first), admin, ""); !strings.Contains(a.text, `{"price": 1.50,"much":12345678901234567890.10}`) || !strings.Contains(a.text, `"<&>"`) {
		t.Errorf("the data is not as it was published: %s", a.text)
	}
	before := position(first)
	for _, item := range missed.items {
		if item["previous"] != before {
			t.Errorf("%v is said to follow %v, not %s", item["eventId"], item["previous"], before)
		}
		before = fmt.Sprint(item["position"])
		for _, one := range got {
			// Each attempt at the same event has the same place.
			if one.ID == item["eventId"] && (position(one) != item["position"] || one.header.Get("Webhook-Previous-Position") != item["previous"] || one.webhookID() != item["webhookId"]) {
				t.Errorf("%s was sent with %v", one.ID, one.header)
			}
		}
	}
	if before != position(last) || missed.next != before {
		t.Errorf("the feed ends with %s, and goes on with %s; the delivery was at %s", before, missed.next, position(last))
	}
	// What is sent again has the place that it had.
	s.expect(t, 202, "POST", "/api/events/e2/redeliver", admin, "")
	again := r.await(t, "the second event again", func(got []receipt) bool { return got[len(got)-1].ID == "e2" })
	if one := again[len(again)-1]; position(one) != missed.items[0]["position"] {
		t.Errorf("sent again, the second event is at %q, not at %v", position(one), missed.items[0]["position"])
	}
	if end := s.feed(t, admin, e, "after="+missed.next); len(end.ids) > 0 || end.next != missed.next {
		t.Errorf("at the end the feed has %v, and goes on with %s", end.ids, end.next)
	}
}

// TestAFeedIsWaitedFor has somebody wait for the next event: the answer comes with it, or
// when the time is over, or when the server stops.
func TestAFeedIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	admin := s.newKey
	r := newReceiver(t, nil)
	e := s.subscribe(t, admin, r.URL, `"eventTypes":["seen.*"]`)
	s.mustPublish(t, admin, "seen.first", "e1", map[string]any{})
	path := "/api/endpoints/" + e.id + "/feed?after=latest&wait="
	end := s.feed(t, admin, e, "after=latest")
	if len(end.ids) > 0 {
		t.Errorf("the latest position is followed by %v", end.ids)
	}
	s.expect(t, 200, "GET", path+"PT0.1S", admin, "")
	waiting := make(chan answer)
	wait := func(after string) {
		go func() {
			waiting <- s.call("GET", "/api/endpoints/"+e.id+"/feed?wait=PT20S&after="+after, admin, "")
		}()
	}
	wait(end.next)
	s.mustPublish(t, admin, "other.type", "x1", map[string]any{})
	s.mustPublish(t, admin, "seen.second", "e2", map[string]any{})
	got := <-waiting
	if found := items(got); len(found) != 1 || found[0]["eventId"] != "e2" {
		t.Fatalf("the answer is %d %s %v", got.status, got.text, got.err)
	}
	for query, want := range map[string]string{"after=x": "query.after", "after=-1": "query.after", "wait=PT2M": "query.wait", "wait=1": "query.wait", "limit=1001": "query.limit", "limit=0": "query.limit"} {
		if a := s.call("GET", "/api/endpoints/"+e.id+"/feed?"+query, admin, ""); a.status != 422 || !strings.Contains(a.text, want) {
			t.Errorf("%s is answered with %d %s", query, a.status, a.text)
		}
	}
	s.expect(t, 404, "GET", "/api/endpoints/ep_none/feed", admin, "")
	wait(fmt.Sprint(got.body["next"]))
	s.stop(t)
	if got = <-waiting; got.status != 0 && (got.status != 200 || len(items(got)) > 0) {
		t.Errorf("a server that stops answers %d %s", got.status, got.text)
	}
}

// TestAFeedThatIsWaitedForHoldsNoStopUp, or the end would come with that of the wait, and nobody
// waits for a minute here.
func TestAFeedThatIsWaitedForHoldsNoStopUp(t *testing.T) {
	t.Parallel()
	s := newWhere(t).watch(t, "--grace", "PT10M")
	e := s.subscribe(t, crashKey, "http://127.0.0.1:1/", `"eventTypes":["never"]`)
	s.client = &http.Client{} // which does not give up
	answered := make(chan answer, 1)
	go func() { answered <- s.call("GET", "/api/endpoints/"+e.id+"/feed?wait=PT1M", crashKey, "") }()
	s.scrapeUntil(t, "somebody who waits", func(s scrape) bool { return s.value("orderhook_budget_used", `budget="requests"`) > 0 })
	s.stop(t)
	if a := <-answered; a.status != 200 || len(items(a)) > 0 {
		t.Errorf("who waited is answered %d %s %v", a.status, a.text, a.err)
	}
}
