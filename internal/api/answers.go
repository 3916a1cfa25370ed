package api

import (
	"cmp"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// failures returns the statuses of the problems that an operation can answer
// with. They follow from what it takes, so no operation lists its own, but for
// those that only its handler knows of: they stand in Errors.
func failures(op *huma.Operation, in reflect.Type) []int {
	all := append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable)
	if strings.Contains(op.Path, "{") || takes[WaitParams](in) { // an order can be erased while its caller waits
		all = append(all, http.StatusNotFound)
	}
	if op.Method != http.MethodGet { // it may have a body, declared or not
		all = append(all, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	if takes[OnceParams](in) {
		all = append(all, http.StatusConflict)
	}
	if takes[MatchParams](in) {
		all = append(all, http.StatusPreconditionFailed)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// takes reports whether an operation's input is P, or has one embedded.
func takes[P any](in reflect.Type) bool {
	want := reflect.TypeFor[P]()
	if in == want {
		return true
	}
	for i := range in.NumField() {
		if f := in.Field(i); f.Anonymous && f.Type.Kind() == reflect.Struct && takes[P](f.Type) {
			return true
		}
	}
	return false
}

// also declares further statuses that an operation answers with besides its
// DefaultStatus, and with the same body, if any.
func also(statuses ...int) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for _, s := range statuses {
		out[strconv.Itoa(s)] = &huma.Response{}
	}
	return out
}

// whileItRuns describes the answer to a caller who did not wait for the end.
const whileItRuns = "Accepted: the run goes on, and Location says where it can be followed"

// completeAnswers completes an operation that Huma has registered: the answers
// declared by its noun, that of a run that goes on, and the headers of all.
func completeAnswers(op *huma.Operation, declared map[string]*huma.Response, in reflect.Type) {
	usual := op.Responses[strconv.Itoa(cmp.Or(op.DefaultStatus, http.StatusOK))]
	if usual == nil { // Huma chose it
		usual = op.Responses[strconv.Itoa(http.StatusNoContent)]
	}
	if takes[WaitParams](in) {
		declared["202"] = &huma.Response{Description: whileItRuns}
	}
	for status, r := range declared {
		op.Responses[status] = merged(status, r, op.Responses[status], usual)
	}
	for status, r := range op.Responses {
		r.Headers = maps.Clone(r.Headers)
		if r.Headers == nil {
			r.Headers = map[string]*huma.Param{}
		}
		for _, h := range r.Headers {
			if h.Schema != nil {
				h.Description = h.Schema.Description
			}
		}
		for _, name := range headersOf(status) {
			r.Headers[name] = &huma.Param{Ref: "#/components/headers/" + name}
		}
	}
}

// merged is a declared answer together with the one that Huma made for its
// status, or else with the usual one's body.
func merged(status string, declared, made, usual *huma.Response) *huma.Response {
	n, _ := strconv.Atoi(status)
	out := &huma.Response{Description: cmp.Or(declared.Description, http.StatusText(n)), Content: map[string]*huma.MediaType{}}
	switch {
	case n == http.StatusNoContent:
		return out
	case made != nil && len(made.Content) > 0:
		out.Headers = made.Headers
		maps.Copy(out.Content, made.Content)
	default:
		out.Headers = usual.Headers
		maps.Copy(out.Content, usual.Content)
	}
	maps.Copy(out.Content, declared.Content)
	return out
}

// headersOf names the headers that every answer of a status has.
func headersOf(status string) []string {
	names := []string{"X-Request-Id"}
	switch status {
	case "401":
		return append(names, "WWW-Authenticate")
	case "429", "503":
		return append(names, "Retry-After")
	}
	return names
}

// commonHeaders describes the headers of [headersOf].
func commonHeaders() map[string]*huma.Header {
	header := func(doc, kind string) *huma.Header {
		return &huma.Header{Description: doc, Schema: &huma.Schema{Type: kind}}
	}
	return map[string]*huma.Header{
		"X-Request-Id":     header("Names the request, here and in the log", huma.TypeString),
		"Retry-After":      header("Seconds to wait before the next try, where waiting helps", huma.TypeInteger),
		"WWW-Authenticate": header("How to name a key", huma.TypeString),
	}
}
