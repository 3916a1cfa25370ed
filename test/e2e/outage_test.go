package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // another user of the database
)

// outage publishes to a server whose database takes no writes for a time, and
// keeps what was acknowledged.
type outage struct {
	*server
	to    *receiver
	made  endpoint
	next  int
	acked []string
}

func newOutage(t *testing.T, s *server) *outage {
	t.Helper()
	o := &outage{server: s, to: newReceiver(t, nil)}
	o.made = s.subscribe(t, crashKey, o.to.URL, `"eventTypes":["*"]`)
	return o
}

// publish publishes the next event and notes whether that was acknowledged.
func (o *outage) publish() (id string, a answer) {
	o.next++
	id = fmt.Sprint("evt-", o.next)
	a = o.server.publish(crashKey, "thing_happened", id, map[string]string{"text": strings.Repeat("a", 100_000)})
	if a.status == 202 {
		o.acked = append(o.acked, id)
	}
	return id, a
}

// publishUntil publishes until that gets a status.
func (o *outage) publishUntil(t *testing.T, status int) (id string, a answer) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if id, a = o.publish(); a.status == status {
			return id, a
		}
		if a.status != 202 && a.status != 503 {
			t.Fatalf("publishing gets %d %s %v", a.status, a.text, a.err)
		}
	}
	t.Fatalf("publishing never gets a %d, but %d %s", status, a.status, a.text)
	return "", answer{}
}

// refused sees that publishing is refused as a passing problem, and returns
// the event's id.
func (o *outage) refused(t *testing.T) string {
	t.Helper()
	id, a := o.publishUntil(t, http.StatusServiceUnavailable)
	if a.body["status"] != 503.0 || a.body["title"] == nil || !strings.Contains(fmt.Sprint(a.body["detail"]), "database") {
		t.Errorf("the refusal is %s", a.text)
	}
	if strings.Contains(strings.ToLower(a.text), "sqlite") || strings.Contains(a.text, ".db") {
		t.Errorf("the refusal tells of the inside: %s", a.text)
	}
	return id
}

// recovered sees that it works again, that all that was acknowledged has
// arrived, and that what was refused left nothing behind.
func (o *outage) recovered(t *testing.T, refused string) {
	t.Helper()
	o.publishUntil(t, http.StatusAccepted)
	o.to.awaitAll(t, o.acked)
	o.awaitDeliveries(t, crashKey, o.made)
	for _, id := range o.acked {
		o.expect(t, 200, "GET", "/api/events/"+id, crashKey, "")
	}
	o.expect(t, 404, "GET", "/api/events/"+refused, crashKey, "")
	if n := o.to.count(refused); n > 0 {
		t.Errorf("the refused event arrived %d times", n)
	}
}

// TestALockedDatabase: another process holds the lock for longer than the
// server waits for it, while an endpoint has an event but its answer is not
// yet recorded.
func TestALockedDatabase(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	o := newOutage(t, w.serve(t))
	unlock := make(chan func(), 1)
	var once sync.Once
	o.to.answer = func(http.ResponseWriter, *http.Request, receipt) {
		once.Do(func() { unlock <- lock(t, filepath.Join(w.dir, "orderhook.db")) })
	}
	first, _ := o.publish()
	unblock := <-unlock
	refused := o.refused(t)
	if a := o.call("GET", "/api/events/"+first, crashKey, ""); a.status != 200 {
		t.Errorf("reading gets %d %s meanwhile", a.status, a.text)
	}
	unblock()
	o.recovered(t, refused)
	if n := o.to.count(first); n != 1 {
		t.Errorf("the event whose attempt could not be recorded at once was sent %d times", n)
	}
	o.stop(t)
}

// lock takes the database's write lock and returns what releases it.
func lock(t *testing.T, path string) (unlock func()) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Error(err)
		return func() {}
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		t.Error(err)
	}
	return func() {
		if _, err := db.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	}
}
