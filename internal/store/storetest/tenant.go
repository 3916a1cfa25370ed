package storetest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// testTenants asks for everything of acme's as another tenant, through every
// method there is: it is as if nothing were there, and what the other writes
// under the same names leaves acme's alone.
func testTenants(t *testing.T, s *suite) {
	fillTenant(s, acme, "theirs")
	before := snapshot(t, s, acme)
	s.write(func(tx store.Tx) error {
		for name, read := range tenantReads {
			seen, err := read(tx, other)
			if err != nil && oms.KindOf(err) != oms.NotFound {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil && seen {
				t.Errorf("%s shows what is another tenant's", name)
			}
			if name == "OrderUnless" || name == "RunUnless" { // a write takes what it holds for what is stored
				continue
			}
			if seen, err := read(tx, acme); err != nil || !seen {
				t.Errorf("%s does not show acme its own: %v", name, err)
			}
		}
		return nil
	})
	for name, change := range tenantChanges {
		err := s.Write(ctx, func(tx store.Tx) error { return change(tx) })
		if oms.KindOf(err) != oms.NotFound {
			t.Errorf("%s of what is another tenant's: %v", name, err)
		}
	}
	fillTenant(s, other, "mine")
	same(t, snapshot(t, s, acme), before)
	s.erase(other, "o1")
	same(t, snapshot(t, s, acme), before)
	everyMethod(t)
}

// everyMethod checks that no method of the interfaces was forgotten.
func everyMethod(t *testing.T) {
	for m := range reflect.TypeFor[store.Tx]().Methods() {
		_, read := tenantReads[m.Name]
		_, change := tenantChanges[m.Name]
		if !read && !change && !tenantInserts[m.Name] {
			t.Errorf("%s is not tried as another tenant", m.Name)
		}
	}
}

// tenantReads says of every question whether the tenant is shown something.
var tenantReads = map[string]func(tx store.Tx, tenant string) (bool, error){
	"Order": func(tx store.Tx, tenant string) (bool, error) {
		o, err := tx.Order(ctx, tenant, "o1")
		return o != nil, err
	},
	"OrderVersion": func(tx store.Tx, tenant string) (bool, error) {
		o, err := tx.OrderVersion(ctx, tenant, "o1", 1)
		return o != nil, err
	},
	"OrderUnless": func(tx store.Tx, tenant string) (bool, error) {
		o, err := tx.OrderUnless(ctx, tenant, &oms.Order{ID: "o1"})
		return o != nil, err
	},
	"RunUnless": func(tx store.Tx, tenant string) (bool, error) {
		r, err := tx.RunUnless(ctx, tenant, "run-o1", 99)
		return r != nil, err
	},
	"Orders": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Orders(ctx, tenant, store.OrderFilter{}, store.Page{})
		return len(l.Items) > 0, err
	},
	"Cart": func(tx store.Tx, tenant string) (bool, error) {
		c, err := tx.Cart(ctx, tenant, "c1")
		return c != nil, err
	},
	"Carts": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Carts(ctx, tenant, store.Page{})
		return len(l.Items) > 0, err
	},
	"History": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.History(ctx, tenant, "o1", store.Page{})
		return len(l.Items) > 0, err
	},
	"Run": func(tx store.Tx, tenant string) (bool, error) {
		r, err := tx.Run(ctx, tenant, "run-o1")
		return r != nil, err
	},
	"Runs": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Runs(ctx, tenant, store.RunFilter{OrderID: "o1"}, store.Page{})
		return len(l.Items) > 0, err
	},
	"NextRun": func(tx store.Tx, tenant string) (bool, error) {
		r, err := tx.NextRun(ctx, tenant, "o1")
		return r != nil, err
	},
	"Attempt": func(tx store.Tx, tenant string) (bool, error) {
		a, err := tx.Attempt(ctx, tenant, "att-o1")
		return a != nil, err
	},
	"Attempts": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Attempts(ctx, tenant, store.AttemptFilter{Related: oms.Related{OrderID: "o1"}}, store.Page{})
		return len(l.Items) > 0, err
	},
	"Calls": func(tx store.Tx, tenant string) (bool, error) {
		calls, err := tx.Calls(ctx, tenant, time.Time{}.AddDate(1969, 0, 0), at(0).AddDate(1, 0, 0), time.Minute)
		return len(calls) > 0, err
	},
	"OrderCount": func(tx store.Tx, tenant string) (bool, error) {
		n, err := tx.OrderCount(ctx, tenant, store.OrderFilter{})
		return n.N > 0, err
	},
	"RunCount": func(tx store.Tx, tenant string) (bool, error) {
		n, err := tx.RunCount(ctx, tenant, store.RunFilter{OrderID: "o1"})
		return n.N > 0, err
	},
	"AttemptCount": func(tx store.Tx, tenant string) (bool, error) {
		n, err := tx.AttemptCount(ctx, tenant, store.AttemptFilter{Related: oms.Related{OrderID: "o1"}})
		return n.N > 0, err
	},
	"EventCount": func(tx store.Tx, tenant string) (bool, error) {
		n, err := tx.EventCount(ctx, tenant, store.EventFilter{})
		return n.N > 0, err
	},
	"DeliveryCount": func(tx store.Tx, tenant string) (bool, error) {
		n, err := tx.DeliveryCount(ctx, tenant, store.DeliveryFilter{})
		return n.N > 0, err
	},
	"Waiting": func(tx store.Tx, tenant string) (bool, error) {
		w, err := tx.Waiting(ctx, tenant)
		return w.Deliveries.N+w.Running.Count.N+w.Waiting.Count.N > 0, err
	},
	"EndpointsInTrouble": func(tx store.Tx, tenant string) (bool, error) {
		found, _, err := tx.EndpointsInTrouble(ctx, tenant, 10)
		return len(found) > 0, err
	},
	"Recent": func(tx store.Tx, tenant string) (bool, error) {
		a, err := tx.Recent(ctx, tenant, 1, 10)
		return len(a) > 0, err
	},
	"Event": func(tx store.Tx, tenant string) (bool, error) {
		e, err := tx.Event(ctx, tenant, "evt-1")
		return e != nil, err
	},
	"EventBySeq": func(tx store.Tx, tenant string) (bool, error) {
		e, err := tx.EventBySeq(ctx, tenant, theirEvent(tx).Seq)
		return e != nil, err
	},
	"Events": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Events(ctx, tenant, store.EventFilter{Related: oms.Related{OrderID: "o1"}}, store.Page{})
		return len(l.Items) > 0, err
	},
	"Endpoint": func(tx store.Tx, tenant string) (bool, error) {
		e, err := tx.Endpoint(ctx, tenant, "ep-1")
		return e != nil, err
	},
	"EndpointNo": func(tx store.Tx, tenant string) (bool, error) {
		no, err := tx.EndpointNo(ctx, tenant, "ep-1")
		return no > 0, err
	},
	"EndpointURLs": func(tx store.Tx, tenant string) (bool, error) {
		urls, err := tx.EndpointURLs(ctx, tenant)
		return err == nil && urls(1) != "", err
	},
	"EndpointByNo": func(tx store.Tx, tenant string) (bool, error) {
		e, err := tx.EndpointByNo(ctx, tenant, 1)
		return e != nil, err
	},
	"Endpoints": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Endpoints(ctx, tenant, store.EndpointFilter{}, store.Page{})
		return len(l.Items) > 0, err
	},
	"Subscriptions": func(tx store.Tx, tenant string) (bool, error) {
		s, err := tx.Subscriptions(ctx, tenant)
		return err == nil && len(s.Match(event("e", "o1"), filter.NewEffort())) > 0, err
	},
	"Health": func(tx store.Tx, tenant string) (bool, error) {
		h, err := tx.Health(ctx, tenant, 1)
		return h != oms.Health{}, err
	},
	"Delivery": func(tx store.Tx, tenant string) (bool, error) {
		d, err := tx.Delivery(ctx, tenant, theirDelivery(tx))
		return d != nil, err
	},
	"Deliveries": func(tx store.Tx, tenant string) (bool, error) {
		all, err := tx.Deliveries(ctx, tenant, store.DeliveryFilter{}, store.Page{})
		if err != nil {
			return false, err
		}
		filtered, err := tx.Deliveries(ctx, tenant, store.DeliveryFilter{Event: theirEvent(tx).Seq, OrderID: "o1"}, store.Page{})
		return len(all.Items)+len(filtered.Items) > 0, err
	},
	"DueDeliveries": func(tx store.Tx, tenant string) (bool, error) {
		list, err := tx.DueDeliveries(ctx, tenant, store.DueQuery{Endpoint: 1, Now: at(0), Limit: 9})
		return len(list.Due) > 0 || !list.Next.IsZero(), err
	},
	"StockItem": func(tx store.Tx, tenant string) (bool, error) {
		i, err := tx.StockItem(ctx, tenant, "s1")
		return i != nil, err
	},
	"Job": func(tx store.Tx, tenant string) (bool, error) {
		j, err := tx.Job(ctx, tenant, "job_01")
		return j != nil, err
	},
	"Jobs": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Jobs(ctx, tenant, store.Page{})
		return len(l.Items) > 0, err
	},
	"Candidates": func(tx store.Tx, tenant string) (bool, error) {
		all := &oms.Job{What: oms.RecoverMissing, To: at(99), Last: math.MaxInt64}
		events, _, err := tx.Candidates(ctx, tenant, all, 99, 10)
		return len(events) > 0, err
	},
	"Settings": func(tx store.Tx, tenant string) (bool, error) {
		s, err := tx.Settings(ctx, tenant)
		return s != nil && s.Version > 0, err
	},
	"SettingsVersion": func(tx store.Tx, tenant string) (bool, error) {
		s, err := tx.SettingsVersion(ctx, tenant, 1)
		return s != nil, err
	},
	"DestroyedSecrets": func(tx store.Tx, tenant string) (bool, error) {
		s, err := tx.Settings(ctx, acme)
		if err != nil {
			return false, err
		}
		destroyed, err := tx.DestroyedSecrets(ctx, tenant, s)
		return len(destroyed) < len(s.SecretIDs()), err
	},
	"SettingsHistory": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.SettingsHistory(ctx, tenant, store.Page{})
		return len(l.Items) > 0, err
	},
	"SettingsFromFile": func(tx store.Tx, tenant string) (bool, error) {
		version, err := tx.SettingsFromFile(ctx, tenant)
		return version > 0, err
	},
	"Keys": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Keys(ctx, tenant, store.Page{})
		return len(l.Items) > 0, err
	},
	"Audit": func(tx store.Tx, tenant string) (bool, error) {
		l, err := tx.Audit(ctx, tenant, store.AuditFilter{}, store.Page{})
		return len(l.Items) > 0, err
	},
	"Idempotency": func(tx store.Tx, tenant string) (bool, error) {
		i, err := tx.Idempotency(ctx, tenant, "idem-1")
		return i != nil, err
	},
}

