package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Store is what is asked of the database: the part of [store.Store] that metrics need.
// All of it only reads.
type Store interface {
	Tenants(ctx context.Context) ([]string, error)
	Waiting(ctx context.Context, tenant string) (store.Waiting, error)
	Figures(ctx context.Context) (store.Figures, error)
	Settings(ctx context.Context, tenant string) (*settings.Settings, error)
	OldestAttempt(ctx context.Context, tenant string) (time.Time, error)
}

// Sources are where the states come from that are told to whoever scrapes. All are
// required.
type Sources struct {
	Store Store
	Gate  *admission.Gate
	// KeyRates and WrongKeys are those of the API and the dashboard.
	KeyRates  *admission.KeyRates
	WrongKeys *admission.WrongKeys
	Work      *admission.Work
	Outgoing  *fair.Budget                   // of calls
	Answers   *fair.Budget                   // of bytes of answers
	Queues    func() (states map[string]int) // how many endpoint queues are in each state
	Leases    func() nodes.Leases            // of this node
	Breakers  func() (states map[string]int) // how many breakers of connectors are in each state
	Now       func() time.Time
	Log       *slog.Logger
}

// Watch has the metrics of states told, too. It is called once. The database is asked with
// what ctx holds, but not bounded by it: a scrape has no context that is to end the answer
// for the next one.
func (m *Metrics) Watch(ctx context.Context, s Sources) {
	m.registry.MustRegister(&states{Sources: s, ctx: context.WithoutCancel(ctx), tenants: m.tenants})
}

// askEvery is how old what the database said may be: scraping more often asks it no more
// often. askTime bounds a round of questions.
const (
	askEvery = 10 * time.Second
	askTime  = 5 * time.Second
)

// states is a [prometheus.Collector] of what is asked for when somebody scrapes.
// The zero time in asked makes the first scrape ask the database.
type states struct {
	Sources
	ctx     context.Context
	tenants *names

	mu    sync.Mutex // of what the database said
	asked time.Time
	up    bool
	db    store.Figures
	work  map[string]store.Waiting // by the label of the tenant
	late  map[string]time.Duration // how much longer than it should the oldest attempt has been there
}

// desc describes a metric; its name gets the prefix that all of orderhook's have.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("orderhook_"+name, help, labels, nil)
}

// The metrics of states. docs/operating.md#metrics lists them for operators.
var (
	budgetUsed    = desc("budget_used", "What is used of a budget that all share: calls, or bytes.", "budget")
	budgetSize    = desc("budget_size", "The size of that budget.", "budget")
	refused       = desc("requests_refused_total", "Requests that were answered 429, or 413, since a limit was reached.", "limit")
	largeWork     = desc("large_documents", "Requests and answers whose large documents are being worked on, or wait for that.", "state")
	shards        = desc("shards", "How many of the 64 parts of the work this node does.")
	leasesSure    = desc("leases_sure", "1 if this node can be sure that its parts of the work are still its own; at 0 it makes no calls. Of a PostgreSQL database alone.")
	leaseAge      = desc("lease_age_seconds", "How long ago this node renewed its leases; of a PostgreSQL database alone.")
	queues        = desc("endpoint_queues", "Endpoints by what their queues are doing, or wait for.", "state")
	breakers      = desc("connector_breakers", "Breakers of connectors by state, of those that a call was made with since the start.", "state")
	databaseUp    = desc("database_up", "1 if the database answered the questions for these metrics within 5 s.")
	writesWaiting = desc("writes_waiting", "Writes that wait for the database.")
	writes        = desc("writes_total", "Writes that were taken to the database.")
	commits       = desc("commits_total", "Groups of writes that were committed together, or tried.")
	commitFailed  = desc("commit_failures_total", "Groups that could not be committed.")
	commitTime    = desc("commit_seconds_total", "How long all groups took, from their first statement to the end of the commit.")
	waitTime      = desc("write_wait_seconds_total", "How long all writes waited until their group began.")
	lastCommit    = desc("last_commit_timestamp_seconds", "When the last commit succeeded; 0 before the first.")
	databaseBytes = desc("database_bytes", "What the database takes on its disk, without the log.")
	logBytes      = desc("wal_bytes", "What the write-ahead log takes; of a database file alone.")
	diskFree      = desc("disk_free_bytes", "What is free on the disk of the database file.")
	partitionsEnd = desc("partitions_end_timestamp_seconds", "Until when there are partitions for what is written; of a PostgreSQL database alone.")
	unindexed     = desc("attempts_unindexed", "Attempts whose bodies are not in the index yet, about; searches look at each of them.")
	lateness      = desc("attempt_lateness_seconds", "How old an attempt must be to be indexed: longer than any took of late, on any node, until it was recorded.")

	deliveriesWaiting = desc("deliveries_waiting", "Deliveries that are pending, counted up to 10,000.", "tenant")
	deliveryAge       = desc("delivery_oldest_seconds", "How long ago the event of the oldest pending delivery happened; 0 if none is pending.", "tenant")
	retentionLag      = desc("retention_lag_seconds", "How much older the oldest attempt is than the retention of attempts allows; 0 if nothing is late, or all is retained for good. An attempt that is kept with an event of which a delivery is pending counts, too, and on a PostgreSQL server one that waits for its partition to be dropped.", "tenant")
	runs              = desc("runs_unfinished", "Runs that have not ended, counted up to 10,000.", "tenant", "status")
	runAge            = desc("run_oldest_seconds", "How long ago the oldest of those runs was created.", "tenant", "status")
)

