package dash

import (
	"io"
	"net/http"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
)

// heartbeat is how often a stream that has nothing to say says so: proxies close what
// is silent, and the server learns that a browser has gone. It is also how long a page
// may go on to be told after its session has ended, of nothing but that there was a change.
const heartbeat = 15 * time.Second

// livePages registers the one stream that all pages share.
func livePages(s *server) { s.page(access.Reader, "GET /live", live) }

// live is the one stream of a page (Server-Sent Events). It says only that something of
// the topics has changed, at most once a second; the page's script then fetches the page
// again, as somebody who reloads it. A page is shown as its URL says, and no second way
// to make it is needed: the stream carries no data that a role would have to be checked
// for.
func live(v *visit) error {
	topics, err := changes.ParseTopics(v.query().Get("topic"))
	if err != nil {
		return err
	}
	listener, err := v.s.Changes.Listen(v.key.Tenant, topics)
	if err != nil {
		return err
	}
	defer listener.Stop()
	v.leave() // a stream has a limit of its own, that of the changes
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would keep it back
	return v.stream(listener, time.NewTicker(heartbeat))
}

// stream writes what happens until the browser goes, the server stops, or the session ends. It
// looks at the session at each heartbeat, so that a page that stays open does not outlive
// it. An error of reading the session, as while the database is away, ends nothing: the
// next heartbeat looks again.
func (v *visit) stream(listener *changes.Listener, beat *time.Ticker) error {
	defer beat.Stop()
	// The browser comes back after two seconds where the stream breaks off.
	if !v.say("retry: 2000\n\n") {
		return nil
	}
	for {
		text := "event: change\ndata:\n\n"
		select {
		case <-v.r.Context().Done():
			return nil
		case _, more := <-listener.Changed:
			if !more { // the server stops; the browser asks again until it is back
				return nil
			}
		case <-beat.C:
			if _, err := v.s.Sessions.Session(v.r.Context(), access.HashKey(v.token)); apierr.KindOf(err) == apierr.NotFound {
				v.say(text) // the page is fetched once more, and leads to where one signs in
				return nil
			}
			// A line that begins with a colon is a comment, which the browser does not
			// tell the script of.
			text = ":\n\n"
		}
		if !v.say(text) {
			return nil
		}
	}
}

// say writes to a stream, and reports whether the browser still takes it. Each text has
// the time that a browser may take to send a request; one that does not take it is gone.
func (v *visit) say(text string) bool {
	c := http.NewResponseController(v.w)
	_ = c.SetWriteDeadline(time.Now().Add(patience)) // not of every writer; a test's has none
	if _, err := io.WriteString(v.w, text); err != nil {
		return false
	}
	return c.Flush() == nil
}