// theirEvent returns acme's event; they see it, whoever asks.
func theirEvent(tx store.Tx) *oms.Event {
	e, err := tx.Event(ctx, acme, "evt-1")
	if err != nil {
		panic(err) // an error of the write
	}
	return e
}

func theirDelivery(tx store.Tx) oms.DeliveryKey {
	return oms.DeliveryKey{Event: theirEvent(tx).Seq, Endpoint: 1}
}

func theirEndpoint(tx store.Tx) *oms.Endpoint {
	e, err := tx.Endpoint(ctx, acme, "ep-1")
	if err != nil {
		panic(err)
	}
	return e
}

// tenantChanges changes, as the other tenant, what is acme's.
var tenantChanges = map[string]func(tx store.Tx) error{
	"UpdateOrder": func(tx store.Tx) error { return tx.UpdateOrder(ctx, other, next(order("o1", 1, `{}`), "a", true)) },
	"EraseOrder":  func(tx store.Tx) error { return tx.EraseOrder(ctx, other, "o1") },
	"EraseSome": func(tx store.Tx) error {
		_, err := tx.EraseSome(ctx, other, &oms.Job{OrderID: "o1"}, 10)
		return errors.Join(err, oms.Errorf(oms.NotFound, "nothing to erase is no error"))
	},
	"UpdateRun":            func(tx store.Tx) error { return tx.UpdateRun(ctx, other, run("run-o1", "o1", 1)) },
	"RequeueRun":           func(tx store.Tx) error { return tx.RequeueRun(ctx, other, run("run-o1", "o1", 1)) },
	"MarkSettingsFromFile": func(tx store.Tx) error { return tx.MarkSettingsFromFile(ctx, other, 1) },
	"DeleteCart":           func(tx store.Tx) error { return tx.DeleteCart(ctx, other, "c1") },
	"DeleteKey":            func(tx store.Tx) error { return tx.DeleteKey(ctx, other, "key-1") },
	"AddEventFor": func(tx store.Tx) error {
		return tx.AddEventFor(ctx, other, event("evt-2", "o1"), theirEndpoint(tx))
	},
	"PutEndpoint": func(tx store.Tx) error { return tx.PutEndpoint(ctx, other, theirEndpoint(tx)) },
	"Reorder": func(tx store.Tx) error {
		e := *theirEndpoint(tx)
		e.Ordering = oms.OrderingSubject
		_, err := tx.Reorder(ctx, other, &e, &oms.Job{Last: 99}, 100)
		return err
	},
	"DeleteEndpoint": func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, other, "ep-1") },
	"SendAgain": func(tx store.Tx) error {
		return tx.SendAgain(ctx, other, theirEvent(tx), theirEndpoint(tx), at(1), false)
	},
	"CancelDelivery": func(tx store.Tx) error { return tx.CancelDelivery(ctx, other, theirDelivery(tx), at(1)) },
}

