package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/store/core"
)

// Made returns an error unless the database of a URL has a schema of orderhook's. It changes
// nothing, and is for commands that have no business with an empty database.
func Made(ctx context.Context, url string) error {
	c, err := Condition(ctx, url)
	if err == nil && c.Schema == 0 {
		err = errors.New("the database is empty: no orderhook has made its tables yet")
	}
	return err
}

// Condition looks at the database of a URL without changing anything. It may be called beside
// nodes. It is an error if the database is none of orderhook's, or is of a newer orderhook.
func Condition(ctx context.Context, url string) (c core.Condition, err error) {
	config, err := parse(url)
	if err != nil {
		return c, err
	}
	conn, err := config.connect(ctx)
	if err != nil {
		return c, failure(err)
	}
	defer func() { err = errors.Join(failure(err), conn.Close(context.WithoutCancel(ctx))) }()
	known, err := schemaOf(ctx, conn)
	if err == nil {
		err = known.suits()
	}
	if err != nil {
		return c, err
	}
	c.Schema, c.Newest = known.number, newestSchema
	if c.Schema == 0 { // no server has opened it yet
		return c, nil
	}
	var marks int
	var now time.Time
	before := time.Now()
	err = conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM meta WHERE name IN ($1, $2)), clock_timestamp()`, core.MetaSalt, core.MetaBound).Scan(&marks, &now)
	c.Opened = marks == 2
	took := time.Since(before)
	c.ClockAhead = now.Sub(before.Add(took / 2)).Seconds()
	return c, err
}
