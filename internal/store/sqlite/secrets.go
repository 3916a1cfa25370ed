package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// Secrets implements [store.Store].
func (db *DB) Secrets() *secret.Opener { return db.opener }

// SecretIs implements [store.Store].
func (db *DB) SecretIs(ctx context.Context, tenant string, v secret.Value, text string) bool {
	return db.opener.Is(ctx, tenant, v, text)
}

// findSecret is a [secret.Find].
func (db *DB) findSecret(ctx context.Context, tenant, id string) (secret.Sealed, error) {
	s := secret.Sealed{ID: id}
	var origins []byte
	err := one(ctx, db.readers, []any{&s.Place, &origins, &s.Text, &s.Retired},
		`SELECT place, origins, sealed, retired FROM secrets WHERE tenant = ? AND id = ?`, tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return s, secret.ErrGone
	}
	if err != nil {
		return s, err
	}
	if json.Unmarshal(origins, &s.Origins) != nil {
		return s, secret.ErrMoved // nobody but a stranger's hand wrote that
	}
	return s, nil
}

const insertSecret = `INSERT INTO secrets (tenant, id, place, origins, sealed, created) VALUES (?, ?, ?, ?, ?, ?)`

func (s *shared) secretRow(tenant string, one secret.Sealed) []any {
	origins, _ := json.Marshal(one.Origins) // texts
	return []any{tenant, one.ID, one.Place, string(origins), one.Text, micros(s.clock())}
}

func (t *tx) addSecrets(tenant string, all []secret.Sealed) error {
	for _, one := range all {
		if _, err := t.w.exec(insertSecret, t.secretRow(tenant, one)...); err != nil {
			return err
		}
	}
	return nil
}

// The secrets of settings that the next version refers to no more are retired; an
// earlier version that is restored has them in use again. ids is a JSON list.
const (
	retireSecrets = `UPDATE secrets SET retired = ?3 WHERE tenant = ?1 AND retired = 0 AND place >= 'settings/' AND place < 'settings0'
		AND id NOT IN (SELECT value FROM json_each(?2))`
	reuseSecrets = `UPDATE secrets SET retired = 0 WHERE tenant = ?1 AND retired > 0 AND id IN (SELECT value FROM json_each(?2))`
)

// useSecrets retires the secrets of settings that a version does not refer to.
func (t *tx) useSecrets(tenant string, version int64, ids []string) error {
	list := jsonTexts(ids)
	t.w.changes.secrets = true
	if _, err := t.w.exec(retireSecrets, tenant, list, version); err != nil {
		return err
	}
	_, err := t.w.exec(reuseSecrets, tenant, list)
	return err
}

// removeSecrets removes those of an endpoint that its next state does not refer to.
func (t *tx) removeSecrets(tenant string, before, after *oms.Endpoint) error {
	keeps := secretsOf(after)
	for _, id := range secretsOf(before) {
		if slices.Contains(keeps, id) {
			continue
		}
		if _, err := t.w.exec(`DELETE FROM secrets WHERE tenant = ? AND id = ?`, tenant, id); err != nil {
			return err
		}
		t.w.changes.secrets = true
	}
	return nil
}

// secretsOf returns the ids of an endpoint's secrets.
func secretsOf(e *oms.Endpoint) (ids []string) {
	if e != nil {
		e.WithSecrets(func(_ string, _ []string, v secret.Value) secret.Value {
			ids = append(ids, v.ID())
			return v
		})
	}
	return ids
}

func jsonTexts(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	out, _ := json.Marshal(list) // texts
	return string(out)
}

// sealEndpoint returns an endpoint as it is stored, the secrets that are to be
// stored with it, and the endpoint as it will be read again: a copy that the caller
// has no hand in.
func (s *shared) sealEndpoint(tenant string, e *oms.Endpoint) (doc string, fresh []secret.Sealed, kept *oms.Endpoint, err error) {
	refers := e.WithSecrets(func(place string, origins []string, v secret.Value) secret.Value {
		if v.ID() != "" {
			return v
		}
		one := s.sealer.Seal(tenant, place, origins, v)
		fresh = append(fresh, one)
		return one.Reference()
	})
	plain, err := encode(refers)
	if err == nil {
		kept, err = decodeEndpoint(e.No, plain)
	}
	return s.sealer.SealDocument(tenant, endpointPlace(e.No), plain), fresh, kept, err
}

func decodeEndpoint(no int64, doc string) (*oms.Endpoint, error) {
	e := &oms.Endpoint{}
	if err := decode([]byte(doc), e, "endpoint"); err != nil {
		return nil, err
	}
	e.No = no
	return e.WithSecrets(func(place string, _ []string, v secret.Value) secret.Value { return v.At(place) }), nil
}
