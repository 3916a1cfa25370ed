// Package storetest proves that a storage engine behaves as package store says. Every
// engine runs all of it, so every engine behaves in the same way, and the rest of
// orderhook need not know which one it has.
//
// The tests may use what package store and the packages of the domain say, and nothing
// else: no SQL, no table, no file, no name of an engine. What only one engine does is
// tested in the package of that engine. A promise of package store that no test here
// proves may be broken by an engine without anybody noticing, so a new method of its
// interfaces needs a test here.
//
// Start with [Run], which lists all tests, and with the suite type, which has what they
// share: [Database], the clock, and writes that must not fail. Each file has the tests of
// one subject. Two small ones show the style: testHistory and testNobodyWants.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// Database opens one database. It is empty when it is opened for the first time. If it is
// opened again after it was closed, it has what was stored in it. If beside is true, it
// is opened while it is open already, as a command of orderhook does it beside a running
// server. The store asks clock for the time whenever it needs it.
type Database func(clock func() time.Time, beside bool) (store.Store, error)

// Run runs all tests of the suite, each at a database of its own, so they run in
// parallel. fresh makes a database for one test, and registers with the test how it is
// removed.
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
		{"BlankFilters", testBlankFilters},
		{"OrderSearch", testOrderSearch},
		{"OrderErased", testOrderErased},
		{"OrderMadeAnew", testOrderMadeAnew},
		{"Carts", testCarts},
		{"CartVersions", testCartVersions},
		{"History", testHistory},
		{"Runs", testRuns},
		{"RunLists", testRunLists},
		{"RunFilterPairs", testRunFilterPairs},
		{"NextRun", testNextRun},
		{"RequeuedRun", testRequeuedRun},
		{"RunUnless", testRunUnless},
		{"RebasedRuns", testRebasedRuns},
		{"CurrentRuns", testCurrentRuns},
		{"CurrentRunsOfAnyText", testCurrentRunsOfAnyText},
		{"UnfinishedOrders", testUnfinishedOrders},
		{"Attempts", testAttempts},
		{"Agreements", testAgreements},
		{"ShadowErased", testShadowErased},
		{"AttemptBodies", testAttemptBodies},
		{"AttemptFilters", testAttemptFilters},
		{"EventAttempts", testEventAttempts},
		{"TestAttempt", testTestAttempt},
		{"BodySearch", testBodySearch},
		{"IndexInterrupted", testIndexInterrupted},
		{"IndexErased", testIndexErased},
		{"DeletedEndpointNo", testDeletedEndpointNo},
		{"FilterFailures", testFilterFailures},
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
		{"MaintenanceTenants", testMaintenanceTenants},
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
		{"OldMinutes", testOldMinutes},
		{"CompletedTogether", testCompletedTogether},
		{"CompletedTwice", testCompletedTwice},
		{"RecordsOfDeliveries", testRecordsOfDeliveries},
		{"MaintenanceYields", testMaintenanceYields},
		{"Events", testEvents},
		{"EventAgain", testEventAgain},
		{"EventTrace", testEventTrace},
		{"EventOrder", testEventOrder},
		{"EventLists", testEventLists},
		{"Feed", testFeed},
		{"FeedOfManyWriters", testFeedOfManyWriters},
		{"FeedAfterRestart", testFeedAfterRestart},
		{"FeedRetained", testFeedRetained},
		{"FeedOfChangingEndpoints", testFeedOfChangingEndpoints},
		{"FeedWhileEndpointsChange", testFeedWhileEndpointsChange},
		{"FeedHeadsTooOld", testFeedHeadsTooOld},
		{"FeedWhileRetentionRemoves", testFeedWhileRetentionRemoves},
		{"FeedOfManyEndpoints", testFeedOfManyEndpoints},
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
		{"CompletedLate", testCompletedLate},
		{"DeliveryLists", testDeliveryLists},
		{"DeliveriesByOutcome", testDeliveriesByOutcome},
		{"SendableDeliveries", testSendableDeliveries},
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
		{"SettingsAssumed", testSettingsAssumed},
		{"SettingsFromFile", testSettingsFromFile},
		{"Keys", testKeys},
		{"LastAdmin", testLastAdmin},
		{"KeyLimits", testKeyLimits},
		{"ExpiredKeys", testExpiredKeys},
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
			// The store's clock stands still at a time that is later than all times of
			// [at]. A test that needs time to pass changes s.now.
			s := &suite{t: t, database: fresh(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			s.open()
			t.Cleanup(s.close)
			test.run(t, s)
		})
	}
}

// The tenants of the suite. Everything is stored for acme unless a test says otherwise. A
// test that stores the same for other proves that acme does not see it.
const (
	acme  = "acme"
	other = "other"
)

// ctx never ends. It is not that of a caller, so no limit for callers applies to reads
// that use it, and no write that uses it leaves an entry in the audit log.
var ctx = context.Background()

// suite is the store of one test, and what the tests share. Its methods end the test if
// an error occurs.
type suite struct {
	store.Store
	t        *testing.T
	database Database
	now      time.Time // what the store's clock shows
}

