package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/listen"
)

// listening brings events of a server to a receiver on this machine
// (docs/building-an-endpoint.md#listen-on-your-machine).
type listening struct {
	To         string   `name:"forward" placeholder:"URL" help:"Receiver on this machine that each event is POSTed to, as http://localhost:3000/hooks; without it they are only shown."`
	Types      []string `default:"*" help:"Types of events, as order_* or OrderCreated; all without it."`
	Orders     []string `placeholder:"ID" help:"Events of these orders alone."`
	Endpoint   string   `placeholder:"ID" help:"Endpoint whose feed is followed, instead of one that is made for this and removed in the end."`
	After      string   `placeholder:"POSITION" help:"Position in the feed of --endpoint to begin behind, 0 for its beginning; without it, what comes from now on."`
	Count      int      `placeholder:"N" help:"End after so many events."`
	SecretFile string   `placeholder:"FILE" help:"File that holds a secret, whsec_…, that the receiver verifies: requests to it are signed."`
	Timeout    duration `default:"PT30S" help:"How long the receiver may take."`
	JSON       bool     `name:"json" help:"Prints a JSON document on each line."`
	CA         string   `name:"ca" placeholder:"FILE" help:"PEM file of authorities to trust for --url, beside those of the system."`
	remote
}

// Run implements a kong command. It ends by a signal, or after --count events. The exit code
// is 1 if the receiver has not acknowledged one of them.
func (c *listening) Run(s *session) error {
	server, err := c.remote.server(c.CA)
	if err != nil {
		return err
	}
	if server == nil {
		return app.UserErrorf("listen needs a server: --url, and --key-file or --key")
	}
	defer server.close()
	if c.Endpoint == "" && c.After != "" {
		return app.UserErrorf("--after is a position in the feed of an endpoint: give its --endpoint, too")
	}
	if c.Endpoint != "" && (len(c.Orders) > 0 || len(c.Types) != 1 || c.Types[0] != "*") {
		return app.UserErrorf("--types and --orders are of the endpoint that is made without --endpoint; this one has its own")
	}
	to, err := c.receiver()
	if err != nil {
		return err
	}
	w := &listenLines{session: s, ctx: s.ctx, to: to, json: c.JSON, said: time.Now()}
	l := &listen.Listener{Server: server, Endpoint: c.Endpoint, Types: c.Types, Orders: c.Orders, After: c.After, Most: c.Count, Watcher: w, Clock: clock.Real{}}
	err = l.Run(s.ctx)
	if refused := (*listen.Refused)(nil); errors.As(err, &refused) {
		err = app.UserErrorf("%w", err)
	}
	w.line("ended", fmt.Sprintf("%s, %d not acknowledged", counted(w.events, "event"), w.failed), map[string]any{"events": w.events, "failed": w.failed})
	if err == nil && w.failed > 0 {
		err = foundError(fmt.Sprintf("%s of %d not acknowledged", counted(w.failed, "event"), w.events))
	}
	return err
}

// receiver returns the receiver on this machine, nil if there is none.
func (c *listening) receiver() (*localReceiver, error) {
	text, err := secretOf("secret", "", c.SecretFile)
	if err != nil {
		return nil, err
	}
	if c.To == "" {
		if text != "" {
			return nil, app.UserErrorf("--secret-file signs what is forwarded: give --forward, too")
		}
		return nil, nil
	}
	u, err := url.Parse(c.To)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, app.UserErrorf("--forward must be an http or https URL, as http://localhost:3000/hooks")
	}
	r := &localReceiver{url: c.To, client: newLocalClient(time.Duration(c.Timeout))}
	if text != "" {
		if r.signer, err = standardwebhooks.NewWebhook(text); err != nil {
			return nil, app.UserErrorf("--secret-file: the secret must be whsec_ and base64")
		}
	}
	return r, nil
}

// localReceiver is the receiver on this machine.
type localReceiver struct {
	url    string
	client *http.Client
	signer *standardwebhooks.Webhook // nil: requests are not signed
}

