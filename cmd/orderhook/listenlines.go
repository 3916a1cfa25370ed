package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/listen"
	"github.com/orderhook/orderhook/internal/spelling"
)

// listenLines shows what happens, a line each, and hands events and calls on. Several
// goroutines tell it.
type listenLines struct {
	session *session
	ctx     context.Context
	to      *localReceiver
	json    bool
	most    int    // events and calls; 0: any number
	enough  func() // ends the command

	mu                    sync.Mutex // of what follows, and of what is printed
	events, calls, failed int
	said                  time.Time // when the last line was printed
}

// countOne counts an event or a call that was handed on, and ends the command after as many as
// were wanted.
func (w *listenLines) countOne(of *int, acknowledged bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*of++
	if !acknowledged {
		w.failed++
	}
	if w.events+w.calls == w.most {
		w.enough()
	}
}

// heartbeatEach is after how much silence a line says that all is well.
const heartbeatEach = time.Minute

// line prints a line: for people, or as a JSON document.
func (w *listenLines) line(what, text string, more map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = time.Now()
	if !w.json {
		fmt.Fprintf(w.session.out, "%s %-12s %s\n", w.said.Format("15:04:05"), what, text)
		return
	}
	doc := map[string]any{"what": what, "at": w.said.UTC().Format(time.RFC3339Nano)}
	for name, value := range more {
		doc[name] = value
	}
	if out, err := json.Marshal(doc); err == nil {
		fmt.Fprintf(w.session.out, "%s\n", out)
	}
}

// leavingTime is how long a second signal waits for what was made on the server to be removed.
// The clean-up gives up by itself before.
const leavingTime = 8 * time.Second

// LeftOver implements [listen.Watcher].
func (w *listenLines) LeftOver(endpoint string, err error) {
	text, doc := endpoint+", which a listener left that was killed, is gone", map[string]any{"endpointId": endpoint}
	switch {
	case endpoint == "":
		text, doc = fmt.Sprintf("whether other listeners have left endpoints is not known: %v", oneLine(err)), map[string]any{"error": oneLine(err)}
	case err != nil:
		text = fmt.Sprintf("%s, which a listener left that was killed, could not be removed: %v", endpoint, oneLine(err))
		doc["error"] = oneLine(err)
	}
	w.line("removed", text, doc)
}

// Listening implements [listen.Watcher].
func (w *listenLines) Listening(endpoint string) {
	w.line("listening", endpoint, map[string]any{"endpointId": endpoint})
}

// Event implements [listen.Watcher].
func (w *listenLines) Event(e listen.Event) {
	acknowledged := true
	doc := map[string]any{"position": e.Position, "eventId": e.EventID, "webhookId": e.WebhookID, "type": e.Type}
	text := fmt.Sprintf("%s %s", cmp.Or(e.Type, "(unknown)"), cmp.Or(e.EventID, "at "+e.Position))
	if id := orderOf(&e); id != "" {
		doc["orderId"] = id
		text += " of " + id
	}
	about := text
	switch {
	case e.Gone != "":
		doc["gone"] = e.Gone
		text += ": " + e.Gone + ", nothing is left to hand on"
	case w.to == nil:
		doc["body"] = e.Body
	default:
		began := time.Now()
		status, err := w.to.post(w.ctx, e)
		took := time.Since(began).Round(time.Millisecond)
		doc["status"], doc["ms"] = status, took.Milliseconds()
		text += fmt.Sprintf(" → %d in %v", status, took)
		if err != nil {
			doc["error"] = err.Error()
			text = fmt.Sprintf("%s → %v", about, err)
		}
		acknowledged = acknowledges(status)
		doc["acknowledged"] = acknowledged
	}
	w.line("event", text, doc)
	w.countOne(&w.events, acknowledged)
}

// orderOf is the order that an event is about, "" if its body says none. The data of an event of
// orders is the order.
func orderOf(e *listen.Event) string {
	var b struct {
		OrderID string `json:"orderId"`
		Data    struct {
			ID      string `json:"id"`
			OrderID string `json:"orderId"`
		} `json:"data"`
	}
	_ = json.Unmarshal(e.Body, &b) // what cannot be read says none
	if b.Data.OrderID == "" && strings.HasPrefix(strings.ToLower(e.Type), "order") {
		b.Data.OrderID = b.Data.ID
	}
	return shown(cmp.Or(b.OrderID, b.Data.OrderID))
}

