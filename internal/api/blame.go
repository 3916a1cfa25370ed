package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func blames(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "get-order-blame", Method: http.MethodGet, Path: "/api/orders/{id}/blame", Tags: []string{"Orders"},
		Summary: "Read which change gave each field of an order its value",
		Description: "In the order of the document, `version` and `modified` left out: for each field the first version that had its value, what it was before, and what the history says of that version: " +
			"the step and its call, the key and the request, or the creation. Elements of lists are followed as patches find them: by their keys, else by their content. " +
			"Versions are looked at back to the 1,000th, and until they come to 64 MiB; a field whose version is not among them says so in `unknown`."}, a.getBlame)
}

// Bounds of what one request looks at.
const (
	mostBlameVersions = 1000
	mostBlameBytes    = 64 << 20 // of documents
	mostBlameEntries  = 2000     // of the history
	mostBlameValues   = 200      // that one field had
)

// blamedField is a field, and what gave it its value.
type blamedField struct {
	oms.Change
	Pointer   string
	Version   int64
	Added     bool
	Unknown   string
	Timestamp *time.Time
	Source    *blameSource
}

// blameSource is what the history says of a version.
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

// Why a version is not known.
const (
	olderThanKept = "olderThanKept"
	notLookedAt   = "notLookedAt"
)

// MarshalJSON implements json.Marshaler; numbers keep their text.
func (f blamedField) MarshalJSON() ([]byte, error) {
	o := oms.NewObject(oms.Member{Name: "path", Value: f.Path}, oms.Member{Name: "pointer", Value: f.Pointer}, oms.Member{Name: "value", Value: f.After})
	if f.Version > 0 {
		o.Set("version", oms.Number(strconv.FormatInt(f.Version, 10)))
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
		o.Set("timestamp", oms.FormatTime(*f.Timestamp))
	}
	text := o.JSON()
	if f.Source == nil {
		return text, nil
	}
	source, err := encodeItem(f.Source)
	return append(append(append(text[:len(text)-1], `,"source":`...), source...), '}'), err
}

// blamedFieldShape describes blamedField.
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

// BlameParams are what is asked of a blame.
type BlameParams struct {
	Path   string `query:"path" maxLength:"2000" doc:"Only what is at this path, as the history has it, or JSON Pointer, or below it"`
	All    bool   `query:"all" doc:"All values that what is at path had, at most 200, the newest first, back to where it was added; it needs a path"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
	Cursor string `query:"cursor" doc:"nextCursor of the page before"`
}

func (in BlameParams) page() (oms.BlamePage, error) {
	p := oms.BlamePage{Path: in.Path, Every: in.All, Limit: in.Limit}
	if in.All && in.Path == "" {
		return p, oms.Wrong("query.path", "must be given with all=true")
	}
	after, err := store.Page{Cursor: in.Cursor}.After()
	if err != nil || after == nil {
		return p, err
	}
	if after.At < 0 || after.At > 1<<40 || in.All {
		return p, oms.Wrong("query.cursor", "is not a cursor that a list gave out")
	}
	p.From = int(after.At)
	return p, nil
}

func (a *api) getBlame(ctx context.Context, in *struct {
	OrderID
	BlameParams
}) (*listOf[blamedField], error) {
	asked, err := in.page()
	if err != nil {
		return nil, err
	}
	order, err := a.Store.Order(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if err := admission.Begin(ctx, len(order.Doc.JSON())); err != nil { // two versions of it are in memory
		return nil, err
	}
	b := oms.NewBlame(order, asked)
	unknown, made, err := a.lookBack(ctx, b, order)
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
		list.NextCursor = store.Cursor{At: int64(asked.From + len(b.Fields))}.String()
	}
	return answerList(list, nil, asIs)
}

// lookBack goes back from version to version until all is known, and says why what is
// not known is not, and when each version was made.
func (a *api) lookBack(ctx context.Context, b *oms.Blame, order *oms.Order) (unknown string, made map[int64]time.Time, err error) {
	made = map[int64]time.Time{order.Version: order.Modified}
	bytes := 0
	for n := 0; !b.Done(); n++ {
		if b.Version() == 1 {
			b.Beginning()
			return "", made, nil
		}
		if n == mostBlameVersions || bytes >= mostBlameBytes || b.Every() && len(b.Fields) >= mostBlameValues {
			return notLookedAt, made, nil
		}
		before, err := a.Store.OrderVersion(ctx, tenantOf(ctx), order.ID, b.Version()-1)
		if oms.KindOf(err) == oms.NotFound {
			return olderThanKept, made, nil
		}
		if err != nil {
			return "", nil, err
		}
		made[before.Version] = before.Modified
		bytes += len(before.Doc.JSON())
		b.Back(before)
	}
	return "", made, nil
}

// sources finds what the history says of the versions that a blame names.
func (a *api) sources(ctx context.Context, order string, b *oms.Blame) (map[int64]*blameSource, error) {
	found := map[int64]*oms.HistoryEntry{}
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
		list, err := a.Store.History(ctx, tenantOf(ctx), order, page)
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

// tellsMore reports whether an entry says more of how a version came to be than one
// that was added later. The first with changes is the one that made it; without any,
// the first of all.
func tellsMore(e, than *oms.HistoryEntry) bool {
	return len(e.Changes) > 0 || len(than.Changes) == 0
}

func (a *api) showSources(ctx context.Context, found map[int64]*oms.HistoryEntry) (map[int64]*blameSource, error) {
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

// nameStep finds what the settings called the step of a call.
func (a *api) nameStep(ctx context.Context, s *blameSource) error {
	if s.RunID == "" {
		return nil
	}
	r, err := a.Store.Run(ctx, tenantOf(ctx), s.RunID)
	if oms.KindOf(err) == oms.NotFound {
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
