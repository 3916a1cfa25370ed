package outbound

import (
	"context"
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otel "go.opentelemetry.io/otel/trace"
)

// traced is [Client.postInSlot] with a span of its own, for a client that makes spans. The
// request says that it belongs to that span. The time that it waited for a slot is no part.
func (c *Client) traced(ctx context.Context, r *Request) Exchange {
	ctx, span := c.tracer.Start(ctx, r.Kind+" call", otel.WithSpanKind(otel.SpanKindClient))
	defer span.End()
	x := c.postInSlot(ctx, r)
	// A span that is not sampled ignores attributes, so none are made for it.
	if span.IsRecording() {
		span.SetAttributes(r.attributes()...)
		span.SetAttributes(x.attributes()...)
		if why := x.Failure(); why != "" {
			span.SetStatus(codes.Error, why) // whose words are orderhook's own
		}
	}
	return x
}

// attributes say what a request is about. Nothing of them is secret: neither the URL,
// which may have a token in its path, nor what is sent.
func (r *Request) attributes() []attribute.KeyValue {
	all := []attribute.KeyValue{attribute.String("http.request.method", "POST"), attribute.String("orderhook.tenant", r.For.Tenant)}
	for _, a := range []attribute.KeyValue{
		attribute.String("orderhook.order.id", r.About.OrderID), attribute.String("orderhook.run.id", r.About.RunID), attribute.String("orderhook.step", r.About.Step),
		attribute.String("orderhook.event.id", r.About.EventID), attribute.String("orderhook.event.type", r.About.EventType), attribute.String("orderhook.endpoint.id", r.About.EndpointID),
	} {
		// An empty value tells nobody anything, and the collector would store it.
		if a.Value.AsString() != "" {
			all = append(all, a)
		}
	}
	if number := max(r.Delivery, r.Attempt); number > 0 {
		all = append(all, attribute.Int("orderhook.attempt", number))
	}
	return all
}

// attributes say how an exchange went: whom it was with, by name, and what came back.
func (x Exchange) attributes() (all []attribute.KeyValue) {
	// A host without a port is an error here, and is taken as it is.
	host, port, err := net.SplitHostPort(x.Host)
	if err != nil {
		host = x.Host
	}
	all = append(all, attribute.String("server.address", host))
	if number, err := strconv.Atoi(port); err == nil {
		all = append(all, attribute.Int("server.port", number))
	}
	// The status is 0 where no answer came.
	if x.Status > 0 {
		all = append(all, attribute.Int("http.response.status_code", x.Status))
	}
	return all
}
