package checkuptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Habit is something that endpoints of a kind get wrong.
type Habit struct {
	Name, Kind string
	// Want is the case that finds it, and the kind of the finding, as "big: big-refused".
	Want    string
	Give    func(*Endpoint) // has an endpoint behave so
	Timeout time.Duration   // of the check; 0: 30 seconds
}

// Status has an endpoint answer with a status where something is so.
func Status(code int, where func(Call) bool) func(*Endpoint) {
	return func(e *Endpoint) {
		e.Before = func(w http.ResponseWriter, c Call) bool {
			if !e.Verify(c) || !where(c) {
				return false
			}
			http.Error(w, "no", code)
			return true
		}
	}
}

// Answering has an endpoint give one answer.
func Answering(body string) func(*Endpoint) {
	return func(e *Endpoint) { e.Answer = func(Call) string { return body } }
}

// Heading has an endpoint set a header.
func Heading(name, value string) func(*Endpoint) {
	return func(e *Endpoint) { e.Header = func(h http.Header) { h.Set(name, value) } }
}

// AnyCall is true of each call.
func AnyCall(Call) bool { return true }

// Holds reports whether the body has a text.
func Holds(text string) func(Call) bool {
	return func(c Call) bool { return bytes.Contains(c.Body, []byte(text)) }
}

// Echoing has a step's endpoint send back what it got of the order, changed by do.
func Echoing(do func(order map[string]any)) func(*Endpoint) {
	return func(e *Endpoint) {
		e.Answer = func(c Call) string {
			o := c.Order()
			do(o)
			text, _ := json.Marshal(map[string]any{"OrderPatch": o})
			return string(text)
		}
	}
}

// Lines visits the lines of an order.
func Lines(o map[string]any, do func(line map[string]any)) {
	form, _ := o["OrderForm"].(map[string]any)
	list, _ := form["LineItems"].([]any)
	for _, line := range list {
		do(line.(map[string]any))
	}
	delete(o, "OrderLines")
}

