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

// failures returns the statuses of the problems that an operation can answer with. They
// follow from its input, so that no operation has to list them. Only those that the
// handler alone knows of are listed, in Errors. 401, 403, 422, 429, 500 and 503 come from
// what stands before the handler (authentication, roles, the query, admission) and from
// the database, so every operation may answer with them.
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

// takes reports whether an operation's input is P, or has one embedded. Inputs are
// structs that embed the parameters they have, as [OnceParams]; so the type tells which
// headers an operation reads, and with them which failures it has.
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

// also declares further statuses of an operation, with the same body as its
// DefaultStatus, if that has one. The body is left out here because it is not known yet:
// completeAnswers takes it from what Huma has made of the handler's type.
func also(statuses ...int) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for _, s := range statuses {
		out[strconv.Itoa(s)] = &huma.Response{}
	}
	return out
}

// whileItRuns describes the answer to a caller who did not wait for the end.
const whileItRuns = "Accepted: the run goes on, and Location says where it can be followed"

// completeAnswers completes an operation that Huma has registered: it adds the declared
// answers, the answer for a run that has not ended, and the headers of all answers. Huma
// has its own copy of op, which shares the map Responses with this one. So what is put
// into the map here is in the document.
func completeAnswers(op *huma.Operation, declared map[string]*huma.Response, in reflect.Type) {
	usual := op.Responses[strconv.Itoa(cmp.Or(op.DefaultStatus, http.StatusOK))]
	// An operation without a body and without a DefaultStatus gets 204 from Huma.
	if usual == nil {
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
		// Huma puts the text of a doc tag into the schema of a header alone. Tools show
		// the description of the header itself.
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

// merged returns a declared answer together with the one that Huma has made for the same
// status. If there is none, it has the usual body. A 204 has neither a body nor headers
// of its own. All other answers have the headers of the answer whose body they share, as
// ETag and Location.
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

// headersOf names the headers that every answer of a status has. The document says once
// what these headers are (commonHeaders), and each answer refers to that.
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

// commonHeaders describes the headers of [headersOf]. The names of the map are those that
// the references of completeAnswers have.
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
