package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#settings: both time forms are taken for every time-out.
func TestEveryTimeoutTakesBothForms(t *testing.T) {
	r := start(t)
	for _, form := range [][2]string{{"PT5S", "PT1M"}, {"00:00:05", "00:01:00"}} {
		a := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":"https://e.example.com","eventTypes":["*"],"timeout":%q,"retrySchedule":[%q,%q]}`, form[0], form[0], form[1])).want(201)
		a.is("timeout", "PT5S").is("retrySchedule", []string{"PT5S", "PT1M"})
		path := "/api/endpoints/" + a.text("id")
		r.call("PATCH", path, fmt.Sprintf(`{"timeout":%q}`, form[1])).want(200).is("timeout", "PT1M")
		r.call("POST", path+"/rotate-secret", fmt.Sprintf(`{"overlap":%q}`, form[1])).want(200)
		r.settings(with(fmt.Sprintf(`{"retention":{"runs":%q}}`, map[string]string{"PT5S": "P7D", "00:00:05": "7.00:00:00"}[form[0]]),
			fmt.Sprintf(`"connectors":[{"name":"W","host":"http://h","timeOut":%[1]q,"breaker":{"failures":1,"window":%[1]q,"openFor":%[2]q}}],
			"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","maxDuration":%[2]q}]}]`, form[0], form[1])))
		r.call("POST", "/api/orders?wait="+form[0], `{}`).want(201)
	}
	for _, bad := range []string{"5", "5s", "00:05", "24:00:00", "-PT5S", "-00:00:05"} {
		r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":"https://e.example.com","eventTypes":["*"],"timeout":%q}`, bad)).problem(422, "body.timeout")
		r.call("PUT", "/api/settings", fmt.Sprintf(`{"connectors":[{"name":"W","host":"http://h","timeOut":%q}]}`, bad)).problem(422, "body.connectors[0].timeout")
	}
}

// What .NET writes for a TimeSpan that nobody has set.
func TestAConnectorsTimeoutOfZeroIsTheDefault(t *testing.T) {
	s := answering(t, "")
	r := lease(t)
	r.settings(with(config(status("New", step{ID: "erp"})), connectors(connector(s.URL, `,"ConnectorId":"erp","TimeOut":"00:00:00"`))))
	r.post(order).is("orderActionExecutionResults[0].actionStatus", "Success")
}

// Settings say where the target guard will refuse a Host, and what admits it.
func TestAHostThatTheGuardWillRefuseIsAWarning(t *testing.T) {
	r := start(t, func(o *outbound.Options) { o.Guard = outbound.Guard{AllowHosts: []string{"10.1.0.0/16"}} })
	for host, says := range map[string]string{
		"http://10.0.0.1:8080/x": "--allow-private-targets", "http://127.0.0.1": "--allow-private-targets", "https://[::1]/": "--allow-private-targets",
		"http://localhost:9000": "--allow-private-targets", "http://[::ffff:192.168.0.1]": "--allow-private-targets",
		"http://169.254.169.254/latest": "outgoing.allowHosts", "http://[fe80::1]": "outgoing.allowHosts",
		"http://10.1.2.3": "", "https://erp.example.com": "", "http://93.184.215.14": "",
	} {
		doc := with(config(status("New", step{Host: host})), connectors(connector(host, "")))
		for _, call := range []string{"POST /api/settings/check", "PUT /api/settings"} {
			a := r.callOf(call, doc).want(200)
			if says == "" {
				a.is("warnings", []string{})
				continue
			}
			for i, place := range []string{"connectors[0].host", aStep + "properties[0].value"} {
				a.is(fmt.Sprintf("warnings[%d].path", i), place)
				message := a.text(fmt.Sprintf("warnings[%d].message", i))
				if !strings.Contains(message, says) || says == "outgoing.allowHosts" && strings.Contains(message, "--allow-private") {
					t.Errorf("%s: %s", host, message)
				}
			}
		}
	}
}
