package contract

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
)

// A validator that returns the cart changes nothing, whatever the cart is like.
func TestAnEchoOfAForeignCartChangesNothing(t *testing.T) {
	for _, wrapper := range []string{"false", "true"} {
		t.Run("IsRequestWrapperEnabled "+wrapper, func(t *testing.T) {
			eachForeign(t, func(t *testing.T, d foreign) {
				r := lease(t)
				var now atomic.Pointer[echo]
				var s *sink
				s = endpointOf(t, func(w http.ResponseWriter, _ *http.Request, n int) {
					_, _ = io.WriteString(w, `{"isValidatedSuccessful":true,"value":`+now.Load().of(t, cartOf(t, s.got()[n].Body, wrapper))+`}`)
				})
				r.validators(validatorAt(s.URL, flags("IsRequestWrapperEnabled "+wrapper)))
				path := "/api/carts/" + or(d.id, "CART-1")
				first := r.call("PUT", path, string(d.raw)).want(201).is("version", 1)
				d.unchanged(t, first.Raw)
				stored := r.get(path).Raw
				for _, e := range everyEcho {
					now.Store(&e)
					a := r.call("POST", path+"/validate", "").want(200).passes(true)
					alike(t, e.name+": value", a.doc().Object("value").JSON(), stored)
					alike(t, e.name+": stored", r.get(path).Raw, stored)
					alike(t, e.name+": patched with what GET shows", r.call("PATCH", path, e.of(t, stored)).want(200).Raw, stored)
				}
				alike(t, "the cart that was sent", cartOf(t, s.got()[0].Body, wrapper), stored)
			})
		})
	}
}

// cartOf is the cart in a validator's request, in its envelope or bare.
func cartOf(t *testing.T, body []byte, wrapper string) []byte {
	t.Helper()
	if wrapper == "false" {
		return body
	}
	var in map[string]jsonText
	decode(t, body, &in)
	return in["cart"]
}
