package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A habit is something that an endpoint gets wrong, and the case and the kind of the finding
// that says so.
type habit struct {
	name, kind, want string
	bad              func(*goodEndpoint)
	flags            []string
}

// status has an endpoint answer with a status where something is so.
func status(code int, where func(called) bool) func(*goodEndpoint) {
	return func(e *goodEndpoint) {
		e.before = func(w http.ResponseWriter, c called) bool {
			if !e.verify(c) || !where(c) {
				return false
			}
			http.Error(w, "no", code)
			return true
		}
	}
}

// answering has an endpoint give one answer.
func answering(body string) func(*goodEndpoint) {
	return func(e *goodEndpoint) { e.answer = func(called) string { return body } }
}

// heading has an endpoint set a header.
func heading(name, value string) func(*goodEndpoint) {
	return func(e *goodEndpoint) { e.header = func(h http.Header) { h.Set(name, value) } }
}

func anyCall(called) bool { return true }

// holds reports whether the body has a text.
func holds(text string) func(called) bool {
	return func(c called) bool { return bytes.Contains(c.body, []byte(text)) }
}

// echoing has a step's endpoint send back what it got of the order, changed by do.
func echoing(do func(order map[string]any)) func(*goodEndpoint) {
	return func(e *goodEndpoint) {
		e.answer = func(c called) string {
			o := c.order()
			do(o)
			text, _ := json.Marshal(map[string]any{"OrderPatch": o})
			return string(text)
		}
	}
}

// lines visits the lines of an order.
func lines(o map[string]any, do func(line map[string]any)) {
	form, _ := o["OrderForm"].(map[string]any)
	list, _ := form["LineItems"].([]any)
	for _, line := range list {
		do(line.(map[string]any))
	}
	delete(o, "OrderLines")
}

