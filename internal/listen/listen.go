// Package listen brings what happens on a server to a receiver on this machine: it follows
// the feed of an endpoint over connections that it opens itself, and hands on each event
// once; and it takes the calls of chosen steps, and brings their answers back. It never ends
// without a word: a lost connection is said, made again, and followed by how much came meanwhile.
//
// It knows the API of a server and no other package of it: not the database, not the flags, and
// not how anything is shown. Start reading at [Listener.Run], and at [Interceptor.Run] for calls.
package listen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// Server is a server that is asked by its API.
type Server interface {
	Ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error)
}

// Event is an event of the feed. Body is what a delivery would have; it is nil where Gone
// says why there is none.
type Event struct {
	Position  string          `json:"position"`
	Previous  string          `json:"previous"`
	EventID   string          `json:"eventId"`
	WebhookID string          `json:"webhookId"`
	Type      string          `json:"type"`
	Gone      string          `json:"gone"`
	Body      json.RawMessage `json:"body"`
}

// Watcher is told of what happens, in its order, on the goroutine of [Listener.Run].
type Watcher interface {
	Listening(endpoint string)                   // from here on nothing is missed
	Event(e Event)                               // it is to be handed on
	Lost(after, upTo string)                     // events between the two are not retained any more
	Disconnected(err error, again time.Duration) // it is tried again after that time
	// Connected again, after so long. events came meanwhile, or at least so many if more.
	Connected(after time.Duration, events int, more bool)
	Idle() // the server was asked and had nothing new
	// LeftOver: the endpoint of a listener that was killed is removed now, or could not be; ""
	// where the server was asked in vain which there are.
	LeftOver(endpoint string, err error)
}

// Listener follows a feed.
type Listener struct {
	Server   Server
	Endpoint string   // whose feed it is; "": an endpoint is made for this, and removed in the end
	Types    []string // of the endpoint that is made
	Orders   []string // the same: events of these orders alone; none: of all
	After    string   // the position to begin behind; "": what comes from now on
	Most     int      // ends after so many events; 0: not
	Watcher  Watcher
	Clock    clock.Clock

	marked time.Time // when the endpoint that was made was last said to be in use
}

// Refused is an answer of the server that no other try would change.
type Refused struct {
	Why    string
	Status int
}

// Error implements error.
func (e *Refused) Error() string { return e.Why }

const (
	// pageWait is how long the server waits for an event. It is shorter than what closes
	// idle connections on the way.
	pageWait = 25 * time.Second
	// leavingTime is how long it may take to remove the endpoint in the end.
	leavingTime = 5 * time.Second

	// An endpoint that a listener made says each markEach that it is in use; leftAfter the last
	// time its listener is gone, and the next one removes it.
	markEach, leftAfter = 6 * time.Hour, 24 * time.Hour

	firstPause, mostPause = time.Second, 30 * time.Second
)

// page is a page of a feed, as the API answers it.
type page struct {
	Items []Event `json:"items"`
	Next  string  `json:"next"`
	More  bool    `json:"more"`
	Lost  *struct {
		After string `json:"after"`
		UpTo  string `json:"upTo"`
	} `json:"lost"`
}

// Run follows the feed until ctx ends, or as many events came as were wanted. The error is a
// *Refused if the server does not let it.
func (l *Listener) Run(ctx context.Context) (err error) {
	endpoint, after := l.Endpoint, l.After
	if endpoint == "" {
		if endpoint, err = l.subscribe(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.unsubscribe(ctx, endpoint)) }()
		l.removeLeft(ctx)
	}
	if l.Endpoint != "" && after != "" {
		// Whether it is there is known before somebody is told that nothing is missed.
		_, err := l.ask(ctx, http.MethodGet, "/api/endpoints/"+url.PathEscape(endpoint), nil, http.StatusOK)
		if refused := (*Refused)(nil); errors.As(err, &refused) {
			return err
		}
	}
	if after == "" {
		first, err := l.read(ctx, endpoint, "latest", 0)
		if err != nil {
			return err
		}
		after = first.Next
	}
	l.Watcher.Listening(endpoint)
	return l.follow(ctx, endpoint, after)
}

// follow reads page after page. It goes on from the position that it has, so what comes while
// there is no connection is not missed.
func (l *Listener) follow(ctx context.Context, endpoint, after string) error {
	var down time.Time // since when there is no connection; zero: there is one
	pause, events := firstPause, 0
	for {
		wait := pageWait
		if !down.IsZero() {
			wait = 0 // whether it is there again is to be known at once
		}
		p, err := l.read(ctx, endpoint, after, wait)
		if ctx.Err() != nil {
			return nil
		}
		if refused := (*Refused)(nil); errors.As(err, &refused) {
			return err
		}
		if err != nil {
			if down.IsZero() {
				down = l.Clock.Now()
			}
			l.Watcher.Disconnected(err, pause)
			if clock.Pause(ctx, l.Clock, pause) != nil {
				return nil
			}
			pause = min(2*pause, mostPause)
			continue
		}
		if !down.IsZero() {
			l.Watcher.Connected(l.Clock.Now().Sub(down), len(p.Items), p.More)
			down, pause = time.Time{}, firstPause
		}
		if err := l.mark(ctx, endpoint); err != nil {
			return err
		}
		if p.Lost != nil {
			l.Watcher.Lost(p.Lost.After, p.Lost.UpTo)
		}
		for _, e := range p.Items {
			l.Watcher.Event(e)
			if ctx.Err() != nil {
				return nil
			}
			if events++; events == l.Most {
				return nil
			}
		}
		if after = p.Next; len(p.Items) == 0 && !p.More {
			l.Watcher.Idle()
		}
	}
}

