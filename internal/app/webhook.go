package app

import (
	"context"

	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/store"
)

// openWebHook makes the webHook section of the config file ready for use, nil
// where it is off.
func (o *Options) openWebHook() (*notify.WebHook, error) {
	if o.WebHook == nil {
		return nil, nil
	}
	opened, err := o.WebHook.Open()
	if err != nil {
		return nil, &Mistake{err}
	}
	return opened, nil
}

// checkWebHook refuses a section for a tenant that is not there, and warns of
// one that its connections protect from nobody (CONTRACT.md, "Order-state
// webhook").
func (o *Options) checkWebHook(ctx context.Context, st store.Store, opened *notify.WebHook) error {
	if o.WebHook == nil {
		return nil
	}
	if err := CheckTenant(ctx, st, o.WebHook.Tenant); err != nil {
		if IsMistake(err) {
			return Mistakef("%s: %w", o.WebHook.At("tenant"), err)
		}
		return err
	}
	if opened.TrustsAll {
		o.Log.Warn("the webHook section has every certificate trusted, so anybody on the way can read and answer; set useSslTrustAll to false")
	}
	return nil
}