// newLocalClient returns a client that follows no redirect, as the server follows none.
func newLocalClient(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// post hands on an event, as a delivery would. The status is 0 where no answer came.
func (r *localReceiver) post(ctx context.Context, e listen.Event) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(e.Body))
	if err != nil {
		return 0, err
	}
	h, now := req.Header, time.Now()
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json")
	h.Set("X-Attempt", "1")
	h.Set("Webhook-Id", e.WebhookID)
	h.Set("Webhook-Timestamp", fmt.Sprint(now.Unix()))
	if e.Position != "" {
		h.Set("Webhook-Position", e.Position)
		h.Set("Webhook-Previous-Position", e.Previous)
	}
	if r.signer != nil {
		signature, err := r.signer.Sign(e.WebhookID, now, e.Body)
		if err != nil {
			return 0, err
		}
		h.Set("Webhook-Signature", signature)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxRemoteAnswer))
	return resp.StatusCode, err
}

// acknowledges reports whether a status acknowledges an event, as it does to the server.
func acknowledges(status int) bool {
	return status == http.StatusOK || status == http.StatusCreated || status == http.StatusAccepted || status == http.StatusNoContent
}

// listenLines shows what happens, a line each, and hands events on.
type listenLines struct {
	session        *session
	ctx            context.Context
	to             *localReceiver
	json           bool
	events, failed int
	said           time.Time // when the last line was printed
}

// heartbeatEach is after how much silence a line says that all is well.
const heartbeatEach = time.Minute

// line prints a line: for people, or as a JSON document.
func (w *listenLines) line(what, text string, more map[string]any) {
	w.said = time.Now()
	if !w.json {
		fmt.Fprintf(w.session.out, "%s %-12s %s\n", w.said.Format("15:04:05"), what, text)
		return
	}
	doc := map[string]any{"what": what, "at": w.said.UTC().Format(time.RFC3339Nano)}
	for name, value := range more {
		doc[name] = value
	}
	if out, err := json.Marshal(doc); err == nil {
		fmt.Fprintf(w.session.out, "%s\n", out)
	}
}

// Listening implements [listen.Watcher].
func (w *listenLines) Listening(endpoint string) {
	w.line("listening", endpoint, map[string]any{"endpointId": endpoint})
}

// Event implements [listen.Watcher].
func (w *listenLines) Event(e listen.Event) {
	w.events++
	doc := map[string]any{"position": e.Position, "eventId": e.EventID, "webhookId": e.WebhookID, "type": e.Type}
	text := fmt.Sprintf("%s %s", cmp.Or(e.Type, "(unknown)"), cmp.Or(e.EventID, "at "+e.Position))
	switch {
	case e.Gone != "":
		doc["gone"] = e.Gone
		text += ": " + e.Gone + ", nothing is left to hand on"
	case w.to == nil:
		doc["body"] = e.Body
	default:
		began := time.Now()
		status, err := w.to.post(w.ctx, e)
		took := time.Since(began).Round(time.Millisecond)
		doc["status"], doc["ms"] = status, took.Milliseconds()
		text += fmt.Sprintf(" → %d in %v", status, took)
		if err != nil {
			doc["error"] = err.Error()
			text = fmt.Sprintf("%s %s → %v", e.Type, e.EventID, err)
		}
		if doc["acknowledged"] = acknowledges(status); !acknowledges(status) {
			w.failed++
		}
	}
	w.line("event", text, doc)
}

// Lost implements [listen.Watcher].
func (w *listenLines) Lost(after, upTo string) {
	w.line("lost", "events behind "+after+", up to "+upTo+", are not retained any more", map[string]any{"after": after, "upTo": upTo})
}

// Disconnected implements [listen.Watcher].
func (w *listenLines) Disconnected(err error, again time.Duration) {
	w.line("disconnected", fmt.Sprintf("%v; trying again in %v", oneLine(err), again), map[string]any{"error": oneLine(err), "againMs": again.Milliseconds()})
}

// Connected implements [listen.Watcher].
func (w *listenLines) Connected(after time.Duration, events int, more bool) {
	atLeast := ""
	if more {
		atLeast = " or more"
	}
	w.line("connected", fmt.Sprintf("again after %v; %d%s events came meanwhile", after.Round(time.Second), events, atLeast), map[string]any{"afterMs": after.Milliseconds(), "missed": events, "more": more})
}

// Idle implements [listen.Watcher].
func (w *listenLines) Idle() {
	if time.Since(w.said) >= heartbeatEach {
		w.line("waiting", counted(w.events, "event")+" so far", map[string]any{"events": w.events})
	}
}
