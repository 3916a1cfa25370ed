package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// asked is the context of a call that somebody makes.
func asked(action string, target oms.AuditTarget) context.Context {
	return store.Audited(ctx, func() oms.AuditEntry {
		return oms.AuditEntry{Action: action, Target: target, RequestID: "req_" + action,
			Actor: oms.Actor{KeyID: "key-of-" + action, KeyName: "n", Role: oms.Operator, Address: "192.0.2.1", Via: oms.ViaAPI}}
	})
}

func (s *suite) audit(tenant string, f store.AuditFilter) []oms.AuditEntry {
	s.t.Helper()
	return pages(s.t, 7, func(p store.Page) (store.List[oms.AuditEntry], error) { return s.Audit(ctx, tenant, f, p) })
}

// testAudit has each change of which the audit log tells leave an entry, if
// somebody asked for it, and says what the write knows of it.
func testAudit(t *testing.T, s *suite) {
	fillTenant(s, acme, "a")
	s.now = s.now.Add(time.Second)
	to := ok[*oms.Endpoint](t)(s.Endpoint(ctx, acme, "ep-1"))
	e := ok[*oms.Event](t)(s.Event(ctx, acme, "evt-1"))
	key := oms.DeliveryKey{Event: e.Seq, Endpoint: to.No}
	delivery := (&oms.Delivery{DeliveryKey: key, EventID: e.ID}).ID()
	bulk := job(7)
	bulk.Kind, bulk.Filter = oms.JobResume, []byte(`{"step":"x"}`)
	before := s.audit(acme, store.AuditFilter{})
	for _, c := range []struct {
		action string
		do     func(tx store.Tx) error
		target oms.AuditTarget
		detail oms.AuditDetail
	}{
		{"put-settings", func(tx store.Tx) error {
			return tx.PutSettings(ctx, acme, someSettings("b"), 1, "b", s.now)
		}, oms.AuditTarget{Kind: "settings", ID: "2"}, oms.AuditDetail{FromVersion: 1, ToVersion: 2, Changed: []string{"connectors"}}},
		{"create-endpoint", func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint("ep-2")) },
			oms.AuditTarget{Kind: "endpoint", ID: "ep-2"}, oms.AuditDetail{}},
		{"patch-endpoint", func(tx store.Tx) error {
			next := *to
			next.Description, next.Concurrency, next.Updated = "other", 3, s.now
			next.Secrets = []oms.Secret{{Value: secret.New("whsec_new")}}
			return tx.PutEndpoint(ctx, acme, &next)
		}, oms.AuditTarget{Kind: "endpoint", ID: "ep-1"}, oms.AuditDetail{Changed: []string{"description", "maxConcurrency", "secret"}}},
		{"delete-endpoint", func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep-2") },
			oms.AuditTarget{Kind: "endpoint", ID: "ep-2"}, oms.AuditDetail{}},
		{"create-key", func(tx store.Tx) error {
			return tx.InsertKey(ctx, oms.Key{ID: "key-2", Tenant: acme, Role: oms.Reader, Name: "till", Created: s.now, Hash: oms.HashKey("2")})
		}, oms.AuditTarget{Kind: "key", ID: "key-2"}, oms.AuditDetail{Role: oms.Reader, Name: "till"}},
		{"delete-key", func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-2") },
			oms.AuditTarget{Kind: "key", ID: "key-2"}, oms.AuditDetail{Role: oms.Reader, Name: "till"}},
		{"replay-attempt", func(tx store.Tx) error {
			a := attempt("att-again", "o1", 3)
			a.Kind, a.URL = oms.KindReplay, "https://user:pass@example.com/hook?token=s3cret"
			return tx.AddAttempt(ctx, acme, a)
		}, oms.AuditTarget{Kind: "attempt", ID: "att-again"}, oms.AuditDetail{AttemptID: "att-again", URL: oms.PublicURL("https://user:pass@example.com/hook?token=s3cret")}},
		{"resume-run", func(tx store.Tx) error {
			r, err := tx.Run(ctx, acme, "run-o1")
			return errors.Join(err, tx.RequeueRun(ctx, acme, r))
		}, oms.AuditTarget{Kind: "run", ID: "run-o1"}, oms.AuditDetail{OrderID: "o1"}},
		{"cancel-run", func(tx store.Tx) error {
			r, err := tx.Run(ctx, acme, "run-o1")
			r.Status = oms.RunCanceled
			return errors.Join(err, tx.UpdateRun(ctx, acme, r))
		}, oms.AuditTarget{Kind: "run", ID: "run-o1"}, oms.AuditDetail{OrderID: "o1"}},
		{"resume-runs", func(tx store.Tx) error { return tx.PutJob(ctx, acme, bulk) },
			oms.AuditTarget{Kind: "job", ID: bulk.ID}, oms.AuditDetail{Job: bulk.Audited()}},
		{"cancel-job", func(tx store.Tx) error {
			j, err := tx.Job(ctx, acme, bulk.ID)
			j.End(oms.JobCanceled, "")
			return errors.Join(err, tx.PutJob(ctx, acme, j))
		}, oms.AuditTarget{Kind: "job", ID: bulk.ID}, oms.AuditDetail{Job: bulk.Audited()}},
		{"redeliver-event", func(tx store.Tx) error {
			e, err := tx.Event(ctx, acme, "evt-1")
			to, err2 := tx.Endpoint(ctx, acme, "ep-1")
			return errors.Join(err, err2, tx.SendAgain(ctx, acme, e, to, s.now, true))
		}, oms.AuditTarget{Kind: "event", ID: "evt-1"}, oms.AuditDetail{EndpointIDs: []string{"ep-1"}, Sent: 1}},
		{"cancel-delivery", func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, key, s.now) },
			oms.AuditTarget{Kind: "delivery", ID: delivery}, oms.AuditDetail{}},
		{"delete-order", func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") },
			oms.AuditTarget{Kind: "order", ID: "o1"}, oms.AuditDetail{}},
	} {
		s.now = s.now.Add(time.Second)
		if err := s.Write(asked(c.action, oms.AuditTarget{}), c.do); err != nil {
			t.Fatalf("%s: %v", c.action, err)
		}
		all := s.audit(acme, store.AuditFilter{})
		if len(all) != len(before)+1 {
			t.Errorf("%s leaves %d entries", c.action, len(all)-len(before))
			continue
		}
		got := all[0]
		if got.ID == "" || !got.Timestamp.Equal(s.now) || got.Actor != store.AuditedBy(asked(c.action, c.target))().Actor || got.RequestID != "req_"+c.action || got.Action != c.action {
			t.Errorf("%s: %+v", c.action, got)
		}
		same(t, got.Target, c.target)
		same(t, got.Detail, c.detail)
		before = all
	}
	s.write(func(tx store.Tx) error { // nobody asked for it: the server did it by itself
		j := job(8)
		j.Kind = oms.JobResume
		return errors.Join(tx.PutJob(ctx, acme, j), tx.DeleteEndpoint(ctx, acme, "ep-1"))
	})
	same(t, s.audit(acme, store.AuditFilter{}), before)
	same(t, len(s.audit(other, store.AuditFilter{})), 0)
}

