package contract

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// TestLargeAnswersTakeTurns (docs/contract.md#fairness, small): answers of which
// the memory allows one at a time are all read and applied, of steps, validators and
// replays alike, and nothing of it is left taken.
func TestLargeAnswersTakeTurns(t *testing.T) {
	const orders = 6
	large := answerWith(`{"x":[` + strings.Repeat(`{"a":{}},`, 20_000) + `{}]}`)
	s := endpoint(t, func(w http.ResponseWriter, _ int) { _, _ = fmt.Fprint(w, large) })
	voice := endpoint(t, func(w http.ResponseWriter, _ int) {
		_, _ = fmt.Fprintf(w, `{"isValidatedSuccessful":true,"value":{"x":[%s{}]}}`, strings.Repeat(`{"a":{}},`, 20_000))
	})
	r := startOn(t, newDatabase(t), func(o *outbound.Options) { o.MaxAnswerBytes = int64(len(large)) * 40 })
	r.settings(with(config(status("New", step{ID: "c1"}, step{ID: "c1"})), connectors(connector(s.URL, `,"ConnectorId":"c1"`), validatorAt(voice.URL, ""), validatorAt(voice.URL, ""))))
	var all sync.WaitGroup
	for i := range orders {
		all.Go(func() {
			one := r.call("POST", "/api/orders", fmt.Sprintf(`{"id":"G2-%d","status":"New"}`, i)).want(201)
			one.is("orderActionExecutionResults[1].actionStatus", "Success")
			r.call("POST", "/api/carts/validate", cart).want(200).is("isValidatedSuccessful", true)
			attempt := r.get(fmt.Sprintf("/api/attempts?kind=step&orderId=G2-%d", i)).text("items[0].id")
			r.call("POST", "/api/attempts/"+attempt+"/replay", "").want(200)
		})
	}
	all.Wait()
	equals(t, "calls of steps and replays", len(s.got()), 3*orders)
	equals(t, "calls of validators", len(voice.got()), 2*orders)
}
