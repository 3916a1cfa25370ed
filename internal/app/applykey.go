package app

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// named are the keys of a name that there were before anything was changed. A name may have
// several keys.
func (a *application) named(name string) (all []access.Key) {
	for _, k := range a.before {
		if k.Name == name {
			all = append(all, k)
		}
	}
	return all
}

// readKeys reads the tenant's keys, before anything is changed.
func (a *application) readKeys(ctx context.Context) error {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := a.st.Keys(ctx, a.Tenant, page)
		if err != nil {
			return fmt.Errorf("read the keys: %w", err)
		}
		a.before = append(a.before, list.Items...)
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return nil
		}
	}
}

// makeKey makes a key that is not there. A key with another secret is a new one: removeKey
// takes those away that had its name before. Another role needs another secret, because a
// secret is one key. What is compared is the hash, since the key itself is stored nowhere.
func (a *application) makeKey(ctx context.Context, tx store.Tx, want wantedKey) error {
	hash := access.HashKey(want.secret)
	have, err := a.st.KeyByHash(ctx, hash)
	switch {
	// Nobody has this key, of any tenant.
	case apierr.KindOf(err) == apierr.NotFound:
		key := access.Key{ID: ids.New(ids.Key), Tenant: a.Tenant, Role: want.role, Hash: hash, Created: a.now}
		a.inherit(&key, want.name)
		key.Take(want.fields, time.Time{})
		if key.Expired(a.now) {
			return errOver
		}
		a.differs(false, "key %q: %s, role %s", want.name, madeOrReplaced(a.named(want.name)), want.role)
		a.action = actionCreateKey
		return tx.InsertKey(ctx, key)
	case err != nil:
		return fmt.Errorf("look for the key: %w", err)
	case have.Tenant != a.Tenant || have.Name != want.name:
		return UserErrorf("the key is that of another one already")
	// A key cannot be stored twice, once for each role.
	case have.Role != want.role:
		return UserErrorf("the key has the role %s: give it another secret to have it replaced by one of the role %s", have.Role, want.role)
	// A file that says when the key ends is about a key that has ended, or gives it more time.
	case have.Expired(a.now) && !want.fields.Given("expiresAt"):
		return UserErrorf("the key %s expired at %s: give it another secret to have it replaced, or a later expiresAt", have.ID, timetext.FormatTime(have.ExpiresAt))
	}
	return a.changeKey(ctx, tx, have, want)
}

// inherit gives a key that replaces others of its name the limit and the expiry of the newest
// of them: who gives a key another secret must not take its bounds away. An expiry that is over
// is not passed on.
func (a *application) inherit(key *access.Key, name string) {
	was := a.named(name)
	if len(was) == 0 {
		return
	}
	newest := slices.MaxFunc(was, func(x, y access.Key) int { return x.Created.Compare(y.Created) })
	key.RateLimit = newest.RateLimit
	if !newest.Expired(a.now) {
		key.ExpiresAt = newest.ExpiresAt
	}
}

// changeKey gives a key the limit and the expiry of the file, where they differ. What the
// file does not say of them stays as it is.
func (a *application) changeKey(ctx context.Context, tx store.Tx, was access.Key, want wantedKey) error {
	next := was
	// next is a copy of was, so this changes nothing that is stored.
	next.Take(want.fields, time.Time{})
	var fields []string
	if next.RateLimit != was.RateLimit {
		fields = append(fields, "rateLimit")
	}
	if !next.ExpiresAt.Equal(was.ExpiresAt) {
		fields = append(fields, "expiresAt")
		if next.Expired(a.now) {
			return errOver
		}
	}
	if len(fields) == 0 {
		return nil
	}
	a.differs(false, "key %q: %s", want.name, strings.Join(fields, ", "))
	a.action = actionPatchKey
	// The key is changed as it is stored now: it may be another one than when it was read.
	_, err := tx.UpdateKey(ctx, a.Tenant, was.ID, func(k *access.Key) ([]string, error) {
		k.Take(want.fields, time.Time{})
		return fields, nil
	})
	return err
}

// removeKey removes the nth key of a name, unless it is the one that is wanted. Whether the
// new one is there can be seen only now, behind the write of makeKey.
func (a *application) removeKey(ctx context.Context, tx store.Tx, want wantedKey, nth int) error {
	// The key is found by its place among those that were there when the file was begun.
	k := a.named(want.name)[nth]
	have, err := a.st.KeyByHash(ctx, access.HashKey(want.secret))
	if err != nil && apierr.KindOf(err) != apierr.NotFound {
		return fmt.Errorf("look for the key: %w", err)
	}
	// This one is the key that the file wants.
	if !want.absent && err == nil && have.ID == k.ID {
		return nil
	}
	// If it is replaced by a key that is new, makeKey has told the difference already.
	if want.absent || err == nil && slices.ContainsFunc(a.before, func(b access.Key) bool { return b.ID == have.ID }) {
		a.differs(false, "key %q: %s is removed", want.name, k.ID)
	}
	if want.absent || err == nil { // in a dry run the new one may not be there, and this one may be the last admin's
		a.action = actionDeleteKey
		// A key that is deleted is refused by each server within a second.
		return tx.DeleteKey(ctx, a.Tenant, k.ID)
	}
	return nil
}

// checkKeys goes through the changes of keys one after another, and refuses those that would
// leave the tenant without an admin's key, though each alone would not: else the first of them
// would be made, and the next one refused.
func (a *application) checkKeys() error {
	left := slices.Clone(a.before)
	another := func(id string, lasting bool) bool {
		return slices.ContainsFunc(left, func(k access.Key) bool {
			return k.Role == access.Admin && k.ID != id && (k.ExpiresAt.IsZero() || !lasting && !k.Expired(a.now))
		})
	}
	for _, want := range a.keys {
		hash := access.HashKey(want.secret)
		if !want.absent {
			at := slices.IndexFunc(left, func(k access.Key) bool { return bytes.Equal(k.Hash, hash) })
			if at < 0 {
				key := access.Key{ID: want.at, Role: want.role, Hash: hash}
				a.inherit(&key, want.name)
				left, at = append(left, key), len(left)
			}
			was := left[at]
			left[at].Take(want.fields, time.Time{})
			if was.Role == access.Admin && was.ExpiresAt.IsZero() && !left[at].ExpiresAt.IsZero() && !another(was.ID, true) {
				return placed(a.place(want.at), apierr.Errorf(apierr.Conflict, "with the keys before it, no admin would be left whose key does not expire"))
			}
		}
		for _, k := range a.named(want.name) {
			if !want.absent && bytes.Equal(k.Hash, hash) {
				continue
			}
			if k.Role == access.Admin && !another(k.ID, false) {
				return placed(a.place(want.at), apierr.Errorf(apierr.Conflict, "with the keys before it, no admin would be left"))
			}
			left = slices.DeleteFunc(left, func(l access.Key) bool { return l.ID == k.ID })
		}
	}
	return nil
}

// madeOrReplaced says what becomes of a key, by the keys that had its name.
func madeOrReplaced(was []access.Key) string {
	if len(was) == 0 {
		return "is made"
	}
	return "is replaced"
}
