package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nobody is the user of a service, in these tests.
var nobody = owner{65534, 65534}

// asRoot skips a test that gives files away. Where CI=true it fails.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("it takes root")
	}
	t.Skip("it takes root")
}

// theirs checks that all in a folder is nobody's.
func theirs(t *testing.T, what, dir string, but ...string) {
	t.Helper()
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		must(t, err)
		for _, name := range but {
			if filepath.Base(path) == name {
				return nil
			}
		}
		if got := ownerIn(info); got != nobody {
			t.Errorf("%s: %s belongs to %v", what, path, got)
		}
		return nil
	}))
}

// TestWhatRootMakesBelongsToTheService: a new database, its key and its lock, what a restore
// puts in its place and aside, and the keys of a rotation.
func TestWhatRootMakesBelongsToTheService(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	must(t, os.Chown(dir, nobody.uid, nobody.gid))
	path := filepath.Join(dir, "shop.db")
	db := openAt(t, path, Options{Exclusive: true})
	must(t, db.Write(ctx, insert("old")))
	theirs(t, "while it is open", dir)
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, Backup(ctx, path, copied, BackupOptions{WithKey: true}))
	for _, name := range []string{copied, copied + ".key"} {
		info, err := os.Stat(name)
		if must(t, err); ownerIn(info) != self() {
			t.Errorf("the backup %s has been given to %v", name, ownerIn(info))
		}
	}
	must(t, db.Close())
	aside, err := Restore(ctx, copied, path, RestoreOptions{})
	must(t, err)
	theirs(t, "over a database", dir)
	if _, err := os.Stat(filepath.Join(aside, "shop.db.key")); err != nil {
		t.Error(err)
	}
	_, _, err = Rotate(ctx, path, "", "")
	must(t, err)
	theirs(t, "behind a rotation", dir)

	empty := filepath.Join(t.TempDir(), "empty")
	must(t, os.Mkdir(empty, 0o700))
	must(t, os.Chown(empty, nobody.uid, nobody.gid))
	_, err = Restore(ctx, copied, filepath.Join(empty, "shop.db"), RestoreOptions{})
	must(t, err)
	theirs(t, "where nothing was", empty)
}

// TestARestoreThatWasInterruptedGoesOnForTheService, whose database has been moved away by then,
// in a folder of root's.
func TestARestoreThatWasInterruptedGoesOnForTheService(t *testing.T) {
	asRoot(t)
	path, copied := backedUp(t)
	for _, ending := range []string{"", "-wal", "-shm", ".key"} {
		must(t, os.Chown(path+ending, nobody.uid, nobody.gid))
	}
	_, err := Restore(ctx, copied, path, RestoreOptions{step: func(what string) error {
		if strings.HasPrefix(what, "put the new key") {
			return os.ErrDeadlineExceeded
		}
		return nil
	}})
	if err == nil {
		t.Fatal("it was not interrupted")
	}
	_, err = Restore(ctx, copied, path, RestoreOptions{Clock: func() time.Time { return time.Now().Add(time.Minute) }})
	must(t, err)
	theirs(t, "once it was run again", filepath.Dir(path), filepath.Base(filepath.Dir(path)))
}

// TestNoLinkIsGivenAway: whoever has the folder cannot have root give them a file of root's.
func TestNoLinkIsGivenAway(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	roots := filepath.Join(dir, "of-root")
	must(t, os.WriteFile(roots, nil, 0o600))
	for name, link := range map[string]func(old, new string) error{"symbolic": os.Symlink, "hard": os.Link} {
		path := filepath.Join(dir, name)
		must(t, link(roots, path))
		if err := nobody.giveNamed(path); err == nil {
			t.Errorf("a %s link was given", name)
		}
		must(t, os.Remove(path))
	}
	info, err := os.Stat(roots)
	if must(t, err); ownerIn(info) != self() {
		t.Errorf("it belongs to %v", ownerIn(info))
	}
	must(t, nobody.giveNamed(roots))
}
