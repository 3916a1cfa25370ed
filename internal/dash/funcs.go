package dash

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// functions are what templates call.
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
// part is escaped.
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

// filtered is an escaped path with a query.
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

// duration shows milliseconds with the digits that matter.
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

func byteSize(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// count shows a number with its thousands apart.
func count(n int) string { return humanize.Comma(int64(n)) }

// short cuts a text to so many characters, for a cell of a table. The whole belongs
// in its title.
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
func exact(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }
