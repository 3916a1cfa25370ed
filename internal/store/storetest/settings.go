package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// someSettings returns settings with a name by which a test knows them again, a secret,
// and a number that has to keep its last zero.
func someSettings(name string) *settings.Settings {
	s, _, err := settings.Parse(object(fmt.Sprintf(
		`{"connectors":[{"name":%q,"host":"https://example.com","bearerToken":"secret of %s"}],"custom":{"price":0.10}}`, name, name)))
	if err != nil {
		panic(err)
	}
	return s
}

// nameOf returns the name that someSettings got. It checks that the secret was replaced
// by a reference that says its place, so that no test can read settings with a secret in
// them.
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

// testSettings proves that each version of the settings can be read, also version 0,
// which has nothing, that the newest is the current one, and that the list of versions
// says who stored which and when. Settings are stored only on top of the current version,
// so of two people who change them at the same time, one is told.
func testSettings(t *testing.T, s *suite) {
	// A tenant that has never stored any settings has empty ones, of version 0.
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
	is(t, err, apierr.NotFound)
	// None of these is the current version, which is 3.
	for _, base := range []int64{0, 2, 4} {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("x"), base, "", at(9)) }), apierr.Stale)
	}
	history := pages(t, 2, func(p store.Page) (store.List[store.SettingsInfo], error) { return s.SettingsHistory(ctx, acme, p) })
	same(t, history, []store.SettingsInfo{{Version: 3, Created: at(2), By: "key-1"}, {Version: 2, Created: at(1), By: "key-1"}, {Version: 1, Created: at(0), By: "key-1"}})
}

// wantSettings checks the version and the name of the settings that a reader gives, which
// is the store or a transaction.
func wantSettings(t *testing.T, s *suite, version int64, name string, current settingsReader) {
	t.Helper()
	got, err := current(ctx, acme)
	if err != nil {
		t.Error(err) // and goes on: within a write the goroutine must not end
		return
	}
	if got.Version != version || nameOf(t, got) != name {
		t.Errorf("version %d of %q, want %d of %q", got.Version, nameOf(t, got), version, name)
	}
}

// testSettingsInTransactions proves that settings which a write has stored are seen by
// nobody before the commit, and never if the write is undone, although engines keep
// settings in memory. It is still so when there are more tenants than are kept there.
func testSettingsInTransactions(t *testing.T, s *suite) {
	undo := errors.New("undo")
	err := s.Write(ctx, func(tx store.Tx) error {
		if err := tx.PutSettings(ctx, acme, someSettings("undone"), 0, "", at(1)); err != nil {
			return err
		}
		// The write itself is under way: everybody still sees what was before.
		wantSettings(t, s, 0, "", s.Settings)
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	wantSettings(t, s, 0, "", s.Settings)
	s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("kept"), 0, "", at(1)) })
	wantSettings(t, s, 1, "kept", s.Settings)
	// A later write reads what this one has committed.
	s.write(func(tx store.Tx) error { wantSettings(t, s, 1, "kept", tx.Settings); return nil })
	for i := range 70 { // more than an engine may keep
		s.write(func(tx store.Tx) error {
			return tx.PutSettings(ctx, fmt.Sprint("tenant", i), someSettings("theirs"), 0, "", at(1))
		})
		ok[*settings.Settings](t)(s.Settings(ctx, fmt.Sprint("tenant", i)))
	}
	// By now the engine may have dropped acme's settings from memory, and reads them
	// again.
	wantSettings(t, s, 1, "kept", s.Settings)
}

// testSettingsFromFile proves that the newest version which came from the settings file
// is known, also when other versions followed it, and that only a version which exists
// can be marked. By it the server sees whether the file has changed since it was stored.
func testSettingsFromFile(t *testing.T, s *suite) {
	for i, fromFile := range []int64{0, 2, 2, 4} {
		s.write(func(tx store.Tx) error {
			if err := tx.PutSettings(ctx, acme, someSettings("x"), int64(i), "", at(i)); err != nil {
				return err
			}
			// Versions 2 and 4 come from the file.
			if i%2 == 1 {
				if err := tx.MarkSettingsFromFile(ctx, acme, int64(i+1)); err != nil {
					return err
				}
			}
			return nil
		})
		same(t, ok[int64](t)(s.SettingsFromFile(ctx, acme)), fromFile)
	}
	// What counts is the newest version that is marked, and not the last one that was
	// marked.
	s.write(func(tx store.Tx) error { return tx.MarkSettingsFromFile(ctx, acme, 3) }) // an older one
	same(t, ok[int64](t)(s.SettingsFromFile(ctx, acme)), 4)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.MarkSettingsFromFile(ctx, acme, 5) }), apierr.NotFound)
}

// testSettingsAssumed proves that no write is decided by settings that another process has
// replaced: not one that changes something, not one that fails because of them, and not one
// that changes nothing, of which no check is ever made.
func testSettingsAssumed(t *testing.T, s *suite) {
	for i, test := range []struct {
		name string
		do   func(tx store.Tx, id, settings string) error
	}{
		{"a write", func(tx store.Tx, id, settings string) error {
			return tx.InsertOrder(ctx, acme, newOrder(id+" "+settings, 1, `{}`))
		}},
		{"a write that fails", func(tx store.Tx, id, settings string) error {
			if settings == "old" {
				return apierr.Errorf(apierr.Invalid, "the settings have no such status")
			}
			return tx.InsertOrder(ctx, acme, newOrder(id+" "+settings, 1, `{}`))
		}},
		{"nothing is written", func(store.Tx, string, string) error { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			version := int64(2 * i)
			var seen []string
			write := func(id string) {
				t.Helper()
				seen = nil
				s.write(func(tx store.Tx) error {
					name := nameOf(t, ok[*settings.Settings](t)(tx.Settings(ctx, acme)))
					if again := nameOf(t, ok[*settings.Settings](t)(tx.Settings(ctx, acme))); again != name {
						t.Errorf("one write reads %s and then %s", name, again)
					}
					seen = append(seen, name)
					return test.do(tx, id, name)
				})
			}
			s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("old"), version, "", at(1)) })
			ok[*settings.Settings](t)(s.Settings(ctx, acme)) // from now on they are known
			must(t, s.beside(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("new"), version+1, "", at(1)) }))
			write(fmt.Sprint(i, "a"))
			same(t, seen, []string{"old", "new"})
			write(fmt.Sprint(i, "b"))
			same(t, seen, []string{"new"})
		})
	}
}
