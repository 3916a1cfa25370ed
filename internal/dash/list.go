package dash

import (
	"net/url"
	"slices"
)

// List is one page of a list, as the API answers it.
type List[T any] struct {
	Items       []T    `json:"items"`
	NextCursor  string `json:"nextCursor"`
	Count       *int   `json:"count"` // with count=true
	CountCapped bool   `json:"countCapped"`
}

// Total is how many a list has on all its pages, as people read it; "" where it was not
// asked for. The API counts to 10,000.
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
// parameter.
type Filter struct {
	Name, Label string
	Hint        string   // an example, shown while the field is empty
	Options     []Option // of a choice; none: it is a text
	Type        string   // of the <input>; "" is text
	Wide        bool
	Value       string // as it is in the URL
}

// Option is one value of a choice.
type Option struct{ Value, Text string }

// options are choices whose values are their texts.
func options(values ...string) []Option {
	out := make([]Option, len(values))
	for i, v := range values {
		out[i] = Option{v, label(v)}
	}
	return out
}

// Filters is the form above a list. All of its state is in the URL.
type Filters struct {
	Path   string   // of the list
	Shown  []Filter // always
	More   []Filter // behind "More filters"
	Active []Active
	Open   bool // "More filters" is open, since one of them is used
	Ranges []Range
}

// Active is a filter that is used.
type Active struct {
	Label, Value string
	Without      string // the URL without it
}

// Range is a link that lists what was since then.
type Range struct {
	Text, URL string
	Here      bool
}

// Paging is below a list.
type Paging struct {
	First string // the URL of the first page; "" is this one
	Next  string // the URL of the next page; "" where there is none
	Shown int    // how many are on this page
	Total string // how many there are; "" where nobody counted
}

// own are the parameters of the dashboard's that the API does not have.
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
// there are in all.
func askedWithCount(query url.Values) url.Values {
	out := asked(query)
	if !out.Has("cursor") {
		out.Set("count", "true")
	}
	return out
}

// newFilters fills the form of a list with what its URL says.
func newFilters(at *url.URL, shown, more []Filter) Filters {
	query := at.Query()
	f := Filters{Path: at.Path, Shown: slices.Clone(shown), More: slices.Clone(more)}
	fill := func(fields []Filter) (used bool) {
		for i := range fields {
			field := &fields[i]
			if field.Value = query.Get(field.Name); field.Value != "" {
				used = true
				f.Active = append(f.Active, Active{field.Label, field.Value, with(at, field.Name, "", "cursor", "")})
			}
		}
		return used
	}
	fill(f.Shown)
	f.Open = fill(f.More)
	return f
}

// newPaging makes the links below a list.
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
// without a value is left out.
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
