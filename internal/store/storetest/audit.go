package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// asked returns the context of a call that somebody makes. The key and the request are
// named after the action, so that a filter for one of them picks a part of the entries.
func asked(action string, target access.AuditTarget) context.Context {
	return store.Audited(ctx, func() access.AuditEntry {
		return access.AuditEntry{Action: action, Target: target, RequestID: "req_" + action,
			Actor: access.Actor{KeyID: "key-of-" + action, KeyName: "n", Role: access.Operator, Address: "192.0.2.1", Via: access.ViaAPI}}
	})
}

// audit reads all entries of a tenant that a filter picks, in small pages.
// Pages of seven make sure that a cursor is used even with few entries.
func (s *suite) audit(tenant string, f store.AuditFilter) []access.AuditEntry {
	s.t.Helper()
	return pages(s.t, 7, func(p store.Page) (store.List[access.AuditEntry], error) { return s.Audit(ctx, tenant, f, p) })
}

// testAudit proves that each change which belongs in the audit log leaves exactly one
// entry, which says who asked, for what, and what the write changed. Where the call names
// no target, the write says what it changed. No entry shows a secret. What nobody asked
// for leaves no entry.
func testAudit(t *testing.T, s *suite) {
	// Something of every kind has to exist, since most calls change what is there.
	fillTenant(s, acme, "a")
	s.now = s.now.Add(time.Second)
	to := ok[*event.Endpoint](t)(s.Endpoint(ctx, acme, "ep-1"))
	e := ok[*event.Event](t)(s.Event(ctx, acme, "evt-1"))
	key := event.DeliveryKey{Event: e.Seq, Endpoint: to.No}
	// The log names a delivery by its id, as the API does, and not by its two numbers.
	delivery := (&event.Delivery{DeliveryKey: key, EventID: e.ID}).ID()
	// The job that the call resume-runs makes, and cancel-job ends.
	bulk := newJob(7)
	bulk.Kind, bulk.Filter = job.JobResume, []byte(`{"step":"x"}`)
	before := s.audit(acme, store.AuditFilter{})
	// Each change builds on those before it. The one that deletes the order is last,
	// because it takes everything else with it.
	for _, c := range []struct {
		action string
		do     func(tx store.Tx) error
		target access.AuditTarget
		detail access.AuditDetail
	}{
		{"put-settings", func(tx store.Tx) error {
			return tx.PutSettings(ctx, acme, someSettings("b"), 1, "b", s.now)
		}, access.AuditTarget{Kind: "settings", ID: "2"}, access.AuditDetail{FromVersion: 1, ToVersion: 2, Changed: []string{"connectors"}}},
		{"create-endpoint", func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint("ep-2")) },
			access.AuditTarget{Kind: "endpoint", ID: "ep-2"}, access.AuditDetail{}},
		// An entry names the fields that changed, as the API calls them, without their
		// values.
		{"patch-endpoint", func(tx store.Tx) error {
			next := *to
			next.Description, next.Concurrency, next.Updated = "other", 3, s.now
			next.Secrets = []event.Secret{{Value: secret.New("whsec_new")}}
			return tx.PutEndpoint(ctx, acme, &next)
		}, access.AuditTarget{Kind: "endpoint", ID: "ep-1"}, access.AuditDetail{Changed: []string{"description", "maxConcurrency", "secret"}}},
		{"delete-endpoint", func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep-2") },
			access.AuditTarget{Kind: "endpoint", ID: "ep-2"}, access.AuditDetail{}},
		{"create-key", func(tx store.Tx) error {
			return tx.InsertKey(ctx, access.Key{ID: "key-2", Tenant: acme, Role: access.Reader, Name: "till", Created: s.now, Hash: access.HashKey("2")})
		}, access.AuditTarget{Kind: "key", ID: "key-2"}, access.AuditDetail{Role: access.Reader, Name: "till"}},
		{"delete-key", func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-2") },
			access.AuditTarget{Kind: "key", ID: "key-2"}, access.AuditDetail{Role: access.Reader, Name: "till"}},
		// The URL of a replay may have a password and a token in it. The log has only
		// what may be public.
		{"replay-attempt", func(tx store.Tx) error {
			a := newAttempt("att-again", "o1", 3)
			a.Kind, a.URL = attempt.KindReplay, "https://user:pass@example.com/hook?token=s3cret"
			return tx.AddAttempt(ctx, acme, a)
		}, access.AuditTarget{Kind: "attempt", ID: "att-again"}, access.AuditDetail{AttemptID: "att-again", URL: weburl.PublicURL("https://user:pass@example.com/hook?token=s3cret")}},
		{"resume-run", func(tx store.Tx) error {
			r, err := tx.Run(ctx, acme, "run-o1")
			return errors.Join(err, tx.RequeueRun(ctx, acme, r))
		}, access.AuditTarget{Kind: "run", ID: "run-o1"}, access.AuditDetail{OrderID: "o1"}},
		{"cancel-run", func(tx store.Tx) error {
			r, err := tx.Run(ctx, acme, "run-o1")
			r.Status = run.RunCanceled
			return errors.Join(err, tx.UpdateRun(ctx, acme, r))
		}, access.AuditTarget{Kind: "run", ID: "run-o1"}, access.AuditDetail{OrderID: "o1"}},
		{"resume-runs", func(tx store.Tx) error { return tx.PutJob(ctx, acme, bulk) },
			access.AuditTarget{Kind: "job", ID: bulk.ID}, access.AuditDetail{Job: bulk.Audited()}},
		{"cancel-job", func(tx store.Tx) error {
			j, err := tx.Job(ctx, acme, bulk.ID)
			j.End(job.JobCanceled, "")
			return errors.Join(err, tx.PutJob(ctx, acme, j))
		}, access.AuditTarget{Kind: "job", ID: bulk.ID}, access.AuditDetail{Job: bulk.Audited()}},
		{"redeliver-event", func(tx store.Tx) error {
			e, err := tx.Event(ctx, acme, "evt-1")
			to, err2 := tx.Endpoint(ctx, acme, "ep-1")
			return errors.Join(err, err2, tx.SendAgain(ctx, acme, e, to, s.now, true))
		}, access.AuditTarget{Kind: "event", ID: "evt-1"}, access.AuditDetail{EndpointIDs: []string{"ep-1"}, Sent: 1}},
		{"cancel-delivery", func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, key, s.now) },
			access.AuditTarget{Kind: "delivery", ID: delivery}, access.AuditDetail{}},
		{"try-connectors", func(tx store.Tx) error { return tx.NoteTry(ctx, acme, "erp") }, access.AuditTarget{Kind: "connector", ID: "erp"}, access.AuditDetail{}},
		{"create-interception", func(tx store.Tx) error {
			return tx.NoteInterception(ctx, acme, "int-1", &access.AuditedInterception{Steps: []string{"Check"}, AllOrders: true})
		}, access.AuditTarget{Kind: "interception", ID: "int-1"}, access.AuditDetail{Intercepted: &access.AuditedInterception{Steps: []string{"Check"}, AllOrders: true}}},
		{"delete-interception", func(tx store.Tx) error { return tx.NoteInterception(ctx, acme, "int-1", nil) },
			access.AuditTarget{Kind: "interception", ID: "int-1"}, access.AuditDetail{}},
		{"delete-order", func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") },
			access.AuditTarget{Kind: "order", ID: "o1"}, access.AuditDetail{}},
	} {
		s.now = s.now.Add(time.Second)
		if err := s.Write(asked(c.action, access.AuditTarget{}), c.do); err != nil {
			t.Fatalf("%s: %v", c.action, err)
		}
		all := s.audit(acme, store.AuditFilter{})
		// One entry for each write: an engine that decides a write twice must not log it
		// twice.
		if len(all) != len(before)+1 {
			t.Errorf("%s leaves %d entries", c.action, len(all)-len(before))
			continue
		}
		got := all[0]
		if got.ID == "" || !got.Timestamp.Equal(s.now) || got.Actor != store.AuditedBy(asked(c.action, c.target))().Actor || got.RequestID != "req_"+c.action || got.Action != c.action {
			t.Errorf("%s: %+v", c.action, got)
		}
		// Target and detail were made by the store, from what the write did.
		same(t, got.Target, c.target)
		same(t, got.Detail, c.detail)
		before = all
	}
	s.write(func(tx store.Tx) error { // nobody asked for it: the server did it by itself
		j := newJob(8)
		j.Kind = job.JobResume
		return errors.Join(tx.PutJob(ctx, acme, j), tx.DeleteEndpoint(ctx, acme, "ep-1"))
	})
	same(t, s.audit(acme, store.AuditFilter{}), before)
	same(t, len(s.audit(other, store.AuditFilter{})), 0)
}

