package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func stock(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "get-stock-item", Method: http.MethodGet, Path: "/api/stock/{id}", Tags: []string{"Stock"},
		Summary: "Read a stock item"}, a.getStockItem)
	handle(a, oms.Publisher, huma.Operation{OperationID: "put-stock-item", Method: http.MethodPut, Path: "/api/stock/{id}", Tags: []string{"Stock"},
		Summary: "Store a stock item", Description: "201 for a new one, 200 for one that was there. Endpoints are told when the available quantity rises above 0, or falls to 0 or below.",
		RequestBody: bodyOf[stockBody](a, "The stock item", map[string]any{"sku": "SHOE-42", "warehouseCode": "oslo-1", "available": 12}), Responses: also(http.StatusCreated)}, a.putStockItem)
	handle(a, oms.Publisher, huma.Operation{OperationID: "adjust-stock-item", Method: http.MethodPost, Path: "/api/stock/{id}/adjust", Tags: []string{"Stock"},
		Summary: "Add to the available quantity of a stock item, or take from it", DefaultStatus: http.StatusOK,
		RequestBody: bodyOf[stockAdjustment](a, "By how much", map[string]any{"by": -3})}, a.adjustStockItem)
}

type stockBody struct {
	SKU           string  `json:"sku,omitempty"`
	WarehouseCode string  `json:"warehouseCode,omitempty"`
	Available     float64 `json:"available" doc:"An exact decimal"`
}

type stockAdjustment struct {
	By float64 `json:"by" doc:"An exact decimal; below 0 it takes from the quantity"`
}

// StockID is the stock item that a path names.
type StockID struct {
	ID string `path:"id" doc:"The stock item's id" example:"oslo-1:SHOE-42"`
}

func stockAnswer(s *oms.StockItem) *documentAnswer[stockDocument] {
	return &documentAnswer[stockDocument]{Status: http.StatusOK, ETag: etag(s.Version), Body: stockDocument{s.Doc()}}
}

func (a *api) getStockItem(ctx context.Context, in *StockID) (*documentAnswer[stockDocument], error) {
	s, err := a.Store.StockItem(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return stockAnswer(s), nil
}

// putStockItem stores an item whole. It keeps the time that it was first stored.
func (a *api) putStockItem(ctx context.Context, in *struct {
	StockID
	MatchParams
}) (*documentAnswer[stockDocument], error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	var out *documentAnswer[stockDocument]
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		now := a.now()
		next, err := oms.ParseStockItem(in.ID, doc, now)
		if err != nil {
			return err
		}
		was, err := stockItemToChange(ctx, tx, in.ID, in.MatchParams)
		status := http.StatusOK
		switch {
		case oms.KindOf(err) == oms.NotFound && version(in.IfMatch) != 0:
			return oms.Errorf(oms.Stale, "there is no stock item %q any more", in.ID)
		case oms.KindOf(err) == oms.NotFound:
			was, status = nil, http.StatusCreated
		case err != nil:
			return err
		default:
			next.Replace(was)
		}
		out = stockAnswer(next)
		out.Status = status
		return storeStockItem(ctx, tx, was, next, now)
	})
	return out, within(err)
}

func (a *api) adjustStockItem(ctx context.Context, in *struct {
	StockID
	OnceParams
	MatchParams
}) (*documentAnswer[stockDocument], error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	by, err := oms.ParseAdjustment(doc)
	if err != nil {
		return nil, within(err)
	}
	var out *documentAnswer[stockDocument]
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		was, err := stockItemToChange(ctx, tx, in.ID, in.MatchParams)
		if err != nil {
			return "", err
		}
		next, err := was.Adjust(by, now)
		if err != nil {
			return "", err
		}
		out = stockAnswer(next)
		return string(next.Doc().JSON()), storeStockItem(ctx, tx, was, next, now)
	})
	if earlier != nil && err == nil { // the item as it was then: versions of it are not kept
		then, err := oms.ParseStored([]byte(earlier.Resource))
		if err != nil {
			return nil, err
		}
		v, _ := then.Get("version")
		n, _ := v.(oms.Number)
		return &documentAnswer[stockDocument]{Status: http.StatusOK, ETag: `"` + string(n) + `"`, Body: stockDocument{then}}, nil
	}
	return out, within(err)
}

// stockItemToChange reads a stock item, which must be of the version asked for.
func stockItemToChange(ctx context.Context, tx store.Tx, id string, match MatchParams) (*oms.StockItem, error) {
	s, err := tx.StockItem(ctx, tenantOf(ctx), id)
	if err != nil {
		return nil, err
	}
	if want := version(match.IfMatch); want != 0 && want != s.Version {
		return nil, oms.Errorf(oms.Stale, "the stock item is of version %d", s.Version)
	}
	return s, nil
}

// storeStockItem stores an item's next version with the events of the change.
func storeStockItem(ctx context.Context, tx store.Tx, was, next *oms.StockItem, now time.Time) error {
	if err := tx.PutStockItem(ctx, tenantOf(ctx), next); err != nil {
		return err
	}
	return tx.AddEvents(ctx, tenantOf(ctx), oms.StockEvents(was, next, now)...)
}
