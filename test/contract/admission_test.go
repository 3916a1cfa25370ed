package contract

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
)

// What requests may have the server hold: docs/contract.md#limits.

// limited starts an orderhook with limits of its own.
func limited(t *testing.T, change func(*rig)) *rig {
	t.Helper()
	r := newRig(t, newDatabase(t))
	change(r)
	r.run()
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() { r.end(patience) })
	return r
}

// upload is a request that was begun, on a connection of its own.
type upload struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// upload sends the head of a POST and so much of its body. A declared length of
// -1 is one of chunks.
func (r *rig) upload(path string, declared, sent int) *upload {
	r.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	length, body := fmt.Sprint("Content-Length: ", declared), bytes.Repeat([]byte(" "), sent)
	if declared < 0 {
		length, body = "Transfer-Encoding: chunked", append(fmt.Appendf(nil, "%x\r\n", sent), append(body, "\r\n"...)...)
	}
	u := &upload{r.t, conn, bufio.NewReader(conn)}
	u.send(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n%s", path, r.key, length, body))
	return u
}

// send sends more. That the server reads no more is for the answer to say.
func (u *upload) send(text string) { _, _ = io.WriteString(u.conn, text) }

// answer reads the answer to what was sent.
func (u *upload) answer() answer {
	u.t.Helper()
	_ = u.conn.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(u.in, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	return answer{u.t, resp.StatusCode, resp.Header, raw}
}

// tooMany wants a 429 that names the limit and says when to try again.
func (a answer) tooMany(words ...string) {
	a.t.Helper()
	a.problem(429)
	for _, word := range words {
		if !strings.Contains(a.text("detail"), word) {
			a.t.Errorf("the problem says %q, and not %s", a.text("detail"), word)
		}
	}
	equals(a.t, "Retry-After", a.Header.Get("Retry-After"), "1")
}

// TestUploadsOfAReader (docs/contract.md#fairness): nothing of what a key may not
// send is read, so that the server holds nothing of it.
func TestUploadsOfAReader(t *testing.T) {
	gate := admission.New(admission.DefaultLimits)
	r := limited(t, func(r *rig) { r.admission = gate })
	r.addKey("key-of-a-reader", access.DefaultTenant, access.Reader)
	reader := r.as("key-of-a-reader")
	var held []*upload
	for i := range 60 {
		declared := 10 << 20
		if i%6 == 5 {
			declared = -1
		}
		held = append(held, reader.upload("/api/orders", declared, 100<<10))
	}
	for _, u := range held {
		u.answer().problem(403)
	}
	for _, u := range []*upload{r.as("unknown").upload("/api/orders", 10<<20, 10), r.as("").upload("/api/orders", -1, 10)} {
		u.answer().problem(401)
	}
	r.upload("/api/no-such-thing", 10<<20, 10).answer().problem(404)
	r.upload("/api/orders?wait=false&wait=true", 10<<20, 10).answer().problem(422)
	if f := gate.Figures(); f != (admission.Figures{}) {
		t.Errorf("it held %+v", f)
	}
}

// TestUploadsThatAreHeldOpen: what a tenant may have the server hold is bounded,
// and neither another tenant nor an operator waits for it.
func TestUploadsThatAreHeldOpen(t *testing.T) {
	const mib = 1 << 20
	limits := admission.Limits{Requests: admission.Limit{All: 100, PerTenant: 80}, Bytes: admission.Limit{All: 16 * mib, PerTenant: 4 * mib}}
	gate := admission.New(limits)
	r := limited(t, func(r *rig) { r.admission = gate })
	r.addKey("key-of-a-publisher", access.DefaultTenant, access.Publisher)
	r.addKey("key-of-acme", "acme", access.Publisher)
	publisher := r.as("key-of-a-publisher")
	for _, declared := range []int{mib, -1} {
		refused := 0
		var held []*upload
		for range 60 {
			was := gate.Figures()
			u := publisher.upload("/api/orders", declared, mib/2)
			r.until("the upload is held or refused", func() bool {
				is := gate.Figures()
				return is.RefusedBytes > was.RefusedBytes || is.Bytes >= was.Bytes+mib/2
			})
			if gate.Figures().RefusedBytes > was.RefusedBytes {
				u.answer().tooMany("bytes of requests in flight", "your tenant may have 4194304", "--max-request-bytes-in-flight")
				refused++
				continue
			}
			held = append(held, u)
		}
		if f := gate.Figures(); refused == 0 || len(held) == 0 || f.Bytes > limits.Bytes.PerTenant || f.MostBytes > limits.Bytes.PerTenant+2*mib || f.MostRequests > int64(len(held))+2 {
			t.Fatalf("%d are held and %d refused: %+v", len(held), refused, f)
		}
		publisher.call("POST", "/api/orders", strings.Repeat(" ", mib)+"{}").tooMany("--max-request-bytes-in-flight")
		publisher.get("/api/orders")
		r.as("key-of-acme").call("POST", "/api/orders", strings.Repeat(" ", mib)+"{}").want(201)
		held[0].send(strings.Repeat(" ", mib/2-2) + "{}")
		if declared == mib {
			held[0].answer().want(201)
		}
		for _, u := range held {
			_ = u.conn.Close()
		}
		r.until("all room is given back", func() bool { return gate.Figures().Bytes == 0 })
		publisher.call("POST", "/api/orders", strings.Repeat(" ", mib)+"{}").want(201)
	}
}

// TestTheOperatorsDoor: who has used up its limits can still ask who it is, and
// have a key taken away; that has limits of its own.
func TestTheOperatorsDoor(t *testing.T) {
	gate := admission.New(admission.Limits{Requests: admission.Limit{All: 3, PerTenant: 3}, Bytes: admission.DefaultLimits.Bytes})
	r := limited(t, func(r *rig) { r.admission = gate })
	made := r.call("POST", "/api/keys", `{"role":"publisher"}`).want(201)
	attacker := r.as(made.text("key"))
	for range 3 {
		attacker.upload("/api/orders", 10, 1)
	}
	r.until("they are held", func() bool { return gate.Figures().Requests == 3 })
	for _, u := range []string{"/api/orders", "/api/settings", "/api/endpoints"} {
		r.call("GET", u, "").tooMany("requests at once", "may have 3", "--max-requests")
	}
	r.get("/healthz")
	r.get("/readyz")
	r.get("/api/openapi.json")
	attacker.get("/api/me").is("role", "publisher")
	r.get("/api/keys")
	r.get("/api/runs")
	r.call("POST", "/api/runs/run_none/cancel", "").problem(404)
	r.call("DELETE", "/api/keys/"+made.text("id"), "").want(204)
	attacker.call("GET", "/api/me", "").problem(401)

	var held []*upload
	for range 17 { // of a tenant's 16 at the door
		held = append(held, r.upload("/api/keys", 10, 1))
	}
	refused := make(chan answer, len(held))
	for _, u := range held {
		go func() {
			if _, err := u.in.Peek(1); err == nil { // an answer comes
				refused <- u.answer()
			}
		}()
	}
	a := <-refused
	a.tooMany("requests at once", "may have 16")
	r.get("/healthz")
}

// TestCallersWhoWait: a caller who waits for its run is one of the requests at
// once, until it has its answer.
func TestCallersWhoWait(t *testing.T) {
	gate := admission.New(admission.Limits{Requests: admission.Limit{All: 5, PerTenant: 2}, Bytes: admission.DefaultLimits.Bytes})
	r := limited(t, func(r *rig) { r.admission = gate })
	s := holding(t)
	r.settings(config(status("New", step{Host: s.URL})))
	r.addKey("key-of-acme", "acme", access.Publisher)
	answers := make(chan answer, 2)
	for i := range 2 {
		go func() {
			a, err := r.try("POST", "/api/orders", fmt.Sprintf(`{"id":"o%d","orderType":"Online"}`, i))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
		s.wait()
	}
	r.call("GET", "/api/orders", "").tooMany("your tenant may have 2", "--max-requests")
	r.as("key-of-acme").get("/api/orders")
	for range 2 {
		s.answers <- `{}`
		a := <-answers
		a.want(201)
		r.get("/api/orders")
	}
}

// TestCallersWhoWaitWithLargeOrders: what is large is worked on in turn, but only
// until its run is under way.
func TestCallersWhoWaitWithLargeOrders(t *testing.T) {
	r, s := start(t), holding(t)
	r.settings(config(status("New", step{Host: s.URL})))
	answers := make(chan answer, 2)
	for i := range 2 {
		go func() {
			a, err := r.try("POST", "/api/orders", fmt.Sprintf(`{"id":"o%d","orderType":"Online","note":%q}`, i, strings.Repeat("x", 7<<20)))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	for range 2 {
		s.wait()
	}
	for range 2 {
		s.answers <- `{}`
	}
	for range 2 {
		a := <-answers
		a.want(201)
	}
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	r := limited(t, func(r *rig) {
		r.limits.SettingsBytes = 1000
		r.admission = admission.New(admission.Limits{Requests: admission.DefaultLimits.Requests, Bytes: admission.Limit{All: 12 << 20, PerTenant: 11 << 20}})
	})
	const flight = "--max-request-bytes-in-flight"
	for _, c := range []struct {
		path           string
		declared, sent int
		status         int
		words          string
	}{
		{"/api/orders", 10<<20 + 1, 10, 413, "larger than 10485760 bytes"}, // at once: nobody waits for it
		{"/api/orders", 10 << 20, 10 << 20, 400, ""},                       // read whole, and is no JSON
		{"/api/orders", -1, 10<<20 + 1, 413, "larger than 10485760 bytes"},
		{"/api/settings/check", 1001, 10, 413, "larger than 1000 bytes (--max-settings-bytes)"},
		{"/api/settings/check", -1, 1001, 413, "larger than 1000 bytes (--max-settings-bytes)"},
		{"/api/settings/check", 1000, 1000, 400, ""},
	} {
		a := r.upload(c.path, c.declared, c.sent).answer().problem(c.status)
		if !strings.Contains(a.text("detail"), c.words) || strings.Contains(a.text("detail"), flight) {
			t.Errorf("%s with %d of %d: %s", c.path, c.sent, c.declared, a.Raw)
		}
	}
	r.call("PUT", "/api/settings", `{"note":"`+strings.Repeat("x", 1000)+`"}`).problem(413)
	r.get("/api/settings").is("note", nil)
	small := limited(t, func(r *rig) {
		r.admission = admission.New(admission.Limits{Requests: admission.DefaultLimits.Requests, Bytes: admission.Limit{All: 2000, PerTenant: 1000}})
	})
	a := small.call("POST", "/api/orders", strings.Repeat(" ", 1001)+"{}").problem(413)
	if !strings.Contains(a.text("detail"), "1000 bytes ("+flight+")") {
		t.Errorf("%s", a.Raw)
	}
	small.call("POST", "/api/orders", strings.Repeat(" ", 900)+"{}").want(201)
}

// TestWrongKeysAreSlowedDown: and whoever has a right one, at the same address,
// notices nothing.
func TestWrongKeysAreSlowedDown(t *testing.T) {
	r := start(t)
	var last answer
	for i := range 12 {
		last = r.as(fmt.Sprint("wrong-key-", i)).call("GET", "/api/orders", "")
		if want := map[bool]int{true: 401, false: 429}[i < 10]; last.Status != want {
			t.Fatalf("number %d: %d %s", i+1, last.Status, last.Raw)
		}
		r.get("/api/me")
	}
	equals(t, "Retry-After", last.problem(429).Header.Get("Retry-After"), "60")
	r.as("").call("GET", "/api/orders", "").problem(401) // who has none tries none
	log := r.log.String()
	if strings.Count(log, "many wrong keys came from one address") != 1 || !strings.Contains(log, "address=127.0.0.1") || strings.Contains(log, "wrong-key-") {
		t.Errorf("the log says %s", log)
	}
	r.clock.Advance(time.Minute)
	r.as("wrong-key-0").call("GET", "/api/orders", "").problem(401)
}

func TestTheLastAdminStays(t *testing.T) {
	r := start(t)
	me := r.get("/api/me").text("id")
	r.call("POST", "/api/keys", `{"role":"operator"}`).want(201)
	a := r.call("DELETE", "/api/keys/"+me, "").problem(409)
	if !strings.Contains(a.text("detail"), "last of an admin") {
		t.Errorf("%s", a.Raw)
	}
	r.stranger().call("DELETE", "/api/keys/"+me, "").problem(404)
	other := r.call("POST", "/api/keys", `{"role":"admin"}`).want(201)
	r.call("DELETE", "/api/keys/"+me, "").want(204)
	r.call("GET", "/api/me", "").problem(401)
	r.as(other.text("key")).call("DELETE", "/api/keys/"+other.text("id"), "").problem(409)
}

func TestSoManyEndpoints(t *testing.T) {
	r := limited(t, func(r *rig) { r.limits = api.Limits{Endpoints: admission.Limit{All: 3, PerTenant: 2}} })
	create := func(r *rig, headers ...string) answer {
		return r.call("POST", "/api/endpoints", `{"url":"https://example.com/hook","eventTypes":["*"]}`, headers...)
	}
	names := func(a answer, words ...string) {
		t.Helper()
		a.problem(422)
		for _, word := range append(words, "--max-endpoints") {
			if !strings.Contains(a.text("detail"), word) {
				t.Errorf("%s does not say %s", a.Raw, word)
			}
		}
	}
	first := create(r, "Idempotency-Key", "one").want(201).text("id")
	create(r, "Idempotency-Key", "one").want(201).is("id", first) // and is counted once
	create(r).want(201)
	names(create(r), "your tenant", "2")
	create(r, "Idempotency-Key", "one").want(201).is("id", first)
	create(r.stranger()).want(201)
	names(create(r.stranger()), "all tenants", "3")
	r.call("PATCH", "/api/endpoints/"+first, `{"description":"x"}`).want(200)
	r.restart(patience) // it is counted anew
	names(create(r), "your tenant")
	r.call("DELETE", "/api/endpoints/"+first, "").want(204)
	r.call("DELETE", "/api/endpoints/"+first, "").problem(404)
	create(r).want(201)
	names(create(r), "your tenant")
}

func TestAnOrderMayBeSoLarge(t *testing.T) {
	r := limited(t, func(r *rig) { r.maxOrderBytes = 3000 })
	long := func(n int) string { return strings.Repeat("x", n) }
	large := func(a answer) {
		t.Helper()
		if a.problem(413); !strings.Contains(a.text("detail"), "larger than 3000 bytes") || !strings.Contains(a.text("detail"), "--max-order-bytes") {
			t.Errorf("%s", a.Raw)
		}
	}
	large(r.call("POST", "/api/orders", `{"note":"`+long(3000)+`"}`))
	r.get("/api/orders").is("items", []string{})
	r.call("POST", "/api/orders", `{"id":"ORD-12345","note":"`+long(2000)+`"}`).want(201)
	before := r.stored()
	large(r.call("PATCH", theOrder, `{"customerName":"`+long(1000)+`"}`))
	large(r.call("POST", theOrder+"/shipments", `{"shipmentId":"S","trackingNumber":"`+long(1000)+`"}`))
	equals(t, "what is stored", r.stored(), before)
	r.call("PATCH", theOrder, `{"customerName":"Kari"}`).want(200)
	r.call("PUT", "/api/carts/C", `{"note":"`+long(3000)+`"}`).want(201)
	large(r.call("POST", "/api/carts/C/order", ""))
}

func TestAWriteMayMakeSoManyEvents(t *testing.T) {
	r := start(t)
	shipments := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"shipmentId":"S%d"}`, i))
		}
		return `{"orderForm":{"shipments":[` + strings.Join(list, ",") + `]}}`
	}
	r.post(`{"id":"ORD-12345"}`)
	before := r.stored()
	a := r.call("PATCH", theOrder, shipments(1001)).problem(422)
	if !strings.Contains(a.text("detail"), "at most 1000 events") {
		t.Errorf("%s", a.Raw)
	}
	equals(t, "what is stored", r.stored(), before)
	r.call("PATCH", theOrder, shipments(1000)).want(200)
}
