package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/trace"
)

// call is what the API knows of a request before its handler runs. observed makes it and
// puts it into the context; those further inside fill it in, in their turn. All of that
// happens on the goroutine of the request, so no lock guards it. The same request reaches
// all of them through callOf.
type call struct {
	// id is the X-Request-Id of the answer, which the log and problems have, too.
	id  string
	key access.Key // the zero one where none is needed
	// body is the whole body as it came, once admitted has read it. Handlers that parse
	// it themselves find it here, and the hash of the request is made of it.
	body []byte
	// r is the request that the mux gets. The mux sets its Pattern, which is empty
	// before.
	r *http.Request
	// span is the request's own; nil: it has none.
	span trace.Span
}

// hash is the hash of the method, path, query and body. A repeated request with an
// Idempotency-Key must have the same one (docs/contract.md#idempotency). The query is
// sorted, so that the same parameters in another order are the same request. Headers do
// not count: a client that tries again may have another key, and its trace is another
// one.
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

// callOf returns the call of a request. It panics where there is none: then a handler was
// called without observed around it, which is an error in the program.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// tenantOf is the tenant that the request's key belongs to.
func tenantOf(ctx context.Context) string { return callOf(ctx).key.Tenant }

// roleOf is the role of the request's key. It says what may be shown, as the queries of
// URLs. Whether the request is allowed at all, admitted has decided by then.
func roleOf(ctx context.Context) access.Role { return callOf(ctx).key.Role }