// testAuditWithTheChange: of a write that fails, that changes nothing, or that
// changes something else, there is no entry; one that was decided again has one.
func testAuditWithTheChange(t *testing.T, s *suite) {
	by := asked("a", oms.AuditTarget{})
	addKey := func(tx store.Tx) error {
		return tx.InsertKey(ctx, oms.Key{ID: "key-1", Tenant: acme, Role: oms.Reader, Created: at(1), Hash: oms.HashKey("1")})
	}
	no := errors.New("no")
	if err := s.Write(by, func(tx store.Tx) error { return errors.Join(addKey(tx), no) }); !errors.Is(err, no) {
		t.Error(err)
	}
	must(t, s.Write(by, func(store.Tx) error { return nil }))
	must(t, s.Write(by, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, order("o1", 1, `{}`)) }))
	must(t, s.Write(by, func(tx store.Tx) error {
		r := run("run-1", "o1", 1)
		r.Status = oms.RunWaiting
		return tx.InsertRun(ctx, acme, r)
	}))
	must(t, s.Write(by, func(tx store.Tx) error {
		r, err := tx.Run(ctx, acme, "run-1")
		return errors.Join(err, tx.UpdateRun(ctx, acme, r))
	}))
	export := endpoint("export")
	export.Origin = oms.OriginConnector
	must(t, s.Write(by, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, export) }))
	follows := job(1)
	follows.Kind = oms.JobErase
	must(t, s.Write(by, func(tx store.Tx) error { return tx.PutJob(ctx, acme, follows) }))
	same(t, len(s.audit(acme, store.AuditFilter{})), 0)

	must(t, s.Write(by, addKey))
	is(t, s.Write(by, addKey), oms.Conflict)
	same(t, len(s.audit(acme, store.AuditFilter{})), 1)

	s.now = s.now.Add(time.Second)
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

