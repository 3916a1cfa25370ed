package e2e

import (
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dataCommand is a command that works on a database.
type dataCommand struct {
	args   []string
	makes  bool   // it makes a database where none is, or where the file is empty
	writes bool   // into the database that is there
	damage string // SQL that leaves it something to do when it is to be stopped, or has no disk left
	beside string // what it says beside a server; "" is that it succeeds
}

// dataCommands are all of them: which of their tests each command is in, commandTable says.
var dataCommands = []dataCommand{
	{args: []string{"simulate"}}, // before others import what did not happen here
	{args: []string{"backup", "out.db"}},
	{args: []string{"restore", "sound.bak"}, makes: true, beside: "is in use by another orderhook"},
	{args: []string{"check"}},
	{args: []string{"check", "--repair"}, writes: true, damage: `INSERT INTO body_chunks (key, chunk) VALUES (4096, x'00')`},
	{args: []string{"doctor"}},
	{args: []string{"export", "orders", "out.jsonl"}},
	{args: []string{"export", "history", "history.jsonl"}},
	{args: []string{"export", "attempts", "attempts.jsonl"}},
	{args: []string{"export", "events", "events.jsonl"}},
	{args: []string{"import", "orders", "in.jsonl"}, makes: true, writes: true},
	{args: []string{"import", "history", "in-history.jsonl"}, makes: true, writes: true},
	{args: []string{"import", "events", "in-events.jsonl"}, makes: true, writes: true},
	{args: []string{"settings", "check", "settings.json"}, makes: true},
	{args: []string{"migrate"}, makes: true},
	{args: []string{"migrate", "--from", theDatabase, "--to", "copy.db"}, beside: "is in use by another orderhook"},
	{args: []string{"migrate", "--from", "other.db", "--to", theDatabase}, makes: true, beside: "is in use by another orderhook"},
	{args: []string{"settings", "apply", "settings.json"}, makes: true, writes: true},
	{args: []string{"apply", "site.json"}, makes: true, writes: true},
	{args: []string{"keys", "create", "--role", "reader"}, makes: true, writes: true},
	{args: []string{"keys", "list"}},
	{args: []string{"keys", "update", "key_none", "--name", "x"}},
	{args: []string{"keys", "revoke", "key_none"}},
	{args: []string{"keys", "update", realKey, "--name", "x"}, writes: true},
	{args: []string{"keys", "revoke", realKey}, writes: true},
	{args: []string{"keys", "rotate-encryption"}, writes: true, beside: "is in use by another orderhook"},
}

// theDatabase is what a command names that takes no --database.
const theDatabase = "orderhook.db"

// of is the command with another database.
func (c dataCommand) of(file string) []string {
	args := slices.Clone(c.args)
	if i := slices.Index(args, theDatabase); i >= 0 {
		args[i] = file
		return args
	}
	return append(args, "--database", file)
}

// realKey stands in a command for the id of a reader's key that is there.
const realKey = "key_real"

// with is the command with the id of the key.
func (c dataCommand) with(key string) dataCommand {
	c.args = slices.Clone(c.args)
	if i := slices.Index(c.args, realKey); i >= 0 {
		c.args[i] = key
	}
	return c
}

// forDataCommands has a database, a backup of it, and the files that the commands name. key is
// the id of a reader's key.
func forDataCommands(t *testing.T) (w where, key string) {
	t.Helper()
	w = newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	s.expect(t, http.StatusCreated, "POST", "/api/orders", crashKey, `{"id":"ORD-1"}`)
	s.stop(t)
	w.succeeds(t, "backup", "sound.bak", "--with-key")
	w.succeeds(t, "migrate", "--from", theDatabase, "--to", "other.db")
	w.file(t, "in.jsonl", `{"id":"A","status":"New","version":3,"created":"2026-11-21T08:00:00Z","modified":"2026-11-22T08:00:00Z"}`+"\n")
	w.file(t, "in-history.jsonl", `{"orderId":"ORD-1","id":"h-1","timestamp":"2026-11-21T08:00:00Z","category":"Order","operation":"Imported"}`+"\n")
	w.file(t, "in-events.jsonl", `{"id":"e-1","webhookId":"msg_1","type":"t","timestamp":"2026-11-21T08:00:00Z","data":{"a":1}}`+"\n")
	w.file(t, "settings.json", `{"connectors":[{"name":"ERP","connectorId":"e","host":"https://erp.example","bearerToken":"s3cret"}]}`)
	w.file(t, "site.json", `{"keys":[{"name":"shop","role":"publisher","key":"a-key-of-sixteen"}]}`)
	w.succeeds(t, "keys", "create", "--role", "reader", "--name", "till")
	for line := range strings.Lines(w.succeeds(t, "keys", "list")) {
		if strings.Contains(line, " till ") {
			key = strings.Fields(line)[0]
		}
	}
	return w, key
}

// contents is what a folder holds, by the names of its files. That a lock stays, which is
// empty, is documented; -wal and -shm are there while a file is open, and may be empty then.
func (w where) contents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".lock") {
			return err
		}
		data, err := os.ReadFile(path)
		if len(data) > 0 || !strings.HasSuffix(path, "-wal") {
			all[path] = string(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDataCommandsAndWrongFiles: each command with what is no database of its own says in one
// line what is wrong with which file, ends with code 2, and leaves everything as it was.
func TestDataCommandsAndWrongFiles(t *testing.T) {
	t.Parallel()
	w, key := forDataCommands(t)
	sound := w.read(t, "sound.bak")
	for _, name := range []string{"newer.db", "unreadable.db"} {
		w.file(t, name, sound)
	}
	sqlite(t, w, "newer.db", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	w.file(t, "text.db", strings.Repeat("this is no database ", 100))
	w.file(t, "empty.db", "")
	sqlite(t, w, "foreign.db", `CREATE TABLE notes (text TEXT)`)
	if err := os.Mkdir(filepath.Join(w.dir, "folder.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(w.dir, "unreadable.db"), 0); err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{"text.db": "is not a database", "foreign.db": "is not one of orderhook's", "newer.db": "is of a newer orderhook", "folder.db": "", "empty.db": "is empty", "none.db": "there is no database"}
	if os.Getuid() != 0 { // whom nothing is unreadable to
		wrong["unreadable.db"] = ""
	}
	for _, c := range append(slices.Clone(dataCommands), dataCommand{args: []string{"serve"}, makes: true}) {
		c = c.with(key)
		for _, file := range slices.Sorted(maps.Keys(wrong)) {
			if c.makes && (file == "empty.db" || file == "none.db") || c.args[0] == "restore" {
				continue // a new database; and what is put back may take the place of any file
			}
			before := w.contents(t)
			r := w.run(t, c.of(file)...)
			line := strings.TrimSuffix(r.errOut, "\n")
			if r.code != 2 || !strings.HasPrefix(line, "orderhook: ") || strings.Contains(line, "\n") || !strings.Contains(line, file) || !strings.Contains(line, wrong[file]) {
				t.Errorf("%v of %s: code %d, %s", c.args, file, r.code, r.errOut)
			}
			w.unchanged(t, fmt.Sprint(c.args, " of ", file), before)
		}
	}
}

func (w where) unchanged(t *testing.T, what string, before map[string]string) {
	t.Helper()
	after := w.contents(t)
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if was, there := before[path]; !there {
			t.Errorf("%s has left %s", what, filepath.Base(path))
		} else if was != after[path] {
			t.Errorf("%s has changed %s", what, filepath.Base(path))
		}
	}
	for path := range before {
		if _, there := after[path]; !there {
			t.Errorf("%s has removed %s", what, filepath.Base(path))
		}
	}
}

// TestDataCommandsBesideAServer: each works, or says that the database is in use, and the
// server is as well as before.
func TestDataCommandsBesideAServer(t *testing.T) {
	t.Parallel()
	w, key := forDataCommands(t)
	s := w.serve(t)
	for _, c := range dataCommands {
		c = c.with(key)
		switch r := w.run(t, c.args...); {
		case c.beside != "":
			if r.code != 2 || !strings.Contains(r.errOut, c.beside) {
				t.Errorf("%v: code %d, %s", c.args, r.code, r.errOut)
			}
		case slices.Contains(c.args, "key_none"):
			if r.code != 2 || !strings.Contains(r.errOut, `no key "key_none"`) {
				t.Errorf("%v: code %d, %s", c.args, r.code, r.errOut)
			}
		case r.code != 0:
			t.Errorf("%v: code %d, %s%s", c.args, r.code, r.out, r.errOut)
		}
	}
	s.expect(t, http.StatusOK, "GET", "/api/orders/ORD-1", crashKey, "")
	s.expect(t, http.StatusOK, "GET", "/api/orders/A", crashKey, "")
	s.expect(t, http.StatusOK, "GET", "/api/me", "a-key-of-sixteen", "")
	s.stop(t)
	w.succeeds(t, "check")
}

// TestDataCommandsThatAreStopped: somebody has the database locked, so each that writes waits.
// Ctrl-C ends it with 130, and a line says that it is not done; nothing has changed.
func TestDataCommandsThatAreStopped(t *testing.T) {
	t.Parallel()
	w, key := forDataCommands(t)
	for _, c := range dataCommands {
		c = c.with(key)
		if !c.writes {
			continue
		}
		if c.damage != "" {
			sqlite(t, w, theDatabase, c.damage)
		}
		unlock := locked(t, w, theDatabase)
		cmd := w.command(t.Context(), c.args...)
		var said strings.Builder
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitsForLock(t, cmd.Process.Pid, filepath.Join(w.dir, theDatabase))
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
		unlock()
		if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(said.String(), "stopped before it was done") {
			t.Errorf("%v: code %d, %s", c.args, code, said.String())
		}
	}
	w.stillDamaged(t)
	if out := w.succeeds(t, "keys", "list"); strings.Count(out, "\n") != 3 {
		t.Errorf("keys were made: %s", out)
	}
	s := w.serve(t)
	s.expect(t, http.StatusNotFound, "GET", "/api/orders/A", crashKey, "")
	s.expect(t, http.StatusOK, "GET", "/api/orders/ORD-1", crashKey, "")
	s.stop(t)
}

// waitsForLock waits until a process has the file open.
func waitsForLock(t *testing.T, pid int, file string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, one := range open {
			if to, err := os.Readlink(one); err == nil && to == file {
				return
			}
		}
	}
	t.Fatal("the command does not open the database")
}

// TestDataCommandsOnAFullDisk: what cannot be written is said, with the disk as the likely
// cause, and the database is sound and as it was.
func TestDataCommandsOnAFullDisk(t *testing.T) {
	t.Parallel()
	w, key := forDataCommands(t)
	for _, c := range dataCommands {
		c = c.with(key)
		if !c.writes {
			continue
		}
		if c.damage != "" {
			sqlite(t, w, theDatabase, c.damage)
		}
		cmd := w.command(t.Context())
		cmd.Args = slices.Concat([]string{"prlimit", "--fsize=4096", binary}, c.args)
		if r := ran(t, cmd, "prlimit"); r.code == 0 || !strings.Contains(r.errOut, "disk") {
			t.Errorf("%v: code %d, %s%s", c.args, r.code, r.out, r.errOut)
		}
	}
	w.stillDamaged(t)
	if out := w.succeeds(t, "keys", "list"); strings.Count(out, "\n") != 3 {
		t.Errorf("keys were made: %s", out)
	}
	s := w.serve(t)
	s.expect(t, http.StatusNotFound, "GET", "/api/orders/A", crashKey, "")
	s.expect(t, http.StatusOK, "GET", "/api/orders/ORD-1", crashKey, "")
	s.stop(t)
}

// stillDamaged: what a repair that did not come to its end was to do, another one does.
func (w where) stillDamaged(t *testing.T) {
	t.Helper()
	if out := w.succeeds(t, "check", "--repair"); !strings.Contains(out, "repaired: 1 of 1") {
		t.Errorf("the repair that was stopped has left: %s", out)
	}
	w.succeeds(t, "check")
}

// locked takes the write lock of a database file, as another program may.
func locked(t *testing.T, w where, name string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := db.Exec(`ROLLBACK`); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
