package settings

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

func TestErrors(t *testing.T) {
	step := func(fields string) string { return inStatus(`{"name":"WebhookWorkflowStep",` + fields + `}`) }
	connector := func(fields string) string { return `{"connectors":[{"name":"W",` + fields + `}]}` }
	for name, c := range map[string]struct {
		doc  string
		want []string
	}{
		"a limit with a space behind":   {step(`"connector":"W","enabledForMarkets ":["NOR"]`), []string{stepAt + ".enabledForMarkets "}},
		"step without a name":           {inStatus(`{"connector":"W"}`), []string{stepAt + ".name"}},
		"step with a blank name":        {inStatus(`{"name":" ","connector":"W"}`), []string{stepAt + ".name"}},
		"webhook step, no connector":    {inStatus(`{"name":"webhookworkflowstep"}`), []string{stepAt + ".connector"}},
		"return step, no connector":     {`{"returnStatuses":[{"name":"Returned","workflowSteps":[{"name":"WebhookReturnWorkflowStep"}]}]}`, []string{"returnStatuses[0].workflowSteps[0].connector"}},
		"export step, no connector":     {inStatus(`{"name":"ExportOrder","connector":""}`), []string{stepAt + ".connector"}},
		"order type without a name":     {`{"orderTypes":[{}]}`, []string{"orderTypes[0].name"}},
		"status without a name":         {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x"},{"name":null}]}]}`, []string{"orderTypes[0].orderStatuses[1].name"}},
		"return status without a name":  {`{"returnStatuses":[{"workflowSteps":[]}]}`, []string{"returnStatuses[0].name"}},
		"market without an id":          {`{"markets":[{"marketName":"x"}]}`, []string{"markets[0].marketId"}},
		"market group without an id":    {`{"marketGroups":[{"marketIds":[]}]}`, []string{"marketGroups[0].groupId"}},
		"cart validator without a host": {`{"connectors":[{"name":"WEBHOOKVALIDATOR"}]}`, []string{"connectors[0].host"}},
		"connector without a name":      {`{"connectors":[{"connectorId":"a"}]}`, []string{"connectors[0].name"}},
		"two connectors with one id":    {`{"connectors":[{"name":"W","connectorId":"a"},{"name":"V","connectorId":"A"}]}`, []string{"connectors[1].connectorId"}},
		"two order types of one name":   {`{"orderTypes":[{"name":"a"},{"name":"b"},{"name":"A"}]}`, []string{"orderTypes[2].name"}},
		"two statuses of one name":      {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x"},{"name":"X"}]},{"name":"b","orderStatuses":[{"name":"x"}]}]}`, []string{"orderTypes[0].orderStatuses[1].name"}},
		"two return statuses":           {`{"returnStatuses":[{"name":"x"},{"name":"X"}]}`, []string{"returnStatuses[1].name"}},
		"two markets of one id":         {`{"markets":[{"marketId":"x"},{"marketId":"X"}]}`, []string{"markets[1].marketId"}},
		"two market groups of one id":   {`{"marketGroups":[{"groupId":"x"},{"groupId":"X"}]}`, []string{"marketGroups[1].groupId"}},
		"two default order types":       {`{"orderTypes":[{"name":"a","default":true,"defaultOrderType":true},{"name":"b","defaultOrderType":true}]}`, []string{"orderTypes[1].defaultOrderType"}},
		"two Host properties":           {step(`"connector":"W","properties":[{"key":"Host","value":"http://a"},{"key":"host","value":"http://b"}]`), []string{stepAt + ".properties[1].key"}},
		"two ErrorStatus properties":    {step(`"connector":"W","stopOnError":true,"properties":[{"key":"ErrorStatus","value":"a"},{"key":"errorStatus","value":"b"}]`), []string{stepAt + ".properties[1].key"}},
		"Host property without a value": {step(`"connector":"W","properties":[{"key":"Host"}]`), []string{stepAt + ".properties[0].value"}},
		"Host property that is no URL":  {step(`"connector":"W","properties":[{"key":"Host","value":"example.com"}]`), []string{stepAt + ".properties[0].value"}},
		"unknown condition":             {step(`"connector":"W","conditions":["Success","Never"]`), []string{stepAt + ".conditions[1]"}},
		"timeout that does not parse":   {connector(`"timeout":"30"`), []string{"connectors[0].timeout"}},
		"timeout of two forms":          {connector(`"timeout":"PT00:00:05"`), []string{"connectors[0].timeout"}},
		"timeout of a month":            {connector(`"timeout":"P1M"`), []string{"connectors[0].timeout"}},
		"breaker that never opens":      {connector(`"breaker":{"failures":1,"window":"PT0S","openFor":"00:00:00"}`), []string{"connectors[0].breaker.window", "connectors[0].breaker.openFor"}},
		"timeout as a number":           {connector(`"timeout":30`), []string{"connectors[0].timeout"}},
		"secret that is not base64":     {connector(`"signingSecret":"whsec_!"`), []string{"connectors[0].signingSecret"}},
		"secret of no bytes":            {connector(`"signingSecret":"whsec_"`), []string{"connectors[0].signingSecret"}},
		"line break in bearerToken":     {connector(`"bearerToken":"a\nX-Evil: b"`), []string{"connectors[0].bearerToken"}},
		"line break in token":           {connector(`"token":"a\r\nb"`), []string{"connectors[0].token"}},
		"colon in username":             {connector(`"username":"a:b","password":"p"`), []string{"connectors[0].username"}},
		"a mask that nothing replaced":  {connector(`"host":"http://h","password":"***","username":"u"`), []string{"connectors[0].password"}},
		"wrong types in a connector": {connector(`"connectorId":1,"host":{},"bearerToken":[],"disableStandardErrorPolicy":"true","customHeaders":{},
			"enabledForMarkets":"NOR","disabledForMarkets":[1],"implementations":["I",null],"properties":["x"],"displayName":false`),
			[]string{"connectors[0].enabledForMarkets", "connectors[0].disabledForMarkets[0]", "connectors[0].connectorId", "connectors[0].host", "connectors[0].bearerToken",
				"connectors[0].disableStandardErrorPolicy", "connectors[0].displayName", "connectors[0].customHeaders", "connectors[0].properties[0]", "connectors[0].implementations[1]"}},
		"wrong types in a step": {inStatus(`{"name":1,"connector":2,"active":"yes","stopOnError":1,"properties":[{"key":"a","value":5}],"enabledForStores":[2],"conditions":"Error"}`),
			[]string{stepAt + ".name", stepAt + ".active", stepAt + ".stopOnError", stepAt + ".enabledForStores[0]", stepAt + ".conditions", stepAt + ".connector", stepAt + ".properties[0].value"}},
		"a blank ErrorStatus":  {step(`"connector":"W","properties":[{"key":"ErrorStatus","value":" \t"}]`), []string{stepAt + ".properties[0].value"}},
		"an empty ErrorStatus": {step(`"connector":"W","properties":[{"key":"ERRORSTATUS","value":""}]`), []string{stepAt + ".properties[0].value"}},
		"a blank status":       {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":" "}]}],"returnStatuses":[{"name":"\t"}]}`, []string{"orderTypes[0].orderStatuses[0].name", "returnStatuses[0].name"}},
		"a status twice, but for case and spaces": {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"Packed"},{"name":" PACKED "}]}],"returnStatuses":[{"name":"Returned"},{"name":"returned "}]}`,
			[]string{"orderTypes[0].orderStatuses[1].name", "returnStatuses[1].name"}},
		"a status twice, with a dotless i": {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"Ship"},{"name":"SHıP"}]}]}`, []string{"orderTypes[0].orderStatuses[1].name"}},
		"two lists of conditions":          {step(`"connector":"W","conditions":["Error"],"workflowStepConditions":[{"type":"Success"}]`), []string{stepAt + ".workflowStepConditions"}},
		"one more condition":               {step(`"connector":"W","conditions":["Error","Success"],"workflowStepConditions":["Error"]`), []string{stepAt + ".workflowStepConditions"}},
		"one more condition there":         {step(`"connector":"W","conditions":["Error"],"workflowStepConditions":["Error","Success"]`), []string{stepAt + ".workflowStepConditions"}},
		"conditions of an unknown kind": {step(`"connector":"W","conditions":["Sometimes",""],"workflowStepConditions":[{"type":"OrderTotal","min":5},{},{"type":"Error","market":"NOR"},7,{"type":7}]`),
			[]string{stepAt + ".conditions[0]", stepAt + ".conditions[1]", stepAt + ".workflowStepConditions[0].min", stepAt + ".workflowStepConditions[0].type",
				stepAt + ".workflowStepConditions[1].type", stepAt + ".workflowStepConditions[2].market", stepAt + ".workflowStepConditions[3]", stepAt + ".workflowStepConditions[4].type"}},
		"limits of a step that are not known here": {step(`"connector":"W","enabledForRegions":["EU"],"DisabledForCustomerTypes":["b2b"],"enabledForMarket":"NOR","stepCondition":{"x":1},"Condition":"a"`),
			[]string{stepAt + ".enabledForRegions", stepAt + ".disabledForCustomerTypes", stepAt + ".enabledForMarket", stepAt + ".stepCondition", stepAt + ".condition"}},
		"limits of a step under other names": {step(`"connector":"W","onlyEnabledForMarkets":["NOR"],"notDisabledForStores":["1"]`),
			[]string{stepAt + ".onlyEnabledForMarkets", stepAt + ".notDisabledForStores"}},
		"a step that is turned off by another name": {step(`"connector":"W","enabled":false,"isEnabled":false,"Disabled":true,"isDisabled":true`),
			[]string{stepAt + ".enabled", stepAt + ".isEnabled", stepAt + ".disabled", stepAt + ".isDisabled"}},
		"others that are turned off": {`{"connectors":[{"name":"W","enabled":false}],"orderTypes":[{"name":"a","isDisabled":true,"orderStatuses":[{"name":"x","disabled":true}]}]}`,
			[]string{"connectors[0].enabled", "orderTypes[0].isDisabled", "orderTypes[0].orderStatuses[0].disabled"}},
		"others that are not active": {`{"connectors":[{"name":"W","host":"https://example.com","active":false},{"name":"V","host":"https://example.com","isActive":false}],"orderTypes":[{"name":"a","isActive":false,"orderStatuses":[{"name":"x","active":false,"workflowSteps":[{"name":"WebhookWorkflowStep","connector":"W","active":false,"isActive":false}]}]}]}`,
			[]string{"connectors[0].active", "connectors[1].isActive", stepAt + ".isActive"}},
		"active by another name":    {`{"connectors":[{"name":"W","host":"https://example.com","active":true}],"orderTypes":[{"name":"a","active":null,"orderStatuses":[{"name":"x","active":"no","workflowSteps":[{}]}]}]}`, []string{"orderTypes[0].orderStatuses[0].workflowSteps[0].name"}},
		"turned on by another name": {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"W","enabled":true,"isDisabled":false,"disabled":null,"isEnabled":"no"},{}]}]}]}`, []string{"orderTypes[0].orderStatuses[0].workflowSteps[1].name"}},
		"limits of a connector that are not known here": {connector(`"enabledForStores":["1"],"disabledForTags":["a"],"conditions":["Error"],"enabledForWarehouses":["w"]`),
			[]string{"connectors[0].enabledForStores", "connectors[0].disabledForTags", "connectors[0].conditions", "connectors[0].enabledForWarehouses"}},
		"limits where nothing is limited": {`{"orderTypes":[{"name":"a","enabledForMarkets":["NOR"],"orderStatuses":[{"name":"x","disabledForStores":["1"]}]}],"returnStatuses":[{"name":"Returned","enabledForTags":["t"]}]}`,
			[]string{"orderTypes[0].enabledForMarkets", "orderTypes[0].orderStatuses[0].disabledForStores", "returnStatuses[0].enabledForTags"}},
		"flags of a validator": {connector(`"properties":[{"key":"IsRequestWrapperEnabled","value":"yes"},{"key":"IsOnlyLineItemsUpdated","value":1},{"key":"isonlylineitemsupdated","value":""},{"key":"own","value":true}]`),
			[]string{"connectors[0].properties[0].value", "connectors[0].properties[1].value", "connectors[0].properties[2].value", "connectors[0].properties[3].value"}},
		"store groups": {`{"storeGroups":[{"groupId":"a","storeIds":"1"},{"groupId":"A "},{"storeIds":[1]}],"orderTypes":[{"name":"a","disableWorkflow":"true"}]}`,
			[]string{"storeGroups[0].storeIds", "storeGroups[1].groupId", "storeGroups[2].groupId", "storeGroups[2].storeIds[0]", "orderTypes[0].disableWorkflow"}},
		"statuses that are no texts": {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","mainOrderStatus":1,"shipmentStatusUpdate":["y"]}]}]}`,
			[]string{"orderTypes[0].orderStatuses[0].shipmentStatusUpdate", "orderTypes[0].orderStatuses[0].mainOrderStatus"}},
		"statuses that are blank": {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","mainOrderStatus":" ","shipmentStatusUpdate":"\t"},{"name":"y","mainOrderStatus":"","shipmentStatusUpdate":""}]}]}`,
			[]string{"orderTypes[0].orderStatuses[0].shipmentStatusUpdate", "orderTypes[0].orderStatuses[0].mainOrderStatus"}},
		"connector as a number": {step(`"connector":2`), []string{stepAt + ".connector"}},
		"wrong types around": {`{"connectors":[null],"markets":{},"marketGroups":[{"groupId":"g","marketIds":["a",1]}],"orderTypes":[{"name":"a","default":1,"orderStatuses":[{"name":"n","workflowSteps":{},"events":"x"},7]}],"returnStatuses":"x"}`,
			[]string{"markets", "marketGroups[0].marketIds[1]", "connectors[0]", "orderTypes[0].default", "orderTypes[0].orderStatuses[1]",
				"orderTypes[0].orderStatuses[0].events", "orderTypes[0].orderStatuses[0].workflowSteps", "returnStatuses"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(document(t, c.doc))
			if diff := cmp.Diff(c.want, locations(t, err)); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestWhatWouldLimit is refused in the words that every unknown field is refused with.
func TestWhatWouldLimit(t *testing.T) {
	for field, want := range map[string]string{
		`"enabledForMarket":["NOR"]`: "is no field of a step, and would limit it; is enabledForMarkets meant?",
		`"isDisabled":true`:          "is no field of a step, and would turn it off; is active meant?",
		`"isActive":false`:           "is no field of a step, and would turn it off; is active meant?",
	} {
		_, _, err := Parse(document(t, inStatus(`{"name":"WebhookWorkflowStep","connector":"W",`+field+`}`)))
		if e, ok := errors.AsType[*apierr.Error](err); !ok || len(e.Fields) != 1 || e.Fields[0].Message != want {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestHosts(t *testing.T) {
	for host, ok := range map[string]bool{
		"https://validation.example.com/api/validate": true,
		"http://localhost:8081":                       true,
		"http://2852039166/":                          false,
		"http://127.1/":                               false,
		"http://0x7f.1/":                              false,
		"https://0177.0.0.1/":                         false,
		"https://198.51.100.7/":                       true,
		"HTTPS://Example.com/x?code=1":                true,
		"http://[::1]:80/":                            true,
		"http://10.0.0.1/":                            true,
		"":                                            false,
		"example.com/x":                               false,
		"//example.com/x":                             false,
		"/path":                                       false,
		"ftp://example.com":                           false,
		"file:///etc/passwd":                          false,
		"http:example.com":                            false,
		"https://":                                    false,
		"https:///path":                               false,
		"https://:443/":                               false,
		"http://h:0/":                                 false,
		"http://h:":                                   false,
		"http://h:65536/":                             false,
		"http://h:80x/":                               false,
		"http://h:-1/":                                false,
		" http://h":                                   false,
		"http://h h/":                                 false,
		"http://h/\n":                                 false,
		"http://user:s3cret@h/":                       false,
		"http://s3cret@h/":                            false,
	} {
		doc := jsondoc.NewObject(jsondoc.Member{Name: "connectors", Value: []any{
			jsondoc.NewObject(jsondoc.Member{Name: "name", Value: "W"}, jsondoc.Member{Name: "host", Value: host})}})
		_, _, err := Parse(doc)
		if (err == nil) != ok {
			t.Errorf("Host %q gives %v", host, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

// docs/contract.md#headers: what a custom header may replace, and what never.
func TestHeaders(t *testing.T) {
	for name, ok := range map[string]bool{
		"User-Agent": true, "Accept": true, "Authorization": true, "X-Api-Key": true, "contents": true, "x-delivery": true,
		"Host": false, "HOST": false, "Content-Type": false, "content-length": false, "X-Delivery-Count": false, "x-max-delivery-count": false,
		"Idempotency-Key": false, "traceparent": false, "webhook-id": false, "Webhook-Timestamp": false, "X-Any-Delivery-Count": false, "webhook-signature": false,
		"Connection": false, "Expect": false, "Transfer-Encoding": false, "TE": false, "Trailer": false, "Upgrade": false, "Keep-Alive": false,
		"Proxy-Authorization": false, "Bearer s3cret": false, "X:": false, "X\nY": false, "Ключ": false, "": false,
	} {
		list := []any{jsondoc.NewObject(jsondoc.Member{Name: "key", Value: name}, jsondoc.Member{Name: "value", Value: "v"},
			jsondoc.Member{Name: "keyGroup", Value: "RequestHeaders"})}
		connector := jsondoc.NewObject(jsondoc.Member{Name: "name", Value: "W"}, jsondoc.Member{Name: "customHeaders", Value: list})
		if _, _, err := Parse(jsondoc.NewObject(jsondoc.Member{Name: "connectors", Value: []any{connector}})); (err == nil) != ok {
			t.Errorf("custom header %q gives %v", name, err)
		} else if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error tells the secret: %v", err)
		}
		doc := document(t, inStatus(`{"name":"WebhookWorkflowStep","connector":"W"}`))
		doc.Objects("orderTypes")[0].Objects("orderStatuses")[0].Objects("workflowSteps")[0].Set("properties", list)
		if _, _, err := Parse(doc); (err == nil) != ok {
			t.Errorf("RequestHeaders property %q gives %v", name, err)
		}
	}
}

func TestHeaderValues(t *testing.T) {
	const at = "connectors[0].customHeaders[0]"
	for header, want := range map[string][]string{
		`{"key":"a","value":""}`:               nil,
		`{"key":"a","value":"ø and\ttab"}`:     nil,
		`{"key":"a","value":"s3cret\r\nX: y"}`: {at + ".value"},
		`{"key":"a","value":"s3cret\u0000"}`:   {at + ".value"},
		`{"key":"a"}`:                          {at + ".value"},
		`{"value":"a"}`:                        {at + ".key"},
		`{"key":1,"value":2}`:                  {at + ".key", at + ".value"},
	} {
		_, _, err := Parse(document(t, `{"connectors":[{"name":"W","customHeaders":[`+header+`]}]}`))
		if diff := cmp.Diff(want, locations(t, err)); diff != "" {
			t.Errorf("%s: %v\n%s", header, err, diff)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestErrorsAreBounded(t *testing.T) {
	_, _, err := Parse(document(t, `{"connectors":[`+strings.Repeat("1,", 5000)+`2]}`))
	e, _ := errors.AsType[*apierr.Error](err)
	if len(e.Fields) != mostFindings || !strings.Contains(e.Detail, fmt.Sprint(mostFindings)) {
		t.Errorf("%d errors are named, detail %q", len(e.Fields), e.Detail)
	}
}

// Groups multiply: a document of ten megabytes must not take gigabytes.
func TestResolvedMarketsAreBounded(t *testing.T) {
	group := `{"groupId":"g","marketIds":[` + strings.Repeat(`"a",`, 2000) + `"a"]}`
	connector := `{"name":"W","enabledForMarketGroups":["g"]}`
	_, _, err := Parse(document(t, `{"marketGroups":[`+group+`],"connectors":[`+strings.Repeat(connector+",", 600)+connector+`]}`))
	if at := locations(t, err); len(at) == 0 || at[0] != "connectors[499].enabledForMarketGroups" {
		t.Errorf("errors at %v", at)
	}
}
