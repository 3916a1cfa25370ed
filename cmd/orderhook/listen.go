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
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/listen"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/weburl"
)

// listening brings events of a server to a receiver on this machine
// (docs/building-an-endpoint.md#listen-on-your-machine).
type listening struct {
	To         string   `name:"forward" placeholder:"URL" help:"Receiver on this machine that each event and call is POSTed to, as http://localhost:3000/hooks; without it events are only shown."`
	Types      []string `default:"*" help:"Types of events, as order_* or OrderCreated; all without it."`
	Orders     []string `placeholder:"ID" help:"Events and calls of these orders alone."`
	Steps      []string `name:"step" placeholder:"NAME" help:"Has --forward answer the calls of these steps in place of their endpoint; by displayName, or name. So do --connector and --status, and all that are given must hold."`
	Connectors []string `name:"connector" placeholder:"NAME" help:"Calls of these connectors; by connectorId, or name."`
	Statuses   []string `name:"status" placeholder:"NAME" help:"Calls of the workflows of these statuses."`
	AllOrders  bool     `help:"Calls of all orders, in place of --orders."`
	CallsOnly  bool     `help:"Brings calls, and no events."`
	Endpoint   string   `placeholder:"ID" help:"Endpoint whose feed is followed, instead of one that is made for this and removed in the end."`
	After      string   `placeholder:"POSITION" help:"Position in the feed of --endpoint to begin behind, 0 for its beginning; without it, what comes from now on."`
	Count      int      `placeholder:"N" help:"End after so many events and calls."`
	SecretFile string   `placeholder:"FILE" help:"File that holds a secret, whsec_…, that the receiver verifies: requests to it are signed."`
	Timeout    duration `default:"PT30S" help:"How long the receiver may take for an event."`
	JSON       bool     `name:"json" help:"Prints a JSON document on each line."`
	CA         string   `name:"ca-file" aliases:"ca" placeholder:"FILE" help:"Certificates, PEM, of authorities that are trusted beside those of the system."`
	remote
}

// calls reports whether calls are to be taken.
func (c *listening) calls() bool { return len(c.Steps)+len(c.Connectors)+len(c.Statuses) > 0 }

// check says which flags do not go together.
func (c *listening) check() error {
	switch {
	case c.Endpoint == "" && c.After != "":
		return app.UserErrorf("--after is a position in the feed of an endpoint: give its --endpoint, too")
	case c.Endpoint != "" && (len(c.Orders) > 0 && !c.calls() || len(c.Types) != 1 || c.Types[0] != "*"):
		return app.UserErrorf("--types and --orders are of the endpoint that is made without --endpoint; this one has its own")
	case !c.calls() && (c.AllOrders || c.CallsOnly):
		return app.UserErrorf("--all-orders and --calls-only are about calls: say which, with --step, --connector or --status")
	case c.calls() && c.To == "":
		return app.UserErrorf("calls need an answer: give --forward, too")
	case c.calls() && (len(c.Orders) > 0) == c.AllOrders:
		return app.UserErrorf("calls of which orders? Give --orders, or --all-orders, which takes those of everybody")
	}
	return nil
}

// Run implements a kong command. It ends by a signal, or after --count events and calls. The
// exit code is 1 if the receiver has not acknowledged one of them.
func (c *listening) Run(s *session) error {
	server, err := c.remote.server(c.CA)
	if err != nil {
		return err
	}
	if server == nil {
		return app.UserErrorf("listen needs a server: --url, and --key-file or --key")
	}
	defer server.close()
	if err := c.check(); err != nil {
		return err
	}
	to, err := c.receiver()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	leaving.Store(int64(leavingTime))
	w := &listenLines{session: s, ctx: ctx, to: to, json: c.JSON, said: time.Now(), most: c.Count, enough: stop}
	err = c.bring(ctx, stop, server, w)
	if refused := (*listen.Refused)(nil); errors.As(err, &refused) {
		err = app.UserErrorf("%w", err)
	}
	total, more := spelling.Count(w.events, "event"), map[string]any{"events": w.events, "failed": w.failed}
	if c.calls() {
		total += ", " + spelling.Count(w.calls, "call")
		more["calls"] = w.calls
	}
	w.line("ended", fmt.Sprintf("%s, %d not acknowledged", total, w.failed), more)
	if err == nil && w.failed > 0 {
		err = foundError(c.notAcknowledged(w))
	}
	return err
}

// notAcknowledged says how much of all that came was not acknowledged, or answered.
func (c *listening) notAcknowledged(w *listenLines) string {
	what := "event"
	switch {
	case c.CallsOnly:
		what = "call"
	case c.calls():
		return fmt.Sprintf("%d of %d events and calls not acknowledged", w.failed, w.events+w.calls)
	}
	return fmt.Sprintf("%d of %s not acknowledged", w.failed, spelling.Count(w.events+w.calls, what))
}

