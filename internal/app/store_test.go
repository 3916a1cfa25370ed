package app

import "testing"

// TestDatabaseName: it is for logs and pages, and holds no part of a password.
func TestDatabaseName(t *testing.T) {
	for database, want := range map[string]string{
		"/var/lib/orderhook/shop 1.db":        "/var/lib/orderhook/shop 1.db",
		"":                                    "(no database)",
		"mysql://me:sesame@db/oms":            "(no database)",
		"postgres://me:sesame@db:5432/oms":    "postgres://db:5432/oms",
		"postgresql://db/oms?password=sesame": "postgres://db/oms",
		"postgres:///oms?host=/var/run/postgresql&password=se": "postgres://%2Fvar%2Frun%2Fpostgresql/oms",
		"postgres://me:se@one:5432,two:5432/oms":               "postgres://one:5432,two:5432/oms",
		// Such a password is to be escaped: what is read of these is not what was meant.
		"postgres://me:pa@ss/w@db:5432/oms":  "postgres://…",
		"postgres://me:pa?ss@db/oms?a=b@c/d": "postgres://…",
	} {
		if got := DatabaseName(database); got != want {
			t.Errorf("%s: %s, want %s", database, got, want)
		}
	}
}
