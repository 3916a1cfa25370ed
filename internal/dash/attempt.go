package dash

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/run"
)

// fullAttempt is an attempt as the API shows it, with both its sides. It is a type of its
// own, and not the API's: what a page reads is the JSON of the answer, as any client
// does.
type fullAttempt struct {
	attempt.Attempt
	Request       message  `json:"request"`
	Response      *message `json:"response"`
	RemoteAddress string   `json:"remoteAddress"`
	// Listener is who answered in place of the endpoint.
	Listener   struct{ InterceptionID, KeyID, KeyName string } `json:"listener"`
	TLSVersion string                                          `json:"tlsVersion"`
	Timing     attempt.Timing                                  `json:"timing"`
	Comparison *attempt.Comparison                             `json:"comparison"` // nil: it is not of a shadow, or its order was erased
}

// message is one side of an exchange. The API sends the body as text, or in base64 where
// it is no UTF-8; one of Body and BodyBase64 is set.
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

// content returns the bytes of the body. A message that is nil, as where nothing came
// back, has none.
func (m *message) content() []byte {
	if m == nil {
		return nil
	}
	if m.BodyBase64 == "" {
		return []byte(m.Body)
	}
	b, _ := base64.StdEncoding.DecodeString(m.BodyBase64) // the API encoded it
	return b
}

// messageView is one side of an exchange on a page. showMessage makes it. A body that is
// no text has neither Body nor Raw, and is offered as a file.
type messageView struct {
	Title   string
	Line    string // the request's line
	Status  *Badge // of a response
	Headers []Header
	Body    Document
	File    string // the URL of the body as it was sent
	Raw     string // that body, where it is short
	Bytes   int64
	Cut     bool // the body was longer than what is stored
	Binary  bool // the body is no text
}

// attemptView is one outgoing request, and what came back. It has everything that one
// needs to see why a call failed, so that nobody has to put it together from several
// pages.
type attemptView struct {
	Attempt  fullAttempt
	Request  messageView
	Response *messageView // nil: nothing came back
	Timing   timingView
	Next     nextView
	Curl     string // the request as a command; "" where it is long, and CurlFile has it
	CurlFile string
	Erased   bool              // the request's body was erased, so that it cannot be sent again
	Call     []attempt.Attempt // all attempts of the same call, the newest first
	CallMore bool              // there are more
}

// nextView is what happens next with the call that an attempt is of. The zero one says
// that there is nothing to say.
type nextView struct {
	At     time.Time // when it is tried again by itself; zero: it is not
	Number int       // of that attempt
	Text   string    // what else there is to say
	State  string    // of the delivery or the run
	Href   string    // of the delivery or the run
	Hand   string    // the page that tries it again by hand; "" where nothing is to be done
	Button string    // what that does
}

// attemptPage has the section of the list that it belongs to, so that its entry of the
// navigation is marked.
var attemptPage = newPage[attemptView]("attempt", "/attempts")

const (
	// mostOfCall is how many attempts of a call its page shows.
	mostOfCall = "25"
	// mostRaw is how long a body may be, in bytes, to be on the page a second time, as
	// it was sent.
	mostRaw = 32 << 10
)

// attempt asks for the attempt of a page, with its request and answer.
func (v *visit) attempt() (at fullAttempt, err error) {
	return at, v.get("/api"+href("attempts", v.r.PathValue("id")), nil, &at)
}

// showAttempt is the page that integrators come for: what was sent, and what was answered. The
// other attempts of its call and what comes next are asked for in the same page, as they say
// whether anybody has to do something.
func showAttempt(v *visit) error {
	at, err := v.attempt()
	if err != nil {
		return err
	}
	shown, all := v.extent()
	view := attemptView{Attempt: at, Request: showMessage("Request", &at.Request, shown, all, href("attempts", at.ID, "request-body")), Timing: newTiming(at.Timing, at.DurationMs)}
	view.Request.Line = at.Request.Method + " " + at.URL
	// The size of a body stays when its content is erased.
	view.Erased = at.Request.BodyBytes > 0 && len(at.Request.content()) == 0
	if view.CurlFile = href("attempts", at.ID, "curl"); len(at.Request.Body) <= mostRaw {
		view.Curl = curl(&at)
	}
	if at.Response != nil {
		r, b := showMessage("Response", at.Response, shown, all, href("attempts", at.ID, "response-body")), statusBadge(at.Status)
		r.Status = &b
		view.Response = &r
	}
	// The other attempts of the call say whether it went well before or after this one.
	if at.CallID != "" {
		var call List[attempt.Attempt]
		if err := v.get("/api/attempts", url.Values{"callId": {at.CallID}, "limit": {mostOfCall}}, &call); err != nil {
			return err
		}
		view.Call, view.CallMore = call.Items, call.NextCursor != ""
	}
	if view.Next, err = v.next(&at); err != nil {
		return err
	}
	return attemptPage.showLive(v, "Attempt "+at.ID, "attempts,deliveries,runs", view)
}