var habits = []habit{
	{name: "500", kind: "step", want: "success: no-success", bad: status(500, anyCall)},
	{name: "422", kind: "step", want: "success: no-success", bad: status(422, anyCall)},
	{name: "404", kind: "validator", want: "success: no-success", bad: status(404, anyCall)},
	{name: "a redirect", kind: "step", want: "success: no-success", bad: func(e *goodEndpoint) {
		e.before = func(w http.ResponseWriter, c called) bool {
			http.Redirect(w, c.Request, "https://shop.example/hook/", http.StatusMovedPermanently)
			return true
		}
	}},
	{name: "no JSON", kind: "step", want: "success: no-success", bad: answering("OK")},
	{name: "a page", kind: "validator", want: "success: no-success", bad: answering("<html>Log in</html>")},
	{name: "a wrong status of the action", kind: "step", want: "success: no-success", bad: answering(`{"OrderActionExecutionResults":[{"ActionStatus":"Ok"}]}`)},
	{name: "203", kind: "event", want: "success: no-success", bad: status(203, anyCall)},
	{name: "410", kind: "event", want: "success: no-success", bad: status(410, anyCall)},
	{name: "an empty body", kind: "step", want: "success: empty-answer", bad: answering("")},
	{name: "another content type", kind: "step", want: "success: content-type", bad: heading("Content-Type", "text/html; charset=utf-8")},
	{name: "another charset", kind: "validator", want: "success: content-type", bad: heading("Content-Type", "application/json; charset=iso-8859-1")},
	{name: "a misspelled patch", kind: "step", want: "success: not-read", bad: answering(`{"OrderPach":{"Tags":["a"]}}`)},
	{name: "a field that a return step may not change", kind: "return", want: "success: not-read", bad: answering(`{"OrderPatch":{"CustomerEmail":"a@example.com"}}`)},
	{name: "another word for a field", kind: "validator", want: "success: not-read", bad: answering(`{"isValid":false}`)},
	{name: "an order is refused", kind: "step", want: "success: refused", bad: answering(`{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"fraud"}]}`)},
	{name: "closed connections", kind: "step", want: "connection: connection-closed", bad: heading("Connection", "close")},
	{name: "ASCII alone", kind: "step", want: "unicode: unicode-refused", bad: status(500, holds("😀"))},
	{name: "Latin 1", kind: "step", want: "unicode: text-damaged", bad: echoing(func(o map[string]any) {
		o["CustomerName"] = strings.Map(func(r rune) rune {
			if r > 255 {
				return '?'
			}
			return r
		}, o["CustomerName"].(string))
	})},
	{name: "UTF-8 read as Latin 1", kind: "validator", want: "unicode: text-damaged", bad: func(e *goodEndpoint) {
		e.answer = func(c called) string {
			name := ""
			for _, b := range []byte(fmt.Sprint(c.sent["customerName"])) {
				name += string(rune(b))
			}
			text, _ := json.Marshal(map[string]any{"value": map[string]any{"customerName": name}})
			return string(text)
		}
	}},
	{name: "escaped as HTML", kind: "step", want: "unicode: text-damaged", bad: echoing(func(o map[string]any) {
		lines(o, func(l map[string]any) {
			if text, ok := l["DisplayName"].(string); ok {
				l["DisplayName"] = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(text)
			}
		})
	})},
	{name: "rounded to cents", kind: "step", want: "echo: number-damaged", bad: echoing(func(o map[string]any) {
		lines(o, func(l map[string]any) {
			if price, err := l["PlacedPrice"].(json.Number).Float64(); err == nil {
				l["PlacedPrice"] = math.Round(price*100) / 100
			}
		})
	})},
	{name: "floats of 32 bits", kind: "step", want: "numbers: number-damaged", bad: echoing(func(o map[string]any) {
		lines(o, func(l map[string]any) {
			price, _ := l["PlacedPrice"].(json.Number).Float64()
			l["PlacedPrice"] = float32(price)
		})
	})},
	{name: "numbers as text", kind: "step", want: "numbers: number-damaged", bad: echoing(func(o map[string]any) {
		lines(o, func(l map[string]any) { l["PlacedPrice"] = fmt.Sprint(l["PlacedPrice"]) })
	})},
	{name: "amounts worked out as floats", kind: "step", want: "numbers: float-noise", bad: echoing(func(o map[string]any) {
		lines(o, func(l map[string]any) {
			price, _ := l["PlacedPrice"].(json.Number).Float64()
			l["ExtendedPrice"] = price * 3
		})
	})},
	{name: "times in milliseconds", kind: "step", want: "echo: time-damaged", bad: echoing(func(o map[string]any) {
		if at, ok := o["FollowUpDate"].(string); ok {
			o["FollowUpDate"] = strings.Replace(at, "456Z", "Z", 1)
		}
	})},
	{name: "times without a zone", kind: "step", want: "echo: time-damaged", bad: echoing(func(o map[string]any) {
		list, _ := o["Properties"].([]any)
		for _, p := range list {
			if p := p.(map[string]any); p["Key"] == "PickedAt" {
				p["Value"] = strings.TrimSuffix(p["Value"].(string), "+01:00")
			}
		}
	})},
	{name: "defaults for what is absent", kind: "step", want: "success: defaults-written", bad: echoing(func(o map[string]any) {
		o["SalesPersonId"], o["IsReadOnly"] = "", false
	})},
	{name: "a field that is needed", kind: "step", want: "missing: missing-fields", bad: status(500, func(c called) bool { return c.order()["OrderForm"] == nil })},
	{name: "an order without lines is 400", kind: "step", want: "missing: missing-fields", bad: status(400, func(c called) bool { return c.order()["OrderForm"] == nil })},
	{name: "a strict reader", kind: "step", want: "unknown: unknown-fields", bad: status(400, holds("CheckText"))},
	{name: "a strict reader of carts", kind: "validator", want: "unknown: unknown-fields", bad: status(400, holds("checkText"))},
	{name: "a strict reader of events", kind: "event", want: "unknown: unknown-fields", bad: status(400, holds("checkText"))},
	{name: "a repeat is 409", kind: "step", want: "repeat: repeat-refused", bad: func(e *goodEndpoint) {
		e.repeated = func(w http.ResponseWriter, _ string) { http.Error(w, "duplicate", http.StatusConflict) }
	}},
	{name: "a repeated event is 409", kind: "event", want: "repeat: repeat-refused", bad: func(e *goodEndpoint) {
		e.repeated = func(w http.ResponseWriter, _ string) { http.Error(w, "duplicate", http.StatusConflict) }
	}},
	{name: "the work is done twice", kind: "return", want: "repeat: repeat-differs", bad: func(e *goodEndpoint) {
		e.repeated = func(w http.ResponseWriter, _ string) {
			fmt.Fprint(w, `{"OrderPatch":{"Tags":["refunded"],"Properties":[{"Key":"RefundId","Value":"RF-2"}]}}`)
		}
	}},
	{name: "a discount on the discount", kind: "validator", want: "again: changes-again", bad: func(e *goodEndpoint) {
		e.answer = func(c called) string {
			form := c.sent["orderForm"].(map[string]any)
			list, _ := form["lineItems"].([]any)
			for _, l := range list {
				line := l.(map[string]any)
				price, _ := line["placedPrice"].(json.Number).Float64()
				line["placedPrice"] = json.Number(fmt.Sprintf("%.2f", price*0.9))
				delete(line, "extendedPrice")
			}
			text, _ := json.Marshal(map[string]any{"value": map[string]any{"orderForm": map[string]any{"lineItems": list}}})
			return string(text)
		}
	}},
	{name: "an event that is late", kind: "event", want: "late: late-refused", bad: func(e *goodEndpoint) {
		accepted := map[string]bool{}
		var mu sync.Mutex
		e.before = func(w http.ResponseWriter, c called) bool {
			data, _ := c.sent["data"].(map[string]any)
			id := fmt.Sprint(data["id"])
			mu.Lock()
			defer mu.Unlock()
			if c.sent["type"] == "OrderAccepted" {
				accepted[id] = true
			}
			if c.sent["type"] != "OrderCreated" || !accepted[id] {
				return false
			}
			http.Error(w, "too late", http.StatusConflict)
			return true
		}
	}},
	{name: "a type that it does not know", kind: "event", want: "type: unknown-type", bad: status(400, func(c called) bool { return c.sent["type"] == "check.unknown_type" })},
	{name: "nothing is verified", kind: "step", want: "signature: signature-not-verified", bad: func(e *goodEndpoint) { e.verify = anyCall }},
	{name: "what has no signature is taken", kind: "event", want: "signature: unsigned-taken", bad: func(e *goodEndpoint) {
		e.verify = func(c called) bool { return c.Header.Get("Webhook-Signature") == "" || verifiedCall(c) }
	}},
	{name: "a stale signature is taken", kind: "validator", want: "signature: stale-signature", bad: func(e *goodEndpoint) {
		e.verify = func(c called) bool {
			old := c.Header.Get("Webhook-Timestamp") < fmt.Sprint(time.Now().Add(-time.Minute).Unix())
			return old && c.Header.Get("Webhook-Signature") != "" || verifiedCall(c)
		}
	}},
	{name: "a wrong signature is 500", kind: "step", want: "signature: refusal-breaks", bad: func(e *goodEndpoint) {
		e.before = func(w http.ResponseWriter, c called) bool {
			if verifiedCall(c) {
				return false
			}
			http.Error(w, "panic", http.StatusInternalServerError)
			return true
		}
	}},
	{name: "a wrong signature is 400", kind: "step", want: "signature: refusal-final", bad: func(e *goodEndpoint) {
		e.before = func(w http.ResponseWriter, c called) bool {
			if verifiedCall(c) {
				return false
			}
			http.Error(w, "no", http.StatusBadRequest)
			return true
		}
	}},
	{name: "large bodies are 413", kind: "step", want: "big: big-refused", bad: status(413, func(c called) bool { return len(c.body) > 1<<20 })},
	{name: "calls side by side fail", kind: "step", want: "slow: side-by-side", flags: []string{"--only", "slow"}, bad: func(e *goodEndpoint) {
		// The second call waits until another one is there, so that the two overlap.
		var mu sync.Mutex
		n, another := 0, make(chan struct{})
		e.before = func(w http.ResponseWriter, c called) bool {
			mu.Lock()
			n++
			turn := n
			mu.Unlock()
			switch turn {
			case 1:
				return false
			case 2:
				<-another
				return false
			case 3:
				defer close(another)
			}
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return true
		}
	}},
	{name: "one call after the other", kind: "validator", want: "slow: one-by-one", flags: []string{"--only", "slow"}, bad: func(e *goodEndpoint) {
		var mu sync.Mutex
		e.before = func(http.ResponseWriter, called) bool {
			mu.Lock()
			defer mu.Unlock()
			<-time.After(40 * time.Millisecond) // it works for so long
			return false
		}
	}},
	{name: "nearly too late", kind: "event", want: "success: slow-answer", flags: []string{"--only", "success", "--timeout", "1s"}, bad: func(e *goodEndpoint) {
		e.before = func(http.ResponseWriter, called) bool {
			<-time.After(550 * time.Millisecond)
			return false
		}
	}},
	{name: "too late", kind: "step", want: "success: no-success", flags: []string{"--timeout", "0.2s"}, bad: func(e *goodEndpoint) {
		e.before = func(_ http.ResponseWriter, c called) bool {
			<-c.Context().Done()
			return true
		}
	}},
}

