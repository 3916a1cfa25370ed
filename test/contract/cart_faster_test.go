package contract

import (
	"fmt"
	"net/http"
	"testing"
)

// docs/contract.md#carts: the cart's version guards it as an order's does.

// duringValidation validates the cart and does something while its endpoint
// holds the first call; what it returns gives the validation's answer.
func duringValidation(r *rig, g *keeper, do func(), headers ...string) (finish func() answer) {
	r.t.Helper()
	answers := make(chan answer, 1)
	go func() {
		a, err := r.try("POST", theCart+"/validate", "", headers...)
		if err != nil {
			r.t.Error(err)
		}
		answers <- a
	}()
	g.wait()
	do()
	return func() answer { r.t.Helper(); return <-answers }
}

func TestACartChangedMeanwhileIsValidatedAgainAndBothChangesStand(t *testing.T) {
	for _, row := range []struct {
		name, theirs, ours string
		after              map[string]any
	}{
		{"different fields", `{"customerEmail":"api@example.com"}`, `{"salesChannel":"checked"}`, map[string]any{"customerEmail": "api@example.com", "salesChannel": "checked"}},
		{"the same field", `{"salesChannel":"theirs"}`, `{"salesChannel":"checked"}`, map[string]any{"salesChannel": "checked"}},
		{"different fields of one line", `{"orderForm":{"lineItems":[{"lineItemId":"` + theLine + `","quantity":3}]}}`, form(`"lineItems":[{"lineItemId":"` + theLine + `","color":"red"}]`),
			map[string]any{"orderForm.lineItems[0].quantity": 3, "orderForm.lineItems[0].color": "red", "orderForm.total": number("2997.00")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := holding(t)
			r := checking(t, g.sink, "")
			finish := duringValidation(r, g, func() { r.call("PATCH", theCart, row.theirs).want(200).is("version", 2) })
			g.answer(`{"value":` + row.ours + `}`)
			g.wait() // the cart as it is by now
			g.answer(`{"value":` + row.ours + `}`)
			finish().want(200).passes(true).is("value.version", 3)
			stored := r.get(theCart).is("version", 3)
			for path, want := range row.after {
				stored.is(path, want)
			}
			is(t, g.got()[0].Body, "version", 1)
			is(t, g.got()[1].Body, "version", 2)
			equals(t, "calls with keys of their own", g.each("Idempotency-Key")[0] != g.each("Idempotency-Key")[1], true)
			equals(t, "attempts", len(r.get("/api/attempts?cartId=C123456").ids("id")), 2)
		})
	}
}

func TestTheVerdictIsTheLastOne(t *testing.T) {
	g := holding(t)
	r := checking(t, g.sink, "")
	finish := duringValidation(r, g, func() { r.call("PATCH", theCart, `{"salesChannel":"theirs"}`).want(200) })
	g.answer(rejected)
	g.wait()
	g.answer(approved)
	finish().want(200).passes(true).is("value.version", 2).is("value.salesChannel", "theirs")
}

func TestACartChangedAgainAndAgainIsAConflict(t *testing.T) {
	var r *rig
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if _, err := r.try("PATCH", theCart, fmt.Sprintf(`{"salesChannel":"%d"}`, n)); err != nil {
			t.Error(err)
		}
		replying(200, changing)(w, n)
	})
	r = checking(t, s, "")
	r.call("POST", theCart+"/validate", "").problem(409)
	r.get(theCart).is("version", len(s.got())+1).is("salesChannel", fmt.Sprint(len(s.got())-1)).is("tags", nil)
	equals(t, "every call is recorded", len(r.get("/api/attempts").ids("id")), len(s.got()))
}

func TestIfMatchOfACartChangedMeanwhileIsStale(t *testing.T) {
	g := holding(t)
	r := checking(t, g.sink, "")
	finish := duringValidation(r, g, func() { r.call("PATCH", theCart, `{"salesChannel":"theirs"}`).want(200) }, "If-Match", `"1"`)
	g.answer(changing)
	finish().problem(412)
	r.get(theCart).is("tags", nil).is("version", 2)
	r.get("/api/attempts").is("items[0].outcome", "succeeded")
}

func TestACartRemovedMeanwhileStaysRemoved(t *testing.T) {
	g := holding(t)
	r := checking(t, g.sink, "")
	finish := duringValidation(r, g, func() { r.call("DELETE", theCart, "").want(204) })
	g.answer(changing)
	finish().problem(404)
	r.call("GET", theCart, "").problem(404)
	r.get("/api/attempts?cartId=C123456").is("items[0].outcome", "succeeded").is("items[1]", nil)
}

func TestACartRemovedAndStoredAnewIsValidatedAsItIsNow(t *testing.T) {
	g := holding(t)
	r := checking(t, g.sink, "")
	finish := duringValidation(r, g, func() { r.put(`{"customerEmail":"next@example.com"}`).is("version", 1) })
	g.answer(changing)
	g.wait()
	g.answer(changing)
	finish().want(200).is("value.version", 2)
	r.get(theCart).is("customerEmail", "next@example.com").is("tags", []string{"checked"}).is("orderForm", nil)
}

func TestManyValidationsAtOnceLoseNoChange(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	s.says(func(w http.ResponseWriter, n int) {
		replying(200, fmt.Sprintf(`{"value":{"seen":{"n%d":true}}}`, n))(w, n)
	})
	together(4, func(i int) {
		a, err := r.try("PATCH", theCart, fmt.Sprintf(`{"mine":{"n%d":true}}`, i))
		if err != nil || a.Status != 200 {
			t.Errorf("%d %s, %v", a.Status, a.Raw, err)
		}
		if a, err = r.try("POST", theCart+"/validate", ""); err != nil || a.Status != 200 && a.Status != 409 {
			t.Errorf("%d %s, %v", a.Status, a.Raw, err)
		}
	})
	stored := r.get(theCart)
	for i := range 4 {
		stored.is(fmt.Sprintf("mine.n%d", i), true)
	}
	versions := 1 + 4 + stored.doc().Object("seen").Len()
	stored.is("version", versions)
}

// A validation that goes on while somebody stores other settings ends with those
// that it began with: a validator whose secret was replaced is asked with the one
// before, and the next validation has the new one.
func TestSettingsStoredWhileACartIsValidatedFailNoValidator(t *testing.T) {
	g, next := holding(t), answering(t, answerWith(approved))
	r := lease(t)
	second := func(token string) string { return validatorAt(next.URL, `,"token":"`+token+`"`) }
	r.validators(validatorAt(g.URL, ""), second("the-first-token"))
	r.put(cart)
	finish := duringValidation(r, g, func() {
		r.validators(second("the-second-token"))
		g.answer(answerWith(approved))
	})
	finish().want(200).is("isValidatedSuccessful", true)
	r.call("POST", theCart+"/validate", "").want(200).is("isValidatedSuccessful", true)
	equals(t, "tokens", next.each("Authorization"), []string{"Token the-first-token", "Token the-second-token"})
}
