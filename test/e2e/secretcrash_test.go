package e2e

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sealed returns the secrets that a database holds, as they are stored.
func (w where) sealed(t *testing.T) (all []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "orderhook.db")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT sealed FROM secrets ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	return all
}

// TestAKilledServerDestroysWhatWasRemoved: a run makes its second attempt with a secret
// that was removed during the first, right before the server was killed. Soon after the
// run has ended the secret is destroyed, and nothing of it is left in the files.
func TestAKilledServerDestroysWhatWasRemoved(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	var to *receiver
	to = newReceiver(t, func(rw http.ResponseWriter, req *http.Request, _ receipt) {
		if got, _ := to.all(); len(got) == 1 { // until its caller is killed
			<-req.Context().Done()
		}
	})
	s := w.serve(t)
	s.expect(t, http.StatusOK, "PUT", "/api/settings", crashKey, workflow(to.URL))
	secrets := w.sealed(t)
	if len(secrets) != 1 {
		t.Fatalf("%d secrets are stored", len(secrets))
	}
	s.expect(t, http.StatusAccepted, "POST", "/api/orders?wait=false", crashKey, `{"id":"one","orderType":"Online"}`)
	to.await(t, "the first attempt", func(got []receipt) bool { return len(got) == 1 })
	s.expect(t, http.StatusOK, "PUT", "/api/settings", crashKey, `{}`)
	_ = s.cmd.Process.Kill()
	<-s.ended
	if got := w.sealed(t); !slices.Equal(got, secrets) {
		t.Fatalf("%d secrets are stored while a run needs one", len(got))
	}
	s = w.serve(t)
	if end := awaitEnd(t, s, "one"); end.run["status"] != "succeeded" {
		t.Errorf("the run ended as %v", end.run)
	}
	got, _ := to.all()
	for _, one := range got {
		if token := one.header.Get("Authorization"); token != "Token s3cret" {
			t.Errorf("an attempt with %q", token)
		}
	}
	for deadline := time.Now().Add(patience); len(w.sealed(t)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the secret is not destroyed")
		}
	}
	if a := s.expect(t, http.StatusOK, "POST", "/api/settings/1/restore", crashKey, ""); !strings.Contains(a.text, "connectors[0].token") {
		t.Errorf("a restore says %s", a.text)
	}
	s.stop(t)
	files, err := filepath.Glob(filepath.Join(w.dir, "orderhook.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		if whole, err := os.ReadFile(file); err != nil || strings.Contains(string(whole), secrets[0][len(secrets[0])-24:]) {
			t.Errorf("%s still has the secret, sealed (%v)", filepath.Base(file), err)
		}
	}
}