// bring follows the feed and takes calls, side by side, until both have ended. What ends one
// ends the other.
func (c *listening) bring(ctx context.Context, stop func(), server *remoteServer, w *listenLines) error {
	var events, calls error
	var both sync.WaitGroup
	if !c.CallsOnly {
		l := &listen.Listener{Server: server, Endpoint: c.Endpoint, Types: c.Types, Orders: c.Orders, After: c.After, Watcher: w, Clock: clock.Real{}}
		both.Go(func() { events = l.Run(ctx); stop() })
	}
	if c.calls() {
		of := listen.Calls{Steps: c.Steps, Connectors: c.Connectors, Statuses: c.Statuses, Orders: c.Orders, AllOrders: c.AllOrders}
		i := &listen.Interceptor{Server: server, Calls: of, Watcher: w, Clock: clock.Real{}}
		both.Go(func() { calls = i.Run(ctx); stop() })
	}
	both.Wait()
	// What ends one ends the requests of the other, too: that is no reason of its own.
	switch {
	case events != nil && stoppedBy(calls):
		calls = nil
	case calls != nil && stoppedBy(events):
		events = nil
	}
	return errors.Join(events, calls)
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
	if err := checkReceiver("--forward", c.To); err != nil {
		return nil, err
	}
	r := &localReceiver{url: c.To, client: newLocalClient(time.Duration(c.Timeout)), calls: newLocalClient(0)}
	r.signer, err = signerOf(text)
	return r, err
}

// checkReceiver refuses what is no URL of a receiver. The message has nothing of it: there may be a
// secret in it.
func checkReceiver(flag, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return app.UserErrorf("%s must be an http or https URL, as http://localhost:3000/hooks", flag)
	}
	return nil
}

// signerOf returns what signs events with a secret, as an endpoint of the server has it; nil for
// "". Whatever else the library takes, no endpoint can have it, so a receiver that was given the
// same text would refuse the signature (docs/contract.md#signing). The error holds nothing of it.
func signerOf(secret string) (*standardwebhooks.Webhook, error) {
	if secret == "" {
		return nil, nil
	}
	signer, err := standardwebhooks.NewWebhook(secret)
	if _, wrong := outbound.NewSigner(secret); err != nil || wrong != nil || !strings.HasPrefix(secret, "whsec_") {
		return nil, app.UserErrorf("the secret of the receiver must be whsec_ and the base64 of 24 to 64 bytes")
	}
	return signer, nil
}

// localReceiver is the receiver on this machine.
type localReceiver struct {
	url    string
	client *http.Client              // for events
	calls  *http.Client              // for calls, whose time the server says
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
	h.Set("User-Agent", outbound.DefaultUserAgent(versionText()))
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
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		wrapped.URL = weburl.PublicURL(r.url) // its query and its user may be secrets
	}
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

// call hands on a call, as the server would have sent it to the endpoint, and returns the
// answer. One that is larger than the server takes is cut where it notices that.
func (r *localReceiver) call(ctx context.Context, c *listen.Call) listen.Answer {
	failed := func(err error) listen.Answer {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err // without the URL, which is this machine's business
		}
		text := oneLine(err)
		return listen.Answer{Error: text[:min(len(text), mostCallError)]}
	}
	body, err := c.Bytes()
	if err != nil {
		return failed(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return failed(err)
	}
	for name, value := range c.Headers {
		req.Header.Set(name, value)
	}
	resp, err := r.calls.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	a := listen.Answer{Status: resp.StatusCode, Headers: map[string]string{}}
	for name, values := range resp.Header {
		a.Headers[name] = strings.Join(values, ", ")
	}
	if a.Body, err = io.ReadAll(io.LimitReader(resp.Body, outbound.MaxBody+1)); err != nil {
		return failed(err)
	}
	return a
}

// mostCallError is how many bytes of an error go to the server, which takes 200.
const mostCallError = 200

// listenLines shows what happens, a line each, and hands events and calls on. Several
// goroutines tell it.
type listenLines struct {
	session *session
	ctx     context.Context
	to      *localReceiver
	json    bool
	most    int    // events and calls; 0: any number
	enough  func() // ends the command

	mu                    sync.Mutex // of what follows, and of what is printed
	events, calls, failed int
	said                  time.Time // when the last line was printed
}

// count counts an event or a call that was handed on, and ends the command after as many as
// were wanted.
func (w *listenLines) count(of *int, acknowledged bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*of++
	if !acknowledged {
		w.failed++
	}
	if w.events+w.calls == w.most {
		w.enough()
	}
}

// heartbeatEach is after how much silence a line says that all is well.
const heartbeatEach = time.Minute

