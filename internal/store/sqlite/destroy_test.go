package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

func hurried(context.Context) error { return nil }

// putTokens stores settings with a connector for each number, with a token of its own.
func putTokens(t *testing.T, db *DB, base int64, numbers []int) {
	t.Helper()
	var all []string
	for _, n := range numbers {
		all = append(all, fmt.Sprintf(`{"name":"c%d","host":"https://h","bearerToken":"token %d of %d"}`, n, n, base))
	}
	doc, err := schema.Parse([]byte(`{"connectors":[` + strings.Join(all, ",") + `]}`))
	must(t, err)
	s, _, err := settings.Parse(doc)
	must(t, err)
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutSettings(ctx, acme, s, base, "", time.Unix(1, 0)) }))
}

// TestDestroyedSecretsLeaveNoBytes looks for each secret that was ever stored in every
// byte of the file, after changes that split, fill and merge its pages.
func TestDestroyedSecretsLeaveNoBytes(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	random := rand.New(rand.NewPCG(1, 2))
	sealed := map[string]bool{}
	for version := range int64(30) {
		var numbers []int
		for n := range 300 {
			if random.IntN(3) > 0 {
				numbers = append(numbers, n)
			}
		}
		putTokens(t, db, version, numbers)
		for _, text := range rowsOf(t, db, `SELECT sealed FROM secrets`) {
			sealed[text] = true
		}
		must(t, db.DestroySecrets(ctx, hurried))
	}
	left := rowsOf(t, db, `SELECT sealed FROM secrets`)
	for _, text := range left {
		delete(sealed, text)
	}
	must(t, db.Close())
	if len(sealed) < 3000 || len(left) < 200 {
		t.Fatalf("%d secrets were destroyed and %d are left", len(sealed), len(left))
	}
	whole, err := os.ReadFile(path)
	must(t, err)
	found := 0
	for text := range sealed {
		for _, piece := range []string{text[:34], text[len(text)/2-12 : len(text)/2+12], text[len(text)-24:]} {
			if bytes.Contains(whole, []byte(piece)) {
				found++
			}
		}
	}
	if found > 0 {
		t.Errorf("pieces of %d of %d destroyed secrets are in the file", found, len(sealed))
	}
	if !bytes.Contains(whole, []byte(left[0])) {
		t.Error("those that are left are not found, either")
	}
}
