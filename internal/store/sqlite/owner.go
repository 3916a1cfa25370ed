package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// owner is whose a file is.
type owner struct{ uid, gid int }

// ownerOf returns whose the files of a database are to be: those of its file, or, where there
// is none yet, of its folder. The server of a package runs as a user of its own. What root
// makes for it, as a restore does, has to be that user's: it could not be opened otherwise.
func ownerOf(path string) (owner, error) {
	// While a restore is under way, the new file has this name.
	for _, name := range []string{path, path + restoring, filepath.Dir(path)} {
		info, err := os.Stat(name)
		if err == nil {
			return ownerIn(info), nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return owner{}, fmt.Errorf("whose the database is cannot be seen: %w", err)
		}
	}
	return self(), nil // without a folder nothing is made
}

// ownerIn returns whose a file is.
func ownerIn(info os.FileInfo) owner {
	s := info.Sys().(*syscall.Stat_t)
	return owner{int(s.Uid), int(s.Gid)}
}

// self is whoever this process runs as: what it makes is theirs already.
func self() owner { return owner{os.Geteuid(), os.Getegid()} }

// give gives an open file, or folder, to the owner, if this process is root's. Nobody else
// can give a file away, nor has to: what they make beside a database is theirs.
//
// The folder may be the owner's, who could have put a link to a file of root's into the place
// of this one meanwhile. So only that is given which has the name itself, and no other.
func (o owner) give(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	opened, err := f.Stat()
	if err != nil || ownerIn(opened) == o {
		return err
	}
	named, err := os.Lstat(f.Name())
	if err != nil {
		return err
	}
	links := uint64(opened.Sys().(*syscall.Stat_t).Nlink)
	if !os.SameFile(opened, named) || !opened.IsDir() && links != 1 {
		return fmt.Errorf("%s has been replaced by a link", f.Name())
	}
	return f.Chown(o.uid, o.gid)
}

// giveNamed is give for what is not open.
func (o owner) giveNamed(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(o.give(f), f.Close())
}
