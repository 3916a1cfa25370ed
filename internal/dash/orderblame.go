package dash

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// blameView is which change gave each field of an order its value; or, of one field,
// all values that it had. The two are one page, as they are one call of the API.
type blameView struct {
	Tabs    []Range
	Filters Filters
	Of      string // the place whose values are shown; "": the fields
	Fields  []blamedField
	Paging  Paging
	Whole   string   // the URL of all fields
	Problem *Problem // the path is not valid
}

// blamedField is a field, and what gave it its value, as the API shows it.
type blamedField struct {
	Path      string          `json:"path"`
	Pointer   string          `json:"pointer"`
	Value     json.RawMessage `json:"value"`
	Version   int64           `json:"version"`
	Added     bool            `json:"added"`
	Before    json.RawMessage `json:"before"`
	Unknown   string          `json:"unknown"`
	Timestamp time.Time       `json:"timestamp"`
	Source    *blameSource    `json:"source"`
	Values    string          `json:"-"` // the URL of all values that it had
	Compare   string          `json:"-"` // the URL of its version beside the one before
}

// blameSource is what the history says of a version. From its ids the page links to the
// run, the call and the attempt.
type blameSource struct {
	Operation   string `json:"operation"`
	Message     string `json:"message"`
	By          string `json:"by"`
	KeyName     string `json:"keyName"`
	RequestID   string `json:"requestId"`
	Step        string `json:"step"`
	DisplayName string `json:"displayName"`
	RunID       string `json:"runId"`
	CallID      string `json:"callId"`
	AttemptID   string `json:"attemptId"`
}

// Name is what made the version, for people. The history's names are used, so that one
// thing has one name.
func (s *blameSource) Name() string { return historyItem{Operation: s.Operation}.Name() }

// Now is the value for people; "" is null.
func (f blamedField) Now() string { return shownValue(f.Value) }

// Was is the value before. It is "" where the field was absent, too; Added tells the two
// apart.
func (f blamedField) Was() string { return shownValue(f.Before) }

// Why says why no version is known. The words of the API name how versions are stored,
// and people want to know what they can do.
func (f blamedField) Why() string {
	switch f.Unknown {
	case "olderThanKept":
		return "older than the versions that are kept"
	case "notLookedAt":
		return "older than the versions that were looked at; the field's own page looks further back"
	}
	return f.Unknown
}

// blamePage shows who set what.
var blamePage = newPage[blameView]("orderblame", "/orders")

// blameFilters is the form above the fields.
var blameFilters = []Filter{{Name: "path", Label: "Field, or all below it", Hint: "orderForm.total", Wide: true}}

// blameOf is the page of all values that a place of an order had. A JSON Pointer is used,
// since it names every place, whatever its name has in it.
func blameOf(order, pointer string) string {
	return href("orders", order, "blame") + "?" + url.Values{"path": {pointer}, "all": {"true"}}.Encode()
}

// showBlame asks the API what the URL asks for. Where the field has a version before, a
// link compares the two.
func showBlame(v *visit) error {
	id := v.r.PathValue("id")
	path := href("orders", id, "blame")
	view := blameView{Tabs: orderTabs(id, path), Filters: newFilters(v.r.URL, blameFilters, nil), Whole: path}
	if v.query().Get("all") == "true" {
		view.Of = v.query().Get("path")
	}
	title := "Blame of " + id
	var list List[blamedField]
	err := v.get("/api"+path, asked(v.query()), &list)
	if p := refused(err); p != nil {
		view.Problem = p
		p.markFilters(&view.Filters)
		return blamePage.refuse(v, title, p, view)
	}
	if err != nil {
		return err
	}
	for _, f := range list.Items {
		f.Values = blameOf(id, f.Pointer)
		if f.Version > 1 {
			f.Compare = href("orders", id, "versions") + "?version=" + strconv.FormatInt(f.Version, 10) + "&with=" + strconv.FormatInt(f.Version-1, 10)
		}
		view.Fields = append(view.Fields, f)
	}
	view.Paging = newPaging(v.r.URL, &list)
	return blamePage.showLive(v, title, "orders", view)
}

// whoSet notes beside each member of an order's document where its values are told of. It
// is called for every member that is drawn, so it asks nobody: it makes a link, and the
// page behind that does the work.
func whoSet(order string) func(pointer string) *Note {
	return func(pointer string) *Note {
		if pointer == "" { // the order itself
			return nil
		}
		return &Note{Text: "who?", URL: blameOf(order, pointer), Title: "Which change set " + pointer + ", and what it was before"}
	}
}
