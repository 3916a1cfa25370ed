package core

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/oms"
)

// one reads the first row of a query, sql.ErrNoRows if there is none.
func one(ctx context.Context, q Engine, into []any, text string, args ...any) error {
	found := false
	err := q.Query(ctx, func(r Row) error {
		found = true
		if err := r.Scan(into...); err != nil {
			return err
		}
		return errEnough
	}, text, args...)
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// orNotFound says what was not there when a query found no row.
func orNotFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return oms.Errorf(oms.NotFound, format, args...)
	}
	return err
}
