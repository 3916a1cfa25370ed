package dash

import (
	"encoding/json"
	"net/url"

	"github.com/orderhook/orderhook/internal/oms"
)

// subscriptionView is a subscription: its orders, and what was sent about it.
type subscriptionView struct {
	ID       string
	Orders   []orderSummary
	Paging   Paging
	Attempts []oms.Attempt // the newest
	More     bool          // there are more attempts
}

var subscriptionPage = newPage[subscriptionView]("subscription", "/orders")

func showSubscription(v *visit) error {
	id := v.r.PathValue("id")
	asks := askedWithCount(v.query())
	asks.Set("subscriptionId", id)
	var orders List[json.RawMessage]
	if err := v.get("/api/orders", asks, &orders); err != nil {
		return err
	}
	view := subscriptionView{ID: id, Orders: summaries(orders.Items), Paging: newPaging(v.r.URL, &orders)}
	var attempts List[oms.Attempt]
	if err := v.get("/api/attempts", url.Values{"subscriptionId": {id}, "limit": {"20"}}, &attempts); err != nil {
		return err
	}
	view.Attempts, view.More = attempts.Items, attempts.NextCursor != ""
	return subscriptionPage.showLive(v, "Subscription "+id, "orders,attempts", view)
}