// TestEachBadHabitIsFound by the case that is about it, with advice, and with nothing else
// that is wrong.
func TestEachBadHabitIsFound(t *testing.T) {
	t.Parallel()
	for _, h := range habits {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			w, e := newWhere(t), newGoodEndpoint(h.kind)
			h.bad(e)
			s := httptest.NewServer(e)
			defer s.Close()
			name, kind, _ := strings.Cut(h.want, ": ")
			flags := h.flags
			if flags == nil {
				flags = []string{"--only", name}
			}
			f, r := w.checks(t, s.URL, h.kind, append(withSecret(t, w), flags...)...)
			if !slices.Contains(f.kinds(), h.want) {
				t.Fatalf("code %d, found %q\n%s%s", r.code, f.kinds(), r.out, r.errOut)
			}
			notes := 0
			for _, c := range f.Cases {
				for _, one := range c.Findings {
					if one.Kind != kind {
						t.Errorf("found %s: %s, too: %s", c.Name, one.Kind, one.Text)
					}
					if one.Text == "" || one.Sent == "" || one.Came == "" || one.Effect == "" || one.Advice == "" || !strings.HasPrefix(one.Section, "docs/building-an-endpoint.md#") {
						t.Errorf("a finding lacks something: %+v", one)
					}
					if one.Severity == "note" {
						notes++
					}
				}
			}
			want := 1
			if notes == len(f.kinds()) {
				want = 0
			}
			if r.code != want {
				t.Errorf("code %d, want %d", r.code, want)
			}
		})
	}
}
