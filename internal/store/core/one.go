package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
)

// one reads the first row of a query into variables. It is sql.ErrNoRows if there is none,
// and the variables are unchanged then.
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

// orNotFound says what was not there when a query found no row, and what could not be read
// when there is another error. The format names the thing, as order "7". So the caller of
// the API and the log both know which thing it was.
func orNotFound(err error, format string, args ...any) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return apierr.Errorf(apierr.NotFound, "no "+format, args...)
	}
	return fmt.Errorf("read "+format+": %w", append(args, err)...)
}
