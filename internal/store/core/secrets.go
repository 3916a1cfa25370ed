package core

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
)

// MetaCheck is the row of the table meta that the encryption key is checked by.
const MetaCheck = "encryption.check"

// Secrets implements [store.Store].
func (s *Store) Secrets() *secret.Opener { return s.opener }

// SecretIs implements [store.Store].
func (s *Store) SecretIs(ctx context.Context, tenant string, v secret.Value, text string) bool {
	return s.opener.Is(ctx, tenant, v, text)
}

// findSecret is a [secret.Find]. A secret that is not there is [secret.ErrGone]. It does
// not decrypt anything: the opener checks that the secret belongs to the place first.
func (s *Store) findSecret(ctx context.Context, tenant, id string) (secret.Sealed, error) {
	found := secret.Sealed{ID: id}
	var origins []byte
	err := one(ctx, s.q, []any{&found.Place, &origins, &found.Text, &found.Retired},
		`SELECT place, origins, sealed, retired FROM secrets WHERE tenant = ? AND id = ?`, tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return found, secret.ErrGone
	}
	if err != nil {
		return found, err
	}
	if json.Unmarshal(origins, &found.Origins) != nil {
		return found, secret.ErrMoved // nobody but a stranger's hand wrote that
	}
	return found, nil
}

// insertSecrets is how secrets are stored. A new one is not retired.
var insertSecrets = &Insertion{Table: "secrets", Often: []string{"tenant", "id", "place", "origins", "sealed", "given", "created"}}

// addSecrets adds rows of secrets to a batch. version is that of the settings which
// they are given with, 0 for those of endpoints.
func (s *shared) addSecrets(b *Batch, tenant string, version int64, all []secret.Sealed) {
	for _, one := range all {
		b.insert(insertSecrets, Tuple{Often: []any{tenant, one.ID, one.Place, jsonTexts(one.Origins), one.Text, version, micros(s.clock())}})
	}
}

// The secrets of settings that the next version refers to no more are retired; an
// earlier version that is restored has them in use again.
const (
	retireSecrets = `UPDATE secrets INDEXED BY secrets_in_use SET retired = ?3 WHERE tenant = ?1 AND retired = 0 AND place >= 'settings/' AND place < 'settings0'
		AND NOT (id {texts ?2})`
	reuseSecrets = `UPDATE secrets SET retired = 0 WHERE tenant = ?1 AND retired > 0 AND id {texts ?2}`
)

// useSecrets retires the secrets of settings that a version does not refer to.
func useSecrets(b *Batch, tenant string, version int64, ids []string) {
	// Processes remember opened secrets, so they have to hear that some are retired or in
	// use again.
	list := jsonTexts(ids)
	b.effects.secrets = true
	b.change(retireSecrets, tenant, list, version)
	b.change(reuseSecrets, tenant, list)
}

// ErrKeyReplaced is in the error of a process that has the encryption key of before.
var ErrKeyReplaced = apierr.Errorf(apierr.Unavailable, "the encryption key of the database was replaced while this process ran: start it again, with the new key")

const (
	// keyLock is what a write locks that seals something, shared, and who replaces the key,
	// for itself.
	keyLock = "encryption key"
	// KeyIsSame finds a row if the database still has the key that was made with a salt.
	KeyIsSame = `SELECT 1 FROM meta WHERE name = '` + MetaSalt + `' AND value = ?`
)

// seals has a write that seals something fail if the database has another key by then: this
// process may have been cut off from it while the key was replaced.
func (d *draft) seals(ctx context.Context) error {
	if d.again {
		if same, err := d.hasKey(ctx); err != nil || !same {
			return cmp.Or(err, error(ErrKeyReplaced))
		}
	}
	d.batch.lockShared("", keyLock)
	d.checkOnce(key{"", keyLock}, KeyIsSame, d.sealer.Salt())
	return nil
}

// hasKey reports whether the database still has the key of this process.
func (q queries) hasKey(ctx context.Context) (same bool, err error) {
	var found int
	err = one(ctx, q.q, []any{&found}, KeyIsSame, q.sealer.Salt())
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// removeSecrets removes those of an endpoint that its next state does not refer to.
func (d *draft) removeSecrets(tenant string, before, after *event.Endpoint) {
	keeps := secretsOf(after)
	for _, id := range secretsOf(before) {
		if !slices.Contains(keeps, id) {
			d.batch.effects.secrets = true
			d.of(tenant).change(`DELETE FROM secrets WHERE tenant = ? AND id = ?`, tenant, id)
		}
	}
}

// secretsOf returns the ids of an endpoint's secrets; e may be nil, and has none then.
func secretsOf(e *event.Endpoint) (ids []string) {
	if e != nil {
		e.WithSecrets(func(_ string, _ []string, v secret.Value) secret.Value {
			ids = append(ids, v.ID())
			return v
		})
	}
	return ids
}

// jsonTexts returns a list for the piece {texts}. It is never null, which SQLite's
// json_each would take for one value.
func jsonTexts(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	out, _ := json.Marshal(list) // texts
	return string(out)
}

// sealEndpoint seals an endpoint. It returns the document as it is stored, the secrets that
// are to be stored with it, and the endpoint as it will be read again: a copy that the
// caller has no hand in. A secret that has an id is stored already, and is only referred
// to.
func (s *shared) sealEndpoint(tenant string, e *event.Endpoint) (doc string, fresh []secret.Sealed, stored *event.Endpoint, err error) {
	refers := e.WithSecrets(func(place string, origins []string, v secret.Value) secret.Value {
		// It came from the stored endpoint and has not changed.
		if v.ID() != "" {
			return v
		}
		one := s.sealer.Seal(tenant, place, origins, v)
		fresh = append(fresh, one)
		return one.Reference()
	})
	plain, err := encode(refers)
	if err == nil {
		stored, err = decodeEndpoint(e.No, plain)
	}
	return s.sealer.SealDocument(tenant, endpointPlace(e.No), plain), fresh, stored, err
}

// sealOwn is sealEndpoint for a write.
func (d *draft) sealOwn(ctx context.Context, tenant string, e *event.Endpoint) (doc string, fresh []secret.Sealed, stored *event.Endpoint, err error) {
	if err := d.seals(ctx); err != nil {
		return "", nil, nil, err
	}
	return d.sealEndpoint(tenant, e)
}
func decodeEndpoint(no int64, doc string) (*event.Endpoint, error) {
	e := &event.Endpoint{}
	if err := decode([]byte(doc), e, "endpoint"); err != nil {
		return nil, err
	}
	e.No = no
	return e.WithSecrets(func(place string, _ []string, v secret.Value) secret.Value { return v.At(place) }), nil
}