// testAuditWithTheChange proves that an entry is committed together with its change, or
// not at all. A write that fails, changes nothing, or changes something that the log does
// not tell of leaves no entry. A write that was decided again leaves one, of its last
// decision.
func testAuditWithTheChange(t *testing.T, s *suite) {
	// One caller makes all these writes, so each of them could leave an entry.
	by := asked("a", access.AuditTarget{})
	addKey := func(tx store.Tx) error {
		return tx.InsertKey(ctx, access.Key{ID: "key-1", Tenant: acme, Role: access.Reader, Created: at(1), Hash: access.HashKey("1")})
	}
	no := errors.New("no")
	if err := s.Write(by, func(tx store.Tx) error { return errors.Join(addKey(tx), no) }); !errors.Is(err, no) {
		t.Error(err)
	}
	// Of none of these does the log tell: nothing at all, a new order, a new run, a run
	// that goes on, the endpoint of a connector, and a job that follows another change.
	must(t, s.Write(by, func(store.Tx) error { return nil }))
	must(t, s.Write(by, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, newOrder("o1", 1, `{}`)) }))
	must(t, s.Write(by, func(tx store.Tx) error {
		r := newRun("run-1", "o1", 1)
		r.Status = run.RunWaiting
		return tx.InsertRun(ctx, acme, r)
	}))
	must(t, s.Write(by, func(tx store.Tx) error {
		r, err := tx.Run(ctx, acme, "run-1")
		return errors.Join(err, tx.UpdateRun(ctx, acme, r))
	}))
	// Nobody called for this endpoint: it follows from the settings, which have an entry
	// of their own.
	export := endpoint("export")
	export.Origin = event.OriginConnector
	must(t, s.Write(by, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, export) }))
	// The deletion of the order has an entry. The job only does what follows from it.
	follows := newJob(1)
	follows.Kind = job.JobErase
	must(t, s.Write(by, func(tx store.Tx) error { return tx.PutJob(ctx, acme, follows) }))
	same(t, len(s.audit(acme, store.AuditFilter{})), 0)

	// The key that could not be stored twice has one entry.
	must(t, s.Write(by, addKey))
	is(t, s.Write(by, addKey), apierr.Conflict)
	same(t, len(s.audit(acme, store.AuditFilter{})), 1)

	s.now = s.now.Add(time.Second)
	// The entry has to say from which version the settings went to which, as they are at
	// the commit. At the first try that was still from 0 to 1.
	// The counter shows that the write was really decided twice.
	tries := 0
	must(t, s.Write(by, func(tx store.Tx) error {
		stored, err := tx.Settings(ctx, acme)
		if tries++; tries == 1 { // somebody else is quicker
			err = errors.Join(err, s.beside(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("theirs"), 0, "", at(1)) }))
		}
		if err != nil {
			return err
		}
		return tx.PutSettings(ctx, acme, someSettings("mine"), stored.Version, "", at(2))
	}))
	all := s.audit(acme, store.AuditFilter{})
	if tries != 2 || len(all) != 2 || all[0].Detail.FromVersion != 1 || all[0].Detail.ToVersion != 2 {
		t.Errorf("after %d tries: %+v", tries, all)
	}
}

