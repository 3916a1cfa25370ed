package dash

import (
	"maps"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

// fullAttempt is an attempt as the API shows it, with both its sides.
type fullAttempt struct {
	oms.Attempt
	Request       message    `json:"request"`
	Response      *message   `json:"response"`
	RemoteAddress string     `json:"remoteAddress"`
	TLSVersion    string     `json:"tlsVersion"`
	Timing        oms.Timing `json:"timing"`
}

// message is one side of an exchange.
type message struct {
	Method     string            `json:"method"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	BodyBase64 string            `json:"bodyBase64"`
	BodyBytes  int64             `json:"bodyBytes"`
	Truncated  bool              `json:"truncated"`
}

// Header is one header of a request or a response.
type Header struct{ Name, Value string }

// headers are those of a message, in the order of their names.
func (m *message) headers() (out []Header) {
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		out = append(out, Header{name, m.Headers[name]})
	}
	return out
}

// messageView is one side of an exchange on a page.
type messageView struct {
	Title   string
	Line    string // the request's line
	Status  *Badge // of a response
	Headers []Header
	Body    Document
	Raw     string // the body as it came, of a text
	Bytes   int64
	Cut     bool // the body was longer than what is kept
	Binary  bool // the body is no text, and Raw is base64
}

// attemptView is one outgoing request, and what came back.
type attemptView struct {
	Attempt  fullAttempt
	Request  messageView
	Response *messageView // nil: nothing came back
	Timing   timingView
	Call     []oms.Attempt // all attempts of the same call, the newest first
	CallMore bool          // there are more
	All      bool          // bodies are shown whole
}

var attemptPage = newPage[attemptView]("attempt", "/attempts")

// mostOfCall is how many attempts of a call its page shows.
const mostOfCall = "25"

func showAttempt(v *visit) error {
	var at fullAttempt
	if err := v.get("/api"+href("attempts", v.r.PathValue("id")), nil, &at); err != nil {
		return err
	}
	view := attemptView{Attempt: at, All: v.query().Get("show") == "all"}
	lines, all := someLines, with(v.r.URL, "show", "all")
	if view.All {
		lines, all = allLines, ""
	}
	view.Request = showMessage("Request", &at.Request, lines, all)
	view.Request.Line = at.Request.Method + " " + at.URL
	if at.Response != nil {
		r, b := showMessage("Response", at.Response, lines, all), statusBadge(at.Status)
		r.Status = &b
		view.Response = &r
	}
	view.Timing = newTiming(at.Timing, at.DurationMs)
	if at.CallID != "" {
		var call List[oms.Attempt]
		if err := v.get("/api/attempts", map[string][]string{"callId": {at.CallID}, "limit": {mostOfCall}}, &call); err != nil {
			return err
		}
		view.Call, view.CallMore = call.Items, call.NextCursor != ""
	}
	return attemptPage.showLive(v, "Attempt "+at.ID, "attempts", view)
}

func showMessage(title string, m *message, lines int, all string) messageView {
	v := messageView{Title: title, Headers: m.headers(), Bytes: m.BodyBytes, Cut: m.Truncated, Raw: m.Body}
	if m.BodyBase64 != "" {
		v.Raw, v.Binary = m.BodyBase64, true
		return v
	}
	v.Body = newDocument(title+" body", []byte(m.Body), lines, nil)
	if v.Body.Cut {
		v.Body.All = all
	}
	return v
}
