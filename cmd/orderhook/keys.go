package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store"
)

// keys are the commands about keys. All but the last work beside a running server, which
// reads keys from the database for each request (docs/operating.md#keys).
type keys struct {
	Create keysCreate `cmd:"" help:"Make a key and print it; it is shown this once."`
	List   keysList   `cmd:"" help:"List a tenant's keys, and what each may do."`
	Update keysUpdate `cmd:"" help:"Change the name, the rate limit or the expiry of a key; what is not given stays."`
	Revoke keysRevoke `cmd:"" help:"Revoke a key, at once."`
	Rotate keysRotate `cmd:"" name:"rotate-encryption" help:"Encrypt the secrets in the database with another key. No server may have it open."`
}

// keysCreate makes a key, for a tenant that may be new. Keys of a tenant that has one are
// made through the API, too.
type keysCreate struct {
	database
	Tenant string `default:"${tenant}" help:"Tenant of the key; made if it is new."`
	Role   role   `required:"" placeholder:"ROLE" help:"What the key may do: admin, operator, publisher or reader."`
	Name   string `help:"What the key is for."`
	keyLimits
}

// keyLimits are the flags that bound the use of a key.
type keyLimits struct {
	RateLimit string `placeholder:"N" help:"Requests a second with the key, on each node; what comes beyond is answered 429. Without it there is no limit."`
	ExpiresAt string `placeholder:"TIME" help:"A time to come, as 2027-11-29T00:00:00Z, from which on the key is refused. Without it the key does not expire."`
}

// noLimit takes a limit or an expiry away.
const noLimit = "none"

// into adds the flags that were given to the body of the call of the API that does the same.
func (l keyLimits) into(body *jsondoc.Object) {
	// A rate that is a number becomes one in the body. Any other text goes on as it is, and
	// the check of the API refuses what is wrong.
	for field, text := range map[string]string{"rateLimit": l.RateLimit, "expiresAt": l.ExpiresAt} {
		switch {
		// "" is a flag that was not given, so its field stays as it is.
		case text == "":
		case text == noLimit:
			// null means the default in the API: no limit, and no expiry.
			body.Set(field, nil)
		case field == "rateLimit" && jsondoc.IsDecimal(text):
			body.Set(field, jsondoc.Number(text))
		default:
			body.Set(field, text)
		}
	}
}

// role is a flag that takes a role's name. A wrong one is refused before any database is
// opened.
type role access.Role

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *role) UnmarshalText(text []byte) error {
	// The error names the roles, since the flag has no list of them.
	parsed, err := access.ParseRole(string(text))
	if err != nil {
		return errors.New("must be one of reader, publisher, operator, admin")
	}
	*r = role(parsed)
	return nil
}

// Run implements a kong command. It prints the key alone, so that a script may take it
// from standard output. It is printed once it is stored.
func (c *keysCreate) Run(s *session) (err error) {
	now := time.Now()
	body := jsondoc.NewObject(jsondoc.Pair("role", string(c.Role)), jsondoc.Pair("name", c.Name))
	c.into(body)
	// What is wrong with the key is said before a database is made.
	key, err := app.ReadKey(c.Tenant, body, now)
	if err != nil {
		return err
	}
	st, err := c.open(s.ctx, app.OpenStore)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	// If the process dies before the key is printed, the key is stored and nobody has it. It
	// can be revoked by its id.
	id, secret, err := app.CreateKey(s.ctx, st, key, now)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(s.out, secret); err != nil {
		return fmt.Errorf("the key %s is made, but could not be printed, so that nobody has it: revoke it, and make another: %w", id, err)
	}
	return nil
}

// keysList shows which keys there are. Nobody can see the keys themselves again.
type keysList struct {
	database
	Tenant string `default:"${tenant}" help:"Tenant whose keys to list."`
}

