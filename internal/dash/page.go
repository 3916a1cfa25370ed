package dash

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
)

//go:embed templates
var templateFiles embed.FS

// partials is what every page is made with: the layout, and the pieces that pages
// share. Templates are parsed when the first page needs them: the commands of this program
// that show no page would otherwise wait for it at every start. The tests parse them all.
var partials = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(functions).ParseFS(templateFiles, "templates/partials/*.html"))
})

// pageOf is a template and the type of what it shows. The file templates/NAME.html
// defines "main". The type binds a template to its view: a page cannot be shown with
// anything else.
type pageOf[T any] struct {
	*pageTemplate
}

// pageTemplate is what all pages have in common, whatever they show. Tests go over them
// all, and check each template against the type that it gets.
type pageTemplate struct {
	name    string
	section string // the entry of the navigation that it belongs to; "" is none
	text    func() *template.Template
	example any // the zero view, for the check of the template
}

// pages is all of them, for the tests.
var pages []*pageTemplate

// newPage names the template of a page. It is to be called for a package variable. Each
// page has a clone of the partials, so that all of them may define "main".
func newPage[T any](name, section string) pageOf[T] {
	text := sync.OnceValue(func() *template.Template {
		return template.Must(template.Must(partials().Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
	})
	p := &pageTemplate{name: name, section: section, text: text, example: view[T]{}}
	pages = append(pages, p)
	return pageOf[T]{p}
}

// view is what a template gets: the frame around every page, and the page. A template
// reads the page as .Page, and the frame without a name in between.
type view[T any] struct {
	frame
	Page T
}

// frame is what the layout shows around a page. It is made anew for each answer. Where
// nobody has signed in, as on the page where one does, it has neither key nor navigation.
type frame struct {
	Title     string
	Nav       []section // none if nobody has signed in
	Here      string    // the section of this page
	Key       access.Key
	FormToken string // for the hidden field of each form
	URL       string // of the page, with its query
	Request   string // its id
	Now       time.Time
	Version   string
	Live      string // the topics that the page follows, see live.go; "" is none
	Notice    string // what has just been done
}

// Operator reports whether to show what operators may do. A button that leads to a
// refusal helps nobody; whether something is allowed, the API decides all the same.
func (f frame) Operator() bool { return f.Key.Role.Reaches(access.Operator) }

// Admin reports whether to show what admins may do.
func (f frame) Admin() bool { return f.Key.Role.Reaches(access.Admin) }

// Publisher reports whether to show what publishers may do.
func (f frame) Publisher() bool { return f.Key.Role.Reaches(access.Publisher) }

// KeyEnds says in words that the key which somebody has signed in with has ended or soon
// will; "" where neither is so. Each page says it, since nobody looks for it before it
// happens.
func (f frame) KeyEnds() string { return expiring(&f.Key, f.Now) }

// section is an entry of the navigation. It is hidden from those who may not see its pages.
type section struct {
	Name, Path string
	Needed     access.Role
}

// sections is the navigation, in its order.
var sections = []section{
	{"Overview", "/", access.Reader},
	{"Orders", "/orders", access.Reader},
	{"Carts", "/carts", access.Reader},
	{"Webhooks", "/endpoints", access.Reader},
	{"Attempts", "/attempts", access.Reader},
	{"Deliveries", "/deliveries", access.Reader},
	{"Events", "/events", access.Reader},
	{"Runs", "/runs", access.Reader},
	{"Jobs", "/jobs", access.Reader},
	{"Workflows", "/workflows", access.Reader},
	{"Nodes", "/nodes", access.Operator},
	{"Keys", "/keys", access.Admin},
	{"Audit", "/audit", access.Admin},
}

// show answers with the page.
func (p pageOf[T]) show(v *visit, title string, shown T) error {
	return p.write(v.s, v.w, v.r, v, http.StatusOK, title, shown)
}

// showLive answers with a page that follows what changes of topics. A list that is not
// at its beginning does not change. topics is a list with commas, of package changes. A
// page behind the first of a list shows what is older, so it is not fetched again and
// again.
func (p pageOf[T]) showLive(v *visit, title, topics string, shown T) error {
	if !v.query().Has("cursor") {
		v.live = topics
	}
	return p.show(v, title, shown)
}

// refuse answers with the page that holds a form, which the API did not take. The
// view shows the problem. Its status is that of the API's answer, so that a program which
// posts a form sees that it was refused.
func (p pageOf[T]) refuse(v *visit, title string, problem *Problem, shown T) error {
	problem.hint(v.w.Header())
	return p.write(v.s, v.w, v.r, v, problem.Status, title, shown)
}

// write executes the template in memory, so that a page is whole or is an error. A
// nil visit is somebody who has not signed in. The size of the page counts against the
// tenant's budget before it is sent.
func (p pageOf[T]) write(s *server, w http.ResponseWriter, r *http.Request, v *visit, status int, title string, shown T) error {
	f := frame{Title: title, URL: r.URL.RequestURI(), Request: idOf(r), Now: s.Clock.Now(), Version: s.Version, Here: p.section}
	if v != nil {
		f.Key, f.FormToken, f.Live = v.key, tokenFor(v.token), v.live
		f.Notice = notices[v.query().Get(noticeParam)]
		for _, n := range sections {
			if v.may(n.Needed) {
				f.Nav = append(f.Nav, n)
			}
		}
	}
	var b bytes.Buffer
	if err := p.text().ExecuteTemplate(&b, "layout", view[T]{f, shown}); err != nil {
		return err
	}
	if v != nil && v.ticket != nil { // the ticket is given back before an error is shown
		if err := v.ticket.Grow(int64(b.Len())); err != nil { // escaped, a text is up to six times as long
			return fullHouse(err)
		}
	}
	text := b.Bytes()
	if !utf8.Valid(text) { // a URL may hold any bytes, and its page shows them
		text = bytes.ToValidUTF8(text, []byte("�"))
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	send(w, status, text)
	return nil
}

// slowest is how many bytes a second a browser takes at least; who takes less holds
// memory that others need. It is the pace that the API asks of its callers, too.
const slowest = 32 << 10

// send writes an answer that is in memory. The deadline grows with the answer, so a slow
// browser gets a large page, as long as it goes on taking it.
func send(w http.ResponseWriter, status int, body []byte) {
	limit := patience + time.Duration(len(body))*(time.Second/slowest)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit)) // not of every writer; a test's has none
	w.WriteHeader(status)
	_, _ = w.Write(body) // the browser may have gone
}

// noticeParam is the parameter by which the page after a form learns what was done. Links
// on that page leave it out (with).
const noticeParam = "done"

// notices are what a page may say that was done. They are the only texts that a link can
// have a page say. A link of somebody else's may have any code in it, so it can make a
// page say nothing that is not here.
var notices = map[string]string{
	"job-canceled": "The job is told to stop. What it has done stays done.",
	"saved":        "Saved.",
	"deleted":      "Deleted.",
	"created":      "Created.",
	"canceled":     "Canceled.",
	"resumed":      "It goes on.",
	"tried":        "The breaker lets a call through. Here one sees how it went.",
	"promoted":     "The shadow step is live now, in a new version of the settings.",
	"sent":         "It is sent again.",
	"restored":     "The earlier settings are in force again, as a new version.",
	"published":    "The event is published.",
	"erased":       "The order is erased. What else is kept of it goes in the background.",
	"entered":      "The status is entered.",
	"valid":        "The cart is valid.",
	"not-valid":    "The cart did not pass. What its validators said stands below.",
	"enabled":      "It is on.",
	"disabled":     "It is off.",
	"unchanged":    "Nothing was changed.",
}

// errorView is the page that says what went wrong.
type errorView struct{ Problem *Problem }

// errorPage belongs to no section.
var errorPage = newPage[errorView]("error", "")

// fail answers with an error. What is not meant for the browser goes to the log alone,
// with the request's id. A nil visit is somebody who has not signed in, or whose page
// panicked. If the page of the error cannot be made either, the browser gets a line of
// text.
func (s *server) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	if r.Context().Err() != nil { // the browser has gone
		return
	}
	p := s.explain(r, err)
	if p.Instance == "" {
		p.Instance = idOf(r)
	}
	p.hint(w.Header())
	if err := errorPage.write(s, w, r, v, p.Status, p.Title, errorView{p}); err != nil {
		s.Log.Error("the error page failed", "request", idOf(r), "error", err)
		http.Error(w, p.Title+" (request "+idOf(r)+")", p.Status)
	}
}

