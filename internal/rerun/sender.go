package rerun

import (
	"context"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
)

// Client makes the requests; [outbound.Client] is the real one.
type Client interface {
	Post(ctx context.Context, r outbound.Request) outbound.Exchange
}

// Sender makes recorded calls again. It is safe for concurrent use, and must not be changed
// meanwhile.
type Sender struct {
	Client Client
	URL    string
	// Header is sent with each request, beside what was recorded, and goes before that. The
	// credentials of the record are not in it, so the endpoint may need some here.
	Header []event.Header
	// SigningSecret signs as a connector does, with the three Standard Webhooks headers;
	// the zero value signs nothing.
	SigningSecret secret.Value
	// BodySecret signs as the order-state webhook does, with X-Signature.
	BodySecret string
	// Timeout is how long an attempt may take; 0: as the call was given.
	Timeout time.Duration
	// SameKeys has each request take the Idempotency-Key and the webhook-id of the record.
	// An endpoint that answers a repeated key with its first answer then does so. Without
	// it, each is a request that the endpoint has not seen.
	SameKeys bool
}

// recordedHeaders are those of the record that a request takes over as they are. All others
// are made anew, or are secrets.
var recordedHeaders = []string{"User-Agent", "Accept"}

// Send makes a call again. The error is that it could not be made, by trouble of this
// machine's own or because ctx has ended: then nothing is known of the endpoint.
func (s *Sender) Send(ctx context.Context, c *Call) (*Answer, error) {
	x := s.Client.Post(ctx, s.request(c))
	defer x.Memory.Give()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case x.Class() == outbound.OwnTrouble:
		return nil, apierr.Errorf(apierr.Unavailable, "the request could not be made: %s", x.Failure())
	}
	a := AnswerOf(x)
	return &a, nil
}

// request is what makes a call again.
func (s *Sender) request(c *Call) outbound.Request {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = c.Timeout()
	}
	number := func(name string) int { n, _ := strconv.Atoi(c.Request.Headers[name]); return n }
	r := outbound.ToURL(s.URL, timeout)
	r.For.Member = s.URL
	r.Body, r.OneWay, r.SigningSecret = c.Request.Bytes(), c.Kind == KindEvent, s.SigningSecret
	r.Delivery, r.MaxDelivery, r.Attempt = number("X-Delivery-Count"), number("X-Max-Delivery-Count"), number("X-Attempt")
	if key := c.Request.Headers["Idempotency-Key"]; key != "" {
		if r.IdempotencyKey = ids.New(ids.Call); s.SameKeys {
			r.IdempotencyKey = key
		}
	}
	if c.Kind == KindEvent {
		if r.ID = ids.New(ids.Event); s.SameKeys && c.Request.Headers["Webhook-Id"] != "" {
			r.ID = c.Request.Headers["Webhook-Id"]
		}
	}
	if s.BodySecret != "" {
		r.Signer = outbound.NewBodySigner(s.BodySecret)
	}
	r.Header = append(r.Header, s.Header...)
	for _, name := range recordedHeaders {
		if value := c.Request.Headers[name]; value != "" {
			r.Header = append(r.Header, event.Header{Name: name, Value: secret.New(value)})
		}
	}
	return r
}
