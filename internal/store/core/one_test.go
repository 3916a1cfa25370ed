package core_test

import (
	"context"
	"errors"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store/core"
)

// damaged is an engine that answers every question with an error, or with nothing.
type damaged struct {
	core.Engine
	err error
}

func (d damaged) Dialect() *core.Dialect { return &core.Dialect{} }

func (d damaged) Query(context.Context, func(core.Row) error, string, ...any) error { return d.err }

// TestWhatCannotBeReadIsNamed, and what is not there is another thing.
func TestWhatCannotBeReadIsNamed(t *testing.T) {
	broken, busy := errors.New("no such table: orders"), apierr.Errorf(apierr.Unavailable, "the database is busy")
	for _, row := range []struct {
		err  error
		want string
		kind apierr.Kind
	}{
		{nil, `no order "7"`, apierr.NotFound},
		{broken, `read order "7": no such table: orders`, apierr.Internal},
		{busy, `read order "7": the database is busy`, apierr.Unavailable},
	} {
		_, err := core.New(damaged{err: row.err}, core.Options{}).Order(t.Context(), "acme", "7")
		if err == nil || err.Error() != row.want || apierr.KindOf(err) != row.kind || row.err != nil && !errors.Is(err, row.err) {
			t.Errorf("%v: %v, of kind %v", row.err, err, apierr.KindOf(err))
		}
	}
}