// explain makes a problem of an error. A problem of the API stays as it is. An error of
// the dashboard's own that is meant for people becomes one, and every other error is
// logged and shown as a 500 that says nothing of the inside.
func (s *server) explain(r *http.Request, err error) *Problem {
	if p := problemOf(err); p != nil {
		if p.Title == "" {
			p.Title = http.StatusText(p.Status)
		}
		return p
	}
	if e, ok := errors.AsType[*apierr.Error](err); ok {
		if status, ok := statuses[e.Kind]; ok {
			p := &Problem{Status: status, Title: http.StatusText(status), Detail: e.Detail, Errors: e.Fields}
			if e.Kind == apierr.TooMany || e.Kind == apierr.Unavailable {
				p.RetryAfter = strconv.Itoa(max(int(e.RetryAfter.Round(time.Second)/time.Second), 1))
			}
			return p
		}
	}
	if !errors.Is(err, errInside) { // a panic is in the log already
		s.Log.Error("a page failed", "request", idOf(r), "path", r.URL.Path, "error", err)
	}
	return &Problem{Status: http.StatusInternalServerError, Title: "Something went wrong inside", Detail: "The log of the server says what, at this request's id."}
}

// statuses are the HTTP statuses of the errors that the dashboard itself makes, or its
// sessions. Problems of the API bring their status along.
var statuses = map[apierr.Kind]int{
	apierr.Malformed:   http.StatusBadRequest,
	apierr.Invalid:     http.StatusUnprocessableEntity,
	apierr.Forbidden:   http.StatusForbidden,
	apierr.NotFound:    http.StatusNotFound,
	apierr.TooLarge:    http.StatusRequestEntityTooLarge,
	apierr.TooMany:     http.StatusTooManyRequests,
	apierr.Unavailable: http.StatusServiceUnavailable,
}
