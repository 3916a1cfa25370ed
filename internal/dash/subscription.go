package dash

import (
	"encoding/json"
	"net/url"

	"github.com/orderhook/orderhook/internal/attempt"
)

// subscriptionView is a subscription: its orders, and what was sent about it. A
// subscription is nothing that is stored: it is an id that orders and attempts have.
type subscriptionView struct {
	ID       string
	Orders   []orderSummary
	Paging   Paging
	Attempts []attempt.Attempt // the newest
	More     bool              // there are more attempts
}

// subscriptionPage belongs to the orders, from which one comes.
var subscriptionPage = newPage[subscriptionView]("subscription", "/orders")

// showSubscription shows the orders of a subscription and the newest attempts about it.
// An id that nothing has shows empty lists, and no 404.
func showSubscription(v *visit) error {
	id := v.r.PathValue("id")
	// The page of the list is the one of the URL, and the filter is fixed.
	asks := askedWithCount(v.query())
	asks.Set("subscriptionId", id)
	var orders List[json.RawMessage]
	if err := v.get("/api/orders", asks, &orders); err != nil {
		return err
	}
	// The paging is that of the orders. The attempts have a link of their own to the
	// rest.
	view := subscriptionView{ID: id, Orders: summaries(orders.Items), Paging: newPaging(v.r.URL, &orders)}
	// The newest twenty attempts are shown, and a link leads to all.
	var attempts List[attempt.Attempt]
	if err := v.get("/api/attempts", url.Values{"subscriptionId": {id}, "limit": {"20"}}, &attempts); err != nil {
		return err
	}
	view.Attempts, view.More = attempts.Items, attempts.NextCursor != ""
	return subscriptionPage.showLive(v, "Subscription "+id, "orders,attempts", view)
}
