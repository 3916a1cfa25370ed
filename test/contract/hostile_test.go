package contract

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// levels is an object of so many levels.
func levels(n int) string {
	return strings.Repeat(`{"a":`, n-1) + `{}` + strings.Repeat(`}`, n-1)
}

func TestADeepAnswerHarmsNothing(t *testing.T) {
	deep := levels(jsondoc.MaxDepth - 5)
	s := answering(t, answerWith(`{"OrderForm":{"x":[`+deep+`]}}`))
	r, res := placed(t, step{Host: s.URL}, step{Host: s.URL}, step{Host: s.URL})
	for _, i := range []string{"0", "1", "2"} {
		res.is("orderActionExecutionResults["+i+"].actionStatus", "Success")
	}
	r.call("PATCH", theOrder, `{"customerName":"Kari Hansen"}`).want(200)
}

func TestADeepShipmentLeavesTheOrderReadable(t *testing.T) {
	r := lease(t)
	r.post(order)
	r.call("POST", theOrder+"/shipments", `{"shipmentId":"DEEP","x":`+levels(jsondoc.MaxDepth-1)+`}`).want(201)
	r.get(theOrder)
	r.get("/api/orders")
	r.call("DELETE", theOrder+"?permanently=true", "").want(204)
}

// The database is locked from elsewhere while an endpoint answers: the call is
// not made again, and what came of it is stored once that is possible.
func TestAnAnswerOutlivesALockedDatabase(t *testing.T) {
	needsFile(t)
	r := start(t)
	conn, err := sqlOf(t, r.path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := endpoint(t, func(w http.ResponseWriter, _ int) {
		if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, answerWith(`{"Tags":["kept"]}`))
	})
	r.settings(config(status("New", step{Host: s.URL})))
	r.call("POST", "/api/orders?wait=false", order).want(202)
	r.until("the write has failed", func() bool { return strings.Contains(r.log.String(), "cannot be stored yet") })
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("tags", []string{"first", "kept"})
	equals(t, "calls", len(s.got()), 1)
	r.get("/api/attempts").is("items[0].number", 1).is("items[1]", nil)
}