// Describe implements [prometheus.Collector]. It describes nothing, which leaves the check
// of names to the scrape: to describe by collecting would ask the database at the start.
func (s *states) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector]. What is in memory is told as it is now, what
// the database says may be some seconds old.
func (s *states) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	for name, b := range map[string]*fair.Budget{"calls": s.Outgoing, "answer_bytes": s.Answers} {
		gauge(budgetUsed, float64(b.Used()), name)
		gauge(budgetSize, float64(b.Capacity()), name)
	}
	g := s.Gate.Figures()
	gauge(budgetUsed, float64(g.Requests), "requests")
	gauge(budgetUsed, float64(g.Bytes), "request_bytes")
	counter(refused, float64(g.RefusedRequests), "requests")
	counter(refused, float64(g.RefusedBytes), "request_bytes")
	counter(refused, float64(s.KeyRates.Refused()), "key_rate")
	counter(refused, float64(s.WrongKeys.Refused()), "wrong_keys")
	w := s.Work.Figures()
	gauge(largeWork, float64(w.Working), "working")
	gauge(largeWork, float64(w.Waiting), "waiting")
	for state, n := range s.Breakers() {
		gauge(breakers, float64(n), state)
	}
	for state, n := range s.Queues() {
		gauge(queues, float64(n), state)
	}
	s.ofLeases(gauge)
	s.ofDatabase(gauge, counter)
}

// ofLeases tells which part of the work is this node's. One that is alone has no leases to
// renew.
func (s *states) ofLeases(gauge func(*prometheus.Desc, float64, ...string)) {
	l := s.Leases()
	gauge(shards, float64(l.Shards))
	if !l.Shared {
		return
	}
	sure := 0.0
	if l.Sure {
		sure = 1
	}
	gauge(leasesSure, sure)
	gauge(leaseAge, l.Age.Seconds())
}

