package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// blames registers the call that says which change gave each field of an order its value.
func blames(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-order-blame", Method: http.MethodGet, Path: "/api/orders/{id}/blame", Tags: []string{"Orders"},
		Summary: "Read which change gave each field of an order its value",
		Description: "In the order of the document, `version` and `modified` left out: for each field the first version that had its value, what it was before, and what the history says of that version: " +
			"the step and its call, the key and the request, or the creation. Elements of lists are followed as patches find them: by their keys, else by their content. " +
			"Versions are looked at back to the 1,000th, and until they come to 32 MiB, with all=true to 64 MiB; a field whose version is not among them says so in `unknown`."}, a.getBlame)
}

// The limits of the work for one request. An order may have any number of versions, each
// of up to 10 MiB, and all of them might be read for a field that never changed. What
// lies beyond the limits is answered as not known, and not as an error: what was found is
// of use.
const (
	mostBlameVersions = 1000
	mostBlameBytes    = 32 << 20 // of documents: three of the largest orders, and some of a fourth
	mostValuesBytes   = 64 << 20 // of documents, for all values of one place
	mostBlameEntries  = 2000     // of the history
	mostBlameValues   = 200      // that one field had
)

// blamedField is a field, and the change that gave it its value. Only the fields of the
// toPage are looked for, so versions are read back to the oldest change of these, and no
// further.
type blamedField struct {
	order.Change
	// Pointer is where the field is in the order of today. Version is the first version
	// that had the value, 0 where it is not known: Unknown says why then. Added says that
	// the field was absent before. Timestamp and Source are nil where nothing is stored
	// of that version any more.
	Pointer   string
	Version   int64
	Added     bool
	Unknown   string
	Timestamp *time.Time
	Source    *blameSource
}

// blameSource is what the history says about a version. A change through the API has a
// key and a request, one by a step has its step, run, call and attempt. What retention
// has removed since is left out.
type blameSource struct {
	HistoryID   string `json:"historyId"`
	Operation   string `json:"operation" example:"ExecuteExportOrder"`
	Message     string `json:"message,omitempty"`
	By          string `json:"by,omitempty" doc:"The key, or the step, that did it"`
	KeyName     string `json:"keyName,omitempty" doc:"As the key was called then"`
	RequestID   string `json:"requestId,omitempty" doc:"Of the request that asked for it"`
	Step        string `json:"step,omitempty"`
	DisplayName string `json:"displayName,omitempty" doc:"Of the step, while its run is kept"`
	RunID       string `json:"runId,omitempty"`
	CallID      string `json:"callId,omitempty"`
	AttemptID   string `json:"attemptId,omitempty" doc:"The last attempt of the call, while it is kept: the one whose answer counts"`
}

// Why a version is not known. Retention has removed the version, or the limits ended the
// search before it.
const (
	olderThanRetained = "olderThanKept"
	notLookedAt       = "notLookedAt"
)

// MarshalJSON implements json.Marshaler; numbers keep their text. The values come from
// documents, where a number may have more digits than a float keeps; so the object is
// built as a jsondoc.Object. Source has no such values, and is encoded as all other
// answers are, and put in before the last brace.
func (f blamedField) MarshalJSON() ([]byte, error) {
	o := jsondoc.NewObject(jsondoc.Member{Name: "path", Value: f.Path}, jsondoc.Member{Name: "pointer", Value: f.Pointer}, jsondoc.Member{Name: "value", Value: f.After})
	if f.Version > 0 {
		o.Set("version", jsondoc.Number(strconv.FormatInt(f.Version, 10)))
		if f.Added {
			o.Set("added", true)
		} else {
			o.Set("before", f.Before)
		}
	} else {
		o.Set("unknown", f.Unknown)
	}
	if f.Cut {
		o.Set("cut", true)
	}
	if f.Timestamp != nil {
		o.Set("timestamp", timetext.FormatTime(*f.Timestamp))
	}
	text := o.JSON()
	if f.Source == nil {
		return text, nil
	}
	source, err := encodeItem(f.Source)
	return append(append(append(text[:len(text)-1], `,"source":`...), source...), '}'), err
}

