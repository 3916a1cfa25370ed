package contract

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// docs/contract.md#secrets: what is a secret stays one, whatever
// an endpoint does with it.

const echoedToken = "tok-3n/of+shop=1"

// echoes are the ways in which an endpoint may repeat a token inside a JSON text.
var echoes = []string{"Bearer " + echoedToken, echoedToken, base64.StdEncoding.EncodeToString([]byte(echoedToken)),
	base64.StdEncoding.EncodeToString([]byte("Bearer " + echoedToken)), `tok-3n\/of+shop=1`, `tok-3n/of\u002Bshop\u003d1`}

// silent fails the test if an answer repeats the token in any of those ways.
func (a answer) silent() answer {
	a.t.Helper()
	return a.says(append([]string{`tok-3n/of\u002bshop`, "3n/of"}, echoes...)...)
}

func TestAStepsAnswerGivesNoSecretAway(t *testing.T) {
	for name, answer := range map[string]string{
		"a reason":           `{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"no: ECHO"}]}`,
		"an error":           `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"no: ECHO"}]}`,
		"a patch":            answerWith(`{"Tags":["ECHO"],"Properties":[{"Key":"auth","Value":"ECHO"}],"CustomerName":"ECHO","ECHO":"x"}`),
		"an invalid answer":  `{"OrderActionExecutionResults":[{"ActionStatus":"ECHO"}]}`,
		"a field of no type": `{"OrderActionExecutionResults":{"ECHO":1}}`,
		"no JSON":            `<p>ECHO</p>`,
	} {
		for _, code := range []int{200, 400} {
			for i, echo := range echoes {
				if i > 0 && (name != "a patch" || code != 200) && name != "a reason" {
					continue // the other ways are read alike everywhere
				}
				s := endpoint(t, func(w http.ResponseWriter, _ int) {
					w.Header().Set("X-Echo", "Bearer "+echoedToken)
					replying(code, strings.ReplaceAll(answer, "ECHO", echo))(w, 0)
				})
				r := start(t)
				r.settings(with(config(status("New", step{ID: "c1", Stop: true})), connectors(connector(s.URL, `,"ConnectorId":"c1","BearerToken":"`+echoedToken+`"`))))
				res := r.post(order).silent()
				equals(t, "sent", s.got()[0].Header.Get("Authorization"), "Bearer "+echoedToken)
				r.get(theOrder).silent()
				r.get(theOrder + "/history").silent()
				r.get("/api/runs/" + res.text("runId")).silent()
				attempt := r.get("/api/attempts").silent().text("items[0].id")
				r.get("/api/attempts/"+attempt).silent().is("response.headers.X-Echo", "***")
				r.call("POST", "/api/attempts/"+attempt+"/replay", "").want(200).silent()
				if name == "a patch" && code == 200 && i < 2 {
					r.get(theOrder).is("customerName", "***").is("tags", []string{"first", "***"})
				}
			}
		}
	}
}

func TestAValidatorsAnswerGivesNoSecretAway(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, `,"bearerToken":"`+echoedToken+`"`)
	for _, echo := range echoes {
		for _, code := range []int{200, 500} {
			for _, answer := range []string{`"ECHO"`, `{"validationErrors":[{"message":"ECHO"}],"validationMessage":"ECHO","value":{"properties":[{"key":"a","value":"ECHO"}]}}`} {
				s.says(replying(code, strings.ReplaceAll(answer, "ECHO", echo)))
				r.validate().silent()
				r.get(theCart).silent()
				r.get("/api/attempts/" + r.get("/api/attempts").silent().text("items[0].id")).silent()
			}
		}
	}
	equals(t, "sent", s.got()[0].Header.Get("Authorization"), "Bearer "+echoedToken)
}

