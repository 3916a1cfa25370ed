package dash

import (
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/orderhook/orderhook/internal/timetext"
)

// functions are what templates call. They are few, and work nothing out that a view could
// have: a template decides only how things look.
var functions = template.FuncMap{
	"href":     href,
	"search":   search,
	"asset":    asset,
	"duration": duration,
	"bytes":    byteSize,
	"count":    count,
	"capped":   capped,
	"jobLabel": jobLabel,
	"short":    short,
	"join":     strings.Join,
	"stamp":    stamp,
	"exact":    exact,
	"label":    label,
	"tone":     tone,
	"status":   statusBadge,
	"badge":    badgeOf,
}

// href is the path of a page: of a section's entries, as /orders/ORD-1/history. Each
// part is escaped. Ids are chosen by others, and may hold a slash, or a question mark.
func href(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// search is the path of a list with filters: name, value, name, value. A filter
// without a value is left out.
func search(list string, filters ...string) string { return filtered(href(list), filters...) }

// filtered is an escaped path with a query. Its parameters are sorted, so the same
// filters have the same URL.
func filtered(path string, filters ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(filters); i += 2 {
		if filters[i+1] != "" {
			query.Set(filters[i], filters[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// duration shows milliseconds with the digits that matter. From a minute on it is written
// as 1m30s.
func duration(ms float64) string {
	switch {
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 1000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	case ms < 60_000:
		return strconv.FormatFloat(ms/1000, 'f', 2, 64) + " s"
	}
	return (time.Duration(ms/1000) * time.Second).String()
}

// lengthOf shows a length of time of the API's, as PT1M30S, for people: 1 min 30 s. What
// is none is shown as it is.
func lengthOf(iso string) string {
	d, ok := timetext.ParseDuration(iso, math.MaxInt64)
	switch {
	case !ok:
		return iso
	case d < time.Second:
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64) + " ms"
	}
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if n := d / unit.size; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+" "+unit.name)
			d -= n * unit.size
		}
	}
	if d > 0 {
		parts = append(parts, strconv.FormatFloat(d.Seconds(), 'f', -1, 64)+" s")
	}
	return strings.Join(parts, " ")
}

// lengthsOf is lengthOf of each, in a row.
func lengthsOf(isos []string) string {
	out := make([]string, len(isos))
	for i, iso := range isos {
		out[i] = lengthOf(iso)
	}
	return strings.Join(out, ", ")
}

// byteSize shows a number of bytes, as 1.5 KiB.
func byteSize(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// count shows a number with its thousands apart.
func count(n int) string { return humanize.Comma(int64(n)) }

// short cuts a text to so many characters, for a cell of a table. The whole belongs
// in its title. It counts characters, not bytes, so it cuts through none.
func short(n int, text string) string {
	i := 0
	for at := range text {
		if i == n {
			return text[:at] + "…"
		}
		i++
	}
	return text
}

// stamp is a time as a <time> element has it, for scripts.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// exact is a time for people, as long as no script has shown it in their zone.
// Milliseconds are there, because people compare it with other logs.
func exact(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }
