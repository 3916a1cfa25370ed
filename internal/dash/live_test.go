package dash

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/clock"
)

// streamed is what a stream has said.
type streamed struct {
	*httptest.ResponseRecorder
	mu sync.Mutex
}

func (s *streamed) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ResponseRecorder.Write(p)
}

// WriteString is the recorder's in its place, which would go around the lock.
func (s *streamed) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// count is how often it has said something.
func (s *streamed) count(text string) int {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.Body.String(), text)
}

// listen opens a stream, and returns what ends it.
func (b *browserOf) listen(topic string) (said *streamed, ended <-chan struct{}, hangUp func()) {
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequest(http.MethodGet, "/live?topic="+topic, nil).WithContext(ctx)
	r.AddCookie(b.cookies[0])
	said, done := &streamed{ResponseRecorder: httptest.NewRecorder()}, make(chan struct{})
	go func() {
		defer close(done)
		b.ServeHTTP(said, r)
	}()
	return said, done, cancel
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.Changes = changes.New(clock.Real{})
		b := s.as(access.Reader)
		said, ended, hangUp := b.listen("attempts,runs")
		if said.count("event: change") != 0 {
			t.Error("it says a change before there is one")
		}
		s.Changes.Changed("t1", changes.TopicAttempts)
		if got := said.count("event: change"); got != 1 {
			t.Errorf("after a change it has said %d", got)
		}
		s.Changes.Changed("t1", changes.TopicOrders)
		s.Changes.Changed("other", changes.TopicAttempts)
		time.Sleep(2 * time.Second)
		if got := said.count("event: change"); got != 1 {
			t.Errorf("after changes of others it has said %d", got)
		}
		for range 1000 {
			s.Changes.Changed("t1", changes.TopicRuns)
		}
		time.Sleep(2 * time.Second)
		if got := said.count("event: change"); got > 3 || got < 2 {
			t.Errorf("after 1,000 changes within a second it has said %d", got)
		}
		time.Sleep(heartbeat)
		if said.count("\n:\n") == 0 {
			t.Errorf("there is no heartbeat: %q", said.Body)
		}
		for range changes.MostPerTenant { // who hangs up leaves their place to others
			again, gone, leave := b.listen("runs")
			if again.count("retry:") != 1 {
				t.Fatalf("there is no place: %s", again.Body)
			}
			leave()
			<-gone
		}
		if f := s.gate.Figures(); f.Requests != 0 {
			t.Errorf("a stream holds %d of the requests", f.Requests)
		}
		hangUp()
		<-ended
	})
}

func TestAStreamEndsWithItsSessionAndTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.Changes = changes.New(clock.Real{})
		b := s.as(access.Reader)
		said, ended, _ := b.listen("orders")
		synctest.Wait()
		_ = s.sessions.DeleteSession(t.Context(), access.HashKey(b.cookies[0].Value))
		<-ended // within a heartbeat, or the bubble is found to hang
		if said.count("event: change") != 1 {
			t.Errorf("the page is not told to look again: %q", said.Body)
		}
		_, ended, _ = s.as(access.Reader).listen("orders")
		synctest.Wait()
		s.Changes.Close()
		<-ended
	})
}

func TestTopicsThatThereAreNot(t *testing.T) {
	b := newSite(t).as(access.Reader)
	if got := b.get("/live?topic=nonsense"); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.Code)
	}
}

func TestTooManyStreams(t *testing.T) {
	s := newSite(t)
	for range changes.MostPerTenant {
		if _, err := s.Changes.Listen("t1", changes.TopicOrders); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.as(access.Reader).get("/live?topic=orders"); got.Code != http.StatusTooManyRequests {
		t.Errorf("%d", got.Code)
	}
}
