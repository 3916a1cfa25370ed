package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// exporter sends spans to the collector, as OTLP over HTTP has it. It implements
// [otlptrace.Client]. OpenTelemetry's own for this protocol brings all of gRPC with it,
// of which it uses nothing.
//
// These requests do not go through internal/outbound: where they go the operator says,
// and no tenant, so that its guard, its slots and its secrets are not for them.
// Spans are in memory alone until they are sent. If the process dies, they are lost, and
// nothing else is.
type exporter struct {
	config
	client   *http.Client
	log      *slog.Logger
	stopping chan struct{}
	stop     func() // ends waits for a next try; may be called often

	mu      sync.Mutex
	failing bool
	lost    int // spans, since the last that arrived
}

// newExporter returns one that has a connection of its own.
func newExporter(c config, log *slog.Logger) *exporter {
	// One idle connection is enough, since the library exports one batch after the other.
	// The proxy of the environment holds here: no tenant chooses where these requests go.
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: c.tls, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}
	e := &exporter{config: c, log: log, stopping: make(chan struct{})}
	e.stop = sync.OnceFunc(func() { close(e.stopping) })
	e.client = &http.Client{Transport: transport, Timeout: c.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the headers are for this place alone
	return e
}

// Start implements [otlptrace.Client]. A connection is made when there is something to send.
func (e *exporter) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (e *exporter) Stop(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements [otlptrace.Client]. What goes wrong is said here: the library
// would write it to stderr, every time.
// It returns nil even if the spans are lost.
func (e *exporter) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := e.encode(spans)
	if err == nil {
		err = e.send(ctx, body)
	}
	e.note(count(spans), err)
	return nil
}

// count returns how many spans a batch has, for the message about those that are lost.
func count(all []*tracepb.ResourceSpans) (n int) {
	for _, r := range all {
		for _, s := range r.ScopeSpans {
			n += len(s.Spans)
		}
	}
	return n
}

// note says that exporting fails, or works again, each once.
// A collector that is away for a day must not fill the log.
func (e *exporter) note(spans int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && !e.failing:
		e.log.Warn("traces cannot be exported; it is said again when they can", "error", err)
	case err == nil && e.failing:
		e.log.Info("traces are exported again", "spansLost", e.lost)
		e.lost = 0
	}
	// If the collector took a part of a batch, the whole batch counts as lost: that is
	// simpler, and the number is for people.
	if e.failing = err != nil; e.failing {
		e.lost += spans
	}
}

// encode returns the body of an export. The message that the protocol names for it,
// ExportTraceServiceRequest, is TracesData on the wire.
func (e *exporter) encode(spans []*tracepb.ResourceSpans) ([]byte, error) {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil || !e.gzip {
		return body, err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(body)
	err = errors.Join(err, w.Close()) // which writes the rest
	return packed.Bytes(), err
}

// tries is how often one batch is sent, after 1 s, 2 s and 4 s, where the collector says
// that it may come again or says nothing. What comes meanwhile waits in the queue of the
// library, and what does not fit in there is lost.
const tries = 4

// send sends one batch, and tries again where that may help. The context bounds all tries
// together; it comes from the library.
func (e *exporter) send(ctx context.Context, body []byte) error {
	for try := 1; ; try++ {
		again, after, err := e.sendOnce(ctx, body)
		if err == nil || !again || try == tries || ctx.Err() != nil {
			return err
		}
		// The collector may ask for a longer wait than the usual one, and not for a shorter
		// one.
		wait := time.NewTimer(max(after, time.Second<<(try-1)))
		select {
		case <-wait.C:
		// One more try with a context that has ended fails at once, with the error of the
		// context.
		case <-ctx.Done():
		// The server is about to end and has only flushTime left, so it does not wait for
		// the next try.
		case <-e.stopping:
			wait.Stop()
			return err
		}
		wait.Stop()
	}
}

// longestAnswer is how much of an answer is read: of one that is right, all of it.
const longestAnswer = 64 << 10

// sendOnce makes one request. It says whether another may do better, and how long the
// collector wants to be left alone until then.
func (e *exporter) sendOnce(ctx context.Context, body []byte) (again bool, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		// The error beneath would quote the URL, which may hold a password.
		return false, 0, errors.New("the request could not be made")
	}
	req.Header = e.header.Clone()
	req.Header.Set("Content-Type", "application/x-protobuf")
	if e.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := e.client.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL, which may hold a password
		}
		// No answer came, so the next try may do better.
		return true, 0, err
	}
	defer resp.Body.Close()
	// A connection whose answer was read to its end can be used again.
	answer, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if resp.StatusCode/100 == 2 {
		return false, 0, errors.Join(err, rejected(answer))
	}
	switch resp.StatusCode {
	// These are the codes that OTLP names as those after which a client may try again.
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	// 8 bits bound the wait: ParseUint returns 255 for a larger number, and 0 for a date,
	// which this header may hold, too.
	seconds, _ := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 8)
	return again, time.Duration(seconds) * time.Second, fmt.Errorf("the collector answered %s", http.StatusText(resp.StatusCode)) // its words may repeat a header
}

// rejected is the error of an answer that says of some spans that they were not taken:
// the field 1 of its field 1.
// Such an answer has the status 200, so nothing else shows that spans are missing.
func rejected(answer []byte) error {
	partial := field(answer, 1)
	n, length := protowire.ConsumeVarint(field(partial, 1))
	if length <= 0 || n == 0 {
		return nil
	}
	return fmt.Errorf("the collector took no notice of %d spans", n)
}

// field returns the value of a field of a message, nil where there is none.
// A malformed message has no fields from the malformed place on.
func field(message []byte, number protowire.Number) []byte {
	for len(message) > 0 {
		found, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil
		}
		length := protowire.ConsumeFieldValue(found, kind, message[n:])
		if length < 0 {
			return nil
		}
		value := message[n : n+length]
		if message = message[n+length:]; found == number {
			if kind == protowire.BytesType {
				value, _ = protowire.ConsumeBytes(value)
			}
			return value
		}
	}
	return nil
}
