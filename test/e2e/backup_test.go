package e2e

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// acknowledged is what a server has acknowledged: the data of events, by their ids.
type acknowledged struct {
	mu     sync.Mutex
	events map[string]string
}

func (a *acknowledged) add(events map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, data := range events {
		a.events[id] = data
	}
}

func (a *acknowledged) now() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make(map[string]string, len(a.events))
	for id, data := range a.events {
		out[id] = data
	}
	return out
}

// publishMany publishes n events of some bytes each, and notes those that were
// acknowledged.
func (a *acknowledged) publishMany(s *server, first, n, bytes int) error {
	batch, sent := make([]published, n), map[string]string{}
	for i := range batch {
		id := fmt.Sprintf("event-%d", first+i)
		data := map[string]any{"n": first + i, "more": strings.Repeat("x", bytes)}
		batch[i] = published{ID: id, Type: "thing_happened", Data: data}
		sent[id] = mustJSON(data)
	}
	got := s.call("POST", "/api/events", crashKey, mustJSON(batch))
	if got.status != http.StatusAccepted {
		return fmt.Errorf("publishing: %d %s %w", got.status, got.text, got.err)
	}
	a.add(sent)
	return nil
}

// steadyLoad publishes 1,000 events a second until end is called, or the server is gone. What a
// busy server refuses is published again.
func (a *acknowledged) steadyLoad(s *server) (published *atomic.Int64, end func()) {
	published = &atomic.Int64{}
	var over atomic.Bool
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := 1_000_000; !over.Load(); <-tick.C {
			if err := a.publishMany(s, n, 100, 1000); err == nil {
				n += 100
				published.Add(100)
			} else if s.hasEnded() {
				return
			}
		}
	})
	return published, func() { over.Store(true); done.Wait() }
}

// fill publishes n thousand events of 4 KB.
func (a *acknowledged) fill(t *testing.T, s *server, thousands int) {
	t.Helper()
	for i := range thousands {
		if err := a.publishMany(s, i*1000, 1000, 4000); err != nil {
			t.Fatal(err)
		}
	}
}

