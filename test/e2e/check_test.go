package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// TestCheck runs beside a server that takes orders through their lives: nothing is wrong
// with what it writes, at any moment.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]where{"file": newWhere(t), "server": onPostgreSQL(t)} {
		t.Run(name, func(t *testing.T) {
			w := w.with("ORDERHOOK_API_KEY=" + crashKey)
			s := w.serve(t)
			all := newCrashReceivers(t)
			all.subscribe(t, s)
			l := startLoad(uint64(time.Now().UnixNano()), s)
			for range 5 {
				if out := w.succeeds(t, "check"); !strings.Contains(out, "nothing is wrong") || strings.Contains(out, "s3cret") {
					t.Errorf("%s", out)
				}
			}
			facts := l.end(t)
			if facts.acknowledged() < 20 {
				t.Errorf("%d events were acknowledged", facts.acknowledged())
			}
			s.stop(t)
			w.succeeds(t, "check")
		})
	}
}

// TestCheckFindsAndRepairs: what a server can build again is repaired, and nothing else.
func TestCheckFindsAndRepairs(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.serve(t).stop(t)
	sqlite(t, w, "orderhook.db", `INSERT INTO body_chunks (key, chunk) VALUES (4096, x'00')`)
	r := w.run(t, "check")
	if r.code != 1 || !strings.Contains(r.out, "1 chunks of segments that are not there") || !strings.Contains(r.errOut, "orderhook.db: 1 finding") {
		t.Errorf("code %d, %s%s", r.code, r.out, r.errOut)
	}
	if r := w.run(t, "check", "--repair"); r.code != 0 || !strings.Contains(r.out, "repaired: 1 of 1") {
		t.Errorf("code %d, %s%s", r.code, r.out, r.errOut)
	}
	w.succeeds(t, "check")
	sqlite(t, w, "orderhook.db", `INSERT INTO order_history (tenant, order_id, seq, at, entry) VALUES ('default', 'gone', 1, 1, '{}')`)
	if r := w.run(t, "check", "--repair"); r.code != 1 || !strings.Contains(r.out, "the history of an order that is not there: order gone") || strings.Contains(r.out, "repaired") {
		t.Errorf("code %d, %s%s", r.code, r.out, r.errOut)
	}
	w.file(t, "text.txt", "this is no database, and no certificate; it is longer than a header of SQLite would be, which has 100 bytes.")
	w.refuses(t, "text.txt is not a database", "check", "--database", "text.txt")
	w.refuses(t, "there is no database typo.db", "check", "--database", "typo.db")
	if w.has("typo.db") {
		t.Error("a database was made")
	}
	w.refuses(t, "has no schema of orderhook", "check", "--database", pgtest.Empty(t))
}

// TestAServerWhoseFileGoes takes no more writes, and says why.
func TestAServerWhoseFileGoes(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"orderhook.db", "orderhook.db-wal"} {
		w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
		s := w.serve(t)
		s.expect(t, 202, "POST", "/api/events", crashKey, `{"id":"one","type":"Something","data":{}}`)
		if err := os.Rename(filepath.Join(w.dir, file), filepath.Join(w.dir, "moved")); err != nil {
			t.Fatal(err)
		}
		s.expect(t, 503, "POST", "/api/events", crashKey, `{"id":"two","type":"Something","data":{}}`)
		if a := s.expect(t, 503, "GET", "/readyz", "", ""); !strings.Contains(a.text, "removed or replaced") {
			t.Errorf("ready: %s", a.text)
		}
		if err := os.Rename(filepath.Join(w.dir, "moved"), filepath.Join(w.dir, file)); err != nil {
			t.Fatal(err)
		}
		s.expect(t, 202, "POST", "/api/events", crashKey, `{"id":"three","type":"Something","data":{}}`)
		s.expect(t, 200, "GET", "/readyz", "", "")
		s.stop(t)
		have := w.stored(t, "orderhook.db")
		if _, two := have["two"]; two || len(have) != 2 {
			t.Errorf("stored are %v", have)
		}
	}
}

// TestADatabaseThatIsGone is not begun anew.
func TestADatabaseThatIsGone(t *testing.T) {
	t.Parallel()
	w, rows := filled(t, 1)
	w.succeeds(t, "backup", "copy.db", "--with-key")
	if err := os.Remove(filepath.Join(w.dir, "orderhook.db")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve"}, {"migrate"}, {"keys", "create", "--role", "admin"}} {
		w.refuses(t, "its key orderhook.db.key is there", args...)
	}
	w.file(t, "orderhook.db", "")
	w.refuses(t, "its key orderhook.db.key is there", "serve")
	w.succeeds(t, "restore", "copy.db")
	s := w.serve(t)
	s.signal(t, syscall.SIGTERM)
	s.code(t)
	w.wantAll(t, "orderhook.db", rows)
}