// line prints a line: for people, or as a JSON document.
func (w *listenLines) line(what, text string, more map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
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

// leavingTime is how long a second signal waits for what was made on the server to be removed.
// The clean-up gives up by itself before.
const leavingTime = 8 * time.Second

// LeftOver implements [listen.Watcher].
func (w *listenLines) LeftOver(endpoint string, err error) {
	text, doc := endpoint+", which a listener left that was killed, is gone", map[string]any{"endpointId": endpoint}
	switch {
	case endpoint == "":
		text, doc = fmt.Sprintf("whether other listeners have left endpoints is not known: %v", oneLine(err)), map[string]any{"error": oneLine(err)}
	case err != nil:
		text = fmt.Sprintf("%s, which a listener left that was killed, could not be removed: %v", endpoint, oneLine(err))
		doc["error"] = oneLine(err)
	}
	w.line("removed", text, doc)
}

// Listening implements [listen.Watcher].
func (w *listenLines) Listening(endpoint string) {
	w.line("listening", endpoint, map[string]any{"endpointId": endpoint})
}

// Event implements [listen.Watcher].
func (w *listenLines) Event(e listen.Event) {
	acknowledged := true
	doc := map[string]any{"position": e.Position, "eventId": e.EventID, "webhookId": e.WebhookID, "type": e.Type}
	text := fmt.Sprintf("%s %s", cmp.Or(e.Type, "(unknown)"), cmp.Or(e.EventID, "at "+e.Position))
	if id := orderOf(&e); id != "" {
		doc["orderId"] = id
		text += " of " + id
	}
	about := text
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
			text = fmt.Sprintf("%s → %v", about, err)
		}
		acknowledged = acknowledges(status)
		doc["acknowledged"] = acknowledged
	}
	w.line("event", text, doc)
	w.count(&w.events, acknowledged)
}

// orderOf is the order that an event is about, "" if its body says none. The data of an event of
// orders is the order.
func orderOf(e *listen.Event) string {
	var b struct {
		OrderID string `json:"orderId"`
		Data    struct {
			ID      string `json:"id"`
			OrderID string `json:"orderId"`
		} `json:"data"`
	}
	_ = json.Unmarshal(e.Body, &b) // what cannot be read says none
	if b.Data.OrderID == "" && strings.HasPrefix(strings.ToLower(e.Type), "order") {
		b.Data.OrderID = b.Data.ID
	}
	return shown(cmp.Or(b.OrderID, b.Data.OrderID))
}

// Intercepting implements [listen.CallWatcher].
func (w *listenLines) Intercepting(id string) {
	w.line("intercepting", id, map[string]any{"interceptionId": id})
}

// Warned implements [listen.CallWatcher].
func (w *listenLines) Warned(text string) {
	w.line("warning", text, map[string]any{"warning": text})
}

// HandOn implements [listen.CallWatcher].
func (w *listenLines) HandOn(ctx context.Context, c *listen.Call) listen.Answer {
	return w.to.call(ctx, c)
}

// Answered implements [listen.CallWatcher].
func (w *listenLines) Answered(c *listen.Call, a listen.Answer, took time.Duration, err error) {
	took = took.Round(time.Millisecond)
	attempt := c.Headers["X-Delivery-Count"]
	doc := map[string]any{"callId": c.ID, "orderId": c.OrderID, "status": c.Status, "step": c.Step, "displayName": c.DisplayName, "attempt": attempt,
		"answer": a.Status, "ms": took.Milliseconds(), "answered": err == nil && a.Error == ""}
	text := fmt.Sprintf("%s of %s, attempt %s → ", cmp.Or(c.DisplayName, c.Step), c.OrderID, attempt)
	switch {
	case a.Error != "":
		doc["error"] = a.Error
		text += a.Error
	case err != nil:
		doc["error"] = oneLine(err)
		text += fmt.Sprintf("%d in %v, which the server did not take: %v", a.Status, took, oneLine(err))
	default:
		text += fmt.Sprintf("%d in %v", a.Status, took)
	}
	w.line("call", text, doc)
	w.count(&w.calls, err == nil && a.Error == "")
}

// Away implements [listen.CallWatcher].
func (w *listenLines) Away(err error, again time.Duration) {
	w.line("disconnected", fmt.Sprintf("no calls: %v; trying again in %v", oneLine(err), again), map[string]any{"of": "calls", "error": oneLine(err), "againMs": again.Milliseconds()})
}

// Back implements [listen.CallWatcher].
func (w *listenLines) Back(after time.Duration) {
	w.line("connected", fmt.Sprintf("calls come again after %v", after.Round(time.Second)), map[string]any{"of": "calls", "afterMs": after.Milliseconds()})
}

// Lapsed implements [listen.CallWatcher].
func (w *listenLines) Lapsed(why string, missed int) {
	text, doc := "nobody knows how many calls went to the endpoint meanwhile", map[string]any{"reason": why}
	if missed >= 0 {
		doc["missed"] = missed
		text = spelling.Count(missed, "call") + " went to the endpoint meanwhile"
	}
	w.line("lapsed", why+"; "+text, doc)
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
	came := spelling.Count(events, "event")
	if more {
		came = fmt.Sprintf("%d or more events", events)
	}
	w.line("connected", fmt.Sprintf("again after %v; %s came meanwhile", after.Round(time.Second), came), map[string]any{"afterMs": after.Milliseconds(), "missed": events, "more": more})
}

// Idle implements [listen.Watcher] and [listen.CallWatcher].
func (w *listenLines) Idle() {
	w.mu.Lock()
	events, calls, silent := w.events, w.calls, time.Since(w.said) >= heartbeatEach
	w.mu.Unlock()
	if silent {
		w.line("waiting", spelling.Count(events, "event")+" and "+spelling.Count(calls, "call")+" so far", map[string]any{"events": events, "calls": calls})
	}
}
