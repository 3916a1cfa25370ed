package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// OnceParams are the headers of a POST.
type OnceParams struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"The same key and body within 24 hours give the same answer, and do nothing twice"`
}

// MatchParams are the headers of a write to something that has versions.
type MatchParams struct {
	IfMatch string `header:"If-Match" doc:"The version to change, as the ETag has it; 412 if it is another by now"`
}

// WaitParams say how long a caller waits for a run.
type WaitParams struct {
	Wait   string `query:"wait" doc:"How long to wait for the workflow, as PT10S; false answers 202 at once" example:"PT55S"`
	Prefer string `header:"Prefer" doc:"respond-async is the same as wait=false"`
}

// PageParams ask for a page of a list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" doc:"nextCursor of the page before"`
}

func (p PageParams) page() store.Page { return store.Page{Limit: p.Limit, Cursor: p.Cursor} }

// CountParams ask for a page of a list, and how long that is.
type CountParams struct {
	PageParams
	Count bool `query:"count" doc:"Whether to say how many there are with this filter, up to 10,000"`
}

// caller is who asks, for the engine.
func (a *api) caller(ctx context.Context, once OnceParams, match MatchParams) workflow.Caller {
	c := callOf(ctx)
	out := workflow.Caller{Tenant: c.key.Tenant, Author: oms.Author{By: "key " + c.key.ID, KeyName: c.key.Name, RequestID: c.id}, IfMatch: version(match.IfMatch)}
	if once.IdempotencyKey != "" {
		out.Once = &store.Idempotency{Key: once.IdempotencyKey, Hash: c.hash()}
	}
	return out
}

// noVersion is a version that nothing has.
const noVersion = -1

// parseMatch reads an If-Match header; any says that it takes any version.
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

// version is parseMatch for what begins at version 1: 0 takes any version.
func version(ifMatch string) int64 {
	if n, any := parseMatch(ifMatch); any || n > 0 {
		return n
	}
	return noVersion
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Limits of ?wait= (CONTRACT.md, "When it runs").
const (
	defaultWait = 55 * time.Second
	maxWait     = time.Hour
)

func (p WaitParams) duration() (time.Duration, error) {
	switch {
	case strings.EqualFold(p.Wait, "false"), p.Wait == "" && strings.Contains(strings.ToLower(p.Prefer), "respond-async"):
		return 0, nil
	case p.Wait == "", strings.EqualFold(p.Wait, "true"):
		return defaultWait, nil
	}
	d, ok := oms.ParseDuration(p.Wait, maxWait)
	if !ok {
		return 0, oms.Wrong("query.wait", "must be false, or a duration of at most PT1H, as PT10S or 00:00:10")
	}
	return d, nil
}

// timeParam reads a point in time; a + that the URL turned into a space is one again.
func timeParam(name, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	t, err := oms.ParseTime(strings.ReplaceAll(value, " ", "+"), oms.LayoutLocal, oms.LayoutDate)
	if err != nil {
		return time.Time{}, oms.Wrong("query."+name, "%v; a date will do, too", err)
	}
	return t, nil
}

// span reads the two ends of a stretch of time.
func span(from, to string) (f, t time.Time, err error) {
	if f, err = timeParam("from", from); err != nil {
		return
	}
	t, err = timeParam("to", to)
	return
}

// within puts "body." in front of the places that an error of a document names.
func within(err error) error {
	e, ok := err.(*oms.Error)
	if !ok {
		return err
	}
	out := *e
	out.Fields = make([]oms.FieldError, len(e.Fields))
	for i, f := range e.Fields {
		if !strings.HasPrefix(f.Location, "body") {
			f.Location = bodyPlace(f.Location)
		}
		out.Fields[i] = f
	}
	return &out
}

// inBody is [within] for warnings.
func inBody(warnings []oms.Warning) []oms.Warning {
	out := make([]oms.Warning, len(warnings))
	for i, w := range warnings {
		out[i] = oms.Warning{Path: bodyPlace(w.Path), Message: w.Message}
	}
	return out
}

func bodyPlace(location string) string {
	if location == "" || strings.HasPrefix(location, "[") {
		return "body" + location
	}
	return "body." + location
}
