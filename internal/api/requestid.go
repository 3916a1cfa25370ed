package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/ids"
)

// requestIDHeader carries the id of a request: a caller may send one, and every
// answer has it (docs/contract.md#calls-of-the-api). A caller who sends one finds its
// requests in the log by its own ids.
const requestIDHeader = "X-Request-Id"

// longestRequestID is how many characters a caller's own request id may have.
const longestRequestID = 128

// requestID is the caller's own id, if it is well formed, and else a new one.
// The id goes into the log and is a problem's instance, which is a URI
// reference: so it may hold only what neither has to escape. A bad one is replaced and
// not refused: it would be a pity to refuse an order for it.
func requestID(given string) string {
	if given == "" || len(given) > longestRequestID || strings.ContainsFunc(given, notOfRequestID) {
		return ids.New(ids.Request)
	}
	return given
}

// notOfRequestID reports whether a character may not be in a caller's request id.
func notOfRequestID(r rune) bool {
	isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !isLetter && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/=", r)
}

// named gives the problems that Huma writes the id of their request. It is one of Huma's
// transformers, behind asProblem.
func named(ctx huma.Context, _ string, body any) (any, error) {
	if p, ok := body.(*problem); ok {
		p.Instance = callOf(ctx.Context()).id
	}
	return body, nil
}

// idOf is the id of the request that w answers. observed has set it, before anything else
// was called.
func idOf(w http.ResponseWriter) string { return w.Header().Get(requestIDHeader) }
