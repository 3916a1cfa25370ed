package api

import (
	"context"
	"crypto/sha256"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// call is what the API knows of a request before its handler runs.
type call struct {
	id   string
	key  oms.Key // the zero one where none is needed
	body []byte
	r    *http.Request
}

// hash is of the method, path, query and body: what an Idempotency-Key stands for
// (API.md, "Ids and times").
func (c *call) hash() []byte {
	h := sha256.New()
	_, _ = io.WriteString(h, c.r.Method+" "+c.r.URL.EscapedPath())
	if query := c.r.URL.Query().Encode(); query != "" { // in the order of the names
		_, _ = io.WriteString(h, "?"+query)
	}
	_, _ = io.WriteString(h, "\n")
	_, _ = h.Write(c.body)
	return h.Sum(nil)
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// tenantOf is the tenant that the request's key belongs to.
func tenantOf(ctx context.Context) string { return callOf(ctx).key.Tenant }

// roleOf is the role of the request's key.
func roleOf(ctx context.Context) oms.Role { return callOf(ctx).key.Role }

// authenticated lets requests through that carry a key.
func (a *api) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if openPath(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		key, err := a.keyOf(r)
		if err != nil {
			if oms.KindOf(err) == oms.Unauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="orderhook"`)
			}
			a.refuse(w, err)
			return
		}
		callOf(r.Context()).key = key
		next.ServeHTTP(w, r)
	})
}

type signedInKey struct{}

// WithKey returns the context of a request that somebody makes who has signed in
// with a key, for whoever calls the API's handler within this process. That the key
// is still there, the caller has to have asked for this very request. The API heeds
// no Authorization header then; nor does it ever read a cookie.
//
// Who signs in needs no such context: a GET of /api/me with the key in the
// Authorization header, and the RemoteAddr of whoever sent it, says what the key is,
// and slows down who tries wrong ones, as for any other caller.
func WithKey(ctx context.Context, k oms.Key) context.Context {
	return context.WithValue(ctx, signedInKey{}, k)
}

// signedIn returns the key of [WithKey], and whether there is one.
func signedIn(ctx context.Context) (k oms.Key, ok bool) {
	k, ok = ctx.Value(signedInKey{}).(oms.Key)
	return k, ok
}

func (a *api) keyOf(r *http.Request) (oms.Key, error) {
	if key, ok := signedIn(r.Context()); ok {
		return key, nil
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return oms.Key{}, oms.Errorf(oms.Unauthorized, "a key is needed: Authorization: Bearer <key>")
	}
	hash := oms.HashKey(strings.TrimSpace(secret))
	key, found, forgot := a.keys.get(hash, a.Clock.Now())
	if found && r.Method == http.MethodPost && r.URL.Path == publishPath {
		return key, nil
	}
	key, err := a.Store.KeyByHash(r.Context(), hash)
	if err == nil {
		a.keys.put(hash, key, a.Clock.Now(), forgot)
	}
	if oms.KindOf(err) == oms.NotFound {
		return oms.Key{}, a.wrongKey(r)
	}
	return key, err
}

// addressOf is where a request came from; the zero one where nobody knows.
func addressOf(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return from.Addr().Unmap()
}

// wrongKey is the answer to a key that nobody has. An address that tries many is
// told to wait; a right key from there is taken all the same.
func (a *api) wrongKey(r *http.Request) error {
	from := addressOf(r) // what is no address is counted as one
	wrong := a.wrong.Note(from, a.Clock.Now())
	if wrong.Log {
		a.Log.Warn("many wrong keys came from one address", "address", from.String(), "linesLeftOut", wrong.LinesLeftOut)
	}
	if wrong.Wait > 0 {
		return &oms.Error{Kind: oms.TooMany, Detail: "the key is not known, and too many wrong ones came from this address", RetryAfter: wrong.Wait}
	}
	return oms.Errorf(oms.Unauthorized, "the key is not known")
}

// handle registers an operation for keys whose role reaches the needed one.
func handle[I, O any](a *api, needed oms.Role, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	in, declared := reflect.TypeFor[I](), maps.Clone(op.Responses)
	op.Middlewares = huma.Middlewares{a.admitted(needed, a.gateOf(&op), bodyLimitOf(&op))}
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1 // admitted has read the body
	op.SkipValidateBody = op.RequestBody != nil
	op.Description = strings.TrimSpace(op.Description + "\n\nNeeds a key of the role " + string(needed) + ".")
	if op.Responses == nil {
		op.Responses, declared = map[string]*huma.Response{}, map[string]*huma.Response{}
	}
	op.Errors = failures(&op, in)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if op.Method == http.MethodGet {
			ctx = store.Read.Mark(ctx)
		} else {
			c := callOf(ctx)
			ctx = store.Audited(ctx, func() oms.AuditEntry { return asked(c, &op) })
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, problemOf(a.Log, callOf(ctx).id, err)
		}
		return out, nil
	})
	completeAnswers(&op, declared, in)
}

// gateOf is what counts the requests of an operation: those about keys, and those
// about runs, have a door of their own.
func (a *api) gateOf(op *huma.Operation) *admission.Gate {
	switch {
	case slices.Contains(op.Tags, keysTag):
		return a.door
	case slices.Contains(op.Tags, runsTag):
		return a.runDoor
	}
	return a.Admission
}

// admitted decides whether a request is taken on, by what costs nothing first:
// the role of its key, its query, whether its tenant has room for one more. Only
// then is the body read, which takes room as it comes. What the request took is
// given back once it has been answered.
func (a *api) admitted(needed oms.Role, gate *admission.Gate, most bodyLimit) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		c := callOf(ctx.Context())
		if role := c.key.Role; !role.Reaches(needed) {
			a.refuse(w, oms.Errorf(oms.Forbidden, "this needs a key of the role %s; yours is of the role %s", needed, role))
			return
		}
		if err := askedOnce(r.URL.Query()); err != nil {
			a.refuse(w, err)
			return
		}
		ticket, err := gate.Enter(c.key.Tenant)
		if err != nil {
			a.refuse(w, err)
			return
		}
		defer ticket.Leave()
		if err := c.takeBody(w, r, ctx.Operation(), ticket, most); err != nil {
			a.refuse(w, err)
			return
		}
		task, end := a.Work.Task(ctx.Context(), c.key.Tenant)
		defer end()
		if admission.Begin(task, len(c.body)) != nil {
			return // the caller hung up
		}
		next(huma.WithContext(ctx, task))
	}
}

// askedOnce refuses a query that gives one parameter several values: only the
// first would be heeded, and nobody would be told.
func askedOnce(query url.Values) error {
	var wrong []oms.FieldError
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if len(query[name]) > 1 && len(wrong) < mostRepeated {
			wrong = append(wrong, oms.FieldError{Location: "query." + clip(name), Message: "is there more than once, and takes one value"})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &oms.Error{Kind: oms.Invalid, Detail: "the query is not valid", Fields: wrong}
}

// mostRepeated bounds how many parameters one answer names.
const mostRepeated = 20
