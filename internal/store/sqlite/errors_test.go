package sqlite

import (
	"context"
	"errors"
	"strings"
	"testing"

	"modernc.org/sqlite"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestAnErrorNamesItsStatement, on one line, and not what the statement was given.
func TestAnErrorNamesItsStatement(t *testing.T) {
	db := openTemp(t)
	const text = "SELECT name\n\t\tFROM nowhere WHERE name = ?"
	for what, err := range map[string]error{
		"a question":          db.engine.Query(ctx, nil, text, "hunter2"),
		"a question of once":  db.engine.QueryOnce(ctx, nil, text, "hunter2"),
		"a change":            db.engine.Commit(ctx, batch(acme, text, "hunter2")),
		"a change that reads": db.engine.Commit(ctx, &core.Batch{Tenant: acme, Checks: []core.Check{{Text: text, Args: []any{"hunter2"}}}}),
	} {
		if _, ok := errors.AsType[*sqlite.Error](err); !ok {
			t.Errorf("%s: %v is no error of SQLite's", what, err)
			continue
		}
		if said := err.Error(); !strings.Contains(said, ", at SELECT name FROM nowhere WHERE name = ?") || strings.Contains(said, "hunter2") {
			t.Errorf("%s: %s", what, said)
		}
	}
}

func TestWhoAskedNoLongerIsToldSo(t *testing.T) {
	db := openTemp(t)
	gone, leave := context.WithCancel(ctx)
	leave()
	if err := db.engine.Query(gone, nil, `SELECT 1`); !errors.Is(err, context.Canceled) || apierr.KindOf(err) != apierr.Internal {
		t.Errorf("%v", err)
	}
}

func TestALongStatementIsCut(t *testing.T) {
	if got := beginning("SELECT " + strings.Repeat("æ", longestStatement)); len(got) > longestStatement+len("…") || !strings.HasSuffix(got, "æ…") {
		t.Errorf("%q", got)
	}
}
