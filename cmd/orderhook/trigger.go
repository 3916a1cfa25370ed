package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/listen"
	"github.com/orderhook/orderhook/internal/weburl"
)

// trigger makes an event of a real order, with changes (docs/building-an-endpoint.md#listen-on-your-machine).
type trigger struct {
	Type       string   `arg:"" help:"Type of the event, as loyalty.points_earned; with --to also one of orderhook's own, as OrderCreated."`
	From       string   `required:"" placeholder:"ORDER" help:"Order that is the data of the event, and that the event is about."`
	Set        []string `sep:"none" placeholder:"PATH=VALUE" help:"Sets a field of the data, as orderForm.lineItems[0].quantity=3; what is no JSON is a text. It may be repeated."`
	To         string   `placeholder:"URL" help:"POSTs the event to this receiver, as a delivery would, instead of publishing it."`
	Secret     string   `placeholder:"SECRET" help:"Secret, whsec_…, that the receiver of --to verifies: the event is signed with it. Better is --secret-file."`
	SecretFile string   `placeholder:"FILE" help:"File that holds the secret, instead of --secret."`
	Timeout    duration `default:"PT30S" help:"How long the receiver may take."`
	CA         string   `name:"ca-file" aliases:"ca" placeholder:"FILE" help:"Certificates, PEM, of authorities that are trusted beside those of the system."`
	remote
}

// Run implements a kong command.
func (c *trigger) Run(s *session) error {
	server, err := c.remote.server(c.CA)
	if err != nil {
		return err
	}
	if server == nil {
		return app.UserErrorf("trigger needs a server, whose order it takes: --url, and --key-file or --key")
	}
	defer server.close()
	// What is wrong with the flags is said before the server is asked.
	r, err := c.receiver()
	if err != nil {
		return err
	}
	status, answer, err := server.Ask(s.ctx, http.MethodGet, "/api/orders/"+url.PathEscape(c.From), nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return answered("the order "+c.From, status, answer)
	}
	data, err := jsondoc.ParseValue(answer, nil)
	if err != nil {
		return fmt.Errorf("read the order %s: %w", c.From, err)
	}
	order, ok := data.(*jsondoc.Object)
	if !ok {
		return fmt.Errorf("read the order %s: it is no JSON object", c.From)
	}
	for _, set := range c.Set {
		if err := setAt(order, set); err != nil {
			return app.UserErrorf("--set %s: %w", set, err)
		}
	}
	e := &event.Event{ID: ids.New(ids.Event), Type: c.Type, Timestamp: time.Now().UTC(), Data: order.JSON()}
	if r != nil {
		return r.sendExample(s, e)
	}
	body := jsondoc.NewObject(jsondoc.Pair("type", c.Type), jsondoc.Pair("orderId", c.From), jsondoc.Pair("data", order)).JSON()
	if status, answer, err = server.Ask(s.ctx, http.MethodPost, "/api/events", body); err != nil {
		return err
	}
	var made struct{ ID string }
	if status != http.StatusAccepted || json.Unmarshal(answer, &made) != nil {
		return answered("the event", status, answer)
	}
	fmt.Fprintf(s.out, "published %s\n", made.ID)
	return nil
}

// receiver returns the receiver that the event is sent to; nil where it is published.
func (c *trigger) receiver() (*localReceiver, error) {
	text, err := secretOf("secret", c.Secret, c.SecretFile)
	switch {
	case err != nil:
		return nil, err
	case c.To == "" && text != "": // an event that is published is signed by the server, for each endpoint
		return nil, app.UserErrorf("--secret and --secret-file, or their variables ORDERHOOK_SECRET and ORDERHOOK_SECRET_FILE, sign what is sent to a receiver: give --to, too. What is published is signed by the server")
	case c.To == "":
		return nil, nil
	}
	if err := checkReceiver("--to", c.To); err != nil {
		return nil, err
	}
	signer, err := signerOf(text)
	if err != nil {
		return nil, err
	}
	return &localReceiver{url: c.To, client: newLocalClient(time.Duration(c.Timeout)), signer: signer}, nil
}

// sendExample POSTs the event to the receiver, without a position: it is in no feed.
func (r *localReceiver) sendExample(s *session, e *event.Event) error {
	status, err := r.post(s.ctx, listen.Event{EventID: e.ID, WebhookID: e.ID, Type: e.Type, Body: json.RawMessage(e.Body(event.FormatFull))})
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, in which there may be a secret
	}
	if err != nil {
		return app.UserErrorf("the receiver cannot be asked: %w", err)
	}
	fmt.Fprintf(s.out, "sent %s: %d\n", e.ID, status)
	if !acknowledges(status) {
		return foundError(fmt.Sprintf("%s answers %d, which acknowledges nothing", weburl.PublicURL(r.url), status))
	}
	return nil
}

// answered is the error for an answer of the server, in its own words.
func answered(what string, status int, answer []byte) error {
	var problem struct {
		Detail string
		Errors []struct{ Location, Message string }
	}
	_ = json.Unmarshal(answer, &problem) // what is no problem of the server's has its status
	text := fmt.Sprintf("%s: the server answers %d", what, status)
	if problem.Detail != "" {
		text += ": " + problem.Detail
	}
	for _, e := range problem.Errors {
		text += "; " + e.Location + " " + e.Message
	}
	return app.UserErrorf("%s", text)
}

// setAt sets a field of a document by a text as a.b[0].c=1. Objects that are missing on the
// way are made; an element of a list has to be there.
func setAt(doc *jsondoc.Object, set string) error {
	path, text, ok := strings.Cut(set, "=")
	if !ok || path == "" {
		return fmt.Errorf("must be path=value, as status=Accepted")
	}
	value := any(text) // as status=Accepted, or a date, which only begins as a number does
	if json.Valid([]byte(text)) {
		var err error
		if value, err = jsondoc.ParseValue([]byte(text), nil); err != nil {
			return err
		}
	}
	at := doc
	names := strings.Split(path, ".")
	for i, name := range names {
		name, index, listed := strings.Cut(name, "[")
		last := i == len(names)-1
		if name == "" {
			return fmt.Errorf("a name is missing in %s", path)
		}
		if !listed && last {
			at.Set(name, value)
			return nil
		}
		if !listed {
			next := at.Object(name)
			if next == nil && at.Has(name) {
				return fmt.Errorf("%s is no object", name)
			}
			if next == nil {
				next = jsondoc.NewObject()
				at.Set(name, next)
			}
			at = next
			continue
		}
		list := at.List(name)
		n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
		if err != nil || !strings.HasSuffix(index, "]") || n < 0 || n >= len(list) {
			return fmt.Errorf("%s[%s: the list has %d elements", name, index, len(list))
		}
		if last {
			list[n] = value
			return nil
		}
		if at, ok = list[n].(*jsondoc.Object); !ok {
			return fmt.Errorf("%s[%d] is no object", name, n)
		}
	}
	return nil
}
