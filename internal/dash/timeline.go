package dash

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/export"
	"github.com/orderhook/orderhook/internal/order"
)

// timelineView is what happened to an order, the newest first: its history, runs,
// attempts and events on one line, or those of one kind. A page of it is told apart by a
// cursor of the history, or of the one list that is shown, and by the time at which the
// page before ended.
type timelineView struct {
	Kinds   []Range // which kinds are shown
	Entries []timelineEntry
	More    []timelineMore // what the time that is shown has beyond
	Newest  string         // the URL of the newest entries; "" is this one
	Older   string         // the URL of what is before; "" where there is nothing
}

// timelineEntry is one thing that happened. One of its fields but At is set. At is when
// it began: of a run its creation, of an attempt its start.
type timelineEntry struct {
	At      time.Time
	History *historyItem
	Run     *runItem
	Attempt *attempt.Attempt
	Event   *api.Event
}

// timelineMore is a link to a list that goes on where the timeline ends. It is there
// where more happened within the time of a page than the page has.
type timelineMore struct{ Text, URL string }

// historyItem is an entry of an order's history, as the API shows it. Version is 0 where
// the entry made none, as that of an export. Compare and Begun are made by the page, and
// not read from the API.
type historyItem struct {
	ID             string           `json:"id"`
	Timestamp      time.Time        `json:"timestamp"`
	Operation      string           `json:"operation"`
	Message        string           `json:"message"`
	Status         string           `json:"status"`
	PreviousStatus string           `json:"previousStatus"`
	Step           string           `json:"step"`
	ShipmentID     string           `json:"shipmentId"`
	ReturnID       string           `json:"returnId"`
	CallID         string           `json:"callId"`
	RunID          string           `json:"runId"`
	By             string           `json:"by"`
	KeyName        string           `json:"keyName"`
	RequestID      string           `json:"requestId"`
	IsError        bool             `json:"isError"`
	Version        int64            `json:"version"`
	Changes        []Change         `json:"changes"`
	Warnings       []apierr.Warning `json:"warnings"`
	ErrorReason    string           `json:"errorReason"`
	Compare        string           `json:"-"` // the URL of its version beside the one before; "" if it made none
	Begun          string           `json:"-"` // the URL of the document that the order began with, of its creation
}

// Name is what happened, for people. An operation without a name for people is shown as
// the API calls it.
func (h historyItem) Name() string {
	if name, ok := operations[h.Operation]; ok {
		return name
	}
	return h.Operation
}

// Tone is the colour of the entry. An error is one, whatever else the entry says.
func (h historyItem) Tone() string {
	switch {
	case h.IsError:
		return "bad"
	case len(h.Warnings) > 0 || h.Operation == order.OpConflict || h.Operation == order.OpStepWarning || h.Operation == order.OpFieldsNotApplied:
		return "warn"
	case h.Operation == order.OpCreated || h.Operation == order.OpExecuteExportOrder || h.Operation == export.OpExportOrder:
		return "good"
	}
	return "idle"
}

// operations are the names of the history's operations for people. An operation that is
// added to the history is added here.
var operations = map[string]string{
	order.OpCreated: "Created", order.OpPatched: "Changed", order.OpReturned: "Return made", order.OpReturnCancelled: "Return canceled",
	order.OpStatusChanged: "Status", order.OpErrorsCleared: "Errors cleared", order.OpExecuteExportOrder: "Step answered", export.OpExportOrder: "Exported",
	order.OpStepFailed: "Step failed", order.OpStepWarning: "Step warned", order.OpStepSkipped: "Step skipped", order.OpStepWaits: "Step waits",
	order.OpTotalsUnfit: "Totals not computed", order.OpFieldsNotApplied: "Fields not applied", order.OpConflict: "Conflict",
	order.OpRunEnded: "Run ended", order.OpRunResumed: "Run resumed",
}

// The kinds of entries, as the parameter tab has them; "" is all. They are names of the
// dashboard's, which the API does not see.
const (
	tabHistory  = "history"
	tabRuns     = "runs"
	tabAttempts = "attempts"
	tabEvents   = "events"
)

// How many entries a page of the timeline has: of the history, and of each other kind
// within the time of that.
const (
	// They are texts since they go into queries.
	historyShown = "50"
	othersShown  = "100"
)

// timeline reads what happened to an order. The history sets the pace: a page of it is a
// span of time, and the other kinds are asked for within that span. So every page has all
// of its time, however long the lists are; what a list has beyond, a link leads to. A
// list of one kind needs no such span: it goes by its own cursor.
func (v *visit) timeline(order string) (t timelineView, err error) {
	query := v.query()
	tab := query.Get("tab")
	if !slices.Contains([]string{"", tabHistory, tabRuns, tabAttempts, tabEvents}, tab) {
		return t, apierr.Wrong("query.tab", "must be %s, %s, %s or %s, or be left out", tabHistory, tabRuns, tabAttempts, tabEvents)
	}
	// Another kind begins at its newest entry, so the cursor is left out of the link.
	for _, k := range []struct{ text, tab string }{{"Everything", ""}, {"History", tabHistory}, {"Runs", tabRuns}, {"Webhooks", tabAttempts}, {"Events", tabEvents}} {
		t.Kinds = append(t.Kinds, Range{k.text, with(v.r.URL, "tab", k.tab, "cursor", "", "to", ""), k.tab == tab})
	}
	if query.Get("cursor") != "" {
		t.Newest = with(v.r.URL, "cursor", "", "to", "")
	}
	asks := url.Values{"orderId": {order}, "limit": {historyShown}}
	if cursor := query.Get("cursor"); cursor != "" {
		asks.Set("cursor", cursor)
	}
	var next string
	switch tab {
	case tabRuns:
		next, err = v.addRuns(&t, asks)
	case tabAttempts:
		next, err = v.addAttempts(&t, asks)
	case tabEvents:
		next, err = v.addEvents(&t, asks)
	case tabHistory:
		next, err = v.addHistory(&t, order, asks)
	default:
		return t, v.everything(&t, order, asks)
	}
	if next != "" {
		t.Older = with(v.r.URL, "cursor", next)
	}
	return t, err
}

