package delivery

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// These are about the endpoints that the API did not make.

// export stores an export for the endpoint of a connector.
func (r *rig) export(to *event.Endpoint) *event.Event {
	r.t.Helper()
	e := &event.Event{ID: ids.New(ids.Event), Type: event.TypeExportOrder, Subject: event.Subject{Kind: event.SubjectOrder, ID: "o1"}, Related: event.Related{OrderID: "o1"},
		Timestamp: time.Now(), Data: []byte(`{"order":{"id":"o1"}}`)}
	r.write(func(tx store.Tx) error { return tx.AddEventFor(r.t.Context(), acme, e, to) })
	return e
}

// TestNothingTurnsAConnectorOff: a 410 to an export is a failure as any other,
// and the endpoint behind it, which nobody could turn on again, stays on.
func TestNothingTurnsAConnectorOff(t *testing.T) {
	for _, status := range []int{410, 500} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, answering(status, 0))
			r.endpoint("shop", func(e *event.Endpoint) {
				e.EventTypes, e.URL = []string{event.TypeEndpointDisabled}, "http://told.example/"
			})
			erp := r.endpoint("erp", func(e *event.Endpoint) {
				e.Origin, e.Connector, e.URL, e.Format = event.OriginConnector, &event.ConnectorRef{Name: "ERP", Host: "http://erp.example/"}, "", event.FormatData
			})
			e := r.export(erp)
			time.Sleep(2 * time.Hour)
			made := r.calls.made()
			if len(made) != 6 {
				t.Fatalf("%d attempts with %d", len(made), status)
			}
			for i, wait := range waits(made) {
				if want := event.DefaultSchedule[i]; !about(wait, want) || made[i].URL != "http://erp.example/" {
					t.Errorf("%d: repeat %d at %s came after %v, not about %v", status, i+1, made[i].URL, wait, want)
				}
			}
			if d := r.delivery(e, erp); d.Status != event.DeliveryFailed || d.Attempts != 6 {
				t.Errorf("%d: the delivery is %s after %d attempts", status, d.Status, d.Attempts)
			}
			for range 12 { // six days of failures
				e = r.export(erp)
				time.Sleep(12 * time.Hour)
			}
			stored, err := r.store.Endpoint(t.Context(), acme, erp.ID)
			must(t, err)
			if !stored.Enabled || stored.Disabled != "" {
				t.Errorf("%d: enabled %v: %q", status, stored.Enabled, stored.Disabled)
			}
			if d := r.delivery(e, erp); d.Attempts != 6 {
				t.Errorf("%d: the last of many was attempted %d times", status, d.Attempts)
			}
			disabled, err := r.store.Events(t.Context(), acme, store.EventFilter{Type: event.TypeEndpointDisabled}, store.Page{Limit: 1})
			must(t, err)
			if len(disabled.Items) != 0 {
				t.Errorf("%d: the others are told that it is off", status)
			}
		})
	}
}

// TestTheWebHookSectionMoves: once the section names another tenant, that of
// before gets nothing more, not even what it was still to get, until the section
// is its own again.
func TestTheWebHookSectionMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		runFor := func(tenant string) {
			r.webHook = &WebHook{Tenant: tenant, URL: "http://shop.example/hook", Timeout: 30 * time.Second}
			r.restart()
			synctest.Wait()
		}
		accepted := func(tenant, id string) {
			e := &event.Event{ID: id, Type: event.TypeOrderAccepted, Related: event.Related{OrderID: "o1"}, Timestamp: time.Now(), Data: []byte(`{}`)}
			must(t, r.store.Publish(t.Context(), tenant, e))
			synctest.Wait()
		}
		is := func(tenant string, enabled bool, reason string) {
			t.Helper()
			e, err := r.store.Endpoint(t.Context(), tenant, webHookID)
			must(t, err)
			if e.Enabled != enabled || e.Disabled != reason {
				t.Errorf("%s's is enabled: %v, %q", tenant, e.Enabled, e.Disabled)
			}
		}
		sent := func(want ...string) {
			t.Helper()
			var got []string
			for _, c := range r.calls.made() {
				got = append(got, c.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("sent: %v, want %v", got, want)
			}
		}
		runFor(acme)
		accepted(acme, "evt_1")
		accepted("globex", "evt_none")
		sent("evt_1")
		r.calls.answer = answering(200, 0)
		runFor("globex")
		is(acme, false, errNoWebHook.Error())
		is("globex", true, "")
		accepted(acme, "evt_2")
		accepted("globex", "evt_3")
		time.Sleep(10 * time.Hour)
		sent("evt_1", "evt_3")
		runFor(acme)
		is(acme, true, "")
		is("globex", false, errNoWebHook.Error())
		accepted(acme, "evt_4")
		accepted("globex", "evt_5")
		time.Sleep(10 * time.Hour)
		sent("evt_1", "evt_3", "evt_1", "evt_4")
	})
}