// ofDatabase tells what the database said last.
// The lock is held while the database is asked. So of two scrapes at the same time only
// one asks, and the other waits for it, for askTime at most.
func (s *states) ofDatabase(gauge, counter func(*prometheus.Desc, float64, ...string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	// A round that failed counts, too: a database in trouble is not asked more often.
	if s.asked.IsZero() || now.Sub(s.asked) >= askEvery {
		s.ask(now)
	}
	if !s.up {
		// The other figures of the database are left out: no sample is better than an old
		// one.
		gauge(databaseUp, 0)
		return
	}
	gauge(databaseUp, 1)
	gauge(writesWaiting, float64(s.db.WritesWaiting))
	counter(writes, float64(s.db.Writes))
	counter(commits, float64(s.db.Commits))
	counter(commitFailed, float64(s.db.CommitsFailed))
	counter(commitTime, s.db.Committing.Seconds())
	counter(waitTime, s.db.Waited.Seconds())
	// The zero time would come out as a large negative number.
	last := 0.0
	if !s.db.LastCommit.IsZero() {
		last = float64(s.db.LastCommit.UnixMilli()) / 1000
	}
	gauge(lastCommit, last)
	gauge(databaseBytes, float64(s.db.Bytes))
	// A server's log and disk cannot be seen from here.
	if s.db.LogBytes >= 0 {
		gauge(logBytes, float64(s.db.LogBytes))
		gauge(diskFree, float64(s.db.DiskFree))
	}
	if !s.db.PartitionsEnd.IsZero() {
		gauge(partitionsEnd, float64(s.db.PartitionsEnd.Unix()))
	}
	gauge(unindexed, float64(s.db.Unindexed))
	gauge(lateness, s.db.Lateness.Seconds())
	// A tenant without a label of its own has no samples here; see askOfTenants.
	for tenant, w := range s.work {
		gauge(deliveriesWaiting, float64(w.Deliveries.N), tenant)
		gauge(deliveryAge, age(now, w.OldestDelivery), tenant)
		gauge(retentionLag, s.late[tenant].Seconds(), tenant)
		for status, r := range map[string]store.WaitingRuns{"running": w.Running, "waiting": w.Waiting} {
			gauge(runs, float64(r.Count.N), tenant, status)
			gauge(runAge, age(now, r.Oldest), tenant, status)
		}
	}
}

// age is how long ago something began, in seconds; 0 if there is nothing. It is never
// negative, although the clocks of two nodes may differ.
func age(now, since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Seconds())
}

// ask asks the database. If it does not answer, nothing is told of it but that: old numbers
// would look as if all were well.
func (s *states) ask(now time.Time) {
	ctx, cancel := context.WithTimeout(store.Background.Mark(s.ctx), askTime)
	defer cancel()
	// The time is noted before the first question, so that a failure does not lead to more
	// questions.
	s.asked, s.up = now, false
	db, err := s.Store.Figures(ctx)
	if err == nil {
		s.db = db
		err = s.askOfTenants(ctx)
	}
	if err != nil {
		s.Log.Warn("the database did not say what the metrics need", "error", err)
	}
	s.up = err == nil
}

// askOfTenants asks how much each tenant has waiting. Those that share a label are added
// up, but only as many are asked about as have one of their own.
func (s *states) askOfTenants(ctx context.Context) error {
	tenants, err := s.Store.Tenants(ctx)
	if err != nil {
		return err
	}
	// The maps begin anew, so a tenant that is gone leaves no sample behind.
	s.work, s.late = map[string]store.Waiting{}, map[string]time.Duration{}
	for _, tenant := range tenants {
		label := s.tenants.of(tenant)
		if label == others {
			continue
		}
		// An error for one tenant ends the round. Figures of only some tenants would look
		// as if the others had nothing to do.
		if s.work[label], err = s.Store.Waiting(ctx, tenant); err != nil {
			return err
		}
		if s.late[label], err = s.lag(ctx, tenant); err != nil {
			return err
		}
	}
	return nil
}

// lag returns how much longer a tenant's oldest attempt has been stored than its settings
// ask for. One that is all that says where its event went is removed with the event, and so
// may be late for a good reason.
func (s *states) lag(ctx context.Context, tenant string) (time.Duration, error) {
	config, err := s.Store.Settings(ctx, tenant)
	// A retention of 0 retains attempts for good, so none of them can be late.
	if err != nil || config.Retention.Attempts == 0 {
		return 0, err
	}
	oldest, err := s.Store.OldestAttempt(ctx, tenant)
	if err != nil || oldest.IsZero() {
		return 0, err
	}
	return max(0, s.Now().Sub(oldest)-config.Retention.Attempts), nil
}
