package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWarnings(t *testing.T) {
	const host = `{"key":"Host","value":"http://h"}`
	with := func(more, step string) string {
		return strings.Replace(inStatus(step), "{", `{"connectors":[{"name":"Webhook","connectorId":"a","host":"http://h"}],`+more, 1)
	}
	returns := func(status string) string {
		return with(`"returnStatuses":[{"name":"`+status+`","workflowSteps":[{"name":"WebhookReturnWorkflowStep","connector":"webhook"}]}],`, "")
	}
	connector := func(fields string) string {
		return `{"connectors":[{"name":"W","host":"http://h",` + fields + `}],"markets":[{"marketId":"NOR"}],"marketGroups":[{"groupId":"Nordic","marketIds":["nor"]}]}`
	}
	for name, c := range map[string]struct {
		doc  string
		want []string
	}{
		"step of a known connector":      {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","connectorId":"A"}`), nil},
		"nobody has the connector":       {with("", `{"name":"WebhookWorkflowStep","connector":"Other"}`), []string{stepAt + ".connector"}},
		"nobody has the id":              {with("", `{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"b"}`), []string{stepAt + ".connectorId"}},
		"inline needs no connector":      {with("", `{"name":"WebhookWorkflowStep","connector":"Other","properties":[`+host+`]}`), nil},
		"inline, nobody has the id":      {with("", `{"name":"WebhookWorkflowStep","connector":"Other","connectorId":"b","properties":[`+host+`]}`), []string{stepAt + ".connectorId"}},
		"unknown step":                   {with("", `{"name":"SendFax"}`), []string{stepAt + ".name"}},
		"known step in other case":       {with("", `{"name":"WEBHOOKWORKFLOWSTEP","connector":"webhook"}`), nil},
		"export step in other case":      {with("", `{"name":"EXPORTORDER","connector":"webhook"}`), nil},
		"export step with StopOnError":   {with("", `{"name":"ExportOrder","connector":"webhook","stopOnError":true}`), []string{stepAt + ".stopOnError"}},
		"export step with ErrorStatus":   {with("", `{"name":"ExportOrder","connector":"webhook","properties":[{"key":"ErrorStatus","value":"x"}]}`), []string{stepAt + ".stopOnError"}},
		"export step of a return":        {with(`"returnStatuses":[{"name":"Inspected","workflowSteps":[{"name":"ExportOrder","connector":"webhook"}]}],`, ""), nil},
		"export step, no such connector": {with("", `{"name":"ExportOrder","connector":"Other"}`), []string{stepAt + ".connector"}},
		"export step with X-Attempt":     {with("", `{"name":"ExportOrder","connector":"webhook","properties":[{"key":"X-Shop","value":"1","keyGroup":"RequestHeaders"},{"key":"x-attempt","value":"1","keyGroup":"requestHeaders"},{"key":"X-Attempt","value":"1"}]}`), []string{stepAt + ".properties[1].key"}},
		"two-way step with X-Attempt":    {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","properties":[{"key":"X-Attempt","value":"1","keyGroup":"RequestHeaders"}]}`), nil},
		"events of a return's status":    {`{"returnStatuses":[{"name":"Returned","events":["x"]}]}`, []string{"returnStatuses[0].events"}},
		"an order's event elsewhere":     {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","events":["order_completed","+own"]}]}]}`, nil},
		"a shipment's event of an order": {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","events":["own","+shipment_shipped"]}]}]}`, []string{"orderTypes[0].orderStatuses[0].events[1]"}},
		"return step in an order status": {with("", `{"name":"webhookReturnWorkflowStep","connector":"webhook"}`), []string{stepAt + ".name"}},
		"return step on Returned":        {returns("returned"), nil},
		"return step on another status":  {returns("Inspected"), []string{"returnStatuses[0].workflowSteps[0].name"}},
		"ErrorStatus, no StopOnError":    {with("", `{"name":"WebhookWorkflowStep","connector":"Webhook","properties":[{"key":"ErrorStatus","value":"x"}]}`), []string{stepAt + ".stopOnError"}},
		"a market no one knows":          {connector(`"enabledForMarkets":["NOR","DEU"],"disabledForMarkets":["nor","FRA"]`), []string{"connectors[0].enabledForMarkets[1]", "connectors[0].disabledForMarkets[1]"}},
		"a market group no one knows":    {connector(`"enabledForMarketGroups":["nordic","x"],"disabledForMarketGroups":["y"]`), []string{"connectors[0].enabledForMarketGroups[1]", "connectors[0].disabledForMarketGroups[0]"}},
		"no markets configured at all":   {`{"connectors":[{"name":"W","host":"http://h","enabledForMarkets":["NOR"]}]}`, nil},
		"groups are all that is known":   {`{"connectors":[{"name":"W","host":"http://h","enabledForMarkets":["NOR","DEU"]}],"marketGroups":[{"groupId":"g","marketIds":["NOR"]}]}`, []string{"connectors[0].enabledForMarkets[1]"}},
		"a group's unknown market":       {`{"markets":[{"marketId":"NOR"}],"marketGroups":[{"groupId":"g","marketIds":["NOR","SWE"]}]}`, []string{"marketGroups[0].marketIds[1]"}},
		"a step's unknown market":        {with(`"markets":[{"marketId":"NOR"}],`, `{"name":"WebhookWorkflowStep","connector":"Webhook","enabledForMarkets":["SWE"]}`), []string{stepAt + ".enabledForMarkets[0]"}},
		"username without password":      {connector(`"username":"u"`), []string{"connectors[0].username"}},
		"password without username":      {connector(`"password":"p"`), []string{"connectors[0].username"}},
		"two kinds of Authorization":     {connector(`"bearerToken":"a","token":"b"`), []string{"connectors[0]"}},
		"one header twice":               {connector(`"customHeaders":[{"key":"X-A","value":"1"},{"key":"x-a","value":"2"},{"key":"X-B","value":"3"}]`), []string{"connectors[0].customHeaders[1].key"}},
		"misspelt in the document":       {`{"orderType":[]}`, []string{"orderType"}},
		"misspelt in a status":           {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","workflowstep":[]}]}]}`, []string{"orderTypes[0].orderStatuses[0].workflowStep"}},
		"misspelt in a step":             {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","stopOnErorr":true}`), []string{stepAt + ".stopOnErorr"}},
		"misspelt in a connector":        {`{"connectors":[{"name":"W","host":"https://w.example.com","timeuot":"00:00:01"}]}`, []string{"connectors[0].timeuot"}},
		"unknown and like nothing":       {`{"connectors":[{"name":"W","host":"https://w.example.com","ownerTeam":"x"}]}`, nil},
		"breaker of a cart validator":    {`{"connectors":[{"name":"WebhookValidator","host":"https://v.example.com","breaker":{"failures":1,"window":"00:01:00","openFor":"PT30S"}}]}`, []string{"connectors[0].breaker"}},
		"connector without a host":       {`{"connectors":[{"name":"W"}]}`, []string{"connectors[0].host"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, warnings, err := Parse(document(t, c.doc))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range warnings {
				got = append(got, w.Path)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v\n%s", warnings, diff)
			}
		})
	}
}

func TestWarningsComeWithMistakesToo(t *testing.T) {
	_, warnings, err := Parse(document(t, inStatus(`{"name":"`+strings.Repeat("Fax", 100)+`"},{}`)))
	if err == nil || len(warnings) != 1 || len(warnings[0].Message) > 100 {
		t.Errorf("got %v and %v", warnings, err)
	}
}
