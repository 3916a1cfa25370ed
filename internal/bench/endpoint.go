package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
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
