package api

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// restoreSettings makes an earlier version the next one, those of its secrets included
// that there still are (docs/contract.md#settings). Nothing is looked up anew: a
// variable that the version once named has the value that it had then.
func (a *api) restoreSettings(ctx context.Context, in *struct {
	Version int64 `path:"version" minimum:"1"`
	OnceParams
	MatchParams
}) (*checkedSettings, error) {
	return a.nextSettingsOnce(ctx, in.OnceParams, func(tx store.Tx) (*checkedSettings, error) {
		was, err := tx.SettingsVersion(ctx, tenantOf(ctx), in.Version)
		if err != nil {
			return nil, err
		}
		// Within the write, so that a secret which is destroyed at this moment is not
		// taken for one that is there.
		destroyed, err := tx.DestroyedSecrets(ctx, tenantOf(ctx), was)
		if err != nil {
			return nil, err
		}
		return a.replaceSettings(ctx, tx, in.MatchParams, func(stored *settings.Settings) (*settings.Settings, *checkedSettings, error) {
			return a.restored(ctx, was, stored, destroyed)
		})
	})
}

// nextSettingsOnce makes the next version of the settings within a write, once for each
// Idempotency-Key. The number of the version that was made is stored under the key. The answer
// to a repeated request is worked out from the versions, since no answer is stored.
func (a *api) nextSettingsOnce(ctx context.Context, in OnceParams, replace func(store.Tx) (*checkedSettings, error)) (*checkedSettings, error) {
	var out *checkedSettings
	earlier, err := a.once(ctx, in, func(tx store.Tx, _ time.Time) (_ string, err error) {
		if out, err = replace(tx); err != nil {
			return "", err
		}
		return strconv.FormatInt(out.Body.Version, 10), nil
	})
	if earlier == nil || err != nil {
		return out, err
	}
	return a.restoredEarlier(ctx, earlier.Resource)
}

// restored checks a version that is to be in force again. It names the secrets of which
// nothing is left; the next version will know them.
func (a *api) restored(ctx context.Context, was, stored *settings.Settings, destroyed []string) (*settings.Settings, *checkedSettings, error) {
	return checkedAnswer(settings.Incoming{Doc: was.Document(), Stored: stored, Literal: true, Refused: a.refusal(ctx), Destroyed: destroyed})
}

// restoredEarlier makes the answer of an earlier call again, from the version
// that it made and the one before. The secrets that were destroyed are marked in the
// version that was made, so the same warnings come of it.
func (a *api) restoredEarlier(ctx context.Context, resource string) (*checkedSettings, error) {
	version, err := strconv.ParseInt(resource, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("what is stored under an Idempotency-Key: %w", err)
	}
	made, err := a.Store.SettingsVersion(ctx, tenantOf(ctx), version)
	if err != nil {
		return nil, err
	}
	before, err := a.Store.SettingsVersion(ctx, tenantOf(ctx), version-1)
	if err != nil {
		return nil, err
	}
	_, out, err := a.restored(ctx, made, before, nil)
	if err != nil {
		return nil, err
	}
	out.ETag, out.Body.Version = etag(version), version
	return out, nil
}
