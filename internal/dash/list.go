package dash

import (
	"net/url"
	"slices"
	"time"
)

// List is one page of a list, as the API answers it. The JSON of the API has exactly
// these members, so a page reads it into this type.
type List[T any] struct {
	Items       []T    `json:"items"`
	NextCursor  string `json:"nextCursor"`
	Count       *int   `json:"count"` // with count=true
	CountCapped bool   `json:"countCapped"`
}

// Total is how many a list has on all its pages, as people read it; "" where it was not
// asked for. The API counts to 10,000. A plus says that there are at least so many.
func (l *List[T]) Total() string {
	switch {
	case l.Count == nil:
		return ""
	case l.CountCapped:
		return count(*l.Count) + "+"
	}
	return count(*l.Count)
}

// Filter is a field of the form above a list. Its name is that of the API's query
// parameter. The value goes to the API as it stands in the URL, and the API says what is
// wrong with it.
type Filter struct {
	Name, Label string
	Hint        string   // an example, shown while the field is empty
	Options     []Option // of a choice; none: it is a text
	Type        string   // of the <input>; "" is text
	Any         string   // of a choice: what it is called that nothing was chosen; "" is any
	Wide        bool
	Value       string // as it is in the URL
	Local       string // of a time: the same in UTC, as an <input> of times takes it; "" where that cannot show it exactly
	Error       string // what is wrong with the value
	Focus       bool   // the page begins here, since this is wrong
}

// ID is the id of the field's element.
func (f Filter) ID() string { return "filter-" + f.Name }

// IsTime reports whether the field is one of a time. Templates show another input for it.
func (f Filter) IsTime() bool { return f.Type == timeFilter }

// timeFilter is the type of a filter that is a time. The URL has it as the API takes it; in
// its field it is of the browser's zone, or without script of UTC.
const timeFilter = "time"

// localTime is how an <input> of times writes one, to the millisecond. Digits that are 0
// at its end are left out.
const localTime = "2006-01-02T15:04:05.999"

// timeParams are the parameters that times are filtered by. A form without script sends
// them without a zone, and tidied mends that.
var timeParams = []string{"from", "to", "modifiedFrom"}

// inUTC is what an <input> of times sends without script, as the API takes it; false if it
// is anything else. With script the form sends the time with its zone, which passes
// through unchanged.
func inUTC(text string) (string, bool) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} { // with or without a fraction
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.RFC3339Nano), true
		}
	}
	return "", false
}

// localOf is a time of a URL as an <input> of times shows it in UTC; "" where there is none,
// or the input cannot show all of it. An input that showed half of a time would change it
// by being sent.
func localOf(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.UTC().Year() < 1000 || t.UTC().Year() > 9999 || !t.Equal(t.Truncate(time.Millisecond)) {
		return ""
	}
	return t.UTC().Format(localTime)
}

// Option is one value of a choice.
type Option struct{ Value, Text string }

// options are choices whose values are their texts. A kind that has a name for people is
// shown by that.
func options[T ~string](values ...T) []Option {
	out := make([]Option, len(values))
	for i, v := range values {
		out[i] = Option{string(v), label(string(v))}
	}
	return out
}

// Filters is the form above a list. All of its state is in the URL. A form with GET leads
// to the URL, so a list can be sent to somebody, and the browser's way back works.
type Filters struct {
	Path   string   // of the list
	Shown  []Filter // always
	More   []Filter // behind "More filters"
	Active []Active
	Open   bool // "More filters" is open, since one of them is used
	Ranges []Range
	Do     string // what its button says; "" is Search
}

// Active is a filter that is used. One click takes it away, and leaves the others.
type Active struct {
	Label, Value string
	Without      string // the URL without it
}

// Range is a link that lists what was since then. Tabs of pages are ranges, too: a text,
// a URL, and whether it is this one.
type Range struct {
	Text, URL string
	Here      bool
}

// Paging is below a list. There is no way to the page before but the browser's own: the
// API's cursors lead on only.
type Paging struct {
	First string // the URL of the first page; "" is this one
	Next  string // the URL of the next page; "" where there is none
	Shown int    // how many are on this page
	Total string // how many there are; "" where nobody counted
}

// own are the parameters of the dashboard's that the API does not have. Everything else
// in a URL is handed on to the API.
var own = []string{noticeParam, "tab", "show"}

// asked is what a page's URL asks of the API: every parameter but the dashboard's
// own. One that the API does not know it refuses by name, so nothing is passed over.
func asked(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		if !slices.Contains(own, name) {
			out[name] = values
		}
	}
	return out
}

// askedWithCount is what a page's URL asks of the API, and on the first page how many
// there are in all. On later pages nobody needs the number, and counting takes time.
func askedWithCount(query url.Values) url.Values {
	out := asked(query)
	if !out.Has("cursor") {
		out.Set("count", "true")
	}
	return out
}

// newFilters fills the form of a list with what its URL says. It also says which filters
// are used, each with the URL without it, and opens "More filters" if one of those is.
func newFilters(at *url.URL, shown, more []Filter) Filters {
	query := at.Query()
	f := Filters{Path: at.EscapedPath(), Shown: slices.Clone(shown), More: slices.Clone(more)}
	fill := func(fields []Filter) (used bool) {
		for i := range fields {
			field := &fields[i]
			if field.Value = query.Get(field.Name); field.Value != "" {
				used = true
				if field.IsTime() {
					field.Local = localOf(field.Value)
				}
				f.Active = append(f.Active, Active{field.Label, field.Value, with(at, field.Name, "", "cursor", "")})
			}
		}
		return used
	}
	fill(f.Shown)
	f.Open = fill(f.More)
	return f
}

// newPaging makes the links below a list. The first page needs no link where it is the
// one that is shown.
func newPaging[T any](at *url.URL, l *List[T]) Paging {
	p := Paging{Shown: len(l.Items), Total: l.Total()}
	if at.Query().Get("cursor") != "" {
		p.First = with(at, "cursor", "")
	}
	if l.NextCursor != "" {
		p.Next = with(at, "cursor", l.NextCursor)
	}
	return p
}

// with is the URL of a page with other parameters: name, value, name, value. One
// without a value is left out. The notice of what was done is left out, since it is over
// once somebody clicks on.
func with(at *url.URL, pairs ...string) string {
	query := at.Query()
	query.Del(noticeParam)
	for i := 0; i+1 < len(pairs); i += 2 {
		if query.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
	if len(query) == 0 {
		return at.EscapedPath()
	}
	return at.EscapedPath() + "?" + query.Encode()
}
