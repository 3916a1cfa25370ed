package storetest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// testTenants proves that no tenant reads or changes anything of another: it calls every
// method of a transaction as another tenant, for things that acme has. It is told that
// they do not exist, not that they are somebody else's. What it then stores under the
// same names changes nothing of acme's, and neither does erasing it.
//
// A method that is added to package store fails the test until it is tried here.
func testTenants(t *testing.T, s *suite) {
	fillTenant(s, acme, "theirs")
	// The snapshot is compared twice below: after the other tenant has stored the same
	// names, and after it has erased its own.
	before := snapshot(t, s, acme)
	s.write(func(tx store.Tx) error {
		for name, read := range tenantReads {
			seen, err := read(tx, other)
			if err != nil && apierr.KindOf(err) != apierr.NotFound {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil && seen {
				t.Errorf("%s shows what is another tenant's", name)
			}
			// The same question, asked as acme, shows something: otherwise the test would
			// prove nothing.
			// A write takes what it holds for what is stored; a channel shows nothing by itself.
			if name == "OrderUnless" || name == "RunUnless" || name == "FeedGrows" {
				continue
			}
			if seen, err := read(tx, acme); err != nil || !seen {
				t.Errorf("%s does not show acme its own: %v", name, err)
			}
		}
		return nil
	})
	// Each change has a write of its own, because the first error would undo the others.
	for name, change := range tenantChanges {
		err := s.Write(ctx, func(tx store.Tx) error { return change(tx) })
		if apierr.KindOf(err) != apierr.NotFound {
			t.Errorf("%s of what is another tenant's: %v", name, err)
		}
	}
	fillTenant(s, other, "mine")
	same(t, snapshot(t, s, acme), before)
	s.erase(other, "o1")
	same(t, snapshot(t, s, acme), before)
	everyMethod(t)
}

// everyMethod checks that each method of [store.Tx] is in one of the three lists, so that
// none is forgotten.
func everyMethod(t *testing.T) {
	for m := range reflect.TypeFor[store.Tx]().Methods() {
		_, read := tenantReads[m.Name]
		_, change := tenantChanges[m.Name]
		if !read && !change && !tenantInserts[m.Name] {
			t.Errorf("%s is not tried as another tenant", m.Name)
		}
	}
}

// tenantReads has each question, which it asks as the given tenant for something of
// acme's. It says whether an answer shows anything.
var tenantReads = map[string]func(tx store.Tx, tenant string) (bool, error){
	"Order": func(tx store.Tx, tenant string) (bool, error) {
		o, err := tx.Order(ctx, tenant, "o1")
		return o != nil, err
	},
	"OrderVersion": func(tx store.Tx, tenant string) (bool, error) {
		o, err := tx.OrderVersion(ctx, tenant, "o1", 1)
		return o != nil, err
	},
	// The answer must not be the order of acme, even to a caller that holds a version of
	// it.
	"OrderUnless": func(tx store.Tx, tenant string) (bool, error) {
		o, err := tx.OrderUnless(ctx, tenant, &order.Order{ID: "o1"})
		return o != nil, err
	},
	"RunUnless": func(tx store.Tx, tenant string) (bool, error) {
		r, err := tx.RunUnless(ctx, tenant, "run-o1", 99)
		return r != nil, err
	},
	"Feed": func(tx store.Tx, tenant string) (bool, error) {
		e, err := tx.Endpoint(ctx, acme, "ep-1")
		if err != nil {
			return false, err
		}
		f, err := tx.Feed(ctx, tenant, e.No, store.FeedQuery{Limit: 10, Bytes: 1 << 20})
		return len(f.Entries) > 0, err
	},
	"FeedEnd": func(tx store.Tx, tenant string) (bool, error) {
		end, err := tx.FeedEnd(ctx, tenant)
		return end > 0, err
	},
	"FeedGrows": func(tx store.Tx, tenant string) (bool, error) {
		select {
		case <-tx.FeedGrows(tenant, 1):
			return true, nil
		default:
			return false, nil
		}
	},
	"Place": func(tx store.Tx, tenant string) (bool, error) {
		e, err := tx.Endpoint(ctx, acme, "ep-1")
		if err != nil {
			return false, err
		}
		f, err := tx.Feed(ctx, acme, e.No, store.FeedQuery{Limit: 10, Bytes: 1 << 20})
		if err != nil || len(f.Entries) == 0 {
			return false, err
		}
		p, err := tx.Place(ctx, tenant, event.DeliveryKey{Event: f.Entries[0].Event.Seq, Endpoint: e.No})
		return p != nil && p.Position > 0, err
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
		l, err := tx.Attempts(ctx, tenant, store.AttemptFilter{Related: event.Related{OrderID: "o1"}}, store.Page{})
		return len(l.Items) > 0, err
	},
	"Agreements": func(tx store.Tx, tenant string) (bool, error) {
		all, err := tx.Agreements(ctx, tenant)
		return len(all) > 0, err
	},
	"Agreement": func(tx store.Tx, tenant string) (bool, error) {
		a, err := tx.Agreement(ctx, tenant, "shadow-1")
		return a != nil, err
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
		n, err := tx.AttemptCount(ctx, tenant, store.AttemptFilter{Related: event.Related{OrderID: "o1"}})
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
	// Counts show something, too: how much another tenant has to do is nobody else's
	// business.
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
		l, err := tx.Events(ctx, tenant, store.EventFilter{Related: event.Related{OrderID: "o1"}}, store.Page{})
		return len(l.Items) > 0, err
	},
	"Endpoint": func(tx store.Tx, tenant string) (bool, error) {
		e, err := tx.Endpoint(ctx, tenant, "ep-1")
		return e != nil, err
	},
	// The number alone would tell that an endpoint of this name exists.
	"EndpointNo": func(tx store.Tx, tenant string) (bool, error) {
		no, err := tx.EndpointNo(ctx, tenant, "ep-1")
		return no > 0, err
	},
	"EndpointStates": func(tx store.Tx, tenant string) (bool, error) {
		stateOf, err := tx.EndpointStates(ctx, tenant)
		if err != nil {
			return false, err
		}
		return stateOf(1).Exists, nil
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
		return err == nil && len(s.ReceiversOf(newEvent("e", "o1"), filter.NewEffort())) > 0, err
	},
	"Health": func(tx store.Tx, tenant string) (bool, error) {
		h, err := tx.Health(ctx, tenant, 1)
		return h != event.Health{}, err
	},
	"StoredHealth": func(tx store.Tx, tenant string) (bool, error) {
		h, err := tx.StoredHealth(ctx, tenant, 1)
		return h != event.Health{}, err
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
	// The job covers all times and numbers, so only the tenant can keep events out.
	"Candidates": func(tx store.Tx, tenant string) (bool, error) {
		all := &job.Job{What: job.RecoverMissing, To: at(99), Last: math.MaxInt64}
		events, _, err := tx.Candidates(ctx, tenant, all, 99, 10)
		return len(events) > 0, err
	},
	"NewestMissing": func(tx store.Tx, tenant string) (bool, error) {
		all := &job.Job{What: job.RecoverMissing, To: at(99), Last: math.MaxInt64}
		events, _, err := tx.NewestMissing(ctx, tenant, all, 99, 10)
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
	// The caller brings acme's settings. For another tenant all secrets in them count as
	// destroyed, so that nothing tells which of them exist.
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
	"Key": func(tx store.Tx, tenant string) (bool, error) {
		k, err := tx.Key(ctx, tenant, "key-1")
		return k.ID != "", err
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

// theirEvent returns acme's event, also to a change that is made as another tenant: such
// a caller may know its id and its number from anywhere.
func theirEvent(tx store.Tx) *event.Event {
	e, err := tx.Event(ctx, acme, "evt-1")
	if err != nil {
		panic(err) // an error of the write
	}
	return e
}

// theirDelivery returns the key of acme's delivery.
func theirDelivery(tx store.Tx) event.DeliveryKey {
	return event.DeliveryKey{Event: theirEvent(tx).Seq, Endpoint: 1}
}

// theirEndpoint returns acme's endpoint.
func theirEndpoint(tx store.Tx) *event.Endpoint {
	e, err := tx.Endpoint(ctx, acme, "ep-1")
	if err != nil {
		panic(err)
	}
	return e
}

// tenantChanges has each change of something that must exist. It makes the change as the
// other tenant, of something that is acme's, and has to be told that it does not exist.
var tenantChanges = map[string]func(tx store.Tx) error{
	"UpdateOrder": func(tx store.Tx) error { return tx.UpdateOrder(ctx, other, next(newOrder("o1", 1, `{}`), "a", true)) },
	"EraseOrder":  func(tx store.Tx) error { return tx.EraseOrder(ctx, other, "o1") },
	// To erase nothing is no error, so the kind that the test wants is added. That acme's
	// things are still there is for the snapshot to prove.
	"EraseSome": func(tx store.Tx) error {
		_, err := tx.EraseSome(ctx, other, &job.Job{OrderID: "o1"}, 10)
		return errors.Join(err, apierr.Errorf(apierr.NotFound, "nothing to erase is no error"))
	},
	"UpdateRun":            func(tx store.Tx) error { return tx.UpdateRun(ctx, other, newRun("run-o1", "o1", 1)) },
	"RequeueRun":           func(tx store.Tx) error { return tx.RequeueRun(ctx, other, newRun("run-o1", "o1", 1)) },
	"MarkSettingsFromFile": func(tx store.Tx) error { return tx.MarkSettingsFromFile(ctx, other, 1) },
	"DeleteCart":           func(tx store.Tx) error { return tx.DeleteCart(ctx, other, "c1") },
	"DeleteKey":            func(tx store.Tx) error { return tx.DeleteKey(ctx, other, "key-1") },
	"AddEventFor": func(tx store.Tx) error {
		return tx.AddEventFor(ctx, other, newEvent("evt-2", "o1"), theirEndpoint(tx))
	},
	"PutEndpoint": func(tx store.Tx) error { return tx.PutEndpoint(ctx, other, theirEndpoint(tx)) },
	// The job goes up to the event 99, so acme's event would be among them.
	"Reorder": func(tx store.Tx) error {
		e := *theirEndpoint(tx)
		e.Ordering = event.OrderingSubject
		_, err := tx.Reorder(ctx, other, &e, &job.Job{Last: 99}, 100)
		return err
	},
	"DeleteEndpoint": func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, other, "ep-1") },
	"UpdateKey": func(tx store.Tx) error {
		_, err := tx.UpdateKey(ctx, other, "key-1", func(*access.Key) ([]string, error) { return nil, nil })
		return err
	},
	"SendAgain": func(tx store.Tx) error {
		return tx.SendAgain(ctx, other, theirEvent(tx), theirEndpoint(tx), at(1), false)
	},
	"CancelDelivery": func(tx store.Tx) error { return tx.CancelDelivery(ctx, other, theirDelivery(tx), at(1)) },
}

// tenantInserts has the methods that make something, or that do nothing where there is
// nothing. There is no error to look for, so fillTenant uses them for both tenants, and
// acme's must stay as it is.
// A new method that returns an error for what is not there belongs in tenantChanges.
var tenantInserts = map[string]bool{"InsertOrder": true, "AddHistory": true, "InsertRun": true, "RebaseRuns": true, "OvertakeRuns": true,
	"NoteTry": true, "NoteInterception": true, // an entry of the audit log alone
	"AddAttempt": true, "PutCart": true,
	"AddEvents": true, "CompleteDeliveries": true, "AddHealth": true, "CancelOrphans": true, // of all tenants
	"PutSettings": true, "InsertKey": true, "NoteKeyUses": true, "ImportEvents": true, "PutIdempotency": true, "PutStockItem": true, "PutJob": true,
	"PutAgreement": true, "DropAgreement": true}

// fillTenant gives a tenant one of everything, under the same names for each tenant. mark
// is in the contents, so that those of two tenants differ.
func fillTenant(s *suite, tenant, mark string) {
	s.t.Helper()
	must(s.t, s.Write(asked("fill", access.AuditTarget{}), func(tx store.Tx) error {
		// These attempts have a call of their own, so they do not mix with those of fill.
		a := newAttempt("att-more", "o1", 2)
		a.CallID, a.Detail.Request.Body = "call-more", []byte(mark)
		test := newAttempt("att-test", "o1", 3)
		test.CallID, test.Delivery = "call-test", event.DeliveryKey{Endpoint: 1}
		for _, err := range []error{
			tx.AddAttempt(ctx, tenant, test),
			tx.InsertOrder(ctx, tenant, newOrder("o1", 1, fmt.Sprintf(`{"mark":%q}`, mark))),
			fill(tx, tenant, "o1"),
			tx.RebaseRuns(ctx, tenant, "o1", 1, 2, "New"),
			tx.OvertakeRuns(ctx, tenant, "o1", []string{"S1"}),
			tx.AddAttempt(ctx, tenant, a),
			tx.PutCart(ctx, tenant, newCart(s.t, "c1", 1)),
			tx.PutStockItem(ctx, tenant, stockItem("s1", "1")),
			tx.PutJob(ctx, tenant, newJob(1)),
			tx.PutAgreement(ctx, tenant, agreement("shadow-1")),
			tx.DropAgreement(ctx, tenant, "shadow-0"),
			fillEvents(tx, tenant, mark),
			tx.PutSettings(ctx, tenant, someSettings(mark), 0, mark, at(1)),
			tx.MarkSettingsFromFile(ctx, tenant, 1),
			tx.InsertKey(ctx, access.Key{ID: "key-1", Tenant: tenant, Role: access.Reader, Created: at(1), Hash: access.HashKey(tenant)}),
			tx.ImportEvents(ctx, tenant, newEvent("evt-imported", "o1")),
			tx.NoteKeyUses(ctx, tenant, map[string]time.Time{"key-1": at(len(tenant))}),
			tx.PutIdempotency(ctx, tenant, store.Idempotency{Key: "idem-1", Hash: []byte(mark), Resource: mark, Created: s.now}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// fillEvents is fillTenant for what concerns events. Another tenant than acme completes
// acme's delivery, too, which must have no effect.
func fillEvents(tx store.Tx, tenant, mark string) error {
	endpoint, e := endpoint("ep-1"), newEvent("evt-1", "o1")
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
	completed := event.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No}
	// The key of a delivery is two numbers, and anybody can write two numbers.
	if tenant != acme {
		completed = theirDelivery(tx)
	}
	return completeIn(tx, tenant, completion(completed, event.DeliveryPending, len(tenant), at(len(mark))))
}

// contents is what fillTenant made, read back, so that a test can compare the whole
// before and after.
// Only what a caller of the API could see is in it.
type contents struct {
	Order       *order.Order
	History     []order.HistoryEntry
	Runs        []*run.Run
	Attempts    []*attempt.Attempt
	Settings    string
	Keys        []access.Key
	Idempotency *store.Idempotency

	Event      *event.Event
	Endpoint   *event.Endpoint
	Deliveries []*event.Delivery
	Health     event.Health
}

// snapshot reads a tenant's contents.
// Everything is read through the store and not in a transaction, as callers read it.
func snapshot(t *testing.T, s *suite, tenant string) (c contents) {
	t.Helper()
	c.Order = ok[*order.Order](t)(s.Order(ctx, tenant, "o1"))
	c.History = ok[store.List[order.HistoryEntry]](t)(s.History(ctx, tenant, "o1", store.Page{})).Items
	c.Runs = ok[store.List[*run.Run]](t)(s.Runs(ctx, tenant, store.RunFilter{}, store.Page{})).Items
	c.Attempts = append(c.Attempts, ok[*attempt.Attempt](t)(s.Attempt(ctx, tenant, "att-o1")), ok[*attempt.Attempt](t)(s.Attempt(ctx, tenant, "att-more")))
	c.Settings = nameOf(t, ok[*settings.Settings](t)(s.Settings(ctx, tenant)))
	c.Keys = ok[store.List[access.Key]](t)(s.Keys(ctx, tenant, store.Page{})).Items
	c.Idempotency = ok[*store.Idempotency](t)(s.Idempotency(ctx, tenant, "idem-1"))
	c.Event = ok[*event.Event](t)(s.Event(ctx, tenant, "evt-1"))
	c.Endpoint = ok[*event.Endpoint](t)(s.Endpoint(ctx, tenant, "ep-1"))
	c.Deliveries = ok[store.List[*event.Delivery]](t)(s.Deliveries(ctx, tenant, store.DeliveryFilter{}, store.Page{})).Items
	c.Health = ok[event.Health](t)(s.Health(ctx, tenant, c.Endpoint.No))
	return c
}

// testCursors proves that every list refuses a cursor that no list has given. It is an
// error of the caller, not of the server, and the list must not simply begin again, which
// would let a caller read for ever.
func testCursors(t *testing.T, s *suite) {
	// A caller may send any text as a cursor. No list must take it for a place in its
	// table.
	bad := store.Page{Cursor: "no cursor"}
	_, err := s.Orders(ctx, acme, store.OrderFilter{}, bad)
	is(t, err, apierr.Invalid)
	_, err = s.History(ctx, acme, "o1", bad)
	is(t, err, apierr.Invalid)
	_, err = s.Runs(ctx, acme, store.RunFilter{}, bad)
	is(t, err, apierr.Invalid)
	_, err = s.Attempts(ctx, acme, store.AttemptFilter{}, bad)
	is(t, err, apierr.Invalid)
	_, err = s.Events(ctx, acme, store.EventFilter{}, bad)
	is(t, err, apierr.Invalid)
	_, err = s.Endpoints(ctx, acme, store.EndpointFilter{}, bad)
	is(t, err, apierr.Invalid)
	_, err = s.Deliveries(ctx, acme, store.DeliveryFilter{}, bad)
	is(t, err, apierr.Invalid)
	// A search in bodies has cursors of another form, so it is tried by itself.
	_, err = s.Attempts(ctx, acme, store.AttemptFilter{Body: "abc"}, bad)
	is(t, err, apierr.Invalid)
	_, err = s.Jobs(ctx, acme, bad)
	is(t, err, apierr.Invalid)
	_, err = s.SettingsHistory(ctx, acme, bad)
	is(t, err, apierr.Invalid)
	_, err = s.Keys(ctx, acme, bad)
	is(t, err, apierr.Invalid)
	_, err = s.Audit(ctx, acme, store.AuditFilter{}, bad)
	is(t, err, apierr.Invalid)
}
