package sqlite

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestSecondServerIsRefused(t *testing.T) {
	path := tempPath(t)
	server := openAt(t, path, Options{Exclusive: true})
	_, err := Open(ctx, path, Options{Exclusive: true})
	if !errors.Is(err, ErrInUse) || err.Error() != fmt.Sprintf("the database %s is in use by another orderhook", path) {
		t.Errorf("a second server: %v", err)
	}
	command := openAt(t, path, Options{})
	must(t, command.Write(ctx, insert("o1")))
	must(t, server.Write(ctx, insert("o2")))
	if !has(t, server, "o1") || !has(t, command, "o2") {
		t.Error("the server and a command do not see each other's orders")
	}
	must(t, server.Close())
	openAt(t, path, Options{Exclusive: true})
}

func TestLockThroughSymbolicLink(t *testing.T) {
	path := tempPath(t)
	openAt(t, path, Options{Exclusive: true})
	link := path + ".link"
	must(t, os.Symlink(path, link))
	if _, err := Open(ctx, link, Options{Exclusive: true}); !errors.Is(err, ErrInUse) {
		t.Errorf("the same file by another name: %v", err)
	}
}

// TestAFileOfTwoNamesIsRefused: two servers could open it, each by a name, without seeing the
// lock or the log of the other.
func TestAFileOfTwoNamesIsRefused(t *testing.T) {
	path := tempPath(t)
	must(t, openAt(t, path, Options{Exclusive: true}).Close())
	second := path + ".second"
	must(t, os.Link(path, second))
	key, err := os.ReadFile(path + ".key")
	must(t, err)
	must(t, os.WriteFile(second+".key", key, 0o600))
	for _, name := range []string{path, second} {
		if _, err := Open(ctx, name, Options{Exclusive: true}); err == nil || !strings.Contains(err.Error(), name+" has 2 names (hard links)") {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.Remove(second))
	openAt(t, path, Options{Exclusive: true})
}

// TestKilled kills a server while it writes: its lock is free, and whatever
// Write had returned for is there.
func TestKilled(t *testing.T) {
	path := os.Getenv("ORDERHOOK_TEST_KILLED")
	if path != "" {
		writeUntilKilled(path)
	}
	path = tempPath(t)
	server := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	server.Env = append(os.Environ(), "ORDERHOOK_TEST_KILLED="+path)
	out, err := server.StdoutPipe()
	must(t, err)
	must(t, server.Start())
	var stored []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if stored = append(stored, strings.TrimSpace(lines.Text())); len(stored) == 200 {
			must(t, server.Process.Kill())
		}
	}
	_ = server.Wait() // it was killed
	if len(stored) < 200 {
		t.Fatalf("the server stopped by itself after %q", stored)
	}
	db := openAt(t, path, Options{Exclusive: true})
	for _, id := range stored {
		if !has(t, db, id) {
			t.Errorf("the order %s is lost", id)
		}
	}
}

// writeUntilKilled stores orders from several goroutines and prints the id of each once it is stored.
func writeUntilKilled(path string) {
	db, err := Open(ctx, path, Options{Exclusive: true})
	for writer := range 4 {
		go func() {
			for i := 0; err == nil; i++ {
				id := fmt.Sprintf("o%d-%d", writer, i)
				if err := db.Write(ctx, insert(id)); err != nil {
					panic(err)
				}
				fmt.Println(id)
			}
		}()
	}
	if err != nil {
		panic(err)
	}
	select {}
}