// Intercepting implements [listen.CallWatcher].
func (w *listenLines) Intercepting(id string) {
	w.line("intercepting", id, map[string]any{"interceptionId": id})
}

// Warned implements [listen.CallWatcher].
func (w *listenLines) Warned(text string) {
	w.line("warning", text, map[string]any{"warning": text})
}

// HandOn implements [listen.CallWatcher].
func (w *listenLines) HandOn(ctx context.Context, c *listen.Call) listen.Answer {
	return w.to.call(ctx, c)
}

// Answered implements [listen.CallWatcher].
func (w *listenLines) Answered(c *listen.Call, a listen.Answer, took time.Duration, err error) {
	took = took.Round(time.Millisecond)
	attempt := c.Headers["X-Delivery-Count"]
	doc := map[string]any{"callId": c.ID, "orderId": c.OrderID, "status": c.Status, "step": c.Step, "displayName": c.DisplayName, "attempt": attempt,
		"answer": a.Status, "ms": took.Milliseconds(), "answered": err == nil && a.Error == ""}
	text := fmt.Sprintf("%s of %s, attempt %s → ", cmp.Or(c.DisplayName, c.Step), c.OrderID, attempt)
	switch {
	case a.Error != "":
		doc["error"] = a.Error
		text += a.Error
	case err != nil:
		doc["error"] = oneLine(err)
		text += fmt.Sprintf("%d in %v, which the server did not take: %v", a.Status, took, oneLine(err))
	default:
		text += fmt.Sprintf("%d in %v", a.Status, took)
	}
	w.line("call", text, doc)
	w.countOne(&w.calls, err == nil && a.Error == "")
}

// Away implements [listen.CallWatcher].
func (w *listenLines) Away(err error, again time.Duration) {
	w.line("disconnected", fmt.Sprintf("no calls: %v; trying again in %v", oneLine(err), again), map[string]any{"of": "calls", "error": oneLine(err), "againMs": again.Milliseconds()})
}

// Back implements [listen.CallWatcher].
func (w *listenLines) Back(after time.Duration) {
	w.line("connected", fmt.Sprintf("calls come again after %v", after.Round(time.Second)), map[string]any{"of": "calls", "afterMs": after.Milliseconds()})
}

// Lapsed implements [listen.CallWatcher].
func (w *listenLines) Lapsed(why string, missed int) {
	text, doc := "nobody knows how many calls went to the endpoint meanwhile", map[string]any{"reason": why}
	if missed >= 0 {
		doc["missed"] = missed
		text = spelling.Count(missed, "call") + " went to the endpoint meanwhile"
	}
	w.line("lapsed", why+"; "+text, doc)
}

// Lost implements [listen.Watcher].
func (w *listenLines) Lost(after, upTo string) {
	w.line("lost", "events behind "+after+", up to "+upTo+", are not retained any more", map[string]any{"after": after, "upTo": upTo})
}

// Disconnected implements [listen.Watcher].
func (w *listenLines) Disconnected(err error, again time.Duration) {
	w.line("disconnected", fmt.Sprintf("%v; trying again in %v", oneLine(err), again), map[string]any{"error": oneLine(err), "againMs": again.Milliseconds()})
}

// Connected implements [listen.Watcher].
func (w *listenLines) Connected(after time.Duration, events int, more bool) {
	came := spelling.Count(events, "event")
	if more {
		came = fmt.Sprintf("%d or more events", events)
	}
	w.line("connected", fmt.Sprintf("again after %v; %s came meanwhile", after.Round(time.Second), came), map[string]any{"afterMs": after.Milliseconds(), "missed": events, "more": more})
}

// Idle implements [listen.Watcher] and [listen.CallWatcher].
func (w *listenLines) Idle() {
	w.mu.Lock()
	events, calls, silent := w.events, w.calls, time.Since(w.said) >= heartbeatEach
	w.mu.Unlock()
	if silent {
		w.line("waiting", spelling.Count(events, "event")+" and "+spelling.Count(calls, "call")+" so far", map[string]any{"events": events, "calls": calls})
	}
}
