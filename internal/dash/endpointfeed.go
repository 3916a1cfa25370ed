package dash

import (
	"cmp"
)

// FeedItem is an event in the feed of an endpoint, as the API shows it. The page leaves its
// body out: that of the event is one click away.
type FeedItem struct {
	Position, Previous, EventID, Type, Gone string
}

// endpointFeedView is a page of what an endpoint was given, in the order of the commits.
// It begins with the oldest, as a receiver reads it.
type endpointFeedView struct {
	Head    endpointHead
	Filters Filters
	Items   []FeedItem
	Lost    *struct{ After, UpTo string }
	First   string // the URL of its beginning; "" where this is it
	Next    string // the URL of what follows; "" where there is nothing yet
	End     string // the position behind the last
	Problem *Problem
}

// goneTexts has in words what the API says of events that are gone.
var goneTexts = map[string]string{"erased": "its data was erased with its order", "removed": "retention has removed it"}

// GoneText says why there is nothing more of an event.
func (i FeedItem) GoneText() string { return cmp.Or(goneTexts[i.Gone], i.Gone) }

var endpointFeedPage = newPage[endpointFeedView]("endpoint-feed", "/endpoints")

// feedFilters are the fields above a feed.
var feedFilters = []Filter{{Name: "after", Label: "After the position", Hint: "1795260705156684"}}

// feedRows is how many events a page of a feed has.
const feedRows = "50"

// showEndpointFeed shows the feed of an endpoint (docs/events.md#the-feed), so that somebody
// whose receiver tells of a gap can see what stands there.
func showEndpointFeed(v *visit) error {
	head, err := v.endpoint("feed", "0")
	if err != nil {
		return err
	}
	view := endpointFeedView{Head: head, Filters: newFilters(v.r.URL, feedFilters, nil)}
	after := v.query().Get("after")
	var page struct {
		Items []FeedItem
		Next  string
		More  bool
		Lost  *struct{ After, UpTo string }
	}
	err = v.get("/api"+href("endpoints", head.Endpoint.ID, "feed"), map[string][]string{"after": {after}, "limit": {feedRows}}, &page)
	if p := refused(err); p != nil {
		view.Problem = p
		p.markFilters(&view.Filters)
		return endpointFeedPage.refuse(v, titleOf(&head.Endpoint), p, view)
	}
	if err != nil {
		return err
	}
	view.Items, view.Lost, view.End = page.Items, page.Lost, page.Next
	if after != "" {
		view.First = with(v.r.URL, "after", "")
	}
	if page.More || len(page.Items) > 0 {
		view.Next = with(v.r.URL, "after", page.Next)
	}
	return endpointFeedPage.showLive(v, titleOf(&head.Endpoint), "deliveries", view)
}