// blamedFieldShape describes blamedField. It exists for the OpenAPI document alone:
// blamedField writes its JSON by itself, so its Go fields would describe another answer.
type blamedFieldShape struct {
	Path      string       `json:"path" doc:"As the history names it" example:"orderForm.lineItems[L1].placedPrice"`
	Pointer   string       `json:"pointer" doc:"An RFC 6901 JSON Pointer into the order" example:"/orderForm/lineItems/0/placedPrice"`
	Value     any          `json:"value" doc:"With all=true it is the one that the field had from this version on"`
	Version   int64        `json:"version,omitempty" doc:"The first that had the value"`
	Added     bool         `json:"added,omitempty" doc:"The field was absent before"`
	Before    any          `json:"before,omitempty" doc:"The value before; absent with added, and where the version is not known"`
	Cut       bool         `json:"cut,omitempty" doc:"A value was too long: it is a text, the beginning of the value or of its JSON, and ends with …"`
	Unknown   string       `json:"unknown,omitempty" enum:"olderThanKept,notLookedAt" doc:"Why there is no version: the field is older than the versions that are kept, or than those that were looked at"`
	Timestamp *time.Time   `json:"timestamp,omitempty" doc:"When the version was made"`
	Source    *blameSource `json:"source,omitempty" doc:"Absent where the history has no entry of the version any more"`
}

// Schema implements huma.SchemaProvider.
func (blamedField) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[blamedFieldShape](), true, "BlamedField")
}

