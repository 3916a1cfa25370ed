package core

import (
	"strings"
	"testing"
)

func TestATextInADialect(t *testing.T) {
	pieces := map[string]string{"twice": "a = %1 AND left(a) = left(?=)", "texts": "IN (LIST %1)", "named": "(%1 = %2 OR fold(%1) = %3)"}
	for _, c := range []struct{ text, plain, planned string }{
		{"SELECT 1", "SELECT 1", "SELECT 1"},
		{"a = ? AND b = ?", "a = ? AND b = ?", "a = $1 AND b = $2"},
		{"a = ?2 AND b = ? AND c = ?1", "a = ?2 AND b = ? AND c = ?1", "a = $2 AND b = $3 AND c = $1"}, // as SQLite counts
		{"a = ?12", "a = ?12", "a = $12"},
		{"FROM runs INDEXED BY runs_order WHERE a = ?", "FROM runs INDEXED BY runs_order WHERE a = ?", "FROM runs WHERE a = $1"},
		{"FROM a INDEXED BY a_id", "FROM a INDEXED BY a_id", "FROM a"},
		{"FROM a INDEXED BY x CROSS JOIN b INDEXED BY y ON c", "FROM a INDEXED BY x CROSS JOIN b INDEXED BY y ON c", "FROM a JOIN b ON c"},
		{"id {texts ?2} AND c = ?1", "id IN (LIST ?2) AND c = ?1", "id IN (LIST $2) AND c = $1"},
		{"{named a.b ? ?} AND {texts ?}", "(a.b = ? OR fold(a.b) = ?) AND IN (LIST ?)", "(a.b = $1 OR fold(a.b) = $2) AND IN (LIST $3)"},
		{"{texts ?} AND {twice ?} AND {twice ?1} AND b = ?", "IN (LIST ?) AND a = ? AND left(a) = left(?=) AND a = ?1 AND left(a) = left(?=) AND b = ?",
			"IN (LIST $1) AND a = $2 AND left(a) = left($2) AND a = $1 AND left(a) = left($1) AND b = $3"},
	} {
		plain, planned := &Dialect{Pieces: pieces}, &Dialect{Pieces: pieces, Planned: true}
		for range 2 { // what is kept is the same
			if got := plain.Text(c.text); got != c.plain {
				t.Errorf("%s: %s, want %s", c.text, got, c.plain)
			}
			if got := planned.Text(c.text); got != c.planned {
				t.Errorf("%s: %s, want %s", c.text, got, c.planned)
			}
		}
	}
}

func TestAPieceThatNobodyKnows(t *testing.T) {
	for _, text := range []string{"{nothing ?}", "{}", "{texts"} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "no piece of SQL") {
					t.Errorf("%s: %v", text, p)
				}
			}()
			(&Dialect{}).TextOnce(text)
		}()
	}
}

// TestOneLockForTwo: who looks at a thing and changes it keeps all others out.
func TestOneLockForTwo(t *testing.T) {
	b := &Batch{}
	b.lockShared("acme", "order/1")
	b.lockShared("acme", "order/2")
	b.lock("acme", "order/1")
	b.lockShared("acme", "order/1")
	b.lockShared("other", "order/1")
	if len(b.Locks) != 3 || b.Locks[0] != (Lock{"acme", "order/1", false}) || !b.Locks[1].Shared || !b.Locks[2].Shared {
		t.Errorf("locks: %v", b.Locks)
	}
}
