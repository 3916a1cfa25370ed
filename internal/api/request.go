package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/workflow"
)

// OnceParams are the headers of a POST. An operation whose input embeds them takes an
// Idempotency-Key, and is documented with the 409 of another request with the same key.
type OnceParams struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"The same key and body within 24 hours give the same answer, and do nothing twice"`
}

// MatchParams are the headers of a write to something that has versions. An operation
// whose input embeds them is documented with the 412.
type MatchParams struct {
	IfMatch string `header:"If-Match" doc:"The version to change, as the ETag has it; 412 if it is another by now"`
}

// WaitParams say how long a caller waits for a run. Wait goes before Prefer where both
// are given.
type WaitParams struct {
	Wait   string `query:"wait" doc:"How long to wait for the workflow, as PT10S; false answers 202 at once" example:"PT55S"`
	Prefer string `header:"Prefer" doc:"respond-async is the same as wait=false"`
}

// PageParams ask for a page of a list. Huma has checked the limit, and checkQuery which list
// the cursor is of.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" doc:"nextCursor of the page before"`
}

// page returns what the store is asked for.
func (p PageParams) page() store.Page { return unmarked(store.Page{Limit: p.Limit, Cursor: p.Cursor}) }

// CountParams ask for a page of a list, and how long that is. Counting costs a question
// more, so it is done only where it is asked for.
type CountParams struct {
	PageParams
	Count bool `query:"count" doc:"Whether to say how many there are with this filter, up to 10,000"`
}

// caller returns who makes the request, for the engine. Its author goes into the history
// of what the request changes. Once is nil without an Idempotency-Key. Operations that take
// If-Match set IfMatch themselves.
func (a *api) caller(ctx context.Context, once OnceParams) workflow.Caller {
	c := callOf(ctx)
	out := workflow.Caller{Tenant: c.key.Tenant, Author: order.Author{By: "key " + c.key.ID, KeyName: c.key.Name, RequestID: c.id}}
	if once.IdempotencyKey != "" {
		out.Once = &store.Idempotency{Key: once.IdempotencyKey, Hash: c.hash()}
	}
	return out
}

// noVersion is a version that nothing ever has. So an If-Match that is no version of
// ours, as another system's ETag, is a 412, and not an error of its form: it is a version
// that the thing does not have.
const noVersion = -1

// parseMatch reads an If-Match header. any reports that it matches any version. A weak
// ETag counts as a strong one, since proxies that compress answers make it weak.
func parseMatch(ifMatch string) (n int64, any bool) {
	s := strings.TrimSpace(ifMatch)
	if s == "" || s == "*" {
		return 0, true
	}
	n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(s, "W/"), `"`), 10, 64)
	if err != nil || n < 0 {
		return noVersion, false
	}
	return n, false
}

// version is parseMatch for things whose first version is 1. It returns 0 for any
// version.
func version(ifMatch string) int64 {
	if n, any := parseMatch(ifMatch); any || n > 0 {
		return n
	}
	return noVersion
}

// etag is a version as the header has it.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Limits of ?wait= (docs/contract.md#waiting).
const (
	defaultWait = 55 * time.Second
	maxWait     = time.Hour
)

// duration returns how long to wait; 0 for not at all.
func (p WaitParams) duration() (time.Duration, error) {
	switch {
	case strings.EqualFold(p.Wait, "false"), p.Wait == "" && strings.Contains(strings.ToLower(p.Prefer), "respond-async"):
		return 0, nil
	case p.Wait == "", strings.EqualFold(p.Wait, "true"):
		return defaultWait, nil
	}
	d, ok := timetext.ParseDuration(p.Wait, maxWait)
	if !ok {
		return 0, apierr.Wrong("query.wait", "must be false, or a duration of at most PT1H, as PT10S or 00:00:10")
	}
	return d, nil
}

// timeParam reads a point in time. A + that the URL turned into a space is read as a +.
// The zero time is that of a parameter which was left out. A time without a zone, and a
// date, are taken as well.
func timeParam(name, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	t, err := timetext.ParseTime(strings.ReplaceAll(value, " ", "+"), timetext.LayoutLocal, timetext.LayoutDate)
	if err != nil {
		return time.Time{}, apierr.Wrong("query."+name, "%v; a date will do, too", err)
	}
	return t, nil
}

// span reads the two ends of a stretch of time. Either may be open. The end itself is not
// within the stretch.
func span(from, to string) (f, t time.Time, err error) {
	if f, err = timeParam("from", from); err != nil {
		return
	}
	t, err = timeParam("to", to)
	return
}

// within puts "body." before the paths that an error about a document names. Packages
// that read documents know nothing of requests: they say `orderForm.lineItems[0]`, and
// the caller must find that in the body. An error of another kind passes through.
func within(err error) error {
	e, ok := err.(*apierr.Error)
	if !ok {
		return err
	}
	out := *e
	out.Fields = make([]apierr.FieldError, len(e.Fields))
	for i, f := range e.Fields {
		if !strings.HasPrefix(f.Location, "body") {
			f.Location = bodyPlace(f.Location)
		}
		out.Fields[i] = f
	}
	return &out
}

// inBody is [within] for warnings.
func inBody(warnings []apierr.Warning) []apierr.Warning {
	out := make([]apierr.Warning, len(warnings))
	for i, w := range warnings {
		out[i] = apierr.Warning{Path: bodyPlace(w.Path), Message: w.Message}
	}
	return out
}

// bodyPlace is a place within the body; the body itself where the place is empty.
func bodyPlace(location string) string {
	if location == "" || strings.HasPrefix(location, "[") {
		return "body" + location
	}
	return "body." + location
}

// clip keeps a name of a hostile query readable. It does not cut through a character.
func clip(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}