// authenticated refuses requests without a valid key. It says neither whether a path
// exists nor what it would take, so who has no key learns nothing about the API's
// resources.
func (a *api) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if openPath(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		key, err := a.keyOf(r)
		if err != nil {
			if apierr.KindOf(err) == apierr.Unauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="orderhook"`)
			}
			a.refuse(w, err)
			return
		}
		callOf(r.Context()).key = key
		next.ServeHTTP(w, a.beginSpan(r))
	})
}

// signedInKey is the key of the context value of WithKey. The type is not exported, so no
// other package can put a key into a context in any other way.
type signedInKey struct{}

// WithKey returns the context of a request by somebody who has signed in with a key. It
// is for callers of the API's handler within this process. The caller must have made
// sure, for this very request, that the key still exists. The API ignores an
// Authorization header then. It never reads a cookie.
//
// Signing in needs no such context: a GET of /api/me, with the key in the Authorization
// header and the RemoteAddr of the person, says which key it is, and slows down whoever
// tries wrong keys.
func WithKey(ctx context.Context, k access.Key) context.Context {
	return context.WithValue(ctx, signedInKey{}, k)
}

// signedIn returns the key of [WithKey], and whether there is one. A call that has one
// comes from a page of the dashboard, which the audit log notes.
func signedIn(ctx context.Context) (k access.Key, ok bool) {
	k, ok = ctx.Value(signedInKey{}).(access.Key)
	return k, ok
}

// keyOf returns the key of a request. Keys are read from the database for each request,
// so that a deleted key stops working at once. Only the publishing of events, of which
// there are very many, uses a key that was read a moment ago.
//
// The error is [apierr.Unauthorized] without a key or for one that is not known, and
// [apierr.TooMany] for an address that tries many. Any other error means that the
// database could not be asked; the request is refused then, too.
func (a *api) keyOf(r *http.Request) (access.Key, error) {
	if key, ok := signedIn(r.Context()); ok {
		a.noteUse(key) // the dashboard has taken the page from the key's rate
		return key, nil
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return access.Key{}, apierr.Errorf(apierr.Unauthorized, "a key is needed: Authorization: Bearer <key>")
	}
	hash := access.HashKey(strings.TrimSpace(secret))
	key, found, forgot := a.keys.get(hash, a.Clock.Now())
	// The cache answers for this one operation. With a deleted key nobody may read or
	// change anything, even for a second.
	if found && r.Method == http.MethodPost && r.URL.Path == publishPath {
		return key, a.use(key)
	}
	key, err := a.Store.KeyByHash(r.Context(), hash)
	if err == nil {
		a.keys.put(hash, key, a.Clock.Now(), forgot)
	}
	if apierr.KindOf(err) == apierr.NotFound {
		return access.Key{}, a.wrongKey(r)
	}
	if err == nil {
		err = a.use(key)
	}
	return key, err
}

// stillAdmitted refuses a request that has waited, if its key was deleted meanwhile or has
// expired.
func (a *api) stillAdmitted(ctx context.Context) error {
	id := callOf(ctx).key.ID
	key, err := a.Store.Key(ctx, tenantOf(ctx), id)
	if apierr.KindOf(err) == apierr.NotFound {
		return apierr.Errorf(apierr.Unauthorized, "the key %s was deleted while the request waited", id)
	}
	if err != nil {
		return err
	}
	return unexpired(key, a.Clock.Now())
}

// unexpired refuses a key that has expired. It is no wrong one: who has it is told so, and is
// not slowed down.
func unexpired(key access.Key, now time.Time) error {
	if !key.Expired(now) {
		return nil
	}
	return apierr.Errorf(apierr.Unauthorized, "the key %s expired at %s: ask an admin for another one, or for a later expiresAt", key.ID, timetext.FormatTime(key.ExpiresAt))
}

// use refuses a key that has expired or that comes too often, and notes the use of any other.
func (a *api) use(key access.Key) error {
	now := a.Clock.Now()
	if err := unexpired(key, now); err != nil {
		return err
	}
	if err := a.KeyRates.Take(key.ID, key.RateLimit, now); err != nil {
		return err
	}
	a.noteUse(key)
	return nil
}

func (a *api) noteUse(key access.Key) {
	if a.KeyUses != nil {
		a.KeyUses.Note(key.Tenant, key.ID, a.Clock.Now())
	}
}

// AddressOf returns the address that a request came from. It is the zero address if that
// is not known.
func AddressOf(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return from.Addr().Unmap()
}

// wrongKey returns the answer to a key that does not exist. An address that tries many is
// told to wait. A right key from the same address is still accepted. To refuse the right
// key, too, would let anybody lock out those who share an address with them
// (docs/contract.md#keys).
func (a *api) wrongKey(r *http.Request) error {
	from := AddressOf(r) // what is no address is counted as one
	wrong := a.WrongKeys.Note(from, a.Clock.Now())
	if wrong.Log {
		a.Log.Warn("many wrong keys came from one address", "address", from.String(), "linesLeftOut", wrong.LinesLeftOut)
	}
	if wrong.Wait > 0 {
		return &apierr.Error{Kind: apierr.TooMany, Detail: "the key is not known, and too many wrong ones came from this address", RetryAfter: wrong.Wait}
	}
	return apierr.Errorf(apierr.Unauthorized, "the key is not known")
}

// handle registers an operation for keys with the needed role or a higher one.
//
// All that is the same for every operation is decided here: who may call it, how large
// its body may be, what it may answer, whose entry in the audit log its change is, and of
// which class its questions to the database are. do gets a context with all that. It
// returns an error in the words of apierr, or any other one, which becomes a 500 whose
// text only the log has; the error gets the name of the operation in front, so that the
// log says where it comes from.
func handle[I, O any](a *api, needed access.Role, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	in, declared := reflect.TypeFor[I](), maps.Clone(op.Responses)
	op.Middlewares = huma.Middlewares{a.admitted(needed, a.gateOf(&op), bodyLimitOf(&op))}
	// Huma must not read the body: admitted has done so, within the budget of the tenant,
	// and Huma gets it from memory.
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	op.SkipValidateBody = op.RequestBody != nil
	op.Description = strings.TrimSpace(op.Description + "\n\nNeeds a key of the role " + string(needed) + ".")
	// completeAnswers changes this map after Huma has taken its own copy of op, so there
	// must be one before.
	if op.Responses == nil {
		op.Responses, declared = map[string]*huma.Response{}, map[string]*huma.Response{}
	}
	op.Errors = failures(&op, in)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		// The questions of callers have database connections other than the server's own
		// work, so that neither waits for the other. What is not a GET may write: the
		// context then has whose write it is, for the audit log.
		if op.Method == http.MethodGet {
			ctx = store.Read.Mark(ctx)
		} else {
			c := callOf(ctx)
			ctx = store.Audited(ctx, func() access.AuditEntry { return asked(c, &op) })
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, problemOf(a.Log, callOf(ctx).id, fmt.Errorf("%s: %w", op.OperationID, err))
		}
		return out, nil
	})
	completeAnswers(&op, declared, in)
}

// gateOf returns the gate that counts the requests of an operation. Requests about keys,
// and requests about runs, have gates of their own (see doorLimits). It goes by the tag,
// so a new operation about keys or runs has the right gate by itself.
func (a *api) gateOf(op *huma.Operation) *admission.Gate {
	switch {
	case slices.Contains(op.Tags, keysTag):
		return a.door
	case slices.Contains(op.Tags, runsTag):
		return a.runDoor
	}
	return a.Admission
}

// admitted decides whether a request is accepted. First it checks what costs nothing: the
// role of the key, the query, and whether the tenant may have one more request. Only then
// the body is read, and counted while it comes. All that the request took is given back after
// the answer. The body comes last because reading it takes memory and time, and who is
// refused anyway should cost neither (docs/contract.md#keys).
func (a *api) admitted(needed access.Role, gate *admission.Gate, most bodyLimit) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		c := callOf(ctx.Context())
		if role := c.key.Role; !role.Reaches(needed) {
			a.refuse(w, apierr.Errorf(apierr.Forbidden, "this needs a key of the role %s; yours is of the role %s", needed, role))
			return
		}
		if err := checkQuery(r.URL, ctx.Operation()); err != nil {
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
		// From here on the request may hold a slot for large documents. What waits on the
		// way, as for a commit or for a run, gives the slot back meanwhile; end does so
		// in any case.
		task, end := a.Work.Task(ctx.Context(), c.key.Tenant)
		defer end()
		if admission.Begin(task, len(c.body)) != nil {
			return // the caller hung up
		}
		next(huma.WithContext(ctx, task))
	}
}
