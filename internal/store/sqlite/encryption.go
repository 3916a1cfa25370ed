package sqlite

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// MinKeyLength is the shortest encryption key that is accepted, in bytes. Whoever has a
// copy of the database can try keys very fast, so a key must be long.
const MinKeyLength = 32

// unlock returns what encrypts and decrypts the secrets of the database. The key is the
// given one, or else the one in FILE.key. The first key that a database is opened with is
// its key from then on: another one is refused ([secret.ErrWrongKey]) and not used, so that
// no database ever has secrets of two keys.
func unlock(s *session, path, key string) (*secret.Sealer, error) {
	// A database without a salt is a new one: nothing is encrypted in it yet.
	salt, err := meta(s, core.MetaSalt)
	if errors.Is(err, sql.ErrNoRows) {
		if err := firstUnlock(s, path, key); err != nil {
			return nil, err
		}
		salt, err = meta(s, core.MetaSalt)
	}
	if err != nil {
		return nil, fmt.Errorf("the salt of the encryption key cannot be read: %w", err)
	}
	read := func(name string) ([]byte, error) { return meta(s, name) }
	if key == "" {
		return keyFromFile(path, salt, read)
	}
	return checked(salt, key, "the given encryption key", read)
}

// checked returns the sealer of a key, if the key opens the check value of the database.
// read returns the value of a row of meta. from says in an error where the key came from.
func checked(salt []byte, key, from string, read func(name string) ([]byte, error)) (*secret.Sealer, error) {
	sealer, err := secret.NewSealer(key, salt)
	if err != nil {
		return nil, err
	}
	check, err := read(core.MetaCheck)
	if err != nil {
		return nil, fmt.Errorf("what the encryption key is checked by cannot be read: %w", err)
	}
	// Nothing of the database is opened before: a wrong key shows here, and not at the
	// first request.
	if err := sealer.Fits(string(check)); err != nil {
		return nil, fmt.Errorf("%s does not fit the database: %w", from, err)
	}
	return sealer, nil
}

// firstUnlock gives a new database a salt and a check value. It makes a key if none was
// given and there is none in the file. All of it is in one transaction: if two processes
// open a new database, the second one finds the key of the first. The key file is written
// before the transaction is committed: so there is no database whose key is nowhere.
func firstUnlock(s *session, path, key string) error {
	// Another process that opens the same new database waits here.
	if err := s.control("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	_, err := meta(s, core.MetaSalt)
	if errors.Is(err, sql.ErrNoRows) {
		err = insertCheck(s, path, key)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the first encryption key cannot be stored: %w", err), s.control("ROLLBACK"))
	}
	return s.control("COMMIT")
}

// insertCheck finds or makes the key, and stores a new salt and the check value.
func insertCheck(s *session, path, key string) (err error) {
	if key == "" {
		key, err = readKey(path + ".key")
	}
	if err == nil && key == "" {
		key = secret.NewKey()
		err = storeKey(path, ".key", key)
	}
	if err != nil {
		return err
	}
	// The salt is not secret. It makes the same key another one for each database.
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // it never fails
	sealer, err := secret.NewSealer(key, salt)
	if err != nil {
		return err
	}
	_, err = s.exec(`INSERT INTO meta (name, value) VALUES (?, ?), (?, ?)`, core.MetaSalt, salt, core.MetaCheck, []byte(sealer.Check()))
	return err
}

// meta returns the value of a row of the table meta; sql.ErrNoRows if there is no such row.
func meta(s *session, name string) (value []byte, err error) {
	found := false
	err = s.query(func(r core.Row) error { found = true; return r.Scan(&value) }, `SELECT value FROM meta WHERE name = ?`, name)
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return value, err
}

// readKey returns the key in a file, "" if there is no such file. An empty file is an
// error: whoever made it means to have a key. No error shows the key.
func readKey(file string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the encryption key cannot be read: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if key == "" {
		return "", fmt.Errorf("the encryption key in %s is empty", file)
	}
	if len(key) < MinKeyLength {
		return "", fmt.Errorf("the encryption key in %s is too short: it needs %d characters or more", file, MinKeyLength)
	}
	return key, nil
}

// storeKey is writeKey for a key that is beside the database at path, and belongs to whoever
// that belongs to.
func storeKey(path, ending, key string) error {
	belongs, err := ownerOf(path)
	if err != nil {
		return err
	}
	return writeKey(path+ending, key, belongs)
}

// writeKey makes a file with a key, or replaces it. The file is complete and durable before
// anything is encrypted with the key: if the key of a database is lost, its secrets are
// lost. It is written beside the file and then renamed, so that no process ever reads half
// of a key.
func writeKey(file, key string, belongs owner) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // of mode 0600
	if err != nil {
		return fmt.Errorf("the encryption key cannot be stored: %w", err)
	}
	_, err = f.WriteString(key + "\n")
	// The content is on the disk before the name leads to it.
	err = errors.Join(err, belongs.give(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err == nil {
		err = syncDir(filepath.Dir(file))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the encryption key cannot be stored: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// syncDir makes the names in a folder durable: without it a crash may undo a rename.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
