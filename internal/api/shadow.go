package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store"
)

// shadows registers the operations on shadow steps (docs/contract.md#shadow-steps).
func shadows(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "list-shadows", Method: http.MethodGet, Path: "/api/workflow-shadows", Tags: []string{"Settings"},
		Summary:     "List the shadow steps of the settings, and how often each agreed with its live step",
		Description: "The values in which answers differed are in the attempts of the shadow: `GET /api/attempts?kind=shadow` lists them, and each has a `comparison`."}, a.listShadows)
	handle(a, access.Operator, huma.Operation{OperationID: "promote-shadow", Method: http.MethodPost, Path: "/api/workflow-shadows/{id}/promote", Tags: []string{"Settings"},
		Summary: "Put a shadow step in the place of its live step", DefaultStatus: http.StatusOK, Errors: []int{http.StatusConflict},
		Description: "It is a new version of the settings, in which the two have changed places. The former live step stays as a shadow that is not active, with its secrets. " +
			"409 unless the shadow has agreed `promoteAfter` times in a row, or `force` is given."}, a.promoteShadow)
}

// shadowStep is a shadow of the settings in force.
type shadowStep struct {
	ID           string          `json:"id"`
	OrderType    string          `json:"orderType,omitempty" doc:"Absent where the status is one of returns"`
	Status       string          `json:"status"`
	Name         string          `json:"name"`
	DisplayName  string          `json:"displayName,omitempty"`
	Active       bool            `json:"active" doc:"One that is not active is never called"`
	CompareWith  string          `json:"compareWith" doc:"The displayName of its live step, or its name where it has none"`
	PromoteAfter int64           `json:"promoteAfter"`
	Promotable   bool            `json:"promotable" doc:"It has agreed so often in a row"`
	Agreement    shadowAgreement `json:"agreement"`
}

// shadowAgreement is how the answers of a shadow compared, since it and its live step are
// configured as they are.
type shadowAgreement struct {
	Compared  int64                  `json:"compared"`
	Agreed    int64                  `json:"agreed" doc:"Of those: both answers had the same effect, slower or not"`
	Slower    int64                  `json:"slower" doc:"Of those that agreed: it took twice as long, and a second at least"`
	Different int64                  `json:"different"`
	Failed    int64                  `json:"failed" doc:"The shadow gave no answer that could be taken, and the live step did"`
	Skipped   int64                  `json:"skipped" doc:"Calls of the live step beside which the shadow was not called, as too many waited"`
	InARow    int64                  `json:"inARow" doc:"How often it has agreed since it last did not"`
	Since     *time.Time             `json:"since,omitempty"`
	Updated   *time.Time             `json:"updated,omitempty"`
	Last      []attempt.Disagreement `json:"last" nullable:"false" doc:"The latest 20 that did not agree, the newest first"`
}

// listShadows lists all shadows, in the order of the settings: one answer without pages, since
// a settings document bounds how many there can be.
func (a *api) listShadows(ctx context.Context, _ *struct{}) (*listOf[shadowStep], error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	agreements, err := a.Store.Agreements(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	byID := map[string]*attempt.Agreement{}
	for _, g := range agreements {
		byID[g.ID] = g
	}
	list := store.List[shadowStep]{}
	for _, sh := range s.Shadows() {
		list.Items = append(list.Items, showShadow(sh, byID[sh.ID]))
	}
	return answerList(list, nil, asIs)
}

// showShadow shows a shadow with what was counted of it, which is nothing where that was of
// another configuration.
func showShadow(sh settings.PlacedShadow, g *attempt.Agreement) shadowStep {
	out := shadowStep{ID: sh.ID, OrderType: sh.OrderType, Status: sh.Status, Name: sh.Name, DisplayName: sh.DisplayName, Active: sh.Active,
		PromoteAfter: sh.PromoteAfter, Agreement: shadowAgreement{Last: []attempt.Disagreement{}}}
	if sh.Live != nil {
		out.CompareWith = sh.Live.Label()
	}
	if g == nil || g.Digest != sh.Digest {
		return out
	}
	out.Promotable = g.InARow >= sh.PromoteAfter
	out.Agreement = shadowAgreement{Compared: g.Compared(), Agreed: g.Same + g.Slower, Slower: g.Slower, Different: g.Different, Failed: g.Failed,
		Skipped: g.Skipped, InARow: g.InARow, Since: timeOrNil(g.Since), Updated: timeOrNil(g.Updated), Last: append([]attempt.Disagreement{}, g.Last...)}
	return out
}

// promoteShadow has a shadow and its live step change places, as the next version of the
// settings. Whether it agreed often enough is asked within the write: an answer that does not
// agree at this moment either comes before, or is of a shadow that is none any more.
func (a *api) promoteShadow(ctx context.Context, in *struct {
	ID    string `path:"id" example:"shadow_5f1c0a9e6f0b7d1e2c3a4b5c"`
	Force bool   `query:"force" doc:"However often it agreed"`
	OnceParams
	MatchParams
}) (*checkedSettings, error) {
	return a.nextSettingsOnce(ctx, in.OnceParams, func(tx store.Tx) (*checkedSettings, error) {
		agreement, err := tx.Agreement(ctx, tenantOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.replaceSettings(ctx, tx, in.MatchParams, func(stored *settings.Settings) (*settings.Settings, *checkedSettings, error) {
			return a.promoted(ctx, stored, in.ID, agreement, in.Force)
		})
		if err == nil {
			err = tx.DropAgreement(ctx, tenantOf(ctx), in.ID)
		}
		return out, err
	})
}

// promoted makes the settings in which a shadow is live. They are checked as those of a PUT
// are.
func (a *api) promoted(ctx context.Context, stored *settings.Settings, id string, agreement *attempt.Agreement, force bool) (*settings.Settings, *checkedSettings, error) {
	doc, err := stored.Promoted(id)
	if err != nil {
		return nil, nil, err
	}
	sh := stored.Shadow(id)
	if shown := showShadow(*sh, agreement); !force && !shown.Promotable {
		return nil, nil, apierr.Errorf(apierr.Conflict, "the shadow %s has agreed %s in a row, and may be promoted after %d", sh.Label(), spelling.Times(shown.Agreement.InARow), sh.PromoteAfter)
	}
	return checkedAnswer(settings.Incoming{Doc: doc, Stored: stored, Literal: true, Refused: a.refusal(ctx)})
}