// next finds out what becomes of a call. What it belongs to may be gone by now, and
// then there is nothing to say.
func (v *visit) next(at *fullAttempt) (n nextView, err error) {
	switch {
	// An attempt at a delivery of an event, or of an export.
	case at.DeliveryID != "":
		var d struct {
			Status          string
			EndpointRemoved bool
			EndpointOff     bool
			EndpointID      string
			Attempts        int
			NextAttemptAt   time.Time
			WaitsFor        string
		}
		n.Href = href("deliveries", at.DeliveryID)
		if err = v.get("/api"+n.Href, nil, &d); err != nil {
			break
		}
		n.State, n.At, n.Number = "delivery "+d.Status, d.NextAttemptAt, d.Attempts+1
		if d.WaitsFor != "" {
			n.Text = "It waits for an earlier event of " + d.WaitsFor + "."
		}
		switch {
		case d.EndpointRemoved:
			n.Text = "The endpoint was removed."
		case d.EndpointOff:
			n.Text = "The endpoint is off: nothing is sent to it before it is turned on."
			if v.may(access.Operator) {
				n.Hand, n.Button = href("endpoints", d.EndpointID), "The endpoint"
			}
		case v.may(access.Operator) && d.Status != "succeeded":
			n.Hand, n.Button = href("deliveries", at.DeliveryID, "redeliver"), "Send it now…"
		}
	// An attempt of a workflow step. A replay has the run of the call that it repeats.
	case at.RunID != "":
		var r struct {
			Status        string
			NextAttempt   int
			NextAttemptAt time.Time
			Reason        string
			NotResumable  string
		}
		n.Href = href("runs", at.RunID)
		if err = v.get("/api"+n.Href, nil, &r); err != nil {
			break
		}
		n.State, n.At, n.Number, n.Text = "run "+r.Status, r.NextAttemptAt, r.NextAttempt, r.Reason
		switch {
		case r.NotResumable != "":
			n.Text = strings.TrimSpace(r.Reason + " It cannot be resumed: " + r.NotResumable + ".")
		case v.may(access.Operator) && r.Status == string(run.RunAborted):
			n.Hand, n.Button = href("runs", at.RunID, "resume"), "Resume the run…"
		}
	}
	// Retention has removed the delivery or the run, or its order was erased.
	if p := problemOf(err); p != nil && p.Status == http.StatusNotFound {
		return nextView{}, nil
	}
	return n, err
}

// showMessage is one side of an attempt. File is the path of the body as it was sent, for a body
// that is no text or is too long for the page. shown is how much of the body is drawn,
// and all the URL of the page that draws more.
func showMessage(title string, m *message, shown extent, all, file string) messageView {
	v := messageView{Title: title, Headers: m.headers(), Bytes: m.BodyBytes, Cut: m.Truncated, File: file}
	// A body that is no text is offered as a file, and nothing of it is drawn.
	if v.Binary = m.BodyBase64 != ""; v.Binary {
		return v
	}
	v.Body = newDocument(title+" body", []byte(m.Body), shown)
	if v.Body.Raw = file; v.Body.Cut {
		v.Body.All = all
	}
	// A body that is drawn as a document is also there as it was sent, if it is short.
	if v.Body.HTML != "" && len(m.Body) <= mostRaw {
		v.Raw = m.Body
	}
	return v
}

// attemptFile answers with a part of an attempt as plain text, whatever it may be. It is
// plain text for the browser, so that a body which is HTML cannot run in the dashboard's
// origin.
func attemptFile(part func(*fullAttempt) []byte) func(*visit) error {
	return func(v *visit) error {
		at, err := v.attempt()
		if err != nil {
			return err
		}
		v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		send(v.w, http.StatusOK, part(&at))
		return nil
	}
}

// notSent are headers that curl makes itself, or that belong to that one attempt.
var notSent = []string{"Content-Length", "Host", "Accept-Encoding", "Traceparent"}

// curl is a request as a command for a shell. Secrets were recorded as ***, and are to be
// filled in. A terminal takes control characters that are pasted for keys, by which a body
// could delete the quote before it; so it is encoded where it has any. What would stand for
// several URLs, as {a,b}, curl takes for one.
//
// The body goes through a here-document in base64 then, or where it is no UTF-8.
func curl(at *fullAttempt) string {
	var b strings.Builder
	b.WriteString("curl --globoff -X " + quoted(at.Request.Method) + " " + quoted(at.URL))
	for _, h := range at.Request.headers() {
		if !slices.Contains(notSent, h.Name) {
			b.WriteString(" \\\n  -H " + quoted(h.Name+": "+h.Value))
		}
	}
	// A line end is no danger, since it is within the quotes.
	encoded := at.Request.BodyBase64
	if strings.ContainsFunc(at.Request.Body, func(c rune) bool { return unicode.IsControl(c) && c != '\n' }) {
		encoded = base64.StdEncoding.EncodeToString([]byte(at.Request.Body))
	}
	switch {
	case encoded != "":
		return "base64 -d <<'END' |\n" + encoded + "\nEND\n" + b.String() + " \\\n  --data-binary @-"
	case at.Request.Body != "":
		b.WriteString(" \\\n  --data-raw " + quoted(at.Request.Body))
	}
	return b.String()
}

// quoted is a text as one word of a shell's. Between single quotes a shell reads
// everything as it is, except a single quote.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
