package core

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/secret"
)

// Resealed is what [Store.Reseal] has done.
type Resealed struct {
	Secrets, Endpoints int // that are sealed with the new key
	// Unopened names what the old key does not open, and nobody could open before either:
	// it is unchanged.
	Unopened []string
}

// mostReseals is how often everything is sealed before Reseal fails. Its callers are alone
// with the database, so it is seldom overtaken even once.
const mostReseals = 10

// errResealOvertaken is the error of who was overtaken as often as that.
var errResealOvertaken = apierr.Errorf(apierr.Unavailable, "others change secrets or endpoints again and again while they are sealed with the new key: the old key is in use still; stop whatever works with the database, and try again")

// Reseal seals everything in the database with another key, in one write: before its commit
// the old key opens everything, and after it the new one does. So there is nothing to
// resume (docs/design.md#backup-and-restore). Nobody else may have the database open, and
// this store must be closed afterwards, because it still uses the old key. The new key gets
// a new salt.
//
// Somebody may write all the same between the reading and the commit, as a node that was
// cut off. The write then fails its checks, and everything is read and sealed again: an
// acknowledged write must not be lost, nor stay sealed with the old key.
func (s *Store) Reseal(ctx context.Context, newKey string) (Resealed, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // it never fails
	next, err := secret.NewSealer(newKey, salt)
	if err != nil {
		return Resealed{}, err
	}
	for range mostReseals {
		done, err := s.resealOnce(ctx, next)
		if !errors.Is(err, ErrOvertaken) {
			return done, err
		}
	}
	return Resealed{}, errResealOvertaken
}

// resealOnce is one try of Reseal. It returns [ErrOvertaken] if anything was changed
// meanwhile that it has read.
func (s *Store) resealOnce(ctx context.Context, next *secret.Sealer) (Resealed, error) {
	r := &resealing{Store: s, next: next, batch: &Batch{}}
	r.batch.lock("", keyLock)
	// Another Reseal may have been faster. The old key opens nothing any more then, and a
	// third salt would leave all of it closed.
	if same, err := s.hasKey(ctx); err != nil || !same {
		return Resealed{}, cmp.Or(err, error(ErrKeyReplaced))
	}
	r.batch.check(KeyIsSame, s.sealer.Salt())
	secrets, err := r.secrets(ctx)
	if err != nil {
		return Resealed{}, fmt.Errorf("seal the secrets again: %w", err)
	}
	endpoints, err := r.endpoints(ctx)
	if err != nil {
		return Resealed{}, fmt.Errorf("seal the endpoints again: %w", err)
	}
	// Each row that was read must still be as it was. With that, the counts say that no
	// other has come.
	r.batch.check(`SELECT 1 WHERE (SELECT count(*) FROM secrets) = ? AND (SELECT count(*) FROM endpoints) = ?`, secrets, endpoints)
	const put = `UPDATE meta SET value = ? WHERE name = ?`
	r.batch.changeOne(put, next.Salt(), MetaSalt)
	r.batch.changeOne(put, []byte(next.Check()), MetaCheck)
	return r.done, s.engine.Commit(ctx, r.batch)
}

// saltBytes is how long the salt of a key is. It need not be secret. It makes one key seal
// two databases in different ways.
const saltBytes = 16

// resealing is one try of Reseal. All that it seals is gathered in one batch, in memory.
type resealing struct {
	*Store
	next  *secret.Sealer
	batch *Batch
	done  Resealed
}

// secrets seals all secrets again, retired ones too: a run that began earlier may need
// them. It returns how many rows there are.
func (r *resealing) secrets(ctx context.Context) (rows int64, err error) {
	err = r.q.Query(ctx, func(row Row) error {
		rows++
		var tenant string
		var origins []byte
		var one secret.Sealed
		if err := row.Scan(&tenant, &one.ID, &one.Place, &origins, &one.Text); err != nil {
			return err
		}
		// Origins that cannot be read were altered by hand: such a secret opens nowhere.
		text, err := "", error(secret.ErrMoved)
		if json.Unmarshal(origins, &one.Origins) == nil {
			text, err = r.sealer.Reseal(r.next, tenant, one)
		}
		if err != nil {
			r.batch.check(`SELECT 1 FROM secrets WHERE tenant = ? AND id = ? AND sealed = ?`, tenant, one.ID, one.Text)
			return r.unopened(err, "the secret "+one.ID+" of the tenant "+tenant)
		}
		r.done.Secrets++
		r.batch.changeOne(`UPDATE secrets SET sealed = ? WHERE tenant = ? AND id = ? AND sealed = ?`, text, tenant, one.ID, one.Text)
		return nil
	}, `SELECT tenant, id, place, origins, sealed FROM secrets`)
	return rows, err
}

// endpoints seals the documents of all endpoints again, those of deleted ones, too. It
// returns how many rows there are.
func (r *resealing) endpoints(ctx context.Context) (rows int64, err error) {
	err = r.q.Query(ctx, func(row Row) error {
		rows++
		var tenant, id, doc string
		var no int64
		if err := row.Scan(&tenant, &no, &id, &doc); err != nil {
			return err
		}
		plain, err := r.sealer.OpenDocument(tenant, endpointPlace(no), doc)
		if err != nil {
			r.batch.check(`SELECT 1 FROM endpoints WHERE tenant = ? AND no = ? AND doc = ?`, tenant, no, doc)
			return r.unopened(err, "the endpoint "+id+" of the tenant "+tenant)
		}
		r.done.Endpoints++
		r.batch.changeOne(`UPDATE endpoints SET doc = ? WHERE tenant = ? AND no = ? AND doc = ?`,
			r.next.SealDocument(tenant, endpointPlace(no), plain), tenant, no, doc)
		return nil
	}, `SELECT tenant, no, id, doc FROM endpoints`)
	return rows, err
}

// unopened notes what the old key does not open, and returns any other error. Somebody has
// moved or altered such a row by hand. That must keep nobody from a new key, and the row is
// of no use with either.
func (r *resealing) unopened(err error, name string) error {
	if !errors.Is(err, secret.ErrMoved) && !errors.Is(err, secret.ErrWrongKey) && !errors.Is(err, secret.ErrNotSealed) {
		return err
	}
	r.done.Unopened = append(r.done.Unopened, name)
	return nil
}
