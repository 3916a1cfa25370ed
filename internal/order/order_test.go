package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/timetext"
)

// newOrder makes an order that must be sound.
func newOrder(t *testing.T, json string) *order.Order {
	t.Helper()
	o, err := order.NewOrder(ordertest.Doc(t, json), ordertest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestNewOrderCompletesTheDocument(t *testing.T) {
	const stamp = `"version":1,"modified":"2026-11-21T12:00:00.000000Z"}`
	for _, tc := range []struct{ name, in, want string }{
		{"all there", `{"id":"BGO-1","status":"Paid","created":"2026-11-20T08:00:00Z"}`, `{"id":"BGO-1","status":"Paid","created":"2026-11-20T08:00:00Z",` + stamp},
		{"status and created", `{"id":"BGO-1"}`, `{"id":"BGO-1","status":"New","created":"2026-11-21T12:00:00.000000Z",` + stamp},
		{"nulls are as absent", `{"id":"BGO-1","status":null,"created":null}`, `{"id":"BGO-1","status":"New","created":"2026-11-21T12:00:00.000000Z",` + stamp},
		{"an empty created too", `{"id":"BGO-1","status":"New","created":""}`, `{"id":"BGO-1","status":"New","created":"2026-11-21T12:00:00.000000Z",` + stamp},
		{"version and modified are orderhook's", `{"id":"BGO-1","status":"New","created":"2026-11-20T08:00:00Z","version":7,"modified":"x"}`, `{"id":"BGO-1","status":"New","created":"2026-11-20T08:00:00Z",` + stamp},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := newOrder(t, tc.in)
			ordertest.Same(t, o.Doc, tc.want)
			if o.ID != "BGO-1" || o.Version != 1 || o.StatusVersion != 1 || o.Status() != o.Doc.Text("status") || !o.Modified.Equal(ordertest.Noon) {
				t.Errorf("the order is %+v", o)
			}
		})
	}
}

func TestNewOrderMakesAnID(t *testing.T) {
	for _, in := range []string{`{}`, `{"id":null}`} {
		o := newOrder(t, in)
		if !strings.HasPrefix(o.ID, ids.Order) || o.Doc.Text("id") != o.ID {
			t.Errorf("the id is %q, the document's %q", o.ID, o.Doc.Text("id"))
		}
	}
}

func TestNewOrderReadsTheTimeOfCreation(t *testing.T) {
	for in, want := range map[string]time.Time{
		"2026-11-20T08:00:00Z":             time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		"2026-11-20T08:00:00.1234567Z":     time.Date(2026, 11, 20, 8, 0, 0, 123456000, time.UTC),
		"2026-11-20T10:00:00+02:00":        time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		"2026-11-20T08:00:00":              time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		"2026-11-20T08:00:00.5":            time.Date(2026, 11, 20, 8, 0, 0, 5e8, time.UTC),
		"2026-11-20T08:00:00.000001-00:30": time.Date(2026, 11, 20, 8, 30, 0, 1000, time.UTC),
	} {
		if got := newOrder(t, `{"created":"`+in+`"}`).Created; !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s is read as %v", in, got)
		}
	}
	for _, in := range []string{"9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00", "1969-12-31T23:59:59", "yesterday"} {
		_, err := order.NewOrder(ordertest.Doc(t, `{"created":"`+in+`"}`), ordertest.Noon)
		_, cartErr := cart.NewCart("c", ordertest.Doc(t, `{"created":"`+in+`"}`), ordertest.Noon)
		if a, b := fmt.Sprint(ordertest.Locations(err)), fmt.Sprint(ordertest.Locations(cartErr)); a != "[created]" || b != "[created]" {
			t.Errorf("%s: %v, %v", in, err, cartErr)
		}
	}
	if got := newOrder(t, `{}`).Created; !got.Equal(ordertest.Noon) {
		t.Errorf("without one it is %v", got)
	}
}

func TestNewOrderNamesAllThatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"an empty id", `{"id":""}`, []string{"id"}},
		{"an id too long", `{"id":"` + strings.Repeat("x", 201) + `"}`, []string{"id"}},
		{"an id that cannot stand in a URL", `{"id":".."}`, []string{"id"}},
		{"an id with a control character", `{"id":"a\nb"}`, []string{"id"}},
		{"an empty status", `{"status":""}`, []string{"status"}},
		{"no time", `{"created":"yesterday"}`, []string{"created"}},
		{"several", `{"id":"","created":"now","status":""}`, []string{"created", "id", "status"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := order.NewOrder(ordertest.Doc(t, tc.in), ordertest.Noon)
			ordertest.Refused(t, err, apierr.Invalid, "")
			if diff := cmp.Diff(tc.want, ordertest.Locations(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
	newOrder(t, `{"id":"`+strings.Repeat("x", 200)+`"}`)
}

func TestAdvanceCountsVersionsAndThoseOfTheStatus(t *testing.T) {
	o := newOrder(t, `{"id":"BGO-1","status":"New","created":"2026-11-20T08:00:00Z"}`)
	for _, tc := range []struct {
		status  string
		version int64 // at which the status was set
	}{{"New", 1}, {"Paid", 3}, {"PAID", 3}, {"Shipped", 5}} {
		next := o.Doc.Clone()
		next.Set("status", tc.status)
		o.Advance(next, ordertest.Noon.Add(time.Hour))
		if o.StatusVersion != tc.version {
			t.Errorf("after %s at version %d the status is of version %d, want %d", tc.status, o.Version, o.StatusVersion, tc.version)
		}
	}
	ordertest.Same(t, o.Doc, `{"id":"BGO-1","status":"Shipped","created":"2026-11-20T08:00:00Z","version":5,"modified":"2026-11-21T13:00:00.000000Z"}`)
}

func TestTimesAreWrittenInUTCToTheMicrosecond(t *testing.T) {
	bergen := time.FixedZone("CET", 3600)
	if got := timetext.FormatTime(time.Date(2026, 11, 21, 13, 0, 0, 1999, bergen)); got != "2026-11-21T12:00:00.000001Z" {
		t.Errorf("got %s", got)
	}
}

func TestShipmentsAndReturnsAreFoundById(t *testing.T) {
	o := ordertest.Doc(t, `{"orderForm":{"shipments":[{"shipmentId":"S1"},{"shipmentId":2,"status":"New"}]},"returnOrderForms":[{"returnId":"R1"}]}`)
	if order.Shipment(o, "2").Text("status") != "New" || order.Shipment(o, "S9") != nil || order.Shipment(ordertest.Doc(t, `{}`), "S1") != nil {
		t.Error("a shipment is not found, or one is that is not there")
	}
	if order.ReturnForm(o, "R1") == nil || order.ReturnForm(o, "R2") != nil {
		t.Error("a return is not found, or one is that is not there")
	}
}

func TestStatusNamesHaveNoCase(t *testing.T) {
	if !spelling.SameName("ReadyToPick", "READYTOPICK") || spelling.SameName("New", "Newer") {
		t.Error("SameName is wrong")
	}
}

// TestANextVersionIsNoOlder: a writer looks at the clock before it waits for its turn, and so a later version
// may come with an earlier time. It has that of the one before then.
func TestANextVersionIsNoOlder(t *testing.T) {
	o, err := order.NewOrder(ordertest.Doc(t, `{"id":"O1","status":"New"}`), ordertest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, want time.Duration }{{-time.Second, 0}, {0, 0}, {time.Second, time.Second}, {-time.Hour, time.Second}} {
		o.Advance(o.Doc.Clone(), ordertest.Noon.Add(c.at))
		want := ordertest.Noon.Add(c.want)
		if !o.Modified.Equal(want) || o.Doc.Text("modified") != timetext.FormatTime(want) {
			t.Errorf("%v: version %d was modified at %v, %s", c.at, o.Version, o.Modified, o.Doc.Text("modified"))
		}
	}
}
