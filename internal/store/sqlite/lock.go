package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse is in the error of [Open] if another process has the file exclusively.
var ErrInUse = errors.New("is in use by another orderhook")

// hasOneName returns an error if a database file has a second name, as a hard link gives it
// one. The lock and the log are beside a name: a server that opened the file by the other
// one would not see them, and the two would destroy what the other writes.
func hasOneName(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("the names of the database cannot be counted: %w", err)
	}
	if names := info.Sys().(*syscall.Stat_t).Nlink; names > 1 {
		return fmt.Errorf("the database %s has %d names (hard links): remove all but one, or copy it with orderhook backup", path, names)
	}
	return nil
}

// lockFile locks the database at path for this process, without waiting. The lock is on a
// file beside it, FILE.lock, because SQLite itself must not be locked: commands may use
// the database beside the server. The kernel frees the lock when the process ends, in
// whatever way. The file itself stays: if it were removed, two processes could lock two
// different files.
func lockFile(path string) (*os.File, error) {
	belongs, err := ownerOf(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the database cannot be locked: %w", err)
	}
	// It stays, so whoever has the database next has to be able to open it.
	if err := belongs.give(f); err != nil {
		return nil, errors.Join(fmt.Errorf("the database cannot be locked: %w", err), f.Close())
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("the database %s %w", path, ErrInUse)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
