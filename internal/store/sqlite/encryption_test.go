package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

func TestKeyIsMadeBesideTheDatabase(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{})
	putSecret(t, db, "hush")
	must(t, db.Close())
	info, err := os.Stat(path + ".key")
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %o", info.Mode().Perm())
	}
	key, err := os.ReadFile(path + ".key")
	must(t, err)
	for range 2 { // it is read, not made again
		again := openAt(t, path, Options{})
		wantSecret(t, again, "hush")
		must(t, again.Close())
	}
	wantSecret(t, openAt(t, path, Options{EncryptionKey: strings.TrimSpace(string(key))}), "hush")
	if left, _ := filepath.Glob(path + ".key.*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestGivenKeyMakesNoFile(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: "given"})
	putSecret(t, db, "hush")
	must(t, db.Close())
	if _, err := os.Stat(path + ".key"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key file: %v", err)
	}
	_, err := Open(ctx, path, Options{EncryptionKey: "another"})
	if !errors.Is(err, secret.ErrWrongKey) || strings.Contains(err.Error(), "another ") {
		t.Errorf("a wrong key: %v", err)
	}
	_, err = Open(ctx, path, Options{})
	if err == nil || !strings.Contains(err.Error(), path+".key is missing") {
		t.Errorf("no key: %v", err)
	}
	if _, err := os.Stat(path + ".key"); !errors.Is(err, os.ErrNotExist) {
		t.Error("a fresh key was made for secrets that it cannot open")
	}
	wantSecret(t, openAt(t, path, Options{EncryptionKey: "given"}), "hush")
}

func TestKeyFileThatIsNoKey(t *testing.T) {
	path := tempPath(t)
	must(t, Migrate(ctx, path)) // beside a key, a database that is not there is one that is gone
	must(t, os.WriteFile(path+".key", []byte(" \n"), 0o600))
	if _, err := Open(ctx, path, Options{}); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty file: %v", err)
	}
	must(t, os.Remove(path+".key"))
	must(t, os.Mkdir(path+".key", 0o700))
	if _, err := Open(ctx, path, Options{}); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a file that cannot be read: %v", err)
	}
	must(t, os.Remove(path+".key"))
	must(t, os.WriteFile(path+".key", []byte(strings.Repeat("m", MinKeyLength-1)+"\n"), 0o600))
	if _, err := Open(ctx, path, Options{}); err == nil || !strings.Contains(err.Error(), path+".key is too short") {
		t.Errorf("a short key: %v", err)
	}
	must(t, os.WriteFile(path+".key", []byte(strings.Repeat("m", MinKeyLength)+"\n"), 0o600))
	db := openAt(t, path, Options{})
	must(t, db.Close())
	must(t, os.WriteFile(path+".key", []byte(strings.Repeat("y", MinKeyLength)+"\n"), 0o600))
	_, err := Open(ctx, path, Options{})
	if !errors.Is(err, secret.ErrWrongKey) || !strings.Contains(err.Error(), path+".key") {
		t.Errorf("another's file: %v", err)
	}
}

// TestTwoOpenANewDatabase has both end with one schema and one key.
func TestTwoOpenANewDatabase(t *testing.T) {
	path := tempPath(t)
	opened := make(chan *DB)
	for range 2 {
		go func() {
			db, err := Open(ctx, path, Options{})
			if err != nil {
				t.Error(err)
			}
			opened <- db
		}()
	}
	first, second := <-opened, <-opened
	if first == nil || second == nil {
		t.FailNow()
	}
	putSecret(t, first, "hush")
	wantSecret(t, second, "hush")
	must(t, errors.Join(first.Close(), second.Close()))
}

// TestSecretsAreNotInTheFiles looks for them in every byte that SQLite wrote.
func TestSecretsAreNotInTheFiles(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: "the master key"})
	putSecret(t, db, "hush-hush")
	wantSecret(t, db, "hush-hush")
	for _, name := range []string{path, path + "-wal"} {
		data, err := os.ReadFile(name)
		must(t, err)
		for _, secret := range []string{"hush-hush", "the master key"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%q is in %s", secret, name)
			}
		}
	}
}

