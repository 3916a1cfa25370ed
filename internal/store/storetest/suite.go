// Package storetest proves that a storage engine behaves as package store
// says. Every engine runs the whole of it, so that both behave alike.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// Database opens one database, which is empty at first; to open it again,
// after it was closed, is to find what was kept in it. With beside it is opened
// beside what has it open already, as a command does beside a server.
type Database func(clock func() time.Time, beside bool) (store.Store, error)

// Run runs the suite; fresh makes a database for one test.
func Run(t *testing.T, fresh func(t *testing.T) Database) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s *suite)
	}{
		{"Orders", testOrders},
		{"OrderVersions", testOrderVersions},
		{"OrderUnless", testOrderUnless},
		{"OrderDocuments", testOrderDocuments},
		{"OrderConflicts", testOrderConflicts},
		{"OrderPages", testOrderPages},
		{"OrderFilters", testOrderFilters},
		{"OrderFilterPairs", testOrderFilterPairs},
		{"OrderFiltersFollow", testOrderFiltersFollow},
		{"OrderSearch", testOrderSearch},
		{"OrderErased", testOrderErased},
		{"Carts", testCarts},
		{"CartVersions", testCartVersions},
		{"History", testHistory},
		{"Runs", testRuns},
		{"RunLists", testRunLists},
		{"RunFilterPairs", testRunFilterPairs},
		{"NextRun", testNextRun},
		{"RequeuedRun", testRequeuedRun},
		{"RunUnless", testRunUnless},
		{"CarriedRuns", testCarriedRuns},
		{"UnfinishedOrders", testUnfinishedOrders},
		{"Attempts", testAttempts},
		{"AttemptBodies", testAttemptBodies},
		{"AttemptFilters", testAttemptFilters},
		{"EventAttempts", testEventAttempts},
		{"TestAttempt", testTestAttempt},
		{"BodySearch", testBodySearch},
		{"IndexInterrupted", testIndexInterrupted},
		{"IndexErased", testIndexErased},
		{"DeletedEndpointNo", testDeletedEndpointNo},
		{"Unjudged", testUnjudged},
		{"DeletedAndReopened", testDeletedAndReopened},
		{"Stock", testStock},
		{"SecretsOfSettings", testSecretsOfSettings},
		{"SecretsDestroyed", testSecretsDestroyed},
		{"NeededSecrets", testNeededSecrets},
		{"RestoredSecrets", testRestoredSecrets},
		{"ReplacedSecrets", testReplacedSecrets},
		{"ManySecretsDestroyed", testManySecretsDestroyed},
		{"SecretsOfEndpoints", testSecretsOfEndpoints},
		{"Jobs", testJobs},
		{"RunningJobs", testRunningJobs},
		{"Candidates", testCandidates},
		{"ManyCandidates", testManyCandidates},
		{"EventsErased", testEventsErased},
		{"ErasedInSteps", testErasedInSteps},
		{"UpkeepTenants", testUpkeepTenants},
		{"OldAttempts", testOldAttempts},
		{"OldDeliveries", testOldDeliveries},
		{"OldVersions", testOldVersions},
		{"OldHistory", testOldHistory},
		{"OldRuns", testOldRuns},
		{"Waiting", testWaiting},
		{"EndpointsInTrouble", testEndpointsInTrouble},
		{"ManyWait", testManyWait},
		{"Calls", testCalls},
		{"CallsOfDeliveries", testCallsOfDeliveries},
		{"UpkeepRests", testUpkeepRests},
		{"Events", testEvents},
		{"EventAgain", testEventAgain},
		{"EventOrder", testEventOrder},
		{"EventLists", testEventLists},
		{"NobodyWants", testNobodyWants},
		{"EventFor", testEventFor},
		{"Endpoints", testEndpoints},
		{"EndpointLists", testEndpointLists},
		{"EndpointFilters", testEndpointFilters},
		{"EndpointDeleted", testEndpointDeleted},
		{"EveryEndpoint", testEveryEndpoint},
		{"Subscriptions", testSubscriptions},
		{"SubscriptionsOfManyWriters", testSubscriptionsOfManyWriters},
		{"Listener", testListener},
		{"Watcher", testWatcher},
		{"Health", testHealth},
		{"Deliveries", testDeliveries},
		{"ManyDeliveries", testManyDeliveries},
		{"SettledLate", testSettledLate},
		{"DeliveryLists", testDeliveryLists},
		{"DeliveriesByOutcome", testDeliveriesByOutcome},
		{"DueDeliveries", testDueDeliveries},
		{"SendAgain", testSendAgain},
		{"CancelDelivery", testCancelDelivery},
		{"Orphans", testOrphans},
		{"Groups", testGroups},
		{"Reordered", testReordered},
		{"ReorderedMeanwhile", testReorderedMeanwhile},
		{"GroupsByChance", testGroupsByChance},
		{"Settings", testSettings},
		{"SettingsInTransactions", testSettingsInTransactions},
		{"SettingsFromFile", testSettingsFromFile},
		{"Keys", testKeys},
		{"LastAdmin", testLastAdmin},
		{"Audit", testAudit},
		{"AuditWithTheChange", testAuditWithTheChange},
		{"AuditTarget", testAuditTarget},
		{"AuditFilters", testAuditFilters},
		{"OldAudit", testOldAudit},
		{"Sessions", testSessions},
		{"MostSessions", testMostSessions},
		{"OldSessions", testOldSessions},
		{"Idempotency", testIdempotency},
		{"Twin", testTwin},
		{"Cursors", testCursors},
		{"PageBytes", testPageBytes},
		{"Tenants", testTenants},
		{"OwnChanges", testOwnChanges},
		{"Overtaken", testOvertaken},
		{"FailedWrite", testFailedWrite},
		{"FailedAmongOthers", testFailedAmongOthers},
		{"Panic", testPanic},
		{"NoLostUpdate", testNoLostUpdate},
		{"CanceledContext", testCanceledContext},
		{"Reopened", testReopened},
		{"Closed", testClosed},
		{"Ping", testPing},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &suite{t: t, database: fresh(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			s.open()
			t.Cleanup(s.close)
			test.run(t, s)
		})
	}
}

