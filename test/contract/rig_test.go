// Package contract proves the wire contract row by row: a whole orderhook in
// this process, asked through its HTTP API, against real HTTP endpoints.
package contract

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/telemetry"
	"github.com/orderhook/orderhook/internal/workflow"
)

// rig is one orderhook and a key to it.
type rig struct {
	t       *testing.T
	url     string
	api     http.Handler // for who asks within this process
	key     string
	clock   *clocktest.Fake
	hands   *hands
	store   store.Store
	engine  *workflow.Engine
	log     *journal
	spans   *journal
	leaks   *leaks // the secrets that were given to it, and that it gave
	metrics *telemetry.Metrics
	path    string // of the database, or its URL
	stop    func(grace time.Duration) error
	leased  bool      // several tests take turns on it
	tenants *[]string // to which this test made keys

	maxStatusChanges int // as of workflow.Options; 0: no limit
	maxOrderBytes    int64
	admission        *admission.Gate // nil: that of the default limits
	work             *admission.Work // of one slot
	limits           api.Limits

	interceptionLease time.Duration // 0: the usual one

	// misshapen: the documents have fields in another shape. They are stored, and no
	// schema describes them, so that the answers are not held against one.
	misshapen bool

	webHook *delivery.WebHook             // nil: off
	between func(store.Store) store.Store // what stands between the dispatcher, or a job, and the store; nil: nothing
	calling func(poster) poster           // and between all and the client; nil: nothing

	// beside is calling for the client of shadow steps.
	beside func(poster) poster
	// slots and shadowSlots are those of the two clients.
	slots, shadowSlots *fair.Budget
	client             *outbound.Client
}

// poster makes requests, as outbound.Client does.
type poster = api.Client

const adminKey = "contract-admin-key-0123456789"

// start runs an orderhook on a database of its own. Its clock jumps over every
// wait of a workflow.
func start(t *testing.T, change ...func(*outbound.Options)) *rig {
	t.Helper()
	return startOn(t, newDatabase(t), change...)
}

// startOn runs an orderhook on a database file; change alters how it makes its
// requests, which may go to this machine otherwise.
func startOn(t *testing.T, path string, change ...func(*outbound.Options)) *rig {
	t.Helper()
	r := newRig(t, path)
	r.run(change...)
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() { r.sentConforms(); r.ownOutput(); r.end(patience) })
	return r
}

func newRig(t *testing.T, path string) *rig {
	fake := newFake()
	return &rig{t: t, key: adminKey, path: path, log: &journal{}, spans: &journal{}, leaks: newLeaks(), tenants: &[]string{}, clock: fake, hands: &hands{clock: fake}}
}

// run sets the orderhook going.
func (r *rig) run(change ...func(*outbound.Options)) {
	r.t.Helper()
	o := outbound.Options{Version: "test", Guard: outbound.Guard{AllowPrivate: true}}
	for _, c := range change {
		c(&o)
	}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := openDatabase(context.Background(), r.path, r.hands.Now, log)
	if err != nil {
		r.t.Fatal(err)
	}
	o.Secrets = db.Secrets()
	r.metrics = telemetry.New("test")
	o.Observer = r.metrics
	tracer := sdk.NewTracerProvider(sdk.WithSyncer(spansTo{r.spans})).Tracer("test")
	o.Tracer = tracer
	if o.Outgoing == nil {
		o.Outgoing = fair.New(outbound.DefaultMaxOutgoing)
	}
	forShadows := app.ShadowRequests(o)
	real, ofShadows := outbound.New(o), outbound.New(forShadows)
	r.slots, r.shadowSlots, r.client = o.Outgoing, forShadows.Outgoing, real
	client, shadows := poster(real), poster(ofShadows)
	if r.calling != nil {
		client = r.calling(real)
	}
	if r.beside != nil {
		shadows = r.beside(ofShadows)
	}
	r.work = admission.NewWork(1)
	below := store.Store(db)
	if r.between != nil {
		below = r.between(db)
	}
	parts := app.Assemble(app.Wiring{Store: db, EventStore: below, Client: client, Shadows: shadows, Work: r.work, Admission: r.admission, Limits: r.limits,
		InterceptionLease: r.interceptionLease, MaxStatusChanges: r.maxStatusChanges, MaxOrderBytes: r.maxOrderBytes, WebHook: r.webHook,
		Variables: settings.Variables{Lookup: environment, Allowed: []string{"SHOP_*"}}, VariablesTenant: access.DefaultTenant,
		Telemetry: r.metrics, Tracer: tracer, Clock: r.hands, Log: log, Version: "test"})
	r.api = parts.API
	server := httptest.NewServer(r.api)
	r.url, r.store, r.engine = server.URL, db, parts.Engine
	var stops []func(context.Context) error
	if err := parts.Start(context.Background(), func(stop func(context.Context) error) { stops = append(stops, stop) }); err != nil {
		r.t.Fatal(err)
	}
	var once sync.Once
	r.stop = func(grace time.Duration) (err error) {
		once.Do(func() {
			err = r.writtenFiles()
			parts.Engine.StopWaits()
			server.Close()
			ctx, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			for _, stop := range slices.Backward(stops) {
				err = errors.Join(err, stop(ctx))
			}
			real.Close()
			ofShadows.Close()
			err = errors.Join(err, db.Close())
		})
		return err
	}
}

func (r *rig) end(grace time.Duration) {
	if err := r.stop(grace); err != nil {
		r.t.Error(err)
	}
}

// restart ends the orderhook, which gives up the calls that take longer than
// grace, and starts another one on the same database.
func (r *rig) restart(grace time.Duration) {
	r.t.Helper()
	r.end(grace)
	r.run()
}

// addKey installs a key, as `keys create` does.
func (r *rig) addKey(secret, tenant string, role access.Role) {
	r.t.Helper()
	*r.tenants = append(*r.tenants, tenant)
	err := r.store.Write(r.t.Context(), func(tx store.Tx) error {
		return tx.InsertKey(r.t.Context(), access.Key{ID: ids.New(ids.Key), Tenant: tenant, Role: role, Created: r.clock.Now(), Hash: access.HashKey(secret)})
	})
	if err != nil && apierr.KindOf(err) != apierr.Conflict {
		r.t.Fatal(err)
	}
}

// as returns the same orderhook with another key.
func (r *rig) as(secret string) *rig {
	other := *r
	other.key = secret
	return &other
}