// stored returns the data of all events in a database file.
func (w where) stored(t *testing.T, name string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, name)+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT id, data FROM events`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var id, data string
		if err := rows.Scan(&id, &data); err != nil {
			t.Fatal(err)
		}
		out[id] = data
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// wantAll wants each of these rows in a database, as it was acknowledged.
func (w where) wantAll(t *testing.T, name string, want map[string]string) {
	t.Helper()
	have, missing := w.stored(t, name), 0
	for id, data := range want {
		if have[id] != data {
			missing++
		}
	}
	if missing > 0 || len(want) == 0 {
		t.Errorf("of %d acknowledged events %d are missing in %s", len(want), missing, name)
	}
}

// wantNone wants no file that matches one of these patterns.
func (w where) wantNone(t *testing.T, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if left, err := filepath.Glob(filepath.Join(w.dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// size is that of a file, 0 if it is not there.
func (w where) size(name string) int64 {
	info, err := os.Stat(filepath.Join(w.dir, name))
	if err != nil {
		return 0
	}
	return info.Size()
}

// TestABackupUnderLoad has everything that was acknowledged before it began. The server
// is killed, and the backup restored in the place of its database, whose log is still
// there.
func TestABackupUnderLoad(t *testing.T) {
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	a := &acknowledged{events: map[string]string{}}
	a.fill(t, s, 10)
	published, end := a.steadyLoad(s)
	defer end()
	until(t, "a load", func() bool { return published.Load() >= 1000 })
	before := a.now()
	began, sofar := time.Now(), published.Load()
	r := w.run(t, "backup", "copy.db", "--with-key")
	took := time.Since(began)
	if r.code != 0 || !strings.Contains(r.out, "copy.db is a backup of orderhook.db") || !strings.Contains(r.errOut, "copied") || !strings.Contains(r.errOut, "checking") {
		t.Fatalf("code %d, %s%s", r.code, r.out, r.errOut)
	}
	t.Logf("%d MiB in %v, %d events were published meanwhile, the log has %d MiB", w.size("copy.db")>>20, took, published.Load()-sofar, w.size("orderhook.db-wal")>>20)
	for _, left := range []string{"copy.db-wal", "copy.db-shm", "copy.db-journal", "copy.db.part"} {
		if w.has(left) {
			t.Errorf("%s is left", left)
		}
	}
	w.wantAll(t, "copy.db", before)
	later := published.Load() + 200 // so that the log has something that the backup has not
	until(t, "more load", func() bool { return published.Load() >= later })
	w.refuses(t, "is in use by another orderhook", "restore", "copy.db")
	end()
	s.signal(t, syscall.SIGKILL)
	<-s.ended
	all := a.now()
	if w.size("orderhook.db-wal") == 0 {
		t.Fatal("the killed server has left no log")
	}
	out := w.succeeds(t, "restore", "copy.db")
	aside := aside(t, w)
	if !strings.Contains(out, aside) || w.has("orderhook.db-wal") || w.has("orderhook.db-shm") {
		t.Errorf("it says %q; the old log is there: %v", out, w.has("orderhook.db-wal"))
	}
	if out := w.succeeds(t, "check"); !strings.Contains(out, "nothing is wrong") {
		t.Errorf("check says %q", out)
	}
	s = w.serve(t)
	s.expect(t, 200, "GET", "/readyz", "", "")
	s.expect(t, 202, "POST", "/api/events", crashKey, `{"type":"after","data":{}}`)
	s.stop(t)
	w.wantAll(t, "orderhook.db", before)
	w.wantAll(t, filepath.Join(aside, "orderhook.db"), all) // the files of before are a database
}

// aside is the name of the only folder with the files of before.
func aside(t *testing.T, w where) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "*.before-restore-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the files of before are in %v, %v", found, err)
	}
	return filepath.Base(found[0])
}

// filled is a folder with a database of some MiB, which nobody has open.
func filled(t *testing.T, thousands int) (where, map[string]string) {
	t.Helper()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	a := &acknowledged{events: map[string]string{}}
	a.fill(t, s, thousands)
	s.stop(t)
	return w, a.now()
}

func TestWhatBackupAndRestoreRefuse(t *testing.T) {
	t.Parallel()
	w, rows := filled(t, 1)
	w.file(t, "text.txt", "this is no database, and no certificate; it is longer than a header of SQLite would be, which has 100 bytes.")
	w.file(t, "empty.db", "")
	sqlite(t, w, "foreign.db", `CREATE TABLE notes (text TEXT)`)
	w.succeeds(t, "backup", "copy.db", "--with-key")
	if w.size("copy.db.key") == 0 || w.size("copy.db.key") != w.size("orderhook.db.key") {
		t.Error("the key is not in the backup")
	}
	if r := w.run(t, "backup", "bare.db"); r.code != 0 || !strings.Contains(r.errOut, "the encryption key is not in the backup") {
		t.Errorf("without the key: code %d, %s", r.code, r.errOut)
	}
	sqlite(t, w, "copy.db", `SELECT 1`)
	whole, err := os.ReadFile(filepath.Join(w.dir, "copy.db"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := slices.Concat(whole[:len(whole)/2], bytes.Repeat([]byte{0xaa}, 64<<10), whole[len(whole)/2+64<<10:])
	w.file(t, "damaged.db", string(damaged))
	w.file(t, "cut.db", string(whole[:len(whole)/2]))
	w.file(t, "logged.db", string(whole))
	w.file(t, "logged.db-wal", "x")
	w.file(t, "other.db", string(whole))
	w.file(t, "other.db.key", "another key, of 32 characters too\n")
	if err := os.Mkdir(filepath.Join(w.dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(w.dir, "moved"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.file(t, "moved/orderhook.db-wal", "x")
	w.file(t, "keyed.db.key", "a key of another database, which stays\n")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"copy.db is there already", []string{"backup", "copy.db"}},
		{"keyed.db.key is there already", []string{"backup", "keyed.db", "--with-key"}},
		{"no/such/folder", []string{"backup", "no/such/folder/copy.db"}},
		{"there is no database typo.db", []string{"backup", "x.db", "--database", "typo.db"}},
		{"text.txt is not a database", []string{"backup", "x.db", "--database", "text.txt"}},
		{"empty.db is empty", []string{"backup", "x.db", "--database", "empty.db"}},
		{"is not one of orderhook's", []string{"backup", "x.db", "--database", "foreign.db"}},
		{"folder is not a file", []string{"backup", "x.db", "--database", "folder"}},
		{"does not fit the database", []string{"backup", "x.db", "--with-key", "--encryption-key", "another key, of 32 characters too"}},
		{"pg_dump", []string{"backup", "x.db", "--database", "postgres://u:secret@127.0.0.1:1/orderhook"}},
		{"there is no database typo.db", []string{"restore", "typo.db"}},
		{"text.txt is not a database", []string{"restore", "text.txt"}},
		{"empty.db is empty", []string{"restore", "empty.db"}},
		{"is not one of orderhook's", []string{"restore", "foreign.db"}},
		{"folder is not a file", []string{"restore", "folder"}},
		{"cut.db", []string{"restore", "cut.db"}},
		{"logged.db-wal is there", []string{"restore", "logged.db"}},
		{"other.db.key does not fit the database", []string{"restore", "other.db"}},
		{"is the database itself", []string{"restore", "orderhook.db"}},
		{"the key of the backup is missing", []string{"restore", "bare.db", "--database", "new.db"}},
		{"is there without", []string{"restore", "copy.db", "--database", "moved/orderhook.db"}},
		{"no/such", []string{"restore", "copy.db", "--database", "no/such/orderhook.db"}},
		{"pg_restore", []string{"restore", "copy.db", "--database", "postgres://u:secret@127.0.0.1:1/orderhook"}},
	} {
		w.refuses(t, c.want, c.args...)
	}
	for _, args := range [][]string{{"backup", "x.db", "--database", "damaged.db"}, {"restore", "damaged.db"}} {
		if r := w.run(t, args...); r.code != 2 || !strings.Contains(r.errOut, "the copy is not sound") || r.out != "" {
			t.Errorf("%v: code %d, %s%s", args, r.code, r.out, r.errOut)
		}
	}
	w.wantNone(t, "*.restor*", "*before-restore*", "*.part*", "x.db*")
	w.wantAll(t, "orderhook.db", rows)
	w.succeeds(t, "restore", "bare.db") // the key beside the database is that of the backup
	w.succeeds(t, "restore", "copy.db", "--database", "elsewhere.db")
	w.wantAll(t, "elsewhere.db", rows)
	w.serve(t, "--database", "elsewhere.db").stop(t)
}

// sqlite runs a statement on a database file, which it makes if it is not there.
func sqlite(t *testing.T, w where, name, text string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, name))
	if err == nil {
		_, err = db.Exec(text, args...)
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// stopped runs a command, and sends it a signal once it has written a line with a text on
// stderr.
func (w where) stopped(t *testing.T, sig os.Signal, at string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := w.command(ctx, args...)
	errOut, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(errOut); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), at) {
			_ = cmd.Process.Signal(sig)
		}
	}
	_ = cmd.Wait()
	return result{code: cmd.ProcessState.ExitCode(), errOut: said.String()}
}

// A command that is stopped says that it is not done, and leaves what was there. One that
// is killed leaves nothing that keeps the next one from its work.
func TestBackupAndRestoreStopped(t *testing.T) {
	t.Parallel()
	w, rows := filled(t, 20)
	w.succeeds(t, "backup", "copy.db", "--with-key")
	for _, args := range [][]string{{"backup", "new.db", "--with-key"}, {"restore", "copy.db"}} {
		for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
			r := w.stopped(t, sig, "checking", args...)
			if r.code != code || !strings.Contains(r.errOut, "stopped before it was done") {
				t.Errorf("%v: code %d, %s", args, r.code, r.errOut)
			}
			w.wantNone(t, "*.restor*", "*before-restore*", "*.part*")
			if args[0] == "backup" {
				w.wantNone(t, "new.db*")
			}
		}
		if r := w.stopped(t, syscall.SIGKILL, "copied", args...); r.code != -1 {
			t.Errorf("%v was not killed: %d %s", args, r.code, r.errOut)
		}
		w.wantAll(t, "orderhook.db", rows)
		w.succeeds(t, args...)
	}
	w.wantAll(t, "new.db", rows)
	w.wantAll(t, "orderhook.db", rows)
}

// Where there is no space for a copy, that is what is said, and nothing else has changed.
func TestBackupAndRestoreOnAFullDisk(t *testing.T) {
	t.Parallel()
	w, rows := filled(t, 10)
	w.succeeds(t, "backup", "copy.db", "--with-key")
	limited := func(args ...string) result {
		cmd := w.command(t.Context())
		cmd.Args = slices.Concat([]string{"prlimit", fmt.Sprint("--fsize=", 8<<20), binary}, args)
		return ran(t, cmd, "prlimit")
	}
	for _, args := range [][]string{{"backup", "new.db"}, {"restore", "copy.db"}} {
		if r := limited(args...); r.code != 2 || !strings.Contains(r.errOut, "is its disk full?") {
			t.Errorf("%v: code %d, %s", args, r.code, r.errOut)
		}
	}
	w.wantNone(t, "*.restor*", "*before-restore*", "new.db*")
	w.wantAll(t, "orderhook.db", rows)
	for _, namespaces := range [][]string{{"--mount"}, {"--user", "--map-root-user", "--mount"}} {
		inside := mounted(t, w, namespaces)
		if inside == nil {
			continue
		}
		cmd := inside(binary, "backup", filepath.Join(mountPoint(w), "new.db"))
		if r := ran(t, cmd, cmd.Path); r.code != 2 || !strings.Contains(r.errOut, "is its disk full?") {
			t.Errorf("on a small disk: code %d, %s", r.code, r.errOut)
		}
		return
	}
	t.Log("no small disk was tried: that takes rights to make one")
}

// ran is the result of a command that is run by another program.
func ran(t *testing.T, cmd *exec.Cmd, program string) result {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	cmd.Path, cmd.Stdout, cmd.Stderr = path, &out, &errOut
	_ = cmd.Run()
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// TestADumpUnderLoad: what docs/operating.md says of pg_dump and pg_restore gives a
// database that is sound, with all that was acknowledged before it began.
func TestADumpUnderLoad(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(program); err != nil {
			lacking(t, "%s", program)
		}
	}
	w := onPostgreSQL(t).with("ORDERHOOK_API_KEY=" + crashKey)
	s := w.serve(t)
	a := &acknowledged{events: map[string]string{}}
	published, end := a.steadyLoad(s)
	defer end()
	until(t, "a load", func() bool { return published.Load() >= 1000 })
	before := a.now()
	pg := func(args ...string) {
		t.Helper()
		cmd := w.command(t.Context())
		cmd.Args = args
		if r := ran(t, cmd, args[0]); r.code != 0 {
			t.Fatalf("%v: %s", args, r.errOut)
		}
	}
	pg("pg_dump", "--format=custom", "--file=orderhook.dump", strings.TrimPrefix(w.env[0], "ORDERHOOK_DATABASE="))
	until(t, "the load that has gone on", func() bool { return published.Load() > int64(len(before)) })
	end()
	s.stop(t)
	restored := pgtest.Empty(t)
	pg("pg_restore", "--no-owner", "--exit-on-error", "--dbname="+restored, "orderhook.dump")
	w = w.with("ORDERHOOK_DATABASE=" + restored)
	if out := w.succeeds(t, "check"); !strings.Contains(out, "nothing is wrong") {
		t.Errorf("check says %s", out)
	}
	w.succeeds(t, "export", "events", "events.jsonl")
	rows := w.read(t, "events.jsonl")
	for id, data := range before {
		if !strings.Contains(rows, fmt.Sprintf(`"id":%q,`, id)) || !strings.Contains(rows, data) {
			t.Fatalf("%s is missing", id)
		}
	}
	s = w.serve(t)
	s.expect(t, 202, "POST", "/api/events", crashKey, `{"type":"after","data":{}}`)
	s.stop(t)
}
