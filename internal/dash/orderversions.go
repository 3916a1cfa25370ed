package dash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/orderhook/orderhook/internal/oms"
)

// versionsView is two versions of an order side by side.
type versionsView struct {
	Order       orderSummary // as it is now
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

// versionSide is one of the two.
type versionSide struct {
	Label, Name string // of the slider, and its parameter
	Version     int64
	Newest      int64 // the end of the slider
	Document    Document
	Problem     *Problem // it is not there
}

// madeVersion is an entry of the history that made a version, and the URL that compares
// it with the one before.
type madeVersion struct {
	historyItem
	URL string
}

var versionsPage = newPage[versionsView]("orderversions", "/orders")

// differences are the fields in which two versions of an order differ, as its history
// tells them; at most so many, and whether there are more.
func differences(before, after json.RawMessage) (changes []Change, more bool, err error) {
	a, err := oms.ParseStored(before)
	if err != nil {
		return nil, false, err
	}
	b, err := oms.ParseStored(after)
	if err != nil {
		return nil, false, err
	}
	found := oms.Diff(a, b)
	if more = len(found) > mostChanges; more {
		found = found[:mostChanges]
	}
	for _, c := range found {
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

func showVersions(v *visit) error {
	now, order, err := v.order("")
	if err != nil {
		return err
	}
	newest, err := strconv.ParseInt(order.Version, 10, 64)
	if err != nil {
		return fmt.Errorf("the order's version: %w", err)
	}
	path := href("orders", order.ID, "versions")
	view := versionsView{Order: order, Tabs: orderTabs(order.ID, path), Path: path, Newest: newest}
	if view.Right, err = side("Version", "version", v.query(), newest, newest); err != nil {
		return err
	}
	if view.Left, err = side("Compared with", "with", v.query(), newest, max(view.Right.Version-1, 1)); err != nil {
		return err
	}
	left, err := v.fillSide(&view.Left, now, newest)
	if err != nil {
		return err
	}
	right, err := v.fillSide(&view.Right, now, newest)
	if err != nil {
		return err
	}
	if left != nil && right != nil {
		if view.Changes, view.More, err = differences(left, right); err != nil {
			return err
		}
	}
	pair := func(n int64) string {
		return with(v.r.URL, "version", strconv.FormatInt(n, 10), "with", strconv.FormatInt(n-1, 10))
	}
	if view.Right.Version > 2 {
		view.Earlier = pair(view.Right.Version - 1)
	}
	if view.Right.Version < newest {
		view.Later = pair(view.Right.Version + 1)
	}
	if err := v.madeVersions(&view, pair); err != nil {
		return err
	}
	return versionsPage.showLive(v, "Versions of "+order.ID, "orders", view)
}

// side reads which version a slider is at.
func side(label, name string, query url.Values, newest, otherwise int64) (s versionSide, err error) {
	s = versionSide{Label: label, Name: name, Version: otherwise, Newest: newest}
	if text := query.Get(name); text != "" {
		if s.Version, err = strconv.ParseInt(text, 10, 64); err != nil || s.Version < 1 || s.Version > newest {
			return s, oms.Wrong("query."+name, "must be a version of the order, from 1 to %d", newest)
		}
	}
	return s, nil
}

// fillSide reads a version. One that is not kept any more is told of on the page.
func (v *visit) fillSide(s *versionSide, now json.RawMessage, newest int64) (doc json.RawMessage, err error) {
	number := strconv.FormatInt(s.Version, 10)
	if doc = now; s.Version != newest {
		doc, _, err = v.order(number)
	}
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
// changes, or the first of all.
func (v *visit) madeVersions(view *versionsView, pair func(int64) string) error {
	page := url.Values{"limit": {"100"}}
	if cursor := v.query().Get("cursor"); cursor != "" {
		page.Set("cursor", cursor)
	}
	var history List[historyItem]
	if err := v.get("/api"+href("orders", view.Order.ID, "history"), page, &history); err != nil {
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
