package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
)

// Rows of the table meta.
const (
	metaSalt  = "encryption.salt"
	metaCheck = "encryption.check"
)

// MinKeyLength is the length, in bytes, below which an encryption key that
// somebody thought up is refused: who has a copy of the database can try keys as
// fast as they like.
const MinKeyLength = 32

// unlock returns what seals and opens the database's secrets. The key is the
// given one, or else that in FILE.key. The first key that a database meets is
// the one it keeps.
func unlock(s *session, path, key string) (*secret.Sealer, error) {
	salt, err := meta(s, metaSalt)
	if errors.Is(err, sql.ErrNoRows) {
		if err := firstUnlock(s, path, key); err != nil {
			return nil, err
		}
		salt, err = meta(s, metaSalt)
	}
	if err != nil {
		return nil, err
	}
	from := "the given encryption key"
	if key == "" {
		from = path + ".key"
		if key, err = readKey(path); err != nil {
			return nil, err
		}
	}
	if key == "" {
		return nil, fmt.Errorf("%s is missing: the secrets in the database are encrypted with the key that was in it, or with one that was given", from)
	}
	return checked(s, salt, key, from)
}

// checked returns the sealer of a key if the database's check value opens with it.
func checked(s *session, salt []byte, key, from string) (*secret.Sealer, error) {
	sealer, err := secret.NewSealer(key, salt)
	if err != nil {
		return nil, err
	}
	check, err := meta(s, metaCheck)
	if err != nil {
		return nil, err
	}
	if err := sealer.Fits(string(check)); err != nil {
		return nil, fmt.Errorf("%s does not fit the database: %w", from, err)
	}
	return sealer, nil
}

// firstUnlock gives a new database a salt and a check value, and makes a key
// if none is given and none is in the file. All of it is in one transaction:
// of two processes that open a new database the second finds the first one's key.
func firstUnlock(s *session, path, key string) error {
	if err := s.control("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	_, err := meta(s, metaSalt)
	if errors.Is(err, sql.ErrNoRows) {
		err = insertCheck(s, path, key)
	}
	if err != nil {
		return errors.Join(err, s.control("ROLLBACK"))
	}
	return s.control("COMMIT")
}

func insertCheck(s *session, path, key string) (err error) {
	if key == "" {
		key, err = readKey(path)
	}
	if err == nil && key == "" {
		key = secret.NewKey()
		err = writeKey(path, key)
	}
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	sealer, err := secret.NewSealer(key, salt)
	if err != nil {
		return err
	}
	_, err = s.exec(`INSERT INTO meta (name, value) VALUES (?, ?), (?, ?)`, metaSalt, salt, metaCheck, []byte(sealer.Check()))
	return err
}

func meta(s *session, name string) (value []byte, err error) {
	err = s.conn.QueryRowContext(context.Background(), `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
	return value, err
}

// readKey returns the key in FILE.key, "" if there is no such file.
func readKey(path string) (string, error) {
	data, err := os.ReadFile(path + ".key")
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the encryption key cannot be read: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if key == "" {
		return "", fmt.Errorf("the encryption key in %s.key is empty", path)
	}
	if len(key) < MinKeyLength {
		return "", fmt.Errorf("the encryption key in %s.key is too short: it needs %d characters or more", path, MinKeyLength)
	}
	return key, nil
}

// writeKey makes FILE.key, whole and durable before anything is sealed with
// the key: a database whose key is lost has lost its secrets.
func writeKey(path, key string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".key.*") // of mode 0600
	if err != nil {
		return fmt.Errorf("the encryption key cannot be stored: %w", err)
	}
	_, err = f.WriteString(key + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path+".key")
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the encryption key cannot be stored: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// syncDir makes a new name in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
