package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/stock"
	"github.com/orderhook/orderhook/internal/store"
)

// stockItems registers the operations on stock items (docs/contract.md#stock).
func stockItems(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-stock-item", Method: http.MethodGet, Path: "/api/stock/{id}", Tags: []string{"Stock"},
		Summary: "Read a stock item"}, a.getStockItem)
	handle(a, access.Publisher, huma.Operation{OperationID: "put-stock-item", Method: http.MethodPut, Path: "/api/stock/{id}", Tags: []string{"Stock"},
		Summary: "Store a stock item", Description: "201 for a new one, 200 for one that was there. Endpoints are told when the available quantity rises above 0, or falls to 0 or below.",
		RequestBody: bodyOf(a, stock.StockItemShape, "The stock item", map[string]any{"sku": "SHOE-42", "warehouseCode": "oslo-1", "available": 12}), Responses: also(http.StatusCreated)}, a.putStockItem)
	handle(a, access.Publisher, huma.Operation{OperationID: "adjust-stock-item", Method: http.MethodPost, Path: "/api/stock/{id}/adjust", Tags: []string{"Stock"},
		Summary: "Add to the available quantity of a stock item, or take from it", DefaultStatus: http.StatusOK,
		RequestBody: bodyOf(a, stock.AdjustmentShape, "By how much", map[string]any{"by": -3})}, a.adjustStockItem)
}

// StockID is the stock item that a path names. The caller chooses it, with the first PUT.
type StockID struct {
	ID string `path:"id" doc:"The stock item's id" example:"oslo-1:SHOE-42"`
}

// stockAnswer shows a stock item.
func stockAnswer(s *stock.StockItem) *documentAnswer[stockDocument] {
	return &documentAnswer[stockDocument]{Status: http.StatusOK, ETag: etag(s.Version), Body: stockDocument{s.Doc()}}
}

// getStockItem reads one stock item.
func (a *api) getStockItem(ctx context.Context, in *StockID) (*documentAnswer[stockDocument], error) {
	// The quantity is an exact decimal, and is shown with the digits that were stored.
	s, err := a.Store.StockItem(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return stockAnswer(s), nil
}

// putStockItem stores an item whole. It keeps the time that it was first stored. With
// If-Match the item must be there, in that version, as in putCart. The events of the
// change are stored in the same write.
func (a *api) putStockItem(ctx context.Context, in *struct {
	StockID
	MatchParams
}) (*documentAnswer[stockDocument], error) {
	// The body is parsed once. The write may run more than once.
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	var out *documentAnswer[stockDocument]
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		now := a.now()
		next, err := stock.ParseStockItem(in.ID, doc, now)
		if err != nil {
			return err
		}
		// The stored item is read within the write, so that two PUTs at once do not both
		// take the same version as the one before.
		was, err := stockItemToChange(ctx, tx, in.ID, in.MatchParams)
		status := http.StatusOK
		switch {
		case apierr.KindOf(err) == apierr.NotFound && version(in.IfMatch) != 0:
			return apierr.Errorf(apierr.Stale, "there is no stock item %q any more", in.ID)
		// The first PUT makes no event: nothing has changed.
		case apierr.KindOf(err) == apierr.NotFound:
			was, status = nil, http.StatusCreated
		case err != nil:
			return err
		default:
			next.Replace(was)
		}
		// The answer is made in the write, too; if that is decided again, the last one
		// counts.
		out = stockAnswer(next)
		out.Status = status
		return storeStockItem(ctx, tx, was, next, now)
	})
	return out, within(err)
}

// adjustStockItem adds to the available quantity what is there by then, so two tills that
// sell at once both count. It is no replacement, so it must not be done twice: whoever is
// not sure sends it again with the same Idempotency-Key. What is stored under the key is
// the item itself, since a repeated request must be answered with the quantity of then,
// and stock items have no earlier versions to read it from.
func (a *api) adjustStockItem(ctx context.Context, in *struct {
	StockID
	OnceParams
	MatchParams
}) (*documentAnswer[stockDocument], error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	// An adjustment names a difference, as a number with any digits.
	by, err := stock.ParseAdjustment(doc)
	if err != nil {
		return nil, within(err)
	}
	var out *documentAnswer[stockDocument]
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		was, err := stockItemToChange(ctx, tx, in.ID, in.MatchParams)
		if err != nil {
			return "", err
		}
		// The sum is made of decimals, and may be below 0.
		next, err := was.Adjust(by, now)
		if err != nil {
			return "", err
		}
		out = stockAnswer(next)
		return string(next.Doc().JSON()), storeStockItem(ctx, tx, was, next, now)
	})
	if earlier != nil && err == nil { // the item as it was then: versions of it are not stored
		then, err := schema.ParseStored([]byte(earlier.Resource))
		if err != nil {
			return nil, err
		}
		// The ETag is that of the version of then. If-Match with it tells the caller
		// whether the item has changed since.
		v, _ := then.Get("version")
		n, _ := v.(jsondoc.Number)
		return &documentAnswer[stockDocument]{Status: http.StatusOK, ETag: `"` + string(n) + `"`, Body: stockDocument{then}}, nil
	}
	return out, within(err)
}

// stockItemToChange reads a stock item, which must be of the version asked for. The
// errors are those of cartToChange.
func stockItemToChange(ctx context.Context, tx store.Tx, id string, match MatchParams) (*stock.StockItem, error) {
	s, err := tx.StockItem(ctx, tenantOf(ctx), id)
	if err != nil {
		return nil, err
	}
	// Without If-Match any version will do.
	if want := version(match.IfMatch); want != 0 && want != s.Version {
		return nil, apierr.Errorf(apierr.Stale, "the stock item is of version %d", s.Version)
	}
	return s, nil
}

// storeStockItem stores an item's next version with the events of the change. Both are in
// one write, so no crash separates a quantity from its events.
func storeStockItem(ctx context.Context, tx store.Tx, was, next *stock.StockItem, now time.Time) error {
	if err := tx.PutStockItem(ctx, tenantOf(ctx), next); err != nil {
		return err
	}
	return tx.AddEvents(ctx, tenantOf(ctx), event.StockEvents(was, next, now)...)
}
