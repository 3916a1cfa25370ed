package sqlite

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// withSecrets makes a database with secrets of settings and of an endpoint.
func withSecrets(t *testing.T, o Options) (path string) {
	t.Helper()
	path = tempPath(t)
	db := openAt(t, path, o)
	putSecret(t, db, "hush")
	must(t, db.Write(ctx, func(tx store.Tx) error {
		return tx.PutEndpoint(ctx, acme, &event.Endpoint{ID: "ep_0", Origin: event.OriginAPI, URL: "http://h/?token=hush", Enabled: true})
	}))
	must(t, db.Close())
	return path
}

// wantUnlocked opens a database, and wants all of its secrets.
func wantUnlocked(t *testing.T, path string, o Options) {
	t.Helper()
	db := openAt(t, path, o)
	wantSecret(t, db, "hush")
	if e, err := db.Endpoint(ctx, acme, "ep_0"); err != nil || !e.Enabled || e.URL != "http://h/?token=hush" {
		t.Errorf("the endpoint is %+v, %v", e, err)
	}
	must(t, db.Close())
}

func TestRotatedKey(t *testing.T) {
	path := withSecrets(t, Options{})
	before, err := readKey(path + ".key")
	must(t, err)
	done, old, err := Rotate(ctx, path, "", "")
	must(t, err)
	if done.Secrets != 2 || done.Endpoints != 1 || len(done.Unopened) > 0 {
		t.Errorf("%+v", done)
	}
	after, err := readKey(path + ".key")
	must(t, err)
	if stored, err := readKey(old); err != nil || stored != before || after == before || there(path+".key"+nextKey) {
		t.Errorf("the old key is not in %s, %v, or the key is the same: %v", old, err, after == before)
	}
	wantUnlocked(t, path, Options{})
	if _, err := Open(ctx, path, Options{EncryptionKey: before}); !errors.Is(err, secret.ErrWrongKey) {
		t.Errorf("the old key: %v", err)
	}
}

func TestRotatedGivenKey(t *testing.T) {
	path := withSecrets(t, Options{EncryptionKey: "one"})
	_, old, err := Rotate(ctx, path, "one", "two")
	must(t, err)
	if old != "" || there(path+".key") {
		t.Error("a key was written to a file")
	}
	wantUnlocked(t, path, Options{EncryptionKey: "two"})
}

// TestARotationThatDies: at each moment one of the keys that are in files opens all.
func TestARotationThatDies(t *testing.T) {
	t.Run("before its commit", func(t *testing.T) {
		path := withSecrets(t, Options{})
		_, err := storeNext(path, "")
		must(t, err)
		wantUnlocked(t, path, Options{})
		_, _, err = Rotate(ctx, path, "", "")
		must(t, err)
		wantUnlocked(t, path, Options{})
	})
	t.Run("after its commit", func(t *testing.T) {
		path := withSecrets(t, Options{})
		_, old, err := Rotate(ctx, path, "", "")
		must(t, err)
		must(t, os.Rename(path+".key", path+".key"+nextKey)) // as it was right after the commit
		must(t, os.Rename(old, path+".key"))
		wantUnlocked(t, path, Options{})
		if there(path + ".key" + nextKey) {
			t.Error("the new key has not taken its place")
		}
		wantUnlocked(t, path, Options{})
		_, _, err = Rotate(ctx, path, "", "")
		must(t, err)
		wantUnlocked(t, path, Options{})
	})
}

// TestASecretThatDoesNotOpen keeps nobody from another key, and is not touched.
func TestASecretThatDoesNotOpen(t *testing.T) {
	path := withSecrets(t, Options{})
	runSQL(t, path, `UPDATE secrets SET tenant = 'other' WHERE id = (SELECT min(id) FROM secrets)`)
	runSQL(t, path, `INSERT INTO endpoints (tenant, no, id, origin, doc) SELECT tenant, 2, 'ep_copy', origin, doc FROM endpoints`)
	done, _, err := Rotate(ctx, path, "", "")
	must(t, err)
	if done.Secrets != 1 || done.Endpoints != 1 || len(done.Unopened) != 2 || !strings.Contains(done.Unopened[1], "ep_copy") {
		t.Errorf("%+v", done)
	}
}

func TestTheSameKeyIsNoNewOne(t *testing.T) {
	path := withSecrets(t, Options{})
	key, err := readKey(path + ".key")
	must(t, err)
	if _, _, err := Rotate(ctx, path, "", key); err == nil || !strings.Contains(err.Error(), "is the one that the database has") {
		t.Errorf("%v", err)
	}
	wantUnlocked(t, path, Options{})
}