// testAuditTarget proves that the target of an entry is what the call names, whatever the
// write changes beside it. Where a call sends many deliveries again, the entry counts all
// of them but names only the first twenty endpoints, so that an entry stays small.
func testAuditTarget(t *testing.T, s *suite) {
	e := newEvent("evt-1", "o1")
	s.add(e)
	var all []*event.Endpoint
	for i := range 25 {
		all = append(all, s.put(endpoint(fmt.Sprintf("ep-%02d", i))))
	}
	// The write below changes 25 deliveries, and none of them is this one.
	target := access.AuditTarget{Kind: access.AuditDelivery, ID: "dlv_evt-1.1"}
	must(t, s.Write(asked("redeliver-event", target), func(tx store.Tx) error {
		for _, to := range all {
			if err := tx.SendAgain(ctx, acme, e, to, s.now, true); err != nil {
				return err
			}
		}
		return nil
	}))
	got := s.audit(acme, store.AuditFilter{})
	if len(got) != 1 || got[0].Target != target || got[0].Detail.Sent != 25 || len(got[0].Detail.EndpointIDs) != 20 || got[0].Detail.EndpointIDs[19] != "ep-19" {
		t.Errorf("%+v", got)
	}
}

// someAudit leaves thirty entries of each of two tenants, a second apart. Actions, kinds
// and targets change at different steps, so a pair of filters picks some entries and not
// all.
func someAudit(s *suite) {
	for i := range 30 {
		s.now = at(i)
		for _, tenant := range []string{acme, other} {
			action := []string{"a", "b", "c"}[i%3]
			target := access.AuditTarget{Kind: []string{access.AuditKey, access.AuditJob}[i%2], ID: fmt.Sprint("t", i%5)}
			must(s.t, s.Write(asked(action, target), func(tx store.Tx) error {
				return tx.InsertKey(ctx, access.Key{ID: fmt.Sprint("key-", i), Tenant: tenant, Role: access.Reader, Created: at(i), Hash: access.HashKey(fmt.Sprint(tenant, i))})
			}))
		}
	}
}

