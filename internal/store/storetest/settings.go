package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// someSettings returns settings with a secret and a name to know them by.
func someSettings(name string) *settings.Settings {
	s, _, err := settings.Parse(object(fmt.Sprintf(
		`{"connectors":[{"name":%q,"host":"https://example.com","bearerToken":"secret of %s"}],"custom":{"price":0.10}}`, name, name)))
	if err != nil {
		panic(err)
	}
	return s
}

// nameOf returns the name that someSettings got, and checks that there is a
// reference in the place of its secret.
func nameOf(t *testing.T, s *settings.Settings) string {
	t.Helper()
	if len(s.Connectors) == 0 {
		return ""
	}
	c := s.Connectors[0]
	if v := c.BearerToken; v.ID() == "" || v.Place() != "settings/connectors/name/"+c.Name+"/bearerToken" {
		t.Errorf("the secret of %s came back as %q of %q", c.Name, v.ID(), v.Place())
	}
	return c.Name
}

func testSettings(t *testing.T, s *suite) {
	wantSettings(t, s, 0, "", s.Settings)
	for i := range 3 {
		one := someSettings(fmt.Sprintf("v%d", i+1))
		s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, one, int64(i), "key-1", at(i)) })
		if one.Version != int64(i+1) {
			t.Errorf("version %d, want %d", one.Version, i+1)
		}
		wantSettings(t, s, int64(i+1), one.Connectors[0].Name, s.Settings)
	}
	for i, name := range []string{"", "v1", "v2", "v3"} {
		got := ok[*settings.Settings](t)(s.SettingsVersion(ctx, acme, int64(i)))
		if got.Version != int64(i) || nameOf(t, got) != name {
			t.Errorf("version %d: %d, %q", i, got.Version, nameOf(t, got))
		}
	}
	_, err := s.SettingsVersion(ctx, acme, 4)
	is(t, err, oms.NotFound)
	for _, base := range []int64{0, 2, 4} {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("x"), base, "", at(9)) }), oms.Stale)
	}
	history := pages(t, 2, func(p store.Page) (store.List[store.SettingsInfo], error) { return s.SettingsHistory(ctx, acme, p) })
	same(t, history, []store.SettingsInfo{{Version: 3, Created: at(2), By: "key-1"}, {Version: 2, Created: at(1), By: "key-1"}, {Version: 1, Created: at(0), By: "key-1"}})
}

func wantSettings(t *testing.T, s *suite, version int64, name string, current settingsReader) {
	t.Helper()
	got, err := current(ctx, acme)
	if err != nil {
		t.Error(err) // and goes on: this may be an engine's goroutine
		return
	}
	if got.Version != version || nameOf(t, got) != name {
		t.Errorf("version %d of %q, want %d of %q", got.Version, nameOf(t, got), version, name)
	}
}

// testSettingsInTransactions has a version that was undone leave no trace in
// whatever the engine keeps in memory.
func testSettingsInTransactions(t *testing.T, s *suite) {
	undo := errors.New("undo")
	err := s.Write(ctx, func(tx store.Tx) error {
		if err := tx.PutSettings(ctx, acme, someSettings("undone"), 0, "", at(1)); err != nil {
			return err
		}
		wantSettings(t, s, 0, "", s.Settings)
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	wantSettings(t, s, 0, "", s.Settings)
	s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("kept"), 0, "", at(1)) })
	wantSettings(t, s, 1, "kept", s.Settings)
	s.write(func(tx store.Tx) error { wantSettings(t, s, 1, "kept", tx.Settings); return nil })
	for i := range 70 { // more than an engine may keep
		s.write(func(tx store.Tx) error {
			return tx.PutSettings(ctx, fmt.Sprint("tenant", i), someSettings("theirs"), 0, "", at(1))
		})
		ok[*settings.Settings](t)(s.Settings(ctx, fmt.Sprint("tenant", i)))
	}
	wantSettings(t, s, 1, "kept", s.Settings)
}

// testSettingsFromFile marks versions as those of a file, which is known of the
// newest one.
func testSettingsFromFile(t *testing.T, s *suite) {
	for i, fromFile := range []int64{0, 2, 2, 4} {
		s.write(func(tx store.Tx) error {
			if err := tx.PutSettings(ctx, acme, someSettings("x"), int64(i), "", at(i)); err != nil {
				return err
			}
			if i%2 == 1 {
				if err := tx.MarkSettingsFromFile(ctx, acme, int64(i+1)); err != nil {
					return err
				}
			}
			return nil
		})
		same(t, ok[int64](t)(s.SettingsFromFile(ctx, acme)), fromFile)
	}
	s.write(func(tx store.Tx) error { return tx.MarkSettingsFromFile(ctx, acme, 3) }) // an older one
	same(t, ok[int64](t)(s.SettingsFromFile(ctx, acme)), 4)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.MarkSettingsFromFile(ctx, acme, 5) }), oms.NotFound)
}