// Run implements a kong command.
func (c *keysList) Run(s *session) (err error) {
	st, err := c.open(s.ctx, app.OpenExisting)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	// An empty list would say that the tenant is there, and has no keys.
	if err := app.KnownTenant(s.ctx, st, c.Tenant); err != nil {
		return err
	}
	// The columns are aligned when all keys are known.
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	now := time.Now()
	fmt.Fprintln(w, "ID\tTENANT\tROLE\tNAME\tCREATED\tLAST USED\tEXPIRES\tREQUESTS/S\tMAY")
	err = eachKey(s.ctx, st, c.Tenant, func(k access.Key) {
		rate := "-"
		// 0 means that the key has no limit.
		if k.RateLimit > 0 {
			rate = strconv.FormatFloat(k.RateLimit, 'f', -1, 64)
		}
		// A zero time means that the key does not expire.
		expires := orDash(k.ExpiresAt)
		if k.Expired(now) {
			expires += " (expired)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Tenant, k.Role, plainName(k.Name), orDash(k.Created), orDash(k.LastUsed), expires, rate, strings.Join(k.Role.May(), "; "))
	})
	return errors.Join(err, w.Flush())
}

// orDash is a time for a table. The zero time is one that is not known, or that the key does
// not have.
func orDash(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// keysUpdate changes a key. It works beside a running server, as all of these commands but the
// last. Its Name is nil where the flag was not given, since somebody may want an empty name.
type keysUpdate struct {
	ID string `arg:"" help:"Id of the key, as keys list shows it."`
	database
	Tenant    string  `default:"${tenant}" help:"Tenant of the key."`
	Name      *string `help:"What the key is for."`
	RateLimit string  `placeholder:"N" help:"Requests a second with the key, on each node; none takes the limit away."`
	ExpiresAt string  `placeholder:"TIME" help:"A time to come from which on the key is refused; none takes the expiry away."`
}

// Run implements a kong command.
func (c *keysUpdate) Run(s *session) (err error) {
	body := jsondoc.NewObject()
	if c.Name != nil {
		body.Set("name", *c.Name)
	}
	keyLimits{c.RateLimit, c.ExpiresAt}.into(body)
	st, err := c.open(s.ctx, app.OpenExisting)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	return app.UpdateKey(s.ctx, st, c.Tenant, c.ID, body, time.Now())
}

// eachKey calls each with the keys of a tenant, page by page. Its error names the tenant.
func eachKey(ctx context.Context, st store.Store, tenant string, each func(access.Key)) error {
	// All pages are read. A command has time, and a tenant has few keys.
	page := store.Page{Limit: store.MaxLimit}
	for {
		list, err := st.Keys(ctx, tenant, page)
		if err != nil {
			return fmt.Errorf("read the keys of tenant %s: %w", tenant, err)
		}
		for _, k := range list.Items {
			each(k)
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return nil
		}
	}
}

// keysRevoke deletes a key, and with it the sessions of those who signed in with it. The
// entry in the audit log says that it was done here.
type keysRevoke struct {
	ID string `arg:"" help:"Id of the key, as keys list shows it."`
	database
	Tenant string `default:"${tenant}" help:"Tenant of the key."`
}

// Run implements a kong command.
func (c *keysRevoke) Run(s *session) (err error) {
	st, err := c.open(s.ctx, app.OpenExisting)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	// A server may remember the key for a second at most.
	return app.RevokeKey(s.ctx, st, c.Tenant, c.ID)
}

// closing closes a store at the end of a command, whose error it adds to. It is deferred,
// so err points to the named result of the command.
func closing(st store.Store, err *error) {
	if failed := st.Close(); failed != nil {
		*err = errors.Join(*err, fmt.Errorf("close the database: %w", failed))
	}
}

// keysRotate encrypts all secrets with another key, in one write
// (docs/operating.md#another-encryption-key).
type keysRotate struct {
	database
	NewEncryptionKey     string `placeholder:"KEY" help:"The new key. Without it one is made, if the old one is in DATABASE.key."`
	NewEncryptionKeyFile string `placeholder:"FILE" help:"File that holds the new key, instead of --new-encryption-key."`
}

// Run implements a kong command. It says where the old key is, since backups of before do
// not open without it. Secrets that the old key does not open were of no use before, and
// stay as they are.
func (c *keysRotate) Run(s *session) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	newKey, err := secretOf("new-encryption-key", c.NewEncryptionKey, c.NewEncryptionKeyFile)
	if err != nil {
		return err
	}
	// oldKey is the file that the old key is in afterwards; "" if it was given by whoever
	// ran the command.
	done, oldKey, err := app.RotateEncryption(s.ctx, string(c.Database), key, newKey)
	if err != nil {
		return s.unlessStopped(err, "the old key or the new one opens the database; the command may be run again")
	}
	// The command ends well all the same: these secrets were of no use before it, either.
	for _, name := range done.Unopened {
		fmt.Fprintf(s.errOut, "the old key does not open %s, which is as it was\n", name)
	}
	fmt.Fprintf(s.out, "encrypted again: %s, %s\n", spelling.Count(done.Secrets, "secret"), spelling.Count(done.Endpoints, "endpoint"))
	if oldKey == "" {
		fmt.Fprintln(s.out, "from now on the new key is to be given; backups of before need the old one")
	} else {
		fmt.Fprintf(s.out, "the old key is in %s: backups of before need it\n", oldKey)
	}
	return nil
}

// plainName is a name as a terminal can take it: quoted, where it has anything in it that a
// terminal would act on, as a line break that makes a row of its own.
func plainName(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}