// testAuditTarget: what the call names is the target, whatever else it changes; of
// many deliveries that are sent again some endpoints are named.
func testAuditTarget(t *testing.T, s *suite) {
	e := event("evt-1", "o1")
	s.add(e)
	var all []*oms.Endpoint
	for i := range 25 {
		all = append(all, s.put(endpoint(fmt.Sprintf("ep-%02d", i))))
	}
	target := oms.AuditTarget{Kind: oms.AuditDelivery, ID: "dlv_evt-1.1"}
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

// someAudit leaves entries of several actions, keys and tenants, a second apart.
func someAudit(s *suite) {
	for i := range 30 {
		s.now = at(i)
		for _, tenant := range []string{acme, other} {
			action := []string{"a", "b", "c"}[i%3]
			target := oms.AuditTarget{Kind: []string{oms.AuditKey, oms.AuditJob}[i%2], ID: fmt.Sprint("t", i%5)}
			must(s.t, s.Write(asked(action, target), func(tx store.Tx) error {
				return tx.InsertKey(ctx, oms.Key{ID: fmt.Sprint("key-", i), Tenant: tenant, Role: oms.Reader, Created: at(i), Hash: oms.HashKey(fmt.Sprint(tenant, i))})
			}))
		}
	}
}

// testAuditFilters has every filter, and each two together, pick what they say.
func testAuditFilters(t *testing.T, s *suite) {
	someAudit(s)
	all := s.audit(acme, store.AuditFilter{})
	if len(all) != 30 || !slices.IsSortedFunc(all, func(a, b oms.AuditEntry) int { return b.Timestamp.Compare(a.Timestamp) }) {
		t.Fatalf("%d entries", len(all))
	}
	type filter struct {
		set   func(f *store.AuditFilter)
		picks func(e oms.AuditEntry) bool
	}
	filters := []filter{
		{func(*store.AuditFilter) {}, func(oms.AuditEntry) bool { return true }},
		{func(f *store.AuditFilter) { f.KeyID = "key-of-a" }, func(e oms.AuditEntry) bool { return e.Actor.KeyID == "key-of-a" }},
		{func(f *store.AuditFilter) { f.Action = "b" }, func(e oms.AuditEntry) bool { return e.Action == "b" }},
		{func(f *store.AuditFilter) { f.Kind = oms.AuditJob }, func(e oms.AuditEntry) bool { return e.Target.Kind == oms.AuditJob }},
		{func(f *store.AuditFilter) { f.Target = "t2" }, func(e oms.AuditEntry) bool { return e.Target.ID == "t2" }},
		{func(f *store.AuditFilter) { f.RequestID = "req_b" }, func(e oms.AuditEntry) bool { return e.RequestID == "req_b" }},
		{func(f *store.AuditFilter) { f.From = at(10) }, func(e oms.AuditEntry) bool { return !e.Timestamp.Before(at(10)) }},
		{func(f *store.AuditFilter) { f.To = at(20) }, func(e oms.AuditEntry) bool { return e.Timestamp.Before(at(20)) }},
	}
	for _, a := range filters {
		for _, b := range filters {
			var f store.AuditFilter
			a.set(&f)
			b.set(&f)
			want := slices.DeleteFunc(slices.Clone(all), func(e oms.AuditEntry) bool { return !a.picks(e) || !b.picks(e) })
			same(t, s.audit(acme, f), want)
		}
	}
	same(t, len(s.audit(acme, store.AuditFilter{KeyID: "key-of-nobody"})), 0)
}

func testOldAudit(t *testing.T, s *suite) {
	someAudit(s)
	theirs := s.audit(other, store.AuditFilter{})
	s.removeOld(store.KeptAudit, 12)
	left := s.audit(acme, store.AuditFilter{})
	if len(left) != 18 || !left[17].Timestamp.Equal(at(12)) {
		t.Errorf("%d are left", len(left))
	}
	s.removeOld(store.KeptAudit, 100)
	same(t, len(s.audit(acme, store.AuditFilter{})), 0)
	same(t, s.audit(other, store.AuditFilter{}), theirs)
}