// everything adds a page of the history, and all else that happened in its time. The span
// begins with the oldest entry of this page of the history, and ends where the page
// before began, so two pages have neither a gap between them nor anything twice.
func (v *visit) everything(t *timelineView, order string, asks url.Values) error {
	// The history is asked for first: its page decides which time is shown.
	next, err := v.addHistory(t, order, asks)
	if err != nil {
		return err
	}
	// The span ends where the newer page began, which its link has put into the URL.
	span := url.Values{"orderId": {order}, "limit": {othersShown}}
	if to := v.query().Get("to"); to != "" {
		span.Set("to", to)
	}
	// On the last page there is no beginning: whatever is older than the history is on
	// it.
	if next != "" && len(t.Entries) > 0 {
		oldest := slices.MinFunc(t.Entries, byTime).At
		from := stamp(oldest)
		t.Older = with(v.r.URL, "cursor", next, "to", from)
		if to, err := time.Parse(time.RFC3339Nano, span.Get("to")); err == nil && !oldest.Before(to) { // all of one moment, whose others were on the page before
			t.Older = with(v.r.URL, "cursor", next)
			return nil
		}
		span.Set("from", from)
	}
	// Of each other kind comes what happened within the span, up to a limit. If there is
	// more, a link leads to the list of that time.
	for _, kind := range []struct {
		add        func(*timelineView, url.Values) (string, error)
		list, text string
	}{{v.addRuns, "runs", "runs"}, {v.addAttempts, "attempts", "webhooks"}, {v.addEvents, "events", "events"}} {
		beyond, err := kind.add(t, span)
		if err != nil {
			return err
		}
		if beyond != "" {
			t.More = append(t.More, timelineMore{"More " + kind.text + " of this time", search(kind.list, "orderId", order, "from", span.Get("from"), "to", span.Get("to"))})
		}
	}
	slices.SortStableFunc(t.Entries, func(a, b timelineEntry) int { return byTime(b, a) })
	return nil
}

// byTime sorts by nanoseconds: what happens within one write has times that close
// together. Within a page the order of the lists decides what is left.
func byTime(a, b timelineEntry) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) }

// addHistory adds a page of the order's history, and returns the cursor of the next. The
// history of an order is asked for by its path, so the filters of other lists do not
// apply. Each entry that made a version gets a link to compare it.
func (v *visit) addHistory(t *timelineView, o string, asks url.Values) (string, error) {
	// The call has the order in its path, and takes no filter by order.
	page := url.Values{"limit": asks["limit"]}
	if cursor := asks.Get("cursor"); cursor != "" {
		page.Set("cursor", cursor)
	}
	return added(v, t, "/api"+href("orders", o, "history"), page, func(h *historyItem) timelineEntry {
		// Version 1 has none before it. What it began with is shown instead.
		if h.Version > 1 {
			h.Compare = href("orders", o, "versions") + "?version=" + strconv.FormatInt(h.Version, 10)
		}
		if h.Operation == order.OpCreated && h.Version == 1 {
			h.Begun = href("orders", o, "versions") + "?version=1"
		}
		return timelineEntry{At: h.Timestamp, History: h}
	})
}

// addRuns adds a page of the order's runs.
func (v *visit) addRuns(t *timelineView, asks url.Values) (string, error) {
	return added(v, t, "/api/runs", asks, func(r *runItem) timelineEntry { return timelineEntry{At: r.Created, Run: r} })
}

// addAttempts adds a page of the attempts that were about the order.
func (v *visit) addAttempts(t *timelineView, asks url.Values) (string, error) {
	return added(v, t, "/api/attempts", asks, func(a *attempt.Attempt) timelineEntry { return timelineEntry{At: a.StartedAt, Attempt: a} })
}

// addEvents adds a page of the events that were about the order.
func (v *visit) addEvents(t *timelineView, asks url.Values) (string, error) {
	return added(v, t, "/api/events", asks, func(e *api.Event) timelineEntry { return timelineEntry{At: e.Timestamp, Event: e} })
}

// added adds a page of one of the API's lists, and returns the cursor of the next. What
// it appends points into the list, which nobody else has.
func added[T any](v *visit, t *timelineView, path string, asks url.Values, entry func(*T) timelineEntry) (string, error) {
	var list List[T]
	if err := v.get(path, asks, &list); err != nil {
		return "", err
	}
	for i := range list.Items {
		t.Entries = append(t.Entries, entry(&list.Items[i]))
	}
	return list.NextCursor, nil
}
