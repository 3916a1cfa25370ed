package dash

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/clock"
)

// Options of the dashboard. All but PublicURL, Version and Database are needed. The
// program makes one dashboard, beside the API whose handler it gets.
type Options struct {
	API       http.Handler // of this process; it is called with [api.WithKey]
	Sessions  Sessions
	KeyRates  *admission.KeyRates // those of the API; each page counts as one request
	Changes   *changes.Hub
	Clock     clock.Clock
	Log       *slog.Logger
	PublicURL string // where browsers reach the server; "" leaves it open
	Version   string // of orderhook
	Database  string // its name without secrets, for the command that makes a key
}

// Sessions keeps who has signed in. The store is one. It is the only thing that pages
// have beside the API: a session says with whose key the API is called.
type Sessions interface {
	// Session returns the key that a session was made with, by the hash of its
	// token; [apierr.NotFound] once the session or its key has ended.
	Session(ctx context.Context, tokenHash []byte) (access.Key, error)
	CreateSession(ctx context.Context, s access.Session) error
	DeleteSession(ctx context.Context, tokenHash []byte) error
}

// limits bound what pages hold: how many are made at a time, and the bytes of the API's
// answers that they are made of. The API's own limits count besides; a tenant whose pages
// are too many can still call the API.
var limits = admission.Limits{Requests: admission.Limit{All: 512, PerTenant: 128}, Bytes: admission.Limit{All: 256 << 20, PerTenant: 64 << 20}}

// server is what the pages share. It is made once, is not changed after that, and serves
// all requests at the same time.
type server struct {
	Options
	// The gate counts pages that are being made, and the bytes of the answers that they
	// are made of. The origin check refuses forms of other sites. routes is for tests.
	mux    *http.ServeMux
	gate   *admission.Gate
	origin *http.CrossOriginProtection
	routes []route
}

// route is one path of the dashboard. Tests walk them all.
type route struct {
	pattern string
	needed  access.Role // "": who has not signed in gets it, too
}

// New returns the handler of the dashboard: of everything that is not the API's.
func New(o Options) http.Handler { return newServer(o) }

// Every page registers itself; a path that no page has shows that there is nothing, to
// those who have signed in.
func newServer(o Options) *server {
	s := &server{Options: o, mux: http.NewServeMux(), gate: admission.New(limits), origin: http.NewCrossOriginProtection()}
	if o.PublicURL != "" { // a proxy may give the server another Host
		if err := s.origin.AddTrustedOrigin(originOf(o.PublicURL)); err != nil {
			o.Log.Warn("the public URL is no origin; forms are taken from the server's own address alone", "error", err)
		}
	}
	for _, pages := range []func(*server){
		signInPages,
		overviewPages,
		attemptPages,
		orderPages,
		cartPages,
		runPages,
		endpointPages,
		deliveryPages,
		eventPages,
		jobPages,
		settingsPages,
		connectorTryPages,
		shadowPages,
		nodePages,
		keyPages, mePages,
		auditPages,
		livePages,
	} {
		pages(s)
	}
	s.assets()
	s.page(access.Reader, "/", notThere)
	return s
}

// ServeHTTP implements http.Handler. Methods that no browser uses for a page, and forms
// of another site, are refused before anything looks at the path or the session.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.observed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, HEAD, POST")
			s.fail(w, r, nil, &Problem{Status: http.StatusMethodNotAllowed, Detail: "a page takes GET, HEAD and POST; the API is under /api"})
			return
		}
		if err := s.origin.Check(r); err != nil {
			s.fail(w, r, nil, apierr.Errorf(apierr.Forbidden, "this form was sent from another site, so nothing was done"))
			return
		}
		s.mux.ServeHTTP(w, r)
	})).ServeHTTP(w, r)
}

// notThere answers for a path that no page has, or has with another method only. The mux
// answers 405 only where no pattern matches, and here "/" matches everything; so it is
// asked for the other method.
func notThere(v *visit) error {
	for method, allow := range map[string]string{http.MethodGet: "GET, HEAD", http.MethodPost: "POST"} {
		other := &http.Request{Method: method, URL: v.r.URL, Host: v.r.Host}
		if _, pattern := v.s.mux.Handler(other); pattern != "/" && pattern != "" {
			v.w.Header().Set("Allow", allow)
			return &Problem{Status: http.StatusMethodNotAllowed, Detail: "this page takes " + allow}
		}
	}
	return apierr.Errorf(apierr.NotFound, "there is no page at %s", strings.ToValidUTF8(v.r.URL.Path, "�"))
}