func putSecret(t *testing.T, db *DB, secret string) {
	t.Helper()
	doc, err := schema.Parse([]byte(`{"connectors":[{"name":"erp","host":"https://example.com","password":"` + secret +
		`","customHeaders":[{"key":"X-Api-Key","value":"` + secret + `"}]}]}`))
	must(t, err)
	s, _, err := settings.Parse(doc)
	must(t, err)
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutSettings(ctx, acme, s, 0, "me", time.Unix(1, 0)) }))
}

func wantSecret(t *testing.T, db *DB, text string) {
	t.Helper()
	s, err := db.Settings(ctx, acme)
	must(t, err)
	for _, v := range []secret.Value{s.Connectors[0].Password, s.Connectors[0].CustomHeaders[0].Value} {
		if !db.SecretIs(ctx, acme, v, text) {
			t.Errorf("%#v does not open as %q", v, text)
		}
	}
}

// TestAnEndpointThatWasCopiedIsOff: its document opens under its own number alone,
// and the others are not held up.
func TestAnEndpointThatWasCopiedIsOff(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{})
	must(t, db.Write(ctx, func(tx store.Tx) error {
		return tx.PutEndpoint(ctx, acme, &event.Endpoint{ID: "ep_0", Origin: event.OriginAPI, URL: "http://h/?token=hush", Enabled: true})
	}))
	must(t, db.Close())
	runSQL(t, path, `INSERT INTO endpoints (tenant, no, id, origin, doc) SELECT tenant, 2, 'ep_copy', origin, doc FROM endpoints`)
	db = openAt(t, path, Options{})
	list, err := db.Endpoints(ctx, acme, store.EndpointFilter{}, store.Page{})
	must(t, err)
	if len(list.Items) != 2 {
		t.Fatalf("%d endpoints", len(list.Items))
	}
	if e := list.Items[0]; e.ID != "ep_copy" || e.Enabled || e.URL != "" || !strings.Contains(e.Disabled, "cannot be opened") {
		t.Errorf("the copy: %+v", e)
	}
	if e := list.Items[1]; e.ID != "ep_0" || !e.Enabled || e.URL != "http://h/?token=hush" {
		t.Errorf("the one it is of: %+v", e)
	}
}

// TestEndpointSecretsAreNotInTheFiles looks for them in every byte that SQLite wrote.
func TestEndpointSecretsAreNotInTheFiles(t *testing.T) {
	db := openTemp(t)
	texts := []string{"whsec_hush", "header-hush", "password-hush", "key-hush", "whsk_hush"}
	must(t, db.Write(ctx, func(tx store.Tx) error {
		return tx.PutEndpoint(ctx, acme, &event.Endpoint{ID: "ep_0", Origin: event.OriginAPI, URL: "https://user:" + texts[2] + "@example.com/",
			Secrets: []event.Secret{{Value: secret.New(texts[0])}}, Headers: []event.Header{{Name: "X-Api-Key", Value: secret.New(texts[1])}},
			TLS: &event.EndpointTLS{Key: secret.New(texts[3])}, SigningKey: secret.New(texts[4])})
	}))
	e, err := db.Endpoint(ctx, acme, "ep_0")
	must(t, err)
	for i, v := range map[int]secret.Value{0: e.Secrets[0].Value, 1: e.Headers[0].Value, 3: e.TLS.Key, 4: e.SigningKey} {
		if !db.SecretIs(ctx, acme, v, texts[i]) {
			t.Errorf("%s does not open", v.Place())
		}
	}
	var files []byte
	for _, name := range []string{db.engine.path, db.engine.path + "-wal"} {
		data, err := os.ReadFile(name)
		must(t, err)
		files = append(files, data...)
	}
	if !bytes.Contains(files, []byte("ep_0")) {
		t.Fatal("nothing at all is found")
	}
	for _, text := range texts {
		if bytes.Contains(files, []byte(text)) {
			t.Errorf("%q is in the files", text)
		}
	}
}
