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

type replaySide struct {
	fullAttempt
	Patch        json.RawMessage `json:"patch"`
	PatchProblem string          `json:"patchProblem"`
}

// replayView is a replay beside the request that it repeats.
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

type replaySideView struct {
	Attempt      fullAttempt
	Response     *messageView
	Patch        Document
	PatchProblem string
}

var replayPage = newPage[replayView]("replay", "/attempts")

// mostChanges is how many differences a page shows.
const mostChanges = 200

func confirmReplay(v *visit) error {
	return showReplayForm(v, v.query().Get("url"), nil)
}

// showReplayForm shows what will be sent, and where.
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

func replay(v *visit) error {
	id := v.r.PathValue("id")
	body := map[string]string{}
	if to := v.field("url"); to != "" {
		body["url"] = to
	}
	var done replayed
	err := v.sendForm("/api"+href("attempts", id, "replay"), body, &done)
	if p := problemOf(err); p != nil && p.Status < http.StatusInternalServerError && p.Status != http.StatusNotFound {
		return showReplayForm(v, v.field("url"), p)
	}
	if err != nil {
		return err
	}
	return v.see(href("attempts", id, "replays", done.Replay.ID))
}

func showReplay(v *visit) error {
	var both replayed
	if err := v.get("/api"+href("attempts", v.r.PathValue("id"), "replays", v.r.PathValue("replay")), nil, &both); err != nil {
		return err
	}
	view := replayView{Original: newReplaySide("Before", &both.Original), Replay: newReplaySide("Replay", &both.Replay)}
	if a, b := both.Original.Response, both.Replay.Response; a != nil && b != nil {
		view.Headers = comparedHeaders(a, b)
		if view.SameBody = string(a.content()) == string(b.content()); !view.SameBody {
			if view.BodyText = !json.Valid([]byte(a.Body)) || !json.Valid([]byte(b.Body)); !view.BodyText {
				view.Body, view.BodyMore = compared(json.RawMessage(a.Body), json.RawMessage(b.Body), mostChanges)
			}
		}
	}
	for _, s := range []replaySide{both.Original, both.Replay} {
		view.TwoWay = view.TwoWay || len(s.Patch) > 0 || s.PatchProblem != ""
	}
	view.Patches, view.PatchesMore = compared(both.Original.Patch, both.Replay.Patch, mostChanges)
	return replayPage.show(v, "Replay of "+both.Original.ID, view)
}

func newReplaySide(title string, s *replaySide) replaySideView {
	view := replaySideView{Attempt: s.fullAttempt, PatchProblem: s.PatchProblem}
	if len(s.Patch) > 0 {
		view.Patch = newDocument(title+": patch", s.Patch, someLines, nil)
	}
	if s.Response != nil {
		r, b := showMessage(title, s.Response, someLines, "", href("attempts", s.ID, "response-body")), statusBadge(s.Status)
		r.Status = &b
		view.Response = &r
	}
	return view
}

// comparedHeaders are the headers in which two responses differ, but for the time of day.
func comparedHeaders(a, b *message) []Change {
	before, after := headersAsJSON(a), headersAsJSON(b)
	changes, _ := compared(before, after, mostChanges)
	return changes
}

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
