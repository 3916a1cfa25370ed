package outbound

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestARequestThatBreaksOff: the endpoint sees the head and a part of the body, however small
// that is, and never its end; over HTTP/1.1 and over HTTP/2.
func TestARequestThatBreaksOff(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		seen := make(chan error, 1)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if len(body) == 0 || (r.ProtoMajor == 2) != http2 {
				t.Errorf("%s: %d bytes came", r.Proto, len(body))
			}
			seen <- err
		}))
		s.EnableHTTP2 = http2
		c := newClient(t, nil)
		if http2 {
			s.StartTLS()
			c = newClient(t, pool([]*x509.Certificate{s.Certificate()}))
		} else {
			s.Start()
		}
		x := c.Post(t.Context(), Request{URL: s.URL, Body: []byte(`{}`), BreaksOff: true})
		if x.Err != ErrBrokenOff || x.Class() != Retry || x.Status != 0 {
			t.Errorf("got %v, %v, %d", x.Err, x.Class(), x.Status)
		}
		if err := <-seen; err == nil {
			t.Error("the body was whole")
		}
		s.Close()
	}
}