func TestAnEventEndpointsAnswerGivesNoSecretAway(t *testing.T) {
	r := lease(t)
	s := endpointOf(t, func(w http.ResponseWriter, req *http.Request, n int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(500)
		signature := req.Header.Get("Webhook-Signature")
		fmt.Fprintf(w, `{"hex":"%x","key":%q,"signature":%q,"bare":%q,"tenant":%q,"path":%q}`, req.Header.Get("X-Api-Key"), req.Header.Get("X-Api-Key"), signature, strings.TrimPrefix(signature, "v1,"), req.Header.Get("X-Tenant"), req.RequestURI)
	})
	e := r.subscribed(s.URL+"/in?access_token="+"q-s3cret"+"&page=7", `,"headers":{"X-Api-Key":"k-s3cret","Accept":"application/json","X-Tenant":"acme-tenant"},"retrySchedule":["PT0S"]`)
	r.publish("")
	r.awaitDeliveries()
	attempt := r.get("/api/attempts").says("s3cret").is("items[0].url", s.URL+"/in?access_token=***&page=***").text("items[0].id")
	a := r.get("/api/attempts/" + attempt)
	for path, want := range map[string]any{
		"response.headers.Content-Type": "application/json", "request.headers.X-Api-Key": "***", "request.headers.Accept": "***", "request.headers.X-Tenant": "***",
		"request.headers.Webhook-Signature": "***", "response.body": `{"hex":"***","key":"***","signature":"v1,***","bare":"***","tenant":"acme-tenant","path":"/in?access_token=***&page=7"}`,
	} {
		a.is(path, want)
	}
	r.get("/api/deliveries").says("s3cret")
	r.call("POST", endpointPath(e, "/test"), "").want(200).says("s3cret").is("request.headers.Webhook-Signature", "***")
	r.call("POST", "/api/attempts/"+attempt+"/replay", "").want(200).says("s3cret").is("replay.request.headers.Webhook-Signature", "***")
	equals(t, "the last request went to", s.got()[len(s.got())-1].URL, "/in?access_token=q-s3cret&page=7")
}

// Those who may change a URL see its query; nobody else does, and no other place shows it.
func TestTheQueryOfAURLIsForOperatorsAlone(t *testing.T) {
	r, s := lease(t), answering(t, "")
	address := s.URL + "/in?token=q-s3cret&flag"
	shown := s.URL + "/in?token=***&flag"
	e := r.subscribed(address, "").is("url", address)
	configuration := with(config(status("New", step{Host: address}, step{ID: "c1"})),
		connectors(connector(address, `,"ConnectorId":"c1"`), `{"name":"webhookValidator","host":"`+address+`"}`))
	r.settings(configuration)
	for _, role := range []string{"reader", "publisher", "operator", "admin"} {
		as, want := r.role(role), address
		if role == "reader" || role == "publisher" {
			want = shown
		}
		as.get(endpointPath(e, "")).is("url", want)
		as.get("/api/endpoints").is("items[0].url", want)
		for _, path := range []string{"/api/settings", "/api/settings/1"} {
			as.get(path).is("connectors[0].host", want).is("connectors[1].host", want).is("orderTypes[0].orderStatuses[0].workflowSteps[0].properties[0].value", want)
		}
	}
	r.call("PUT", theCart, cart).want(201)
	r.call("POST", theCart+"/validate", "").want(200)
	r.post(order)
	r.awaitDeliveries()
	list := r.get("/api/attempts?host="+strings.TrimPrefix(s.URL, "http://")).says("s3cret").is("items[4]", nil)
	for i := range 4 {
		list.is(fmt.Sprintf("items[%d].url", i), shown)
		attempt := "/api/attempts/" + list.text(fmt.Sprintf("items[%d].id", i))
		r.get(attempt).says("s3cret").is("url", shown)
		before := len(s.got())
		r.call("POST", attempt+"/replay", "").want(200).says("s3cret").is("replay.url", shown).is("replay.outcome", "succeeded")
		r.call("POST", attempt+"/replay", `{"url":"`+shown+`"}`).want(200).says("s3cret")
		for _, again := range s.got()[before:] {
			equals(t, "a replay went to", again.URL, "/in?token=q-s3cret&flag")
			equals(t, "its body was sent before", strings.Contains(string(again.Body), "***"), false)
		}
	}
	r.get("/api/connectors/health").says("s3cret").is("items[1].failed", 0)
	// What is shown to others is no URL to send back.
	r.call("PATCH", endpointPath(e, ""), `{"url":"`+shown+`"}`).problem(422, "body.url")
	r.call("POST", "/api/endpoints", `{"url":"`+shown+`","eventTypes":["*"]}`).problem(422, "body.url")
	r.call("PUT", "/api/settings", strings.ReplaceAll(configuration, address, shown)).problem(422, "body.connectors[0].host")
	r.call("PATCH", endpointPath(e, ""), `{"url":"`+address+`"}`).want(200)
	if text := r.log.String(); strings.Contains(text, "s3cret") {
		t.Errorf("the log has it: %s", text)
	}
}

