package contract

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/store"
)

// mostDecidedAgain bounds the calls of one test that are decided again.
const mostDecidedAgain = 25

// decideAgain decides the recorded answers of all calls of an orderhook again, from the
// record alone: what really happened must come of it (docs/building-an-endpoint.md#rerun).
func (r *rig) decideAgain(ctx context.Context, tenant string) error {
	list, err := r.store.Attempts(ctx, tenant, store.AttemptFilter{}, store.Page{Limit: mostDecidedAgain})
	if err != nil {
		return err
	}
	for _, listed := range list.Items {
		if err := r.decideOneAgain(ctx, tenant, listed.ID); err != nil {
			return fmt.Errorf("attempt %s of the kind %s: %w", listed.ID, listed.Kind, err)
		}
	}
	return nil
}

func (r *rig) decideOneAgain(ctx context.Context, tenant, id string) error {
	at, err := r.store.Attempt(ctx, tenant, id)
	if err != nil {
		return err
	}
	call, err := rerun.Recorded(ctx, r.store, tenant, at)
	if apierr.KindOf(err) == apierr.Conflict && (at.Kind == attempt.KindReplay || at.Kind == attempt.KindShadow || at.Detail == nil || len(at.Detail.Request.Body) == 0) {
		return nil // which nobody can make again
	}
	if err != nil {
		return err
	}
	text, err := call.Text()
	if err != nil {
		return err
	}
	if found := r.leaks.in(string(text)); len(found) > 0 {
		return fmt.Errorf("the call holds the secrets %q", found)
	}
	// All goes through the text, as it does for whoever gets the call.
	if call, err = rerun.Parse(text); err != nil {
		return err
	}
	// The suite's clock stands still while a real attempt times out, so nothing on record says
	// whether the time of the attempt or that of its run was over.
	if call.Step != nil && !call.Step.Deadline.IsZero() && call.Answer.Status == 0 {
		return nil
	}
	now, err := call.Decide(&call.Answer)
	if call.Answer.Cut && apierr.KindOf(err) == apierr.Conflict { // only the beginning of the answer is on record
		return nil
	}
	if err != nil || call.Decision == nil {
		return err
	}
	was := *call.Decision
	if call.Kind == rerun.KindValidator { // of which the record has the outcome alone
		now = &rerun.Decision{Outcome: now.Outcome, Reason: now.Reason, Warnings: now.Warnings}
	}
	if found := rerun.Compare(&was, now, rerun.Options{}); len(found) > 0 {
		return fmt.Errorf("the recorded answer is decided in another way than it was: %v\n%s", found, text)
	}
	return nil
}
