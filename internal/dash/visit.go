package dash

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
)

// visit is one request of somebody who has signed in. It lives as long as the request, on
// its goroutine. A page gets everything that it needs from it.
type visit struct {
	s     *server
	w     http.ResponseWriter
	r     *http.Request
	key   access.Key
	token string // of the session
	// ticket counts what the page holds. leave gives it back and sets it to nil.
	ticket *admission.Ticket
	live   string // what the page follows
}

// may reports whether the key's role reaches the needed one: whether to show a
// button. Whether the action is allowed, the API decides. So a page need not ask before
// it shows something.
func (v *visit) may(needed access.Role) bool { return v.key.Role.Reaches(needed) }

// query is the query of the page's URL.
func (v *visit) query() url.Values { return v.r.URL.Query() }

// page registers a path for keys whose role reaches the needed one. A pattern is one of
// [http.ServeMux]. Where a form is posted, it has been read and its token checked before do is
// called. It is the only way in for those who have signed in, so that no page can forget to
// look who asks. A handler returns every error as it is, and writes nothing before it returns
// one.
func (s *server) page(needed access.Role, pattern string, do func(*visit) error) {
	s.routes = append(s.routes, route{pattern, needed})
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v, err := s.enter(w, r)
		if v == nil && err == nil {
			toSignIn(w, r)
			return
		}
		// A key's rate holds for its sessions, too. A page asks the API for many things,
		// and is one request all the same: how many it asks is not the caller's choice.
		if err == nil {
			err = s.KeyRates.Take(v.key.ID, v.key.RateLimit, s.Clock.Now())
		}
		if err == nil {
			err = v.take(needed, do)
		}
		if err != nil {
			s.fail(w, r, v, err)
		}
	})
}

// enter finds out who asks; nil is somebody who has not signed in. The session is read
// from the database for each request, so one that has ended opens nothing more. An error
// means that nobody knows.
func (s *server) enter(w http.ResponseWriter, r *http.Request) (*visit, error) {
	token := sessionToken(s, r)
	if token == "" {
		return nil, nil
	}
	key, err := s.Sessions.Session(r.Context(), access.HashKey(token))
	if apierr.KindOf(err) == apierr.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &visit{s: s, w: w, r: r, key: key, token: token}, nil
}

// take makes the page, in the room that the tenant has for it. Role and budget come
// before the form is read, so who may not do something cannot have the server read
// megabytes for it.
func (v *visit) take(needed access.Role, do func(*visit) error) (err error) {
	if !v.may(needed) {
		return apierr.Errorf(apierr.Forbidden, "this needs a key of the role %s; yours is of the role %s", needed, v.key.Role)
	}
	if v.ticket, err = v.s.gate.Enter(v.key.Tenant); err != nil {
		return fullHouse(err)
	}
	defer v.leave()
	if v.r.Method == http.MethodGet || v.r.Method == http.MethodHead {
		// The URL that the browser shows, and that somebody may send to others, is the
		// short one.
		if clean, ok := tidied(v.r.URL); ok {
			http.Redirect(v.w, v.r, clean, http.StatusSeeOther)
			return nil
		}
		return do(v)
	}
	if err := v.readForm(); err != nil {
		return err
	}
	return do(v)
}

// leave gives back what the visit holds. It may be called again.
func (v *visit) leave() {
	if v.ticket != nil {
		v.ticket.Leave()
		v.ticket = nil
	}
}

// fullHouse tells of the dashboard's own limits, in place of what the gate says of the
// API's. The words of the gate name flags that do not change these limits.
func fullHouse(err error) error {
	e, ok := errors.AsType[*apierr.Error](err)
	if !ok {
		return err
	}
	out := *e
	if out.Detail = "too many pages are made at this moment; try again"; e.Kind == apierr.TooLarge {
		out.Detail = "this is more than a page can show; ask the API for it"
	}
	return &out
}

// tidied returns a page's URL without the parameters that have no value, which a form
// sends for each field that was left empty, and with times as the API takes them, which a
// form without script sends with no zone; false if there are none of both. A parameter
// that stands in it several times is left to the API, which refuses it.
func tidied(u *url.URL) (string, bool) {
	query, found := u.Query(), false
	for name, values := range query {
		if len(values) == 1 && values[0] == "" {
			delete(query, name)
			found = true
		}
	}
	for _, name := range timeParams {
		if t, ok := inUTC(query.Get(name)); ok {
			query.Set(name, t)
			found = true
		}
	}
	clean := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: query.Encode()}
	return clean.String(), found
}

// see sends the browser to a page after a form did what it was for. 303 has the browser
// GET that page, so that a reload sends no form again.
func (v *visit) see(path string) error {
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// observed gives each request its id and the headers of every answer, answers for a
// page that panicked, and writes a line of the access log. The line has the pattern and
// not the URL, since queries may hold what people searched for. A request of a browser
// brings no id of its own: the page shows the one that was made here.
func (s *server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, id := s.Clock.Now(), ids.New(ids.Request)
		r = r.WithContext(context.WithValue(r.Context(), idKey{}, id))
		secure(w.Header())
		w.Header().Set(requestIDHeader, id)
		defer func() {
			p := recover()
			if p == http.ErrAbortHandler {
				panic(p) // the connection is broken off
			}
			if p != nil {
				s.Log.Error("a page panicked", "request", id, "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				s.fail(w, r, nil, errInside)
			}
			s.Log.DebugContext(r.Context(), "page", "request", id, "method", r.Method, "pattern", r.Pattern, "duration", s.Clock.Now().Sub(began))
		}()
		if r.ContentLength != 0 { // net/http lifts it at the body's end
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // not of every writer; a test's has none
		}
		next.ServeHTTP(w, r)
	})
}

// requestIDHeader is the header that the API has for it, too.
const requestIDHeader = "X-Request-Id"

// idKey is the key of the context value that idOf reads.
type idKey struct{}

// idOf is the id of a request, which its calls of the API have, too. So a page and what
// it asked of the API are found in the log together.
func idOf(r *http.Request) string {
	id, _ := r.Context().Value(idKey{}).(string)
	return id
}
