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

// startEndpoint starts an endpoint that does no work of its own.
func startEndpoint() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
}

// startHanging starts an endpoint that reads what it gets and never answers.
func startHanging() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
}

// startDripping starts an endpoint that answers one byte a second, from the
// first of its status line on.
func startDripping() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
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

// closeIll closes endpoints that still have connections.
func closeIll(servers ...*httptest.Server) {
	for _, s := range servers {
		s.CloseClientConnections()
		s.Close()
	}
}
