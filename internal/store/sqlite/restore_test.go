package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// backedUp makes a database with the order "old", a backup of it, and then adds the order
// "new", which is in the log alone: the server has died.
func backedUp(t *testing.T) (path, copied string) {
	t.Helper()
	path = tempPath(t)
	db := openAt(t, path, Options{})
	must(t, db.Write(ctx, insert("old")))
	copied = path + ".copy"
	must(t, Backup(ctx, path, copied, BackupOptions{WithKey: true}))
	must(t, db.Write(ctx, insert("new")))
	died := filepath.Join(t.TempDir(), "died")
	must(t, os.Mkdir(died, 0o700))
	for _, ending := range []string{"", "-wal", "-shm", ".key"} { // as SIGKILL leaves them
		data, err := os.ReadFile(path + ending)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(died, "shop.db")+ending, data, 0o600))
	}
	must(t, db.Close())
	return filepath.Join(died, "shop.db"), copied
}

// TestRestoreDiesBeforeEachStep: what is there then is the database of before, or one that
// is refused; a further restore finishes it, and nothing of before is lost.
func TestRestoreDiesBeforeEachStep(t *testing.T) {
	died := errors.New("the process has died")
	for last := 0; ; last++ {
		path, copied := backedUp(t)
		steps, finished := 0, true
		_, err := Restore(ctx, copied, path, RestoreOptions{step: func(string) error {
			if steps++; steps > last {
				finished = false
				return died
			}
			return nil
		}})
		if finished {
			must(t, err)
			if last < 8 {
				t.Errorf("a restore has %d steps", last)
			}
			return
		}
		if !errors.Is(err, died) {
			t.Fatal(err)
		}
		db, err := Open(ctx, path, Options{})
		switch {
		case err != nil && !strings.Contains(err.Error(), "restore of "+path+" was interrupted"):
			t.Fatalf("after %d steps: %v", last, err)
		case err == nil:
			if last > 1 || !has(t, db, "old") || !has(t, db, "new") {
				t.Errorf("after %d steps a database opens that is not that of before", last)
			}
			must(t, db.Close())
		}
		aside, err := Restore(ctx, copied, path, RestoreOptions{Clock: func() time.Time { return time.Now().Add(time.Minute) }})
		must(t, err)
		restored := openAt(t, path, Options{})
		if !has(t, restored, "old") || has(t, restored, "new") {
			t.Errorf("after %d steps, and again: the backup is not what is there", last)
		}
		before := openAt(t, filepath.Join(aside, "shop.db"), Options{})
		if !has(t, before, "old") || !has(t, before, "new") {
			t.Errorf("after %d steps, and again: the database of before is not in %s", last, aside)
		}
	}
}

// TestRestoreBesideALogOfTheBackup: a log with something in it belongs to a database that is
// in use. An empty one is what a restore that was killed has left.
func TestRestoreBesideALogOfTheBackup(t *testing.T) {
	path, copied := backedUp(t)
	must(t, openAt(t, copied, Options{}).Close()) // as doctor opens a copy: it has a log from then on
	must(t, os.WriteFile(copied+"-wal", []byte("a write"), 0o600))
	if _, err := Restore(ctx, copied, path, RestoreOptions{}); err == nil || !strings.Contains(err.Error(), "-wal is there") {
		t.Errorf("a log: %v", err)
	}
	must(t, os.WriteFile(copied+"-wal", nil, 0o600))
	must(t, os.WriteFile(copied+"-shm", make([]byte, 32768), 0o600))
	_, err := Restore(ctx, copied, path, RestoreOptions{})
	must(t, err)
	if db := openAt(t, path, Options{}); !has(t, db, "old") || has(t, db, "new") {
		t.Error("the backup is not what is there")
	}
}

func TestRestoreFollowsALink(t *testing.T) {
	path, copied := backedUp(t)
	link := filepath.Join(t.TempDir(), "link.db")
	must(t, os.Symlink(path, link))
	aside, err := Restore(ctx, copied, link, RestoreOptions{})
	must(t, err)
	if filepath.Dir(aside) != filepath.Dir(path) {
		t.Errorf("the files of before are in %s", aside)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if db := openAt(t, link, Options{}); has(t, db, "new") {
		t.Error("nothing was restored")
	}
}

// A key that is given is not written anywhere, and is needed from then on as before.
func TestRestoreWithAGivenKey(t *testing.T) {
	const key = "the key that is given, each time"
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: key})
	putSecret(t, db, "hush")
	must(t, Backup(ctx, path, path+".copy", BackupOptions{}))
	must(t, db.Close())
	to := filepath.Join(t.TempDir(), "shop.db")
	_, err := Restore(ctx, path+".copy", to, RestoreOptions{EncryptionKey: "another key, which is long as well"})
	if err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("another key: %v", err)
	}
	_, err = Restore(ctx, path+".copy", to, RestoreOptions{EncryptionKey: key})
	must(t, err)
	if there(to + ".key") {
		t.Error("the key was written to a file")
	}
	wantSecret(t, openAt(t, to, Options{EncryptionKey: key}), "hush")
}
