package core

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
)

// TestSeqsAreOf2048 has the number that the queries say a microsecond has.
func TestSeqsAreOf2048(t *testing.T) {
	if n := ids.FirstNumber(time.UnixMicro(1)); n != 2048 {
		t.Errorf("it has %d: the text deliveredColumns is wrong", n)
	}
}

// TestDetail has what is written by hand read as what was given.
func TestDetail(t *testing.T) {
	text := rapid.String()
	headers := rapid.OneOf(rapid.Just(map[string][]string(nil)), rapid.MapOf(text, rapid.SliceOf(text)))
	millis := rapid.Float64Range(0, 1e9)
	message := rapid.Custom(func(t *rapid.T) attempt.Message {
		return attempt.Message{Method: text.Draw(t, "method"), Headers: headers.Draw(t, "headers"),
			BodyBytes: rapid.Int64().Draw(t, "bytes"), Truncated: rapid.Bool().Draw(t, "truncated")}
	})
	rapid.Check(t, func(t *rapid.T) {
		d := attempt.AttemptDetail{Request: message.Draw(t, "request"), RemoteAddr: text.Draw(t, "remote"), TLSVersion: text.Draw(t, "tls"),
			Timing: attempt.Timing{DNS: millis.Draw(t, "dns"), Connect: millis.Draw(t, "connect"), TLS: millis.Draw(t, "tls"), FirstByte: millis.Draw(t, "first")}}
		if rapid.Bool().Draw(t, "answered") {
			response := message.Draw(t, "response")
			d.Response = &response
		}
		if rapid.Bool().Draw(t, "intercepted") {
			d.Listener = &attempt.Listener{InterceptionID: text.Draw(t, "interception"), KeyID: text.Draw(t, "key"), KeyName: text.Draw(t, "name")}
		}
		if rapid.Bool().Draw(t, "compared") {
			value := rapid.SampledFrom([]string{`null`, `"a"`, `1.50`, `{"a":[true,{}]}`, `"…"`})
			d.Comparison = &attempt.Comparison{ShadowID: text.Draw(t, "shadow"), With: text.Draw(t, "with"), Result: attempt.Result(text.Draw(t, "result")), More: rapid.Int().Draw(t, "more")}
			for range rapid.IntRange(0, 3).Draw(t, "differences") {
				d.Comparison.Differences = append(d.Comparison.Differences, attempt.Difference{Path: text.Draw(t, "path"), Live: jsontext.Value(value.Draw(t, "live")), Shadow: jsontext.Value(value.Draw(t, "now"))})
			}
		}
		var got attempt.AttemptDetail
		if err := decode(appendDetail(nil, &d), &got, "detail"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAComparisonOfWhateverWasAnswered: paths and values come of what endpoints answer. What is no
// JSON that is read again, or no UTF-8, is replaced, and the rest of the record is there.
func TestAComparisonOfWhateverWasAnswered(t *testing.T) {
	odd := "order.properties[\xff\xfe]"
	for name, c := range map[string]struct{ value, want string }{
		"nothing":          {"", `null`},
		"no JSON":          {"<html>", `"…"`},
		"half of it":       {`{"a":`, `"…"`},
		"two values":       {`1 2`, `"…"`},
		"a name twice":     {`{"a":1,"a":2}`, `"…"`},
		"no UTF-8":         {"\"\xff\"", `"…"`},
		"half a character": {`"\ud800"`, `"…"`},
		"an object":        {`{"a":1.50}`, `{"a":1.50}`},
	} {
		d := &attempt.AttemptDetail{RemoteAddr: "127.0.0.1:1", Comparison: &attempt.Comparison{ShadowID: odd, With: odd, Result: attempt.Result(odd), More: 1,
			Differences: []attempt.Difference{{Path: odd, Live: jsontext.Value(c.value), Shadow: jsontext.Value(`1`)}, {Path: "result", Live: jsontext.Value(`2`), Shadow: jsontext.Value(c.value)}}}}
		var got attempt.AttemptDetail
		if err := decode(appendDetail(nil, d), &got, "detail"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		readable := strings.ToValidUTF8(odd, "\uFFFD\uFFFD")
		want := &attempt.Comparison{ShadowID: readable, With: readable, Result: attempt.Result(readable), More: 1,
			Differences: []attempt.Difference{{Path: readable, Live: jsontext.Value(c.want), Shadow: jsontext.Value(`1`)}, {Path: "result", Live: jsontext.Value(`2`), Shadow: jsontext.Value(c.want)}}}
		if diff := cmp.Diff(want, got.Comparison); diff != "" || got.RemoteAddr != d.RemoteAddr {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func BenchmarkDetail(b *testing.B) {
	d := &attempt.AttemptDetail{
		Request: attempt.Message{Method: "POST", BodyBytes: 1500, Headers: map[string][]string{
			"Content-Type": {"application/json"}, "User-Agent": {"OmniumOms/1.0"}, "X-Attempt": {"1"}, "Webhook-Id": {"evt_1"},
			"Webhook-Timestamp": {"1767225600"}, "Webhook-Signature": {"***"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}},
		Response: &attempt.Message{BodyBytes: 15, Headers: map[string][]string{"Content-Type": {"application/json"}, "Content-Length": {"15"},
			"Date": {"Thu, 01 Jan 2026 00:00:00 GMT"}}, Body: []byte(`{"status":"ok"}`)},
		RemoteAddr: "127.0.0.1:8080", Timing: attempt.Timing{FirstByte: 1.125},
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