// Habits are all of them.
var Habits = []Habit{
	{Name: "500", Kind: "step", Want: "success: no-success", Give: Status(500, AnyCall)},
	{Name: "422", Kind: "step", Want: "success: no-success", Give: Status(422, AnyCall)},
	{Name: "404", Kind: "validator", Want: "success: no-success", Give: Status(404, AnyCall)},
	{Name: "a redirect", Kind: "step", Want: "success: no-success", Give: func(e *Endpoint) {
		e.Before = func(w http.ResponseWriter, c Call) bool {
			http.Redirect(w, c.Request, "https://shop.example/hook/", http.StatusMovedPermanently)
			return true
		}
	}},
	{Name: "no JSON", Kind: "step", Want: "success: no-success", Give: Answering("OK")},
	{Name: "a page", Kind: "validator", Want: "success: no-success", Give: Answering("<html>Log in</html>")},
	{Name: "a wrong status of the action", Kind: "step", Want: "success: no-success", Give: Answering(`{"OrderActionExecutionResults":[{"ActionStatus":"Ok"}]}`)},
	{Name: "203", Kind: "event", Want: "success: no-success", Give: Status(203, AnyCall)},
	{Name: "410", Kind: "event", Want: "success: no-success", Give: Status(410, AnyCall)},
	{Name: "an empty body", Kind: "step", Want: "success: empty-answer", Give: Answering("")},
	{Name: "another content type", Kind: "step", Want: "success: content-type", Give: Heading("Content-Type", "text/html; charset=utf-8")},
	{Name: "another charset", Kind: "validator", Want: "success: content-type", Give: Heading("Content-Type", "application/json; charset=iso-8859-1")},
	{Name: "a misspelled patch", Kind: "step", Want: "success: not-read", Give: Answering(`{"OrderPach":{"Tags":["a"]}}`)},
	{Name: "a field that a return step may not change", Kind: "return", Want: "success: not-read", Give: Answering(`{"OrderPatch":{"CustomerEmail":"a@example.com"}}`)},
	{Name: "another word for a field", Kind: "validator", Want: "success: not-read", Give: Answering(`{"isValid":false}`)},
	{Name: "an order is refused", Kind: "step", Want: "success: refused", Give: Answering(`{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"fraud"}]}`)},
	{Name: "closed connections", Kind: "step", Want: "connection: connection-closed", Give: Heading("Connection", "close")},
	{Name: "ASCII alone", Kind: "step", Want: "unicode: unicode-refused", Give: Status(500, Holds("😀"))},
	{Name: "Latin 1", Kind: "step", Want: "unicode: text-damaged", Give: Echoing(func(o map[string]any) {
		o["CustomerName"] = strings.Map(func(r rune) rune {
			if r > 255 {
				return '?'
			}
			return r
		}, o["CustomerName"].(string))
	})},
	{Name: "UTF-8 read as Latin 1", Kind: "validator", Want: "unicode: text-damaged", Give: func(e *Endpoint) {
		e.Answer = func(c Call) string {
			name := ""
			for _, b := range []byte(fmt.Sprint(c.Sent["customerName"])) {
				name += string(rune(b))
			}
			text, _ := json.Marshal(map[string]any{"value": map[string]any{"customerName": name}})
			return string(text)
		}
	}},
	{Name: "escaped as HTML", Kind: "step", Want: "unicode: text-damaged", Give: Echoing(func(o map[string]any) {
		Lines(o, func(l map[string]any) {
			if text, ok := l["DisplayName"].(string); ok {
				l["DisplayName"] = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(text)
			}
		})
	})},
	{Name: "rounded to cents", Kind: "step", Want: "echo: number-damaged", Give: Echoing(func(o map[string]any) {
		Lines(o, func(l map[string]any) {
			if price, err := l["PlacedPrice"].(json.Number).Float64(); err == nil {
				l["PlacedPrice"] = math.Round(price*100) / 100
			}
		})
	})},
	{Name: "floats of 32 bits", Kind: "step", Want: "numbers: number-damaged", Give: Echoing(func(o map[string]any) {
		Lines(o, func(l map[string]any) {
			price, _ := l["PlacedPrice"].(json.Number).Float64()
			l["PlacedPrice"] = float32(price)
		})
	})},
	{Name: "numbers as text", Kind: "step", Want: "numbers: number-damaged", Give: Echoing(func(o map[string]any) {
		Lines(o, func(l map[string]any) {
			if n := l["SerialNumber"]; n != nil {
				l["SerialNumber"] = fmt.Sprint(n)
			}
		})
	})},
	{Name: "amounts worked out as floats", Kind: "step", Want: "numbers: float-noise", Give: Echoing(func(o map[string]any) {
		Lines(o, func(l map[string]any) {
			price, _ := l["PlacedPrice"].(json.Number).Float64()
			l["ExtendedPrice"] = price * 3
		})
	})},
	{Name: "times in milliseconds", Kind: "step", Want: "echo: time-damaged", Give: Echoing(func(o map[string]any) {
		if at, ok := o["FollowUpDate"].(string); ok {
			o["FollowUpDate"] = strings.Replace(at, "456Z", "Z", 1)
		}
	})},
	{Name: "times without a zone", Kind: "step", Want: "echo: time-damaged", Give: Echoing(func(o map[string]any) {
		list, _ := o["Properties"].([]any)
		for _, p := range list {
			if p := p.(map[string]any); p["Key"] == "PickedAt" {
				p["Value"] = strings.TrimSuffix(p["Value"].(string), "+01:00")
			}
		}
	})},
	{Name: "defaults for what is absent", Kind: "step", Want: "success: defaults-written", Give: Echoing(func(o map[string]any) {
		Lines(o, func(l map[string]any) { l["GiftWrapping"], l["Engraving"] = false, "" })
	})},
	{Name: "a field that is needed", Kind: "step", Want: "missing: missing-fields", Give: Status(500, func(c Call) bool { return c.Order()["OrderForm"] == nil })},
	{Name: "an order without lines is 400", Kind: "step", Want: "missing: missing-fields", Give: Status(400, func(c Call) bool { return c.Order()["OrderForm"] == nil })},
	{Name: "a strict reader", Kind: "step", Want: "unknown: unknown-fields", Give: Status(400, Holds("CheckText"))},
	{Name: "a strict reader of carts", Kind: "validator", Want: "unknown: unknown-fields", Give: Status(400, Holds("checkText"))},
	{Name: "a strict reader of events", Kind: "event", Want: "unknown: unknown-fields", Give: Status(400, Holds("checkText"))},
	{Name: "a repeat is 409", Kind: "step", Want: "repeat: repeat-refused", Give: func(e *Endpoint) {
		e.Repeated = Conflict
	}},
	{Name: "a repeated event is 409", Kind: "event", Want: "repeat: repeat-refused", Give: func(e *Endpoint) {
		e.Repeated = Conflict
	}},
	{Name: "the work is done twice", Kind: "return", Want: "repeat: repeat-differs", Give: func(e *Endpoint) {
		e.Repeated = func(w http.ResponseWriter, _ string) {
			fmt.Fprint(w, `{"OrderPatch":{"Tags":["refunded"],"Properties":[{"Key":"RefundId","Value":"RF-2"}]}}`)
		}
	}},
	{Name: "a discount on the discount", Kind: "validator", Want: "again: changes-again", Give: func(e *Endpoint) {
		e.Answer = func(c Call) string {
			form := c.Sent["orderForm"].(map[string]any)
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
	{Name: "an event that is late", Kind: "event", Want: "late: late-refused", Give: func(e *Endpoint) {
		accepted := map[string]bool{}
		var mu sync.Mutex
		e.Before = func(w http.ResponseWriter, c Call) bool {
			data, _ := c.Sent["data"].(map[string]any)
			id := fmt.Sprint(data["id"])
			mu.Lock()
			defer mu.Unlock()
			if c.Sent["type"] == "OrderAccepted" {
				accepted[id] = true
			}
			if c.Sent["type"] != "OrderCreated" || !accepted[id] {
				return false
			}
			http.Error(w, "too late", http.StatusConflict)
			return true
		}
	}},
	{Name: "a type that it does not know", Kind: "event", Want: "type: unknown-type", Give: Status(400, func(c Call) bool { return c.Sent["type"] == "check.unknown_type" })},
	{Name: "nothing is verified", Kind: "step", Want: "signature: signature-not-verified", Give: func(e *Endpoint) { e.Verify = AnyCall }},
	{Name: "what has no signature is taken", Kind: "event", Want: "signature: unsigned-taken", Give: func(e *Endpoint) {
		e.Verify = func(c Call) bool { return c.Header.Get("Webhook-Signature") == "" || Verified(c) }
	}},
	{Name: "a stale signature is taken", Kind: "validator", Want: "signature: stale-signature", Give: func(e *Endpoint) {
		e.Verify = func(c Call) bool {
			old := c.Header.Get("Webhook-Timestamp") < fmt.Sprint(time.Now().Add(-time.Minute).Unix())
			return old && c.Header.Get("Webhook-Signature") != "" || Verified(c)
		}
	}},
	{Name: "a wrong signature is 500", Kind: "step", Want: "signature: refusal-breaks", Give: func(e *Endpoint) {
		e.Before = func(w http.ResponseWriter, c Call) bool {
			if Verified(c) {
				return false
			}
			http.Error(w, "panic", http.StatusInternalServerError)
			return true
		}
	}},
	{Name: "a wrong signature is 400", Kind: "step", Want: "signature: refusal-final", Give: func(e *Endpoint) {
		e.Before = func(w http.ResponseWriter, c Call) bool {
			if Verified(c) {
				return false
			}
			http.Error(w, "no", http.StatusBadRequest)
			return true
		}
	}},
	{Name: "large bodies are 413", Kind: "step", Want: "big: big-refused", Give: Status(413, func(c Call) bool { return len(c.Body) > 1<<20 })},
	{Name: "all lines are sent back", Kind: "step", Want: "big: answer-too-large", Give: Echoing(func(map[string]any) {})},
	{Name: "calls side by side fail", Kind: "step", Want: "slow: side-by-side", Give: func(e *Endpoint) {
		// The second call waits until another one is there, so that the two overlap.
		var mu sync.Mutex
		n, another := 0, make(chan struct{})
		e.Before = func(w http.ResponseWriter, c Call) bool {
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
	{Name: "a body that breaks off ends it", Kind: "step", Want: "abort: not-after-abort", Give: func(e *Endpoint) {
		ended := make(chan struct{})
		var first sync.Once
		e.Broken = sync.OnceFunc(func() { close(ended) })
		e.Before = func(_ http.ResponseWriter, c Call) bool {
			isFirst := false
			if first.Do(func() { isFirst = true }); isFirst {
				return false
			}
			select { // whether the end of the body was seen by now is not up to chance
			case <-ended:
			case <-c.Context().Done():
			}
			panic(http.ErrAbortHandler)
		}
	}},
	{Name: "one call after the other", Kind: "validator", Want: "slow: one-by-one", Give: func(e *Endpoint) {
		var mu sync.Mutex
		e.Before = func(http.ResponseWriter, Call) bool {
			mu.Lock()
			defer mu.Unlock()
			<-time.After(200 * time.Millisecond) // it works for so long, and a busy machine adds far less
			return false
		}
	}},
	{Name: "nearly too late", Kind: "event", Want: "success: slow-answer", Timeout: 4 * time.Second, Give: func(e *Endpoint) {
		e.Before = func(http.ResponseWriter, Call) bool {
			<-time.After(2200 * time.Millisecond)
			return false
		}
	}},
	{Name: "too late", Kind: "step", Want: "success: no-success", Timeout: 200 * time.Millisecond, Give: func(e *Endpoint) {
		e.Before = func(_ http.ResponseWriter, c Call) bool {
			<-c.Context().Done()
			return true
		}
	}},
}

// Conflict answers a repeated call as endpoints do that take it for an error.
func Conflict(w http.ResponseWriter, _ string) { http.Error(w, "duplicate", http.StatusConflict) }
