package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/store/core"
)

// quickLook is how long the look at the pages of a file may take: `check` takes as long as
// it takes.
const quickLook = 10 * time.Second

// Condition looks at a database file without changing anything. It may be called beside a
// server. It is an error if the file is not there, is none of orderhook's, or is of a newer
// orderhook.
func Condition(ctx context.Context, path string) (c core.Condition, err error) {
	f, err := openFile(ctx, path, "query_only(ON)")
	if isCorrupt(err) {
		c.Damage = []string{err.Error()}
		return c, nil
	}
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c.Newest = newestSchema
	if err := f.QueryRowContext(ctx, selectSchemaVersion).Scan(&c.Schema); err != nil {
		return c, fmt.Errorf("the version of the schema of %s cannot be read: %w", path, err)
	}
	var known int
	if err := f.QueryRowContext(ctx, `SELECT count(*) FROM meta WHERE name IN (?, ?)`, core.MetaSalt, core.MetaBound).Scan(&known); err != nil {
		return c, fmt.Errorf("the database %s cannot be read: %w", path, err)
	}
	c.Opened = known == 2
	return c, f.quickCheck(ctx, &c)
}

// quickCheck looks at the pages, for a while.
func (f *file) quickCheck(ctx context.Context, c *core.Condition) error {
	look, cancel := context.WithTimeout(ctx, quickLook)
	defer cancel()
	err := f.QueryOnce(look, func(r core.Row) error {
		var text string
		err := r.Scan(&text)
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "ok" {
				c.Damage = append(c.Damage, line)
			}
		}
		return err
	}, `PRAGMA quick_check(5)`)
	switch {
	case isCorrupt(err):
		c.Damage = append(c.Damage, err.Error())
		return nil
	case look.Err() != nil && ctx.Err() == nil:
		c.Partial = true
		return nil
	}
	return err
}
