package app

import (
	"context"

	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/store"
)

// openWebHook makes the webHook section of the config file ready for use; it returns nil if
// the section is off. It reads the files of the section, so that a wrong one ends the
// start, and not the first delivery.
func (o *Options) openWebHook() (*delivery.WebHook, error) {
	if o.WebHook == nil {
		return nil, nil
	}
	opened, err := o.WebHook.Open()
	if err != nil {
		return nil, &UserError{err}
	}
	return opened, nil
}

// checkWebHook refuses a section for a tenant that is not there, and warns of one whose
// connections protect from nobody (docs/contract.md#order-state-webhook).
func (o *Options) checkWebHook(ctx context.Context, st store.Store, opened *delivery.WebHook) error {
	if o.WebHook == nil {
		return nil
	}
	if err := CheckTenant(ctx, st, o.WebHook.Tenant); err != nil {
		// The operator has to find the key of the config file.
		if IsUserError(err) {
			return UserErrorf("%s: %w", o.WebHook.At("tenant"), err)
		}
		return err
	}
	if opened.TrustsAll {
		o.Log.Warn("the webHook section has every certificate trusted, so anybody on the way can read and answer; set useSslTrustAll to false")
	}
	return nil
}