// A short secret is masked where it stands as a word, and nothing else is.
func TestAShortSecretIsGivenAwayNowhere(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"no shop:pw7, nor pw7; pw77 is another, c2hvcDpwdzc= too"}],"OrderPatch":{"CustomerName":"pw7","Tags":["pw78"]}}`)
	r := lease(t)
	r.settings(with(config(status("New", step{ID: "c1"})), connectors(connector(s.URL, `,"ConnectorId":"c1","Username":"shop","Password":"pw7"`))))
	bare := []string{`pw7"`, "pw7,", "pw7;", "pw7 ", "c2hvcDpwdzc"}
	const reason = "no ***, nor ***; pw77 is another, *** too"
	r.post(order).is("orderActionExecutionResults[0].errorReason", reason)
	r.get(theOrder).is("customerName", "***").is("tags", []string{"first", "pw78"}).says(bare...)
	r.get(theOrder + "/history").says(bare...)
	r.get("/api/attempts/" + r.get("/api/attempts").text("items[0].id")).says(bare...)
}

// TestAHostInAnySpellingIsMaskedInTheBody: the body of the request has a step's Host as the settings have it,
// and what is called is its normal spelling.
func TestAHostInAnySpellingIsMaskedInTheBody(t *testing.T) {
	const token = "qu3ry-s3cret-host"
	for _, path := range []string{"/ok?token=" + token, "/a b?token=" + token, "/ok?n=Ø&token=" + token} {
		s := endpoint(t, func(w http.ResponseWriter, _ int) { replying(500, "no "+token)(w, 0) })
		r := start(t)
		r.settings(config(status("New", step{Host: strings.Replace(s.URL, "http://", "HTTP://", 1) + path})))
		r.post(order)
		if got := s.got(); len(got) == 0 || !strings.Contains(string(got[0].Body), token) {
			t.Fatalf("the endpoint got %v", got)
		}
		id := r.get("/api/attempts").says(token).text("items[0].id")
		r.get("/api/attempts/" + id).says(token)
		r.get(theOrder + "/history").says(token)
	}
}

// TestASigningSecretThatIsRepeatedIsGivenAwayNowhere, with its prefix or without.
func TestASigningSecretThatIsRepeatedIsGivenAwayNowhere(t *testing.T) {
	const key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s := endpoint(t, replying(200, `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"expected whsec_`+key+` or `+key+`"}]}`))
	r := start(t)
	r.settings(with(config(status("New", step{ID: "c1"})), connectors(connector(s.URL, `,"ConnectorId":"c1","SigningSecret":"whsec_`+key+`"`))))
	r.post(order).says(key)
	r.get(theOrder).says(key)
	r.get(theOrder + "/history").says(key)
	r.get("/api/attempts/" + r.get("/api/attempts").says(key).text("items[0].id")).says(key)
}