// The tenants of the suite: what is kept is acme's, unless a test says otherwise.
const (
	acme  = "acme"
	other = "other"
)

var ctx = context.Background()

// suite is one test's store.
type suite struct {
	store.Store
	t        *testing.T
	database Database
	now      time.Time // what the store's clock shows
}

func (s *suite) open() {
	s.t.Helper()
	opened, err := s.database(func() time.Time { return s.now }, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Store = opened
}

func (s *suite) close() {
	if s.Store == nil {
		return
	}
	if err := s.Store.Close(); err != nil {
		s.t.Error(err)
	}
	s.Store = nil
}

// write runs do, which must not fail.
func (s *suite) write(do func(tx store.Tx) error) {
	s.t.Helper()
	if err := s.Write(ctx, do); err != nil {
		s.t.Fatal(err)
	}
}

// beside runs do, which must not fail, from another process, as it were.
func (s *suite) beside(do func(tx store.Tx) error) error {
	other, err := s.database(func() time.Time { return s.now }, true)
	if err != nil {
		return err
	}
	return errors.Join(other.Write(ctx, do), other.Close())
}

// erase erases an order, in small steps.
func (s *suite) erase(tenant, id string) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.EraseOrder(ctx, tenant, id) })
	j, done := &oms.Job{OrderID: id}, false
	for !done {
		var next oms.Job
		s.write(func(tx store.Tx) (err error) {
			next = *j
			done, err = tx.EraseSome(ctx, tenant, &next, 2)
			return err
		})
		j = &next
	}
}

// insert stores new orders of acme.
func (s *suite) insert(orders ...*oms.Order) {
	s.t.Helper()
	s.write(func(tx store.Tx) error {
		for _, o := range orders {
			if err := tx.InsertOrder(ctx, acme, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// at returns a time so many seconds after the suite's first.
func at(seconds int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, seconds, 123456000, time.UTC)
}

// order returns a first version, created at a second, with a document that has
// the fields of the given one too.
func order(id string, created int, fields string) *oms.Order {
	doc := object(fields)
	doc.Set("id", id)
	if !doc.Has("status") {
		doc.Set("status", "New")
	}
	return &oms.Order{ID: id, Version: 1, StatusVersion: 1, Created: at(created), Modified: at(created), Doc: doc}
}

// next returns the version that follows, with a field set.
func next(o *oms.Order, field string, value any) *oms.Order {
	n := *o
	n.Doc = o.Doc.Clone()
	n.Doc.Set(field, value)
	n.Version++
	n.Modified = n.Modified.Add(time.Second)
	return &n
}

func object(text string) *oms.Object {
	o, err := oms.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return o
}

// same compares what was kept with what came back: documents by their JSON,
// numbers to the last digit, no list like an empty one.
func same[T any](t *testing.T, got, want T) {
	t.Helper()
	documents := cmp.Comparer(func(a, b *oms.Object) bool { return bytes.Equal(a.JSON(), b.JSON()) })
	if diff := cmp.Diff(want, got, documents, cmpopts.EquateComparable(secret.Value{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("not what was kept (-want +got):\n%s", diff)
	}
}

// is checks the kind of an error.
func is(t *testing.T, err error, kind oms.Kind) {
	t.Helper()
	if err == nil || oms.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %d", err, kind)
	}
}

// ok ends the test if there is an error; so it is not for use within a write,
// which runs on a goroutine of the engine's.
func ok[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// pages reads a list to its end, page by page, and checks that each is full but the last.
func pages[T any](t *testing.T, limit int, list func(store.Page) (store.List[T], error)) (all []T) {
	t.Helper()
	for cursor := ""; ; {
		l, err := list(store.Page{Limit: limit, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l.Items...)
		if cursor = l.NextCursor; cursor == "" {
			return all
		}
		if len(l.Items) != limit {
			t.Fatalf("a page of %d, with another behind it, has %d", limit, len(l.Items))
		}
	}
}

// ids maps a list to what tells its items apart.
func ids[T any](list []T, id func(T) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = id(v)
	}
	return out
}

func documentID(d store.Document) string { return d.ID }
func runID(r *oms.Run) string            { return r.ID }
