package dash

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// timelineView is what happened to an order, the newest first: its history, runs,
// attempts and events on one line, or those of one kind.
type timelineView struct {
	Kinds   []Range // which kinds are shown
	Entries []timelineEntry
	More    []timelineMore // what the time that is shown has beyond
	Newest  string         // the URL of the newest entries; "" is this one
	Older   string         // the URL of what is before; "" where there is nothing
}

// timelineEntry is one thing that happened. One of its fields but At is set.
type timelineEntry struct {
	At      time.Time
	History *historyItem
	Run     *runItem
	Attempt *oms.Attempt
	Event   *api.Event
}

// timelineMore is a link to a list that goes on where the timeline ends.
type timelineMore struct{ Text, URL string }

// historyItem is an entry of an order's history, as the API shows it.
type historyItem struct {
	ID             string        `json:"id"`
	Timestamp      time.Time     `json:"timestamp"`
	Operation      string        `json:"operation"`
	Message        string        `json:"message"`
	Status         string        `json:"status"`
	PreviousStatus string        `json:"previousStatus"`
	Step           string        `json:"step"`
	ShipmentID     string        `json:"shipmentId"`
	ReturnID       string        `json:"returnId"`
	CallID         string        `json:"callId"`
	RunID          string        `json:"runId"`
	By             string        `json:"by"`
	KeyName        string        `json:"keyName"`
	RequestID      string        `json:"requestId"`
	IsError        bool          `json:"isError"`
	Version        int64         `json:"version"`
	Changes        []Change      `json:"changes"`
	Warnings       []oms.Warning `json:"warnings"`
	ErrorReason    string        `json:"errorReason"`
}

// Name is what happened, for people.
func (h historyItem) Name() string {
	if name, ok := operations[h.Operation]; ok {
		return name
	}
	return h.Operation
}

// Tone is the colour of the entry.
func (h historyItem) Tone() string {
	switch {
	case h.IsError:
		return "bad"
	case len(h.Warnings) > 0 || h.Operation == oms.OpConflict || h.Operation == oms.OpStepWarning || h.Operation == oms.OpFieldsNotApplied:
		return "warn"
	case h.Operation == oms.OpCreated || h.Operation == oms.OpExecuteExportOrder || h.Operation == oms.OpExportOrder:
		return "good"
	}
	return "idle"
}

// operations are the names of the history's operations for people.
var operations = map[string]string{
	oms.OpCreated: "Created", oms.OpPatched: "Changed", oms.OpReturned: "Return made", oms.OpReturnCancelled: "Return canceled",
	oms.OpStatusChanged: "Status", oms.OpErrorsCleared: "Errors cleared", oms.OpExecuteExportOrder: "Step answered", oms.OpExportOrder: "Exported",
	oms.OpStepFailed: "Step failed", oms.OpStepWarning: "Step warned", oms.OpStepSkipped: "Step skipped", oms.OpStepWaits: "Step waits",
	oms.OpTotalsUnfit: "Totals not computed", oms.OpFieldsNotApplied: "Fields not applied", oms.OpConflict: "Conflict",
	oms.OpRunEnded: "Run ended", oms.OpRunResumed: "Run resumed",
}

// The kinds of entries, as the parameter tab has them; "" is all.
const (
	tabHistory  = "history"
	tabRuns     = "runs"
	tabAttempts = "attempts"
	tabEvents   = "events"
)

// How many entries a page of the timeline has: of the history, and of each other kind
// within the time of that.
const (
	historyShown = "50"
	othersShown  = "100"
)

// timeline reads what happened to an order. The history sets the pace: a page of it is a
// span of time, and the other kinds are asked for within that span. So every page has all
// of its time, however long the lists are; what a list has beyond, a link leads to.
func (v *visit) timeline(order string) (t timelineView, err error) {
	query := v.query()
	tab := query.Get("tab")
	if !slices.Contains([]string{"", tabHistory, tabRuns, tabAttempts, tabEvents}, tab) {
		return t, oms.Wrong("query.tab", "must be %s, %s, %s or %s, or be left out", tabHistory, tabRuns, tabAttempts, tabEvents)
	}
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

// everything adds a page of the history, and all else that happened in its time.
func (v *visit) everything(t *timelineView, order string, asks url.Values) error {
	next, err := v.addHistory(t, order, asks)
	if err != nil {
		return err
	}
	span := url.Values{"orderId": {order}, "limit": {othersShown}}
	if to := v.query().Get("to"); to != "" {
		span.Set("to", to)
	}
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

func byTime(a, b timelineEntry) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) }

// addHistory adds a page of the order's history, and returns the cursor of the next.
func (v *visit) addHistory(t *timelineView, order string, asks url.Values) (string, error) {
	page := url.Values{"limit": asks["limit"]}
	if cursor := asks.Get("cursor"); cursor != "" {
		page.Set("cursor", cursor)
	}
	return added(v, t, "/api"+href("orders", order, "history"), page, func(h *historyItem) timelineEntry {
		return timelineEntry{At: h.Timestamp, History: h}
	})
}

func (v *visit) addRuns(t *timelineView, asks url.Values) (string, error) {
	return added(v, t, "/api/runs", asks, func(r *runItem) timelineEntry { return timelineEntry{At: r.Created, Run: r} })
}

func (v *visit) addAttempts(t *timelineView, asks url.Values) (string, error) {
	return added(v, t, "/api/attempts", asks, func(a *oms.Attempt) timelineEntry { return timelineEntry{At: a.StartedAt, Attempt: a} })
}

func (v *visit) addEvents(t *timelineView, asks url.Values) (string, error) {
	return added(v, t, "/api/events", asks, func(e *api.Event) timelineEntry { return timelineEntry{At: e.Timestamp, Event: e} })
}

// added adds a page of one of the API's lists, and returns the cursor of the next.
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
