package main

import (
	"context"
	"errors"
	"fmt"
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

// checkFlags says which flags do not go together.
func (c *listening) checkFlags() error {
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
	if err := c.checkFlags(); err != nil {
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
