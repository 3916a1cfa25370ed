package dash

import (
	"encoding/json"
	"net/http"
	"time"
)

// replayed is a request that was sent again, beside the first, as the API shows it.
type replayed struct {
	Original replaySide `json:"original"`
	Replay   replaySide `json:"replay"`
}

// replaySide is one of the two attempts, with the patch that its answer had.
type replaySide struct {
	fullAttempt
	Patch        json.RawMessage `json:"patch"`
	PatchProblem string          `json:"patchProblem"`
}

// replayView is a replay beside the request that it repeats. What is the same in both is
// not listed.
type replayView struct {
	Original, Replay replaySideView
	Headers          []Change // of the responses
	Body             []Change
	BodyMore         bool
	BodyText         bool // one of the bodies is no JSON, so they are not compared place by place
	SameBody         bool
	Patches          []Change
	PatchesMore      bool
	TwoWay           bool // at least one answer had a patch, or should have had
}

// replaySideView is one of the two as the page shows it.
type replaySideView struct {
	Attempt      fullAttempt
	Response     *messageView
	Patch        Document
	PatchProblem string
}

// replayPage compares a replay with the attempt that it repeats.
var replayPage = newPage[replayView]("replay", "/attempts")

// mostChanges is how many differences a page shows. The history and the versions of an
// order keep to it, too.
const mostChanges = 200

// confirmReplay is the page before a replay. A link may name the URL.
func confirmReplay(v *visit) error {
	return showReplayForm(v, v.query().Get("url"), nil)
}

// showReplayForm shows what will be sent, and where. The other side may act on it, which
// is why nothing is sent by a GET.
func showReplayForm(v *visit, to string, problem *Problem) error {
	at, err := v.attempt()
	if err != nil {
		return err
	}
	c := Confirm{
		What: "The request is sent once more, as it was sent before, and its answer is recorded.",
		Facts: []Fact{{Name: "Attempt", Value: at.ID, URL: href("attempts", at.ID)}, {Name: "Kind", Value: label(at.Kind)},
			{Name: "Method", Value: at.Request.Method}, {Name: "Body", Value: byteSize(at.Request.BodyBytes)}},
		Notes: []string{"It changes nothing here: not the order, not the delivery, not the run. The other side may act on it.",
			"To the same scheme, host and port it goes with today's secret headers and signature; to any other, without them."},
		Action: href("attempts", at.ID, "replay"), Hidden: []Hidden{newOnce()},
		Inputs: []Input{{Name: "url", Label: "To", Value: to, Hint: at.URL, Help: "Left empty: where it went before, " + at.URL}},
		Button: "Send it again", Back: href("attempts", at.ID), Problem: problem,
	}
	return v.confirm("Send the request again", c)
}

// replay leads to the page that compares both answers. The API keeps replays, so that page can
// be opened again, and be sent to somebody. A refused URL is shown with the form. An
// attempt that does not exist has no form to go back to.
func replay(v *visit) error {
	id := v.r.PathValue("id")
	body := map[string]string{}
	if to := v.field("url"); to != "" {
		body["url"] = to
	}
	var done replayed
	// Only a URL that was filled in is sent; without one the request goes where it went
	// before.
	err := v.sendForm("/api"+href("attempts", id, "replay"), body, &done)
	if p := problemOf(err); p != nil && p.Status < http.StatusInternalServerError && p.Status != http.StatusNotFound {
		return showReplayForm(v, v.field("url"), p)
	}
	if err != nil {
		return err
	}
	return v.see(href("attempts", id, "replays", done.Replay.ID))
}

// showReplay compares the answer of the replay with that of the attempt: headers, body, and what
// each would change in the order. A body that is no JSON is only said to be the same or
// not.
func showReplay(v *visit) error {
	var both replayed
	if err := v.get("/api"+href("attempts", v.r.PathValue("id"), "replays", v.r.PathValue("replay")), nil, &both); err != nil {
		return err
	}
	view := replayView{Original: newReplaySide("Before", &both.Original), Replay: newReplaySide("Replay", &both.Replay)}
	// If one of them had no answer, there is nothing to compare, and the page shows the
	// error.
	if a, b := both.Original.Response, both.Replay.Response; a != nil && b != nil {
		view.Headers = comparedHeaders(a, b)
		if view.SameBody = string(a.content()) == string(b.content()); !view.SameBody {
			if view.BodyText = !json.Valid([]byte(a.Body)) || !json.Valid([]byte(b.Body)); !view.BodyText {
				view.Body, view.BodyMore = compared(json.RawMessage(a.Body), json.RawMessage(b.Body), mostChanges)
			}
		}
	}
	// A call that returns no patch on either side has no patches to show.
	for _, s := range []replaySide{both.Original, both.Replay} {
		view.TwoWay = view.TwoWay || len(s.Patch) > 0 || s.PatchProblem != ""
	}
	view.Patches, view.PatchesMore = compared(both.Original.Patch, both.Replay.Patch, mostChanges)
	return replayPage.show(v, "Replay of "+both.Original.ID, view)
}

// newReplaySide makes one side, with what the page shows of its answer.
func newReplaySide(title string, s *replaySide) replaySideView {
	view := replaySideView{Attempt: s.fullAttempt, PatchProblem: s.PatchProblem}
	if len(s.Patch) > 0 {
		view.Patch = newDocument(title+": patch", s.Patch, some)
	}
	if s.Response != nil {
		r, b := showMessage(title, s.Response, some, "", href("attempts", s.ID, "response-body")), statusBadge(s.Status)
		r.Status = &b
		view.Response = &r
	}
	return view
}

// comparedHeaders are the headers in which two responses differ, but for the time of day.
// That differs each time, and says nothing.
func comparedHeaders(a, b *message) []Change {
	before, after := headersAsJSON(a), headersAsJSON(b)
	changes, _ := compared(before, after, mostChanges)
	return changes
}

// headersAsJSON is the headers of a response as an object, so that they are compared as
// documents are. A Date that is no time stays, since it is worth seeing.
func headersAsJSON(m *message) json.RawMessage {
	shown := map[string]string{}
	for name, value := range m.Headers {
		if _, err := time.Parse(http.TimeFormat, value); name != "Date" || err != nil {
			shown[name] = value
		}
	}
	text, _ := json.Marshal(shown) // of texts alone
	return text
}
