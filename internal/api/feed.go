package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// feeds registers the operation that reads the feed of an endpoint
// (docs/events.md#the-feed).
func feeds(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-feed", Method: http.MethodGet, Path: "/api/endpoints/{id}/feed", Tags: []string{"Endpoints"},
		Summary: "Read what an endpoint was given, in the order of the commits",
		Description: "Whoever has read up to a position and goes on from it misses nothing, whatever became of the deliveries. " +
			"The position of an event, and that of the one before it, are in the headers `webhook-position` and `webhook-previous-position` of its deliveries. " +
			"Go on with `next`, also where there are no items. `lost` says that there were events which are not retained any more."}, a.readFeed)
}

// feedItem is an event in the feed of an endpoint. Its body is written as it is, behind the
// other members (encode).
type feedItem struct {
	Position  string  `json:"position" doc:"A number. Those of later commits are larger"`
	Previous  string  `json:"previous" doc:"The position of the event before it in this feed; 0 where there was none"`
	EventID   string  `json:"eventId,omitempty"`
	WebhookID string  `json:"webhookId,omitempty" doc:"The same as in the header webhook-id of its deliveries"`
	Type      string  `json:"type,omitempty"`
	Body      payload `json:"body,omitzero" doc:"What is delivered, in the format of the endpoint"`
	Gone      string  `json:"gone,omitempty" enum:"erased,removed" doc:"There is no body any more: the data was erased with its order, or retention has removed the event, and then nothing else of it is known"`
}

// lostFeed is a part of a feed that is not retained any more.
type lostFeed struct {
	After string `json:"after" doc:"What was asked for"`
	UpTo  string `json:"upTo" doc:"Events behind after and up to this position are lost to the feed"`
}

// feedPage is the body of a page of a feed. Huma makes the schema of it, and encode writes it.
type feedPage struct {
	Items []feedItem `json:"items" nullable:"false"`
	Next  string     `json:"next" doc:"Ask with it as after for what follows"`
	More  bool       `json:"more" doc:"There may be more now. A page may have fewer items than asked for, or none, and still more"`
	Lost  *lostFeed  `json:"lost,omitempty" doc:"Only where events after the position that was asked for are not retained any more"`
}

// encode implements [inParts]. A body goes out byte for byte as it is delivered.
func (p feedPage) encode() (*encodedPart, error) {
	out := &encodedPart{}
	for _, item := range p.Items {
		body := item.Body.Value
		item.Body.Value = nil
		text, err := encodeItem(item)
		if err != nil {
			return nil, err
		}
		if body != nil {
			text = strings.TrimSuffix(text, "}") + `,"body":` + string(body) + "}"
		}
		out.items = append(out.items, text)
	}
	out.count = fmt.Sprintf(`,"next":%q,"more":%t`, p.Next, p.More)
	if p.Lost != nil {
		lost, err := json.Marshal(p.Lost)
		if err != nil {
			return nil, err
		}
		out.count += `,"lost":` + string(lost)
	}
	return out, nil
}

const (
	// fromLatest is an after that names the end of the feed as it is.
	fromLatest = "latest"
	// feedBytes is about how much data a page of a feed has.
	feedBytes = partBytes
	// maxFeedWait is how long somebody may wait for an event.
	maxFeedWait = time.Minute
)

// readFeed reads a page of a feed. A caller that waits is answered as soon as there is anything to
// say, or when the wait is over, with a page that says from where to go on.
func (a *api) readFeed(ctx context.Context, in *struct {
	EndpointID
	After string `query:"after" doc:"The position to go on behind: of an event, or next of the page before; latest for what comes from now on. Without it, or with 0, from the first event that is retained" example:"1795260705156684"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The most items; a page ends with about a megabyte of data, too"`
	Wait  string `query:"wait" doc:"How long to wait for an event where there is none yet, at most PT1M" example:"PT30S"`
}) (*struct{ Body feedPage }, error) {
	wait, ok := timetext.ParseDuration(in.Wait, maxFeedWait)
	if in.Wait != "" && !ok {
		return nil, apierr.Wrong("query.wait", "must be a duration of at most PT1M, as PT30S or 00:00:30")
	}
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	ask := store.FeedQuery{Limit: in.Limit, Bytes: feedBytes}
	if ask.After, err = a.feedPosition(ctx, in.After); err != nil {
		return nil, err
	}
	over, stop := context.WithTimeout(ctx, wait)
	defer stop()
	for {
		// This comes before the reading, so that what is committed in between is not missed.
		grows := a.Store.FeedGrows(tenantOf(ctx), e.No)
		f, err := a.Store.Feed(ctx, tenantOf(ctx), e.No, ask)
		if err != nil {
			return nil, err
		}
		if len(f.Entries) > 0 || f.LostTo > 0 || f.More || wait == 0 {
			return &struct{ Body feedPage }{showFeed(f, ask.After, e.Format)}, nil
		}
		ask.After = f.Next
		admission.Pause(ctx)
		select {
		case <-grows:
		case <-over.Done():
			wait = 0
		case <-a.Engine.Leaving():
			wait = 0
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := a.stillAdmitted(ctx); err != nil {
			return nil, err
		}
	}
}

// feedPosition reads the parameter after.
func (a *api) feedPosition(ctx context.Context, after string) (int64, error) {
	switch after {
	case "":
		return 0, nil
	case fromLatest:
		return a.Store.FeedEnd(ctx, tenantOf(ctx))
	}
	n, err := event.ParsePosition(after)
	if err != nil {
		return 0, apierr.Wrong("query.after", "%v", err)
	}
	return n, nil
}

// showFeed shows a page of a feed.
func showFeed(f store.Feed, after int64, format event.Format) feedPage {
	p := feedPage{Items: make([]feedItem, len(f.Entries)), Next: event.FormatPosition(f.Next), More: f.More}
	for i, e := range f.Entries {
		item := feedItem{Position: event.FormatPosition(e.Position), Previous: event.FormatPosition(e.Previous)}
		if e.Event == nil {
			item.Gone = "removed"
		} else {
			item.EventID, item.WebhookID, item.Type = e.Event.ID, e.Event.MessageID(), e.Event.Type
			if item.Body.Value = e.Event.Body(format); item.Body.Value == nil {
				item.Gone = "erased"
			}
		}
		p.Items[i] = item
	}
	if f.LostTo > 0 {
		p.Lost = &lostFeed{event.FormatPosition(after), event.FormatPosition(f.LostTo)}
	}
	return p
}
