package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// nextKey is the ending of the file with the new key while the encryption key is rotated.
const nextKey = ".next"

// Rotate seals the secrets of a database with another encryption key. Nobody may have it
// open ([ErrInUse]). If key is empty, the key is that in FILE.key, and the new one takes
// its place there; newKey may be empty then, for one that is made. It returns the file that
// the old key is in then, "" if the key was given.
//
// The new key is on the disk beside the old one before the one commit that takes it into
// use. If the process dies after that commit, and before the file has its name, no harm is
// done: whoever opens the database next finds that the new key fits (keyFromFile).
func Rotate(ctx context.Context, path, key, newKey string) (done core.Resealed, oldKey string, err error) {
	if err := Made(ctx, path); err != nil {
		return done, "", err
	}
	db, err := Open(ctx, path, Options{EncryptionKey: key, Exclusive: true})
	if err != nil {
		return done, "", err
	}
	// A key that is given each time is in no file of ours: its owner puts the new one in
	// its place.
	inFile := key == ""
	if inFile {
		newKey, err = storeNext(path, newKey)
	}
	if err == nil {
		done, err = db.Reseal(ctx, newKey)
	}
	if err = errors.Join(err, db.Close()); err != nil || !inFile {
		return done, "", err
	}
	oldKey, err = takeNext(path)
	return done, oldKey, err
}

// storeNext puts the new key beside the old one, and makes it if there is none. What a
// rotation that died has left there is written over: it was never used.
func storeNext(path, key string) (string, error) {
	old, err := readKey(path + ".key")
	if err != nil {
		return "", err
	}
	if key == "" {
		key = secret.NewKey()
	}
	// Otherwise the old key would be called the new one, and nobody would notice.
	if key == old {
		return "", errors.New("the new encryption key is the one that the database has")
	}
	return key, storeKey(path, ".key"+nextKey, key)
}

// takeNext gives the new key the name of the old one. The old one stays beside it under a
// name with the time, because backups of before need it.
func takeNext(path string) (old string, err error) {
	if !there(path + ".key" + nextKey) {
		return "", nil // who has opened the database meanwhile has done it
	}
	key, err := readKey(path + ".key")
	if err == nil && key != "" {
		ending := ".key.until-" + time.Now().UTC().Format("20060102T150405.000Z")
		old, err = path+ending, storeKey(path, ending, key)
	}
	if err == nil {
		err = os.Rename(path+".key"+nextKey, path+".key")
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return "", fmt.Errorf("the database has the new key, which is in %s.key%s, and not yet in %[1]s.key: %[3]w", path, nextKey, err)
	}
	return old, nil
}

// keyFromFile returns the sealer of the key in FILE.key. If a rotation of the key was
// interrupted after its commit, that key does not fit, and the key beside it does: then it
// finishes the rotation. If neither fits, the error is that of the first.
func keyFromFile(path string, salt []byte, read func(name string) ([]byte, error)) (*secret.Sealer, error) {
	key, err := readKey(path + ".key")
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, fmt.Errorf("%s.key is missing: the secrets in the database are encrypted with the key that was in it, or with one that was given", path)
	}
	// Nearly always it fits.
	sealer, err := checked(salt, key, path+".key", read)
	if !errors.Is(err, secret.ErrWrongKey) {
		return sealer, err
	}
	next, errOfNext := readKey(path + ".key" + nextKey)
	if errOfNext != nil || next == "" {
		return nil, errors.Join(err, errOfNext)
	}
	if sealer, errOfNext = checked(salt, next, "", read); errOfNext != nil {
		return nil, err
	}
	_, err = takeNext(path)
	return sealer, err
}
