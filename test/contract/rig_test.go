// Package contract proves the wire contract row by row: a whole orderhook in
// this process, asked through its HTTP API, against real HTTP endpoints.
package contract

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// rig is one orderhook and a key to it.
type rig struct {
	t      *testing.T
	url    string
	api    http.Handler // for who asks within this process
	key    string
	clock  *clock.Fake
	hands  *hands
	store  store.Store
	engine *workflow.Engine
	log    *journal
	path   string // of the database
	stop   func(grace time.Duration) error

	maxStatusChanges int // as of workflow.Options; 0: no limit
	maxOrderBytes    int64
	admission        *admission.Gate // nil: that of the default limits
	work             *admission.Work // of one slot
	limits           api.Limits

	// misshapen: the documents have fields in another shape. They are kept, and no
	// schema describes them, so that the answers are not held against one.
	misshapen bool

	webHook *notify.WebHook               // nil: off
	between func(store.Store) store.Store // what stands between the dispatcher, or a job, and the store; nil: nothing
	calling func(poster) poster           // and between all and the client; nil: nothing
}

// poster makes requests, as hook.Client does.
type poster = api.Client

const adminKey = "contract-admin-key-0123456789"

// start runs an orderhook on a database of its own. Its clock jumps over every
// wait of a workflow.
func start(t *testing.T, change ...func(*hook.Options)) *rig {
	t.Helper()
	return startOn(t, filepath.Join(t.TempDir(), "orderhook.db"), change...)
}

// startOn runs an orderhook on a database file; change alters how it makes its
// requests, which may go to this machine otherwise.
func startOn(t *testing.T, path string, change ...func(*hook.Options)) *rig {
	t.Helper()
	r := newRig(t, path)
	r.run(change...)
	r.addKey(adminKey, oms.DefaultTenant, oms.Admin)
	t.Cleanup(func() { r.sentConforms(); r.end(patience) })
	return r
}

func newRig(t *testing.T, path string) *rig {
	fake := newFake()
	return &rig{t: t, key: adminKey, path: path, log: &journal{}, clock: fake, hands: &hands{clock: fake}}
}

// run sets the orderhook going.
func (r *rig) run(change ...func(*hook.Options)) {
	r.t.Helper()
	o := hook.Options{Version: "test", Guard: hook.Guard{AllowPrivate: true}}
	for _, c := range change {
		c(&o)
	}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := sqlite.Open(context.Background(), r.path, sqlite.Options{Exclusive: true, Clock: r.hands.Now, Log: log})
	if err != nil {
		r.t.Fatal(err)
	}
	o.Secrets = db.Secrets()
	real := hook.New(o)
	client := poster(real)
	if r.calling != nil {
		client = r.calling(real)
	}
	r.work = admission.NewWork(1)
	engine := workflow.New(workflow.Options{Store: db, Client: client, Work: r.work, Clock: r.hands, Log: log, MaxStatusChanges: r.maxStatusChanges, MaxOrderBytes: r.maxOrderBytes})
	validator := &validate.Validator{Store: db, Client: client, Clock: r.hands, Log: log}
	below := store.Store(db)
	if r.between != nil {
		below = r.between(db)
	}
	dispatcher := notify.New(notify.Options{Store: below, Client: client, Clock: r.hands, Log: log, WebHook: r.webHook})
	jobs := job.New(job.Options{Store: below, Clock: r.hands, Log: log}, dispatcher.Jobs(), engine.Jobs())
	r.api = api.New(api.Options{Store: db, Engine: engine, Validator: validator, Notify: dispatcher, Jobs: jobs, Client: client, Guard: o.Guard,
		Variables: settings.Variables{Lookup: environment, Allowed: []string{"SHOP_*"}}, VariablesTenant: oms.DefaultTenant,
		Admission: r.admission, Work: r.work, Limits: r.limits, Clock: r.hands, Log: log, Version: "test"})
	server := httptest.NewServer(r.api)
	r.url, r.store, r.engine = server.URL, db, engine
	if err := dispatcher.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	if err := engine.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	if err := jobs.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	var once sync.Once
	r.stop = func(grace time.Duration) (err error) {
		once.Do(func() {
			engine.Release()
			server.Close()
			ctx, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			jobs.Stop()
			engine.Stop(ctx)
			dispatcher.Stop(ctx)
			real.Close()
			err = db.Close()
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
func (r *rig) addKey(secret, tenant string, role oms.Role) {
	r.t.Helper()
	err := r.store.Write(r.t.Context(), func(tx store.Tx) error {
		return tx.InsertKey(r.t.Context(), oms.Key{ID: oms.NewID(oms.KeyID), Tenant: tenant, Role: role, Created: r.clock.Now(), Hash: oms.HashKey(secret)})
	})
	if err != nil && oms.KindOf(err) != oms.Conflict {
		r.t.Fatal(err)
	}
}

// as returns the same orderhook with another key.
func (r *rig) as(secret string) *rig {
	other := *r
	other.key = secret
	return &other
}
