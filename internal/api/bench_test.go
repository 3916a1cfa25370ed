package api

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// taking is a store that takes every write, and does nothing with it: what is
// left is the cost of the API itself.
type taking struct{ store.Store }

func (taking) Write(context.Context, func(store.Tx) error) error      { return nil }
func (taking) Publish(context.Context, string, ...*event.Event) error { return nil }

// BenchmarkPublish posts events of 1.5 KB through the whole handler, one by one
// and in lists of 100, to a real database and to a store that keeps nothing.
func BenchmarkPublish(b *testing.B) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "o.db"), sqlite.Options{EncryptionKey: secret.NewKey()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const key = "bench-key"
	err = db.Write(b.Context(), func(tx store.Tx) error {
		return tx.InsertKey(b.Context(), access.Key{ID: ids.New(ids.Key), Tenant: access.DefaultTenant, Role: access.Publisher, Created: time.Now(), Hash: access.HashKey(key)})
	})
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	one := fmt.Sprintf(`{"type":"shop_order_completed","orderId":"ORD-12345","data":{"id":"ORD-12345","lineItems":[%s]}}`,
		strings.TrimSuffix(strings.Repeat(`{"lineItemId":"a1","code":"SHOE-42","quantity":1,"placedPrice":999.00,"displayName":"Running shoe, blue"},`, 14), ","))
	for name, st := range map[string]store.Store{"kept": db, "taken": taking{db}} {
		client := outbound.New(outbound.Options{})
		d := delivery.New(delivery.Options{Store: st, Client: client, Clock: clock.Real{}, Log: log})
		h := New(Options{Store: st, Deliveries: d, Client: client, Clock: clock.Real{}, Log: log})
		for events, body := range map[int]string{1: one, 100: "[" + strings.Repeat(one+",", 99) + one + "]"} {
			b.Run(fmt.Sprintf("%s/%d", name, events), func(b *testing.B) { publish(b, h, key, body, events) })
		}
	}
}

func publish(b *testing.B, h http.Handler, key, body string, events int) {
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest("POST", "/api/events", bytes.NewReader([]byte(body)))
			r.Header.Set("Authorization", "Bearer "+key)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusAccepted {
				b.Errorf("answered %d %s", w.Code, w.Body)
			}
		}
	})
	b.ReportMetric(float64(b.N)*float64(events)/b.Elapsed().Seconds(), "events/s")
}