// open opens the database. After close it opens the same one again, as the next start of
// the server would.
func (s *suite) open() {
	s.t.Helper()
	// The clock reads s.now at each call, so a test that changes s.now lets time pass for
	// the store.
	opened, err := s.database(func() time.Time { return s.now }, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Store = opened
}

// close closes the database, and has to succeed. It may be called twice: the first time
// by a test that opens it again, the second time at the end of the test.
// An error of Close fails the test, but does not end it.
func (s *suite) close() {
	if s.Store == nil {
		return
	}
	if err := s.Store.Close(); err != nil {
		s.t.Error(err)
	}
	s.Store = nil
}

// write runs do, which must succeed. As [store.Store] says, do may run more than once,
// and must not end the test: it returns its error instead.
func (s *suite) write(do func(tx store.Tx) error) {
	s.t.Helper()
	if err := s.Write(ctx, do); err != nil {
		s.t.Fatal(err)
	}
}

// beside runs do, which must succeed, in the same database, but through a store that is
// opened for that alone. For s this is a write of another process: nothing in its memory
// knows of it.
func (s *suite) beside(do func(tx store.Tx) error) error {
	// A store that cannot be opened beside another one is an error of the engine.
	other, err := s.database(func() time.Time { return s.now }, true)
	if err != nil {
		return err
	}
	// The second store is closed even if the write failed.
	return errors.Join(other.Write(ctx, do), other.Close())
}

// erase erases an order completely, in steps of two rows, as the job does it that follows
// the deletion.
func (s *suite) erase(tenant, id string) {
	s.t.Helper()
	if err := eraseBy(func(do func(tx store.Tx) error) error { s.write(do); return nil }, tenant, id); err != nil {
		s.t.Fatal(err)
	}
}

// eraseBy erases an order by writes of one process.
func eraseBy(write func(do func(tx store.Tx) error) error, tenant, id string) error {
	err := write(func(tx store.Tx) error { return tx.EraseOrder(ctx, tenant, id) })
	j, done := &job.Job{OrderID: id}, false
	for err == nil && !done {
		var next job.Job
		// A write may run twice, so each run begins with the job as the last commit left
		// it.
		err = write(func(tx store.Tx) (err error) {
			next = *j
			done, err = tx.EraseSome(ctx, tenant, &next, 2)
			return err
		})
		j = &next
	}
	return err
}

// insert stores new orders of acme.
func (s *suite) insert(orders ...*order.Order) {
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

// at returns the time that is so many seconds after the suite's first. It has
// microseconds, which an engine has to store, too.
// All these times are before s.now, which the suite begins with.
func at(seconds int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, seconds, 123456000, time.UTC)
}

// newOrder returns the first version of an order, created at a second. Its document has
// the given fields, and also an id and a status.
func newOrder(id string, created int, fields string) *order.Order {
	doc := object(fields)
	doc.Set("id", id)
	if !doc.Has("status") {
		doc.Set("status", "New")
	}
	return &order.Order{ID: id, Version: 1, StatusVersion: 1, Created: at(created), Modified: at(created), Doc: doc}
}

// next returns the next version of an order, with one field of its document changed. The
// version that is given stays as it is.
func next(o *order.Order, field string, value any) *order.Order {
	// The copy shares the fields that are not documents. Nobody changes those in place.
	n := *o
	n.Doc = o.Doc.Clone()
	n.Doc.Set(field, value)
	n.Version++
	n.Modified = n.Modified.Add(time.Second)
	return &n
}

// object parses the text of a document. The text is written in the test, so an error in
// it is an error of the test.
func object(text string) *jsondoc.Object {
	o, err := schema.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return o
}

// same compares what was stored with what was read back. Documents are compared by their
// JSON, so numbers have to agree to the last digit. An empty list and no list at all
// count as the same. Where an event stands in a feed is given by its commit, and has tests of
// its own (feed.go).
func same[T any](t *testing.T, got, want T) {
	t.Helper()
	// A document has fields that are not exported, and cmp would panic at them.
	documents := cmp.Comparer(func(a, b *jsondoc.Object) bool { return bytes.Equal(a.JSON(), b.JSON()) })
	if diff := cmp.Diff(want, got, documents, cmpopts.EquateComparable(secret.Value{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(event.Delivery{}, "Place")); diff != "" {
		t.Errorf("not what was kept (-want +got):\n%s", diff)
	}
}

// is checks that there is an error of this kind. Only the kind is a promise of package
// store. Where the text is one too, the test compares it itself.
func is(t *testing.T, err error, kind apierr.Kind) {
	t.Helper()
	if err == nil || apierr.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %d", err, kind)
	}
}

// ok returns a function that returns the value of a call and ends the test if the call
// returned an error. It is not for use within a write, which must not end its goroutine.
func ok[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// pages reads a list page by page to its end. It checks that each page is full except the
// last one, so that an engine that leaves items out of a page is found. Package store
// allows short pages only where a filter picks few of many rows, and these lists are
// small.
// A list that never ends fails by the test's own time limit.
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

// idsOf returns what tells the items of a list apart, so that a failing test shows a
// short line for each.
func idsOf[T any](list []T, id func(T) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = id(v)
	}
	return out
}

func documentID(d store.Document) string { return d.ID }
func runID(r *run.Run) string            { return r.ID }