// tenantInserts is what fillTenant uses.
var tenantInserts = map[string]bool{"InsertOrder": true, "AddHistory": true, "InsertRun": true, "CarryRuns": true, "AddAttempt": true, "PutCart": true,
	"AddEvents": true, "Settle": true, "AddHealth": true, "CancelOrphans": true, // of all tenants
	"PutSettings": true, "InsertKey": true, "PutIdempotency": true, "PutStockItem": true, "PutJob": true}

// fillTenant gives a tenant one of everything, under the same names for all.
func fillTenant(s *suite, tenant, mark string) {
	s.t.Helper()
	must(s.t, s.Write(asked("fill", oms.AuditTarget{}), func(tx store.Tx) error {
		a := attempt("att-more", "o1", 2)
		a.CallID, a.Detail.Request.Body = "call-more", []byte(mark)
		test := attempt("att-test", "o1", 3)
		test.CallID, test.Delivery = "call-test", oms.DeliveryKey{Endpoint: 1}
		for _, err := range []error{
			tx.AddAttempt(ctx, tenant, test),
			tx.InsertOrder(ctx, tenant, order("o1", 1, fmt.Sprintf(`{"mark":%q}`, mark))),
			fill(tx, tenant, "o1"),
			tx.CarryRuns(ctx, tenant, "o1", 1, 2, "New"),
			tx.AddAttempt(ctx, tenant, a),
			tx.PutCart(ctx, tenant, cart(s.t, "c1", 1)),
			tx.PutStockItem(ctx, tenant, stockItem("s1", "1")),
			tx.PutJob(ctx, tenant, job(1)),
			fillEvents(tx, tenant, mark),
			tx.PutSettings(ctx, tenant, someSettings(mark), 0, mark, at(1)),
			tx.MarkSettingsFromFile(ctx, tenant, 1),
			tx.InsertKey(ctx, oms.Key{ID: "key-1", Tenant: tenant, Role: oms.Reader, Created: at(1), Hash: oms.HashKey(tenant)}),
			tx.PutIdempotency(ctx, tenant, store.Idempotency{Key: "idem-1", Hash: []byte(mark), Resource: mark, Created: s.now}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// fillEvents settles acme's delivery as the tenant, too: that is nothing to another one.
func fillEvents(tx store.Tx, tenant, mark string) error {
	endpoint, e := endpoint("ep-1"), event("evt-1", "o1")
	endpoint.URL, e.Data = mark, jsontext.Value(`"`+mark+`"`)
	if err := tx.PutEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	if err := tx.AddEvents(ctx, tenant, e); err != nil {
		return err
	}
	if _, err := tx.AddHealth(ctx, tenant, endpoint.No, store.HealthChange{Succeeded: int64(len(mark)), Failures: store.FailuresInTrouble, FailingSince: at(1)}); err != nil {
		return err
	}
	settled := oms.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No}
	if tenant != acme {
		settled = theirDelivery(tx)
	}
	return tx.Settle(ctx, tenant, settlement(settled, oms.DeliveryPending, len(tenant), at(len(mark))))
}

// contents is what fillTenant made, read back.
type contents struct {
	Order    *oms.Order
	History  []oms.HistoryEntry
	Runs     []*oms.Run
	Attempts []*oms.Attempt
	Settings string
	Keys     []oms.Key
	Kept     *store.Idempotency

	Event      *oms.Event
	Endpoint   *oms.Endpoint
	Deliveries []*oms.Delivery
	Health     oms.Health
}

func snapshot(t *testing.T, s *suite, tenant string) (c contents) {
	t.Helper()
	c.Order = ok[*oms.Order](t)(s.Order(ctx, tenant, "o1"))
	c.History = ok[store.List[oms.HistoryEntry]](t)(s.History(ctx, tenant, "o1", store.Page{})).Items
	c.Runs = ok[store.List[*oms.Run]](t)(s.Runs(ctx, tenant, store.RunFilter{}, store.Page{})).Items
	c.Attempts = append(c.Attempts, ok[*oms.Attempt](t)(s.Attempt(ctx, tenant, "att-o1")), ok[*oms.Attempt](t)(s.Attempt(ctx, tenant, "att-more")))
	c.Settings = nameOf(t, ok[*settings.Settings](t)(s.Settings(ctx, tenant)))
	c.Keys = ok[store.List[oms.Key]](t)(s.Keys(ctx, tenant, store.Page{})).Items
	c.Kept = ok[*store.Idempotency](t)(s.Idempotency(ctx, tenant, "idem-1"))
	c.Event = ok[*oms.Event](t)(s.Event(ctx, tenant, "evt-1"))
	c.Endpoint = ok[*oms.Endpoint](t)(s.Endpoint(ctx, tenant, "ep-1"))
	c.Deliveries = ok[store.List[*oms.Delivery]](t)(s.Deliveries(ctx, tenant, store.DeliveryFilter{}, store.Page{})).Items
	c.Health = ok[oms.Health](t)(s.Health(ctx, tenant, c.Endpoint.No))
	return c
}

// testCursors has every list refuse a cursor that none gave out.
func testCursors(t *testing.T, s *suite) {
	bad := store.Page{Cursor: "no cursor"}
	_, err := s.Orders(ctx, acme, store.OrderFilter{}, bad)
	is(t, err, oms.Invalid)
	_, err = s.History(ctx, acme, "o1", bad)
	is(t, err, oms.Invalid)
	_, err = s.Runs(ctx, acme, store.RunFilter{}, bad)
	is(t, err, oms.Invalid)
	_, err = s.Attempts(ctx, acme, store.AttemptFilter{}, bad)
	is(t, err, oms.Invalid)
	_, err = s.Events(ctx, acme, store.EventFilter{}, bad)
	is(t, err, oms.Invalid)
	_, err = s.Endpoints(ctx, acme, store.EndpointFilter{}, bad)
	is(t, err, oms.Invalid)
	_, err = s.Deliveries(ctx, acme, store.DeliveryFilter{}, bad)
	is(t, err, oms.Invalid)
	_, err = s.Attempts(ctx, acme, store.AttemptFilter{Body: "abc"}, bad)
	is(t, err, oms.Invalid)
	_, err = s.Jobs(ctx, acme, bad)
	is(t, err, oms.Invalid)
	_, err = s.SettingsHistory(ctx, acme, bad)
	is(t, err, oms.Invalid)
	_, err = s.Keys(ctx, acme, bad)
	is(t, err, oms.Invalid)
	_, err = s.Audit(ctx, acme, store.AuditFilter{}, bad)
	is(t, err, oms.Invalid)
}
