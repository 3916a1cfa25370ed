package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orderhook/orderhook/internal/apierr"
)

// TestAStatementThatAPoolerDoesNotHave says what the URL lacks.
func TestAStatementThatAPoolerDoesNotHave(t *testing.T) {
	for _, code := range []string{noStatement, statementExists} {
		err := failure(&pgconn.PgError{Code: code})
		if apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), "default_query_exec_mode=cache_describe") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestTheURLSaysThatThereIsAPooler(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://a@127.0.0.1/b":                                        false,
		"postgres://a@127.0.0.1/b?default_query_exec_mode=cache_describe": true,
		"postgres://a@127.0.0.1/b?default_query_exec_mode=exec":           true,
	} {
		c, err := parse(url)
		if err != nil || c.pooled() != want {
			t.Errorf("%s: %t, %v", url, c.pooled(), err)
		}
	}
}
