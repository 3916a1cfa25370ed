package rerun

import (
	"context"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
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
	// Header is sent with each request. The record has no credentials, so the endpoint may
	// need some here.
	Header []outbound.GivenHeader
	Signer *outbound.Signer // nil signs nothing
	// Timeout is how long an attempt may take; 0: as the call was given.
	Timeout time.Duration
	// SameKeys has each request take the Idempotency-Key and the webhook-id of the record.
	// An endpoint that answers a repeated key with its first answer then does so. Without
	// it, each is a request that the endpoint has not seen.
	SameKeys bool
}

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
	r.Body, r.OneWay, r.Signer = c.Request.Bytes(), c.Kind == KindEvent, s.Signer
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
	r.Given, r.UserAgent = s.Header, c.Request.Headers["User-Agent"]
	return r
}