// read reads a page behind a position.
func (l *Listener) read(ctx context.Context, endpoint, after string, wait time.Duration) (p page, err error) {
	query := url.Values{"after": {after}}
	if wait > 0 {
		query.Set("wait", fmt.Sprintf("PT%gS", wait.Seconds()))
	}
	answer, err := l.ask(ctx, http.MethodGet, "/api/endpoints/"+url.PathEscape(endpoint)+"/feed?"+query.Encode(), nil, http.StatusOK)
	if err == nil {
		err = json.Unmarshal(answer, &p)
	}
	if err == nil && p.Next == "" {
		err = errors.New("the answer is no page of a feed")
	}
	return p, err
}

// description begins the description of each endpoint that a listener made. The time at which it
// was last in use follows.
const description = "orderhook listen, in use at "

// describe says that an endpoint is in use now.
func (l *Listener) describe() string {
	l.marked = l.Clock.Now()
	return description + l.marked.UTC().Format(time.RFC3339)
}

// mark says again, from time to time, that the endpoint that was made is in use. A connection that
// is lost meanwhile is noticed by the next page, and it is said again after that.
func (l *Listener) mark(ctx context.Context, endpoint string) error {
	if l.marked.IsZero() || l.Clock.Now().Sub(l.marked) < markEach {
		return nil
	}
	was := l.marked
	body, err := json.Marshal(map[string]any{"description": l.describe()})
	if err != nil {
		return err
	}
	_, err = l.ask(ctx, http.MethodPatch, "/api/endpoints/"+url.PathEscape(endpoint), body, http.StatusOK)
	if refused := (*Refused)(nil); errors.As(err, &refused) {
		return err
	}
	if err != nil {
		l.marked = was
	}
	return nil
}

// removeLeft removes the endpoints that listeners left which could not do it themselves, since they
// were killed. It is told of, and ends nothing.
func (l *Listener) removeLeft(ctx context.Context) {
	answer, err := l.ask(ctx, http.MethodGet, "/api/endpoints?limit=200&q="+url.QueryEscape(strings.TrimSpace(description)), nil, http.StatusOK)
	var list struct {
		Items []struct{ ID, URL, Description string }
	}
	if err == nil {
		err = json.Unmarshal(answer, &list)
	}
	if err != nil {
		if ctx.Err() == nil {
			l.Watcher.LeftOver("", err)
		}
		return
	}
	for _, e := range list.Items {
		text, made := strings.CutPrefix(e.Description, description)
		used, err := time.Parse(time.RFC3339, text)
		if !made || err != nil || e.URL != "feed:" || l.Clock.Now().Sub(used) < leftAfter {
			continue
		}
		_, err = l.ask(ctx, http.MethodDelete, "/api/endpoints/"+url.PathEscape(e.ID), nil, http.StatusNoContent)
		if refused := (*Refused)(nil); errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			continue // another listener was faster
		}
		l.Watcher.LeftOver(e.ID, err)
	}
}

// subscribe makes the endpoint. Nothing is sent to it, so where the process dies it can stay until
// the next listener removes it: it costs a few bytes for each event.
func (l *Listener) subscribe(ctx context.Context) (id string, err error) {
	e := map[string]any{"url": "feed:", "eventTypes": l.Types, "description": l.describe()}
	if len(l.Orders) > 0 {
		orders, err := json.Marshal(l.Orders)
		if err != nil {
			return "", err
		}
		e["filter"] = "orderId in " + string(orders)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	answer, err := l.ask(ctx, http.MethodPost, "/api/endpoints", body, http.StatusCreated)
	var made struct{ ID string }
	if err == nil {
		err = json.Unmarshal(answer, &made)
	}
	return made.ID, err
}

// unsubscribe removes the endpoint. It has time for that, also after ctx has ended.
func (l *Listener) unsubscribe(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leavingTime)
	defer cancel()
	if _, err := l.ask(ctx, http.MethodDelete, "/api/endpoints/"+url.PathEscape(id), nil, http.StatusNoContent); err != nil {
		return fmt.Errorf("the endpoint %s, which was made for this, could not be removed: %w", id, err)
	}
	return nil
}

func (l *Listener) ask(ctx context.Context, method, path string, body []byte, want int) ([]byte, error) {
	return ask(ctx, l.Server, method, path, body, want)
}

// ask asks the server. What is wrong with the request stays wrong, so it is Refused; all else
// may pass.
func ask(ctx context.Context, server Server, method, path string, body []byte, want int) ([]byte, error) {
	status, answer, err := server.Ask(ctx, method, path, body)
	if err != nil || status == want {
		return answer, err
	}
	var problem struct {
		Detail string
		Errors []struct{ Location, Message string }
	}
	_ = json.Unmarshal(answer, &problem) // what is no problem of the server's has its status
	said := []string{fmt.Sprintf("the server answers %d", status)}
	if problem.Detail != "" {
		said = append(said, problem.Detail)
	}
	for _, e := range problem.Errors {
		said = append(said, e.Location+" "+e.Message)
	}
	why := strings.Join(said, ": ")
	if status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout {
		return nil, &Refused{why, status}
	}
	return nil, errors.New(why)
}
