package dash

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
)

// Options of the dashboard. All but PublicURL and Version are needed.
type Options struct {
	API       http.Handler // of this process; it is called with [api.WithKey]
	Sessions  Sessions
	Changes   *changes.Hub
	Clock     clock.Clock
	Log       *slog.Logger
	PublicURL string // where browsers reach the server; "" leaves it open
	Version   string // of orderhook
}

// Sessions keeps who has signed in.
type Sessions interface {
	// Session returns the key that a session was made with, by the hash of its
	// token; [oms.NotFound] once the session or its key has ended.
	Session(ctx context.Context, tokenHash []byte) (oms.Key, error)
	CreateSession(ctx context.Context, s oms.Session) error
	DeleteSession(ctx context.Context, tokenHash []byte) error
}

// limits bound what pages hold: how many are made at a time, and the bytes of the
// API's answers that they are made of. The API's own limits count besides.
var limits = admission.Limits{Requests: admission.Limit{All: 512, PerTenant: 128}, Bytes: admission.Limit{All: 256 << 20, PerTenant: 64 << 20}}

// server is what the pages share.
type server struct {
	Options
	mux    *http.ServeMux
	gate   *admission.Gate
	origin *http.CrossOriginProtection
	routes []route
}

// route is one path of the dashboard. Tests walk them all.
type route struct {
	pattern string
	needed  oms.Role // "": who has not signed in gets it, too
}

// New returns the handler of the dashboard: of everything that is not the API's.
func New(o Options) http.Handler { return newServer(o) }

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
		keyPages,
		auditPages,
		livePages,
	} {
		pages(s)
	}
	s.assets()
	s.page(oms.Reader, "/", notThere)
	return s
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.observed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, HEAD, POST")
			s.fail(w, r, nil, &Problem{Status: http.StatusMethodNotAllowed, Detail: "a page takes GET, HEAD and POST; the API is under /api"})
			return
		}
		if err := s.origin.Check(r); err != nil {
			s.fail(w, r, nil, oms.Errorf(oms.Forbidden, "this form was sent from another site, so nothing was done"))
			return
		}
		s.mux.ServeHTTP(w, r)
	})).ServeHTTP(w, r)
}

// notThere answers for a path that no page has, or has with another method only.
func notThere(v *visit) error {
	for method, allow := range map[string]string{http.MethodGet: "GET, HEAD", http.MethodPost: "POST"} {
		other := &http.Request{Method: method, URL: v.r.URL, Host: v.r.Host}
		if _, pattern := v.s.mux.Handler(other); pattern != "/" && pattern != "" {
			v.w.Header().Set("Allow", allow)
			return &Problem{Status: http.StatusMethodNotAllowed, Detail: "this page takes " + allow}
		}
	}
	return oms.Errorf(oms.NotFound, "there is no page at %s", strings.ToValidUTF8(v.r.URL.Path, "�"))
}