// BlameParams are what is asked of a blame. With All the caller asks about the past of
// one place, and without it about today's value of many.
type BlameParams struct {
	Path   string `query:"path" maxLength:"2000" doc:"Only what is at this path, as the history has it, or JSON Pointer, or below it"`
	All    bool   `query:"all" doc:"All values that what is at path had, at most 200, the newest first, back to where it was added; it needs a path"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
	Cursor string `query:"cursor" doc:"nextCursor of the page before"`
}

// toPage returns which fields are asked for. The cursor is a position among the fields, and
// is checked here because callers may send any text. With all=true there are no further
// pages, and so no cursor fits.
func (in BlameParams) toPage() (order.BlamePage, error) {
	p := order.BlamePage{Path: in.Path, Every: in.All, Limit: in.Limit}
	if in.All && in.Path == "" {
		return p, apierr.Wrong("query.path", "must be given with all=true")
	}
	after, err := unmarked(store.Page{Cursor: in.Cursor}).After()
	if err != nil || after == nil {
		return p, err
	}
	if after.At < 0 || after.At > 1<<40 || in.All {
		return p, apierr.Wrong("query.cursor", "is not a cursor that a list gave out")
	}
	p.From = int(after.At)
	return p, nil
}

// getBlame answers which change set each field of an order. It looks back through the
// versions until each field of the page has its change. Nothing is stored about who set
// what: it is worked out from the versions and the history, each time
// (docs/design.md#differences-and-history). That reads many documents, so it counts as
// work on large ones, if they are large.
func (a *api) getBlame(ctx context.Context, in *struct {
	OrderID
	BlameParams
}) (*listOf[blamedField], error) {
	asked, err := in.toPage()
	if err != nil {
		return nil, err
	}
	o, err := a.Store.Order(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if err := admission.Begin(ctx, o.Doc.Size()); err != nil { // two versions of it are in memory
		return nil, err
	}
	b := order.NewBlame(o, asked)
	unknown, made, err := a.lookBack(ctx, b, o)
	if err != nil {
		return nil, err
	}
	sources, err := a.sources(ctx, in.ID, b)
	if err != nil {
		return nil, err
	}
	list := store.List[blamedField]{}
	for _, f := range b.Fields {
		shown := f.Shown()
		one := blamedField{Change: shown.Change, Pointer: f.Pointer, Version: f.Version, Added: f.Added, Source: sources[f.Version]}
		if f.Version == 0 {
			one.Unknown = unknown
		} else if at, ok := made[f.Version]; ok {
			one.Timestamp = &at
		}
		list.Items = append(list.Items, one)
	}
	if b.More {
		list.NextCursor = marked(callOf(ctx).r.URL.Path, store.Cursor{At: int64(asked.From + len(b.Fields))}.String())
	}
	return answerList(list, nil, asIs)
}

// lookBack reads the versions from the newest to older ones, until each field has its
// change. It returns why the remaining ones are not known, and when each version was
// made. A version that is not there ends the search, since retention removes the oldest
// first.
func (a *api) lookBack(ctx context.Context, b *order.Blame, order *order.Order) (unknown string, made map[int64]time.Time, err error) {
	made = map[int64]time.Time{order.Version: order.Modified}
	bytes, most := 0, mostBlameBytes
	if b.Every() {
		most = mostValuesBytes
	}
	for n := 0; !b.Done(); n++ {
		// Before version 1 there was nothing, so whatever is left was there from the
		// beginning.
		if b.Version() == 1 {
			b.Beginning()
			return "", made, nil
		}
		if n == mostBlameVersions || bytes >= most || b.Every() && len(b.Fields) >= mostBlameValues {
			return notLookedAt, made, nil
		}
		before, err := a.Store.OrderVersion(ctx, tenantOf(ctx), order.ID, b.Version()-1)
		if apierr.KindOf(err) == apierr.NotFound {
			return olderThanRetained, made, nil
		}
		if err != nil {
			return "", nil, err
		}
		made[before.Version] = before.Modified
		bytes += before.Doc.Size()
		b.Back(before)
	}
	return "", made, nil
}

// sources finds what the history says about the versions that a blame names. The history
// is read from the newest entry on, until it is older than the oldest version that is
// named, or until the limit. What a page of the history has beyond that costs nothing
// more.
func (a *api) sources(ctx context.Context, o string, b *order.Blame) (map[int64]*blameSource, error) {
	found := map[int64]*order.HistoryEntry{}
	oldest := int64(0)
	for _, f := range b.Fields {
		if f.Version > 0 {
			found[f.Version] = nil
			if oldest == 0 || f.Version < oldest {
				oldest = f.Version
			}
		}
	}
	page := store.Page{Limit: store.MaxLimit}
	for seen, more := 0, len(found) > 0; more && seen < mostBlameEntries; {
		list, err := a.Store.History(ctx, tenantOf(ctx), o, page)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			e := &list.Items[i]
			if e.Version == 0 { // the log item of an export, which says of no version
				continue
			}
			if best, named := found[e.Version]; named && (best == nil || tellsMore(e, best)) {
				found[e.Version] = e
			}
			more = e.Version >= oldest
		}
		seen += len(list.Items)
		page.Cursor = list.NextCursor
		more = more && page.Cursor != ""
	}
	return a.showSources(ctx, found)
}

// tellsMore reports whether a history entry says more about how a version came to be than
// a later one. The first entry with changes is the one that made the version; if none has
// changes, it is the first of all. An entry about a status only says less than the one of
// the step, or of the failure, that set the status. For example an order is patched by a
// step, which makes an entry with the changes, and enters a status by that, which makes
// another entry of the same version.
func tellsMore(e, than *order.HistoryEntry) bool {
	tells := func(e *order.HistoryEntry) bool { return len(e.Changes) > 0 && !onlyStatus(e) }
	return tells(e) || !tells(than)
}

// onlyStatus reports whether an entry says of nothing but the order's status.
func onlyStatus(e *order.HistoryEntry) bool {
	return e.Operation == order.OpStatusChanged && len(e.Changes) == 1 && e.Changes[0].Path == "status"
}

// showSources returns what made each version: the history entry, and, for a step, the
// call and its newest attempt. Several versions may be of one call, which is asked for
// once. A version whose entry is nil has no source: retention removed the entry, or the
// search ended before it.
func (a *api) showSources(ctx context.Context, found map[int64]*order.HistoryEntry) (map[int64]*blameSource, error) {
	out := map[int64]*blameSource{}
	attempts := map[string]string{}
	for version, e := range found {
		if e == nil {
			continue
		}
		s := &blameSource{HistoryID: e.ID, Operation: e.Operation, Message: e.Message, By: e.By, KeyName: e.KeyName, RequestID: e.RequestID, Step: e.Step, RunID: e.RunID, CallID: e.CallID}
		out[version] = s
		if e.CallID == "" {
			continue
		}
		if _, asked := attempts[e.CallID]; !asked {
			list, err := a.Store.Attempts(ctx, tenantOf(ctx), store.AttemptFilter{CallID: e.CallID}, store.Page{Limit: 1})
			if err != nil {
				return nil, err
			}
			attempts[e.CallID] = ""
			for _, at := range list.Items {
				attempts[e.CallID] = at.ID
			}
		}
		s.AttemptID = attempts[e.CallID]
		if err := a.nameStep(ctx, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// nameStep finds what the settings called the step of a call. The name is what the run
// has noted, and not what the settings say today. A run that retention has removed leaves
// it empty.
func (a *api) nameStep(ctx context.Context, s *blameSource) error {
	if s.RunID == "" {
		return nil
	}
	r, err := a.Store.Run(ctx, tenantOf(ctx), s.RunID)
	if apierr.KindOf(err) == apierr.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range r.Results {
		if r.Results[i].CallID == s.CallID {
			s.DisplayName = r.Results[i].DisplayName
		}
	}
	return nil
}
