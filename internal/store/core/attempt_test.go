package core

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestFirstID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(0, 1<<50).Draw(t, "µs"))
		first := firstID(at)
		if id := oms.NewIDAt(oms.AttemptID, at); id < first {
			t.Errorf("%s of %v is before %s", id, at, first)
		}
		if id := oms.NewIDAt(oms.AttemptID, at.Add(-time.Microsecond)); at.UnixMicro() > 0 && id >= first {
			t.Errorf("%s of the microsecond before %v is not before %s", id, at, first)
		}
	})
	if first := firstID(time.Time{}); first > oms.NewIDAt(oms.AttemptID, time.UnixMicro(0)) {
		t.Errorf("the beginning of time is at %s", first)
	}
}

// TestDetail has what is written by hand read as what was given.
func TestDetail(t *testing.T) {
	text := rapid.String()
	headers := rapid.OneOf(rapid.Just(map[string][]string(nil)), rapid.MapOf(text, rapid.SliceOf(text)))
	millis := rapid.Float64Range(0, 1e9)
	message := rapid.Custom(func(t *rapid.T) oms.Message {
		return oms.Message{Method: text.Draw(t, "method"), Headers: headers.Draw(t, "headers"),
			BodyBytes: rapid.Int64().Draw(t, "bytes"), Truncated: rapid.Bool().Draw(t, "truncated")}
	})
	rapid.Check(t, func(t *rapid.T) {
		d := oms.AttemptDetail{Request: message.Draw(t, "request"), RemoteAddr: text.Draw(t, "remote"), TLSVersion: text.Draw(t, "tls"),
			Timing: oms.Timing{DNS: millis.Draw(t, "dns"), Connect: millis.Draw(t, "connect"), TLS: millis.Draw(t, "tls"), FirstByte: millis.Draw(t, "first")}}
		if rapid.Bool().Draw(t, "answered") {
			response := message.Draw(t, "response")
			d.Response = &response
		}
		var got oms.AttemptDetail
		if err := decode(appendDetail(nil, &d), &got, "detail"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func BenchmarkDetail(b *testing.B) {
	d := &oms.AttemptDetail{
		Request: oms.Message{Method: "POST", BodyBytes: 1500, Headers: map[string][]string{
			"Content-Type": {"application/json"}, "User-Agent": {"OmniumOms/1.0"}, "X-Attempt": {"1"}, "Webhook-Id": {"evt_1"},
			"Webhook-Timestamp": {"1767225600"}, "Webhook-Signature": {"***"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}},
		Response: &oms.Message{BodyBytes: 15, Headers: map[string][]string{"Content-Type": {"application/json"}, "Content-Length": {"15"},
			"Date": {"Thu, 01 Jan 2026 00:00:00 GMT"}}, Body: []byte(`{"status":"ok"}`)},
		RemoteAddr: "127.0.0.1:8080", Timing: oms.Timing{FirstByte: 1.125},
	}
	b.Run("byHand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			splitDetail(d)
		}
	})
	b.Run("byReflection", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := encode(d)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
