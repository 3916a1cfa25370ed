package dash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
)

// versionsView is two versions of an order side by side. Both sides are in the URL, so a
// comparison can be sent to somebody.
type versionsView struct {
	Tabs        []Range
	Path        string // of this page
	Newest      int64
	Left, Right versionSide
	Changes     []Change // from the left one to the right one
	More        bool     // there are more changes
	Earlier     string   // the URL of the pair before; "" where there is none
	Later       string   // the URL of the pair behind
	Made        []madeVersion
	Paging      Paging // of Made
}

// versionSide is one of the two. Where the version is not there any more, Problem says so
// in place of the document.
type versionSide struct {
	Label, Name string // of the slider, and its parameter
	Version     int64
	Newest      int64 // the end of the slider
	Document    Document
	Problem     *Problem // it is not there
}

// madeVersion is an entry of the history that made a version, and the URL that compares
// it with the one before. A list of them is a way through the versions, beside the two
// sliders.
type madeVersion struct {
	historyItem
	URL string
}

// versionsPage compares two versions of an order.
var versionsPage = newPage[versionsView]("orderversions", "/orders")

// differences are the fields in which two versions of an order differ, as its history
// tells them; at most so many, and whether there are more. They are worked out by the
// function that the history is written with, so the page and the history use the same
// paths. What is the same in two long documents is left out before that, because parsing
// takes most of the time.
func differences(before, after json.RawMessage) (changes []Change, more bool, err error) {
	if len(before)+len(after) > mostCompared {
		before, after = withoutEqual(before, after)
	}
	// Both texts were stored by orderhook, so an error here is one of the server.
	a, err := schema.ParseStored(before)
	if err != nil {
		return nil, false, err
	}
	b, err := schema.ParseStored(after)
	if err != nil {
		return nil, false, err
	}
	// A page shows a limited number of differences, and says if there are more.
	found := order.Diff(a, b)
	if more = len(found) > mostChanges; more {
		found = found[:mostChanges]
	}
	for _, c := range found {
		// The change goes through its JSON, since the page reads the changes of a history
		// in the same form.
		text, err := c.MarshalJSON()
		if err != nil {
			return nil, false, err
		}
		var change Change
		if err := json.Unmarshal(text, &change); err != nil {
			return nil, false, err
		}
		changes = append(changes, change)
	}
	return changes, more, nil
}

// showVersions shows the newest version against the one before it, if the URL says
// nothing else. The newest one is read as the order, and so only once.
func showVersions(v *visit) error {
	now, err := v.orderAt("")
	if err != nil {
		return err
	}
	o := objectOf(now)
	id := o.text("id")
	// The number of the newest version is the end of both sliders.
	newest, err := strconv.ParseInt(o.text("version"), 10, 64)
	if err != nil {
		return fmt.Errorf("the order's version: %w", err)
	}
	path := href("orders", id, "versions")
	view := versionsView{Tabs: orderTabs(id, path), Path: path, Newest: newest}
	// The right side is the newest version, and the left side the one before the right
	// one, if the URL does not say otherwise.
	if view.Right, err = side("Version", "version", v.query(), newest, newest); err != nil {
		return err
	}
	if view.Left, err = side("Compared with", "with", v.query(), newest, max(view.Right.Version-1, 1)); err != nil {
		return err
	}
	// Where both sides show the newest version, it is not read again.
	left, err := v.fillSide(&view.Left, now, newest)
	if err != nil {
		return err
	}
	right, err := v.fillSide(&view.Right, now, newest)
	if err != nil {
		return err
	}
	// With one side missing there is nothing to compare; the other is shown all the same.
	if left != nil && right != nil {
		if view.Changes, view.More, err = differences(left, right); err != nil {
			return err
		}
	}
	// pair is the URL that compares a version with the one before it.
	pair := func(n int64) string {
		return with(v.r.URL, "version", strconv.FormatInt(n, 10), "with", strconv.FormatInt(n-1, 10))
	}
	// Version 1 has none before it, so the pairs begin with 2.
	if view.Right.Version > 2 {
		view.Earlier = pair(view.Right.Version - 1)
	}
	if view.Right.Version < newest {
		view.Later = pair(view.Right.Version + 1)
	}
	if err := v.madeVersions(&view, id, pair); err != nil {
		return err
	}
	return versionsPage.showLive(v, "Versions of "+id, "orders", view)
}

// side reads which version a slider is at. A number that no version of the order has is
// refused, with the range.
func side(label, name string, query url.Values, newest, otherwise int64) (s versionSide, err error) {
	s = versionSide{Label: label, Name: name, Version: otherwise, Newest: newest}
	// The slider cannot send such a number; a link that somebody wrote can.
	if text := query.Get(name); text != "" {
		if s.Version, err = strconv.ParseInt(text, 10, 64); err != nil || s.Version < 1 || s.Version > newest {
			return s, apierr.Wrong("query."+name, "must be a version of the order, from 1 to %d", newest)
		}
	}
	return s, nil
}

// fillSide reads a version. One that is not retained any more is told of on the page. The
// newest version is now, which was read already. The document is nil where there is none,
// and then nothing is compared.
func (v *visit) fillSide(s *versionSide, now json.RawMessage, newest int64) (doc json.RawMessage, err error) {
	number := strconv.FormatInt(s.Version, 10)
	// Every other version is a question of its own.
	if doc = now; s.Version != newest {
		doc, err = v.orderAt(number)
	}
	// Retention has removed the version. The page says so at this side, and the rest of
	// it works.
	if p := problemOf(err); p != nil && p.Status == http.StatusNotFound {
		s.Problem = p
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s.Document = v.document("Version "+number, doc, href("orders", v.r.PathValue("id"), "document")+"?version="+number, nil)
	return doc, nil
}

// madeVersions lists what made versions: of each the first entry of the history that has
// changes, or the first of all. An entry about a version that another page of the history
// began may stand on both pages; the list is a help, and no count.
func (v *visit) madeVersions(view *versionsView, id string, pair func(int64) string) error {
	// A version may have several entries, so a page of the history has fewer versions
	// than entries.
	page := url.Values{"limit": {"100"}}
	if cursor := v.query().Get("cursor"); cursor != "" {
		page.Set("cursor", cursor)
	}
	var history List[historyItem]
	if err := v.get("/api"+href("orders", id, "history"), page, &history); err != nil {
		return err
	}
	for _, h := range history.Items {
		last := len(view.Made) - 1
		switch {
		case h.Version == 0: // it made none
		case last >= 0 && view.Made[last].Version == h.Version: // several entries tell of it, the latest first
			if len(h.Changes) > 0 || len(view.Made[last].Changes) == 0 {
				view.Made[last].historyItem = h
			}
		default:
			m := madeVersion{historyItem: h}
			if h.Version > 1 {
				m.URL = pair(h.Version)
			}
			view.Made = append(view.Made, m)
		}
	}
	view.Paging = newPaging(v.r.URL, &history)
	return nil
}
