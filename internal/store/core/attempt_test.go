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
