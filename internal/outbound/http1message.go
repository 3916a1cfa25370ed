package outbound

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// mostWritten is how many bytes a request may have, head and body, that is written at once
// before its answer is read. So many fit into what the system holds for a new connection: the
// write does not wait for a peer that answers before it reads. Larger requests go to net/http,
// which writes and reads at once.
const mostWritten = 32 << 10

// message is a request as it goes over the wire, whatever makes the connection.
type message struct {
	to     *destination
	header *headers
	body   []byte
	// breaksOff has the body end in the middle (see [Request]).
	breaksOff bool
	// signing is what signed it, in each form in which an answer may repeat it.
	signing []string
}

// request returns a message as net/http has it.
func (m *message) request(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(m.body))
	if err != nil {
		return nil, err
	}
	r.URL, r.Host, r.Header = m.to.url, m.to.url.Host, m.header.Header
	if m.breaksOff {
		m.breakOff(r)
	}
	return r, nil
}

// breakOff has a request end in the middle of its body. What is sent is more than net/http
// gathers before it writes, so that the endpoint sees the head and a part of the body.
func (m *message) breakOff(r *http.Request) {
	sent := append(bytes.Clone(m.body), bytes.Repeat([]byte(" "), 2*writeBuffer)...)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(sent), brokenOff{}))
	r.ContentLength, r.GetBody = int64(len(sent))+1, nil
}

// brokenOff is the rest of a body that never comes.
type brokenOff struct{}

// Read implements io.Reader.
func (brokenOff) Read([]byte) (int, error) { return 0, ErrBrokenOff }

// write puts a message into buffers as HTTP/1.1 has it (RFC 9112). It reports false where the
// message is too large for them, breaks off, or has something that net/http would refuse or mend: then
// net/http is to have it.
func (m *message) write(b *buffers) bool {
	host := m.to.url.Host
	if m.breaksOff || len(m.body) > mostWritten || !visible(m.to.path) || !visible(host) || strings.Contains(host, "%") {
		return false
	}
	out := append(b.out[:0], "POST "...)
	out = append(append(out, m.to.path...), " HTTP/1.1\r\nHost: "...)
	out = append(append(out, host...), "\r\nContent-Length: "...)
	out = append(strconv.AppendInt(out, int64(len(m.body)), 10), "\r\n"...)
	for _, name := range m.header.names {
		for _, value := range m.header.Header[name] {
			if !httpguts.ValidHeaderFieldValue(value) {
				return false
			}
			out = append(append(out, name...), ": "...)
			out = append(append(out, textproto.TrimString(value)...), "\r\n"...)
		}
	}
	out = append(append(out, "\r\n"...), m.body...)
	b.out = out
	return len(out) <= mostWritten
}

// visible reports whether a text has neither blanks nor control characters, and is ASCII.
func visible(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
