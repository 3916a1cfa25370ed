package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// answer is what the endpoint answers to every step: a patch as small as a
// real one.
const answer = `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":{"Properties":[{"Key":"ValidationScore","Value":"95"}]}}`

// startEndpoint starts an endpoint that does no work of its own. So what a step takes is
// orderhook's part and the network's.
func startEndpoint() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
}

// startHanging starts an endpoint that reads what it gets and never answers. The
// request's context ends when the caller hangs up, or the server is closed.
func startHanging() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
}

// startDripping starts an endpoint that answers one byte a second, from the
// first of its status line on. It writes to the connection itself, since net/http would
// send the line at once. A caller that only watches for silence would wait for it.
func startDripping() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		// From here on the connection is this handler's, which has to close it.
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		for _, c := range []byte("HTTP/1.1 204 No Content\r\n\r\n") {
			if _, err := conn.Write([]byte{c}); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}))
}

// closeUnhealthy closes endpoints that still have connections. Close alone would wait for
// their requests, which never end.
func closeUnhealthy(servers ...*httptest.Server) {
	for _, s := range servers {
		s.CloseClientConnections()
		s.Close()
	}
}