// testAuditFilters proves that every filter of the audit log, alone and together with
// every other one, picks what it says, and that the newest entry comes first.
func testAuditFilters(t *testing.T, s *suite) {
	someAudit(s)
	all := s.audit(acme, store.AuditFilter{})
	if len(all) != 30 || !slices.IsSortedFunc(all, func(a, b access.AuditEntry) int { return b.Timestamp.Compare(a.Timestamp) }) {
		t.Fatalf("%d entries", len(all))
	}
	// picks says in plain Go what set asks of the store, so the test does not trust the
	// store for what it wants.
	type filter struct {
		set   func(f *store.AuditFilter)
		picks func(e access.AuditEntry) bool
	}
	filters := []filter{
		{func(*store.AuditFilter) {}, func(access.AuditEntry) bool { return true }},
		{func(f *store.AuditFilter) { f.KeyID = "key-of-a" }, func(e access.AuditEntry) bool { return e.Actor.KeyID == "key-of-a" }},
		{func(f *store.AuditFilter) { f.Action = "b" }, func(e access.AuditEntry) bool { return e.Action == "b" }},
		{func(f *store.AuditFilter) { f.Kind = access.AuditJob }, func(e access.AuditEntry) bool { return e.Target.Kind == access.AuditJob }},
		{func(f *store.AuditFilter) { f.Target = "t2" }, func(e access.AuditEntry) bool { return e.Target.ID == "t2" }},
		{func(f *store.AuditFilter) { f.RequestID = "req_b" }, func(e access.AuditEntry) bool { return e.RequestID == "req_b" }},
		{func(f *store.AuditFilter) { f.From = at(10) }, func(e access.AuditEntry) bool { return !e.Timestamp.Before(at(10)) }},
		{func(f *store.AuditFilter) { f.To = at(20) }, func(e access.AuditEntry) bool { return e.Timestamp.Before(at(20)) }},
	}
	// The first filter does nothing, so each of the others is also tried alone.
	for _, a := range filters {
		for _, b := range filters {
			var f store.AuditFilter
			a.set(&f)
			b.set(&f)
			want := slices.DeleteFunc(slices.Clone(all), func(e access.AuditEntry) bool { return !a.picks(e) || !b.picks(e) })
			same(t, s.audit(acme, f), want)
		}
	}
	same(t, len(s.audit(acme, store.AuditFilter{KeyID: "key-of-nobody"})), 0)
}

// testOldAudit proves that retention removes the entries from before a time, that time
// itself not included, and only those of the tenant it is for.
func testOldAudit(t *testing.T, s *suite) {
	someAudit(s)
	theirs := s.audit(other, store.AuditFilter{})
	// The entry of second 12 itself has to stay.
	s.removeOld(store.RetainedAudit, 12)
	left := s.audit(acme, store.AuditFilter{})
	if len(left) != 18 || !left[17].Timestamp.Equal(at(12)) {
		t.Errorf("%d are left", len(left))
	}
	// Now all of acme's are old. Those of the other tenant stay all the same.
	s.removeOld(store.RetainedAudit, 100)
	same(t, len(s.audit(acme, store.AuditFilter{})), 0)
	same(t, s.audit(other, store.AuditFilter{}), theirs)
}
