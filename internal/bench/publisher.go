package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// publisher publishes over one connection that stays open. It takes part of the cores that
// it measures, so it does no more than it must: it sends bytes that are there
// already, and does not look into the answer. One goroutine uses it at a time.
type publisher struct {
	host    string
	conn    net.Conn
	answers *bufio.Reader
	head    []byte
	body    []byte // for callers that make theirs
}

// newPublisher connects to a server.
func newPublisher(ctx context.Context, url string) (*publisher, error) {
	host := strings.TrimPrefix(url, "http://")
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &publisher{host: host, conn: conn, answers: bufio.NewReader(conn)}, nil
}

// close closes the connection.
func (p *publisher) close() { _ = p.conn.Close() }

// publish sends the body of a POST /api/events, and returns once it is durable.
func (p *publisher) publish(body []byte) error {
	return p.post("/api/events", body, http.StatusAccepted)
}

// post sends a POST, and reads its answer to the end, so that the connection can be used
// again. Head and body are sent in one system call.
func (p *publisher) post(path string, body []byte, want int) error {
	p.head = fmt.Appendf(p.head[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		path, p.host, key, len(body))
	// The two parts are not copied together for that.
	parts := net.Buffers{p.head, body}
	if _, err := parts.WriteTo(p.conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(p.answers, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The beginning of the answer says what is wrong. Nobody uses the connection after
	// that.
	if resp.StatusCode != want {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("POST %s answered %d: %.300s", path, resp.StatusCode, text)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// publishers is as many publishers as are needed at once. It is safe for concurrent use.
type publishers struct {
	url  string
	idle chan *publisher
}

// mostIdle is how many idle connections stay open.
const mostIdle = 256

// newPublishers has no connection yet.
func newPublishers(url string) *publishers {
	return &publishers{url: url, idle: make(chan *publisher, mostIdle)}
}

// close closes those that are idle. Nobody may use them any more.
func (p *publishers) close() {
	close(p.idle)
	for one := range p.idle {
		one.close()
	}
}

// with lends a publisher to f; one that failed is not used again.
func (p *publishers) with(ctx context.Context, f func(*publisher) error) error {
	one, err := p.take(ctx)
	if err != nil {
		return err
	}
	// After an error nobody knows how much of an answer is still to come on this
	// connection.
	if err := f(one); err != nil {
		one.close()
		return errors.Join(err, ctx.Err())
	}
	select {
	case p.idle <- one:
	default:
		one.close()
	}
	return nil
}

// take takes an idle publisher, or makes one.
func (p *publishers) take(ctx context.Context) (*publisher, error) {
	select {
	case one := <-p.idle:
		return one, nil
	default:
		return newPublisher(ctx, p.url)
	}
}
