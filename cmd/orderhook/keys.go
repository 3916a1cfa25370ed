package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

type keys struct {
	Create keysCreate `cmd:"" help:"Make a key and print it; it is shown this once."`
	List   keysList   `cmd:"" help:"List a tenant's keys."`
	Revoke keysRevoke `cmd:"" help:"Revoke a key, at once."`
}

type keysCreate struct {
	database
	Tenant string `default:"default" help:"Tenant of the key; made if it is new."`
	Role   role   `required:"" placeholder:"ROLE" help:"What the key may do: admin, operator, publisher or reader."`
	Name   string `help:"What the key is for."`
}

// role is a flag that takes a role's name.
type role oms.Role

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *role) UnmarshalText(text []byte) error {
	parsed, err := oms.ParseRole(string(text))
	if err != nil {
		return errors.New("must be one of reader, publisher, operator, admin")
	}
	*r = role(parsed)
	return nil
}

// Run implements a kong command.
func (c *keysCreate) Run(s *session) (err error) {
	st, err := c.open(s.ctx, app.OpenStore)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	secret, err := app.CreateKey(s.ctx, st, c.Tenant, c.Name, oms.Role(c.Role), time.Now())
	if err == nil {
		_, err = fmt.Fprintln(s.out, secret)
	}
	return err
}

type keysList struct {
	database
	Tenant string `default:"default" help:"Tenant whose keys to list."`
}

// Run implements a kong command.
func (c *keysList) Run(s *session) (err error) {
	st, err := c.open(s.ctx, app.OpenExisting)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tTENANT\tROLE\tNAME\tCREATED")
	err = eachKey(s.ctx, st, c.Tenant, func(k oms.Key) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Tenant, k.Role, k.Name, k.Created.UTC().Format(time.RFC3339))
	})
	return errors.Join(err, w.Flush())
}

func eachKey(ctx context.Context, st store.Store, tenant string, each func(oms.Key)) error {
	page := store.Page{Limit: store.MaxLimit}
	for {
		list, err := st.Keys(ctx, tenant, page)
		if err != nil {
			return err
		}
		for _, k := range list.Items {
			each(k)
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return nil
		}
	}
}

type keysRevoke struct {
	ID string `arg:"" help:"Id of the key, as keys list shows it."`
	database
	Tenant string `default:"default" help:"Tenant of the key."`
}

// Run implements a kong command.
func (c *keysRevoke) Run(s *session) (err error) {
	st, err := c.open(s.ctx, app.OpenExisting)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	return app.RevokeKey(s.ctx, st, c.Tenant, c.ID)
}

// closing closes a store at the end of a command, whose error it adds to.
func closing(st store.Store, err *error) { *err = errors.Join(*err, st.Close()) }
