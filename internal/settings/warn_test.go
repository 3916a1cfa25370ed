package settings

import (
	"fmt"
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
		"another document":               {`{"listen":"127.0.0.1:8080","outgoing":{}}`, []string{""}},
		"another field beside":           {`{"listen":"127.0.0.1:8080","Retention":null}`, nil},
		"an empty document":              {`{}`, nil},
		"misspelt in a status":           {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","workflowstep":[]}]}]}`, []string{"orderTypes[0].orderStatuses[0].workflowStep"}},
		"misspelt in a step":             {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","stopOnErorr":true}`), []string{stepAt + ".stopOnErorr"}},
		"secrets as others call them":    {connector(`"headers":{"Authorization":"x"},"apiKey":"x","Secret":"x"`), []string{"connectors[0].headers", "connectors[0].apiKey", "connectors[0].secret"}},
		"a secret of a status' owner":    {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","secret":"own"}]}]}`, nil},
		"misspelt in a connector":        {`{"connectors":[{"name":"W","host":"https://w.example.com","timeuot":"00:00:01"}]}`, []string{"connectors[0].timeuot"}},
		"unknown and like nothing":       {`{"connectors":[{"name":"W","host":"https://w.example.com","ownerTeam":"x"}]}`, nil},
		"breaker of a cart validator":    {`{"connectors":[{"name":"WebhookValidator","host":"https://v.example.com","breaker":{"failures":1,"window":"00:01:00","openFor":"PT30S"}}]}`, []string{"connectors[0].breaker"}},
		"misspelt property":              {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","properties":[{"key":"ErrorStaus","value":"x"},{"key":"hosts","value":"https://h"},{"key":"Hsot","value":"https://h"}]}`), []string{stepAt + ".properties[0].key", stepAt + ".properties[1].key", stepAt + ".properties[2].key"}},
		"properties of their own":        {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","properties":[{"key":"Cost","value":"5"},{"key":"MaxScore","value":"50"},{"key":"Name","value":"n"},{"key":"active","value":"yes","keyGroup":"Rules"}]}`), nil},
		"misspelt group of headers":      {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","properties":[{"key":"X-A","value":"1","keyGroup":"RequestHeader"},{"key":"X-B","value":"1","keyGroup":"Headers"}]}`), []string{stepAt + ".properties[0].keyGroup", stepAt + ".properties[1].keyGroup"}},
		"a header without its group":     {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","properties":[{"key":"authorization","value":"Bearer x"}]}`), []string{stepAt + ".properties[0].keyGroup"}},
		"headers by another field":       {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","properties":[{"key":"X-A","value":"1","group":"requestHeaders"},{"key":"X-B","value":"1","source":"list","valueType":"RequestHeaders"}]}`), []string{stepAt + ".properties[0].group"}},
		"properties without a key": {`{"connectors":[{"name":"W","host":"http://h","properties":[{"name":"x","value":"1"},{"key":"","value":""},{"key":null,"value":null}]}],"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"W","properties":[{"name":"Host","value":"http://h"},{"key":" ","value":"2"},{}]}]}]}]}`,
			[]string{"connectors[0].properties[0].key", stepAt + ".properties[0].key", stepAt + ".properties[1].key"}},
		"fields among the properties": {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","properties":[{"key":"StopOnError","value":"true"},{"key":"connector","value":"W"},{"key":"ConnectorId","value":"1"},{"key":"RunAfterOrderIsSaved","value":"true"},{"key":"enabledForTags","value":"x"},{"key":"enabledForRegions","value":"x"},{"key":"StopOnErorr","value":"true"},{"key":"BearerToken","value":"x"},{"key":"IsRequestWrapperEnabled","value":"true"}]}`),
			[]string{stepAt + ".properties[0].key", stepAt + ".properties[1].key", stepAt + ".properties[2].key", stepAt + ".properties[3].key", stepAt + ".properties[4].key", stepAt + ".properties[5].key", stepAt + ".properties[6].key", stepAt + ".properties[7].key", stepAt + ".properties[8].key"}},
		"properties among the fields":     {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","Host":"http://h","ErrorStatus":"x"}`), []string{stepAt + ".host", stepAt + ".errorStatus"}},
		"fields of others":                {`{"connectors":[{"name":"W","host":"http://h","stopOnError":true,"isOnlyLineItemsUpdated":true}],"workflowSteps":[],"orderTypes":[{"name":"a","workflowSteps":[],"orderStatuses":[{"name":"x","active":false,"disableWorkflow":true,"timeout":"PT1S"}]}]}`, []string{"workflowSteps", "connectors[0].stopOnError", "connectors[0].isOnlyLineItemsUpdated", "orderTypes[0].workflowSteps", "orderTypes[0].orderStatuses[0].active", "orderTypes[0].orderStatuses[0].disableWorkflow", "orderTypes[0].orderStatuses[0].timeout"}},
		"fields of a connector in a step": {with("", `{"name":"WebhookWorkflowStep","connector":"webhook","timeout":"00:00:05","bearerToken":"x","customHeaders":[]}`), []string{stepAt + ".timeout", stepAt + ".bearerToken", stepAt + ".customHeaders"}},
		"fields of the published model":   {`{"orderTypes":[{"name":"a","enableEdit":true,"deriveOrderStatusFromShipments":false,"defaultExternalIdProvider":null,"orderStatuses":[{"name":"x","displayName":"X","translateKey":"t","properties":[],"order":3,"isPicked":false,"condition":"","availableSteps":[],"updateStatusButtonIsDisabledInGui":true,"workflowSteps":[{"name":"SendMail","acceptText":"a","index":1,"hiddenFromCustomer":true,"externalIds":[],"startDate":null,"description":"d"}]}]}],"markets":[{"marketId":"A","marketName":"n","marketType":"t","shipmentOptions":[]}]}`, []string{"orderTypes[0].orderStatuses[0].workflowSteps[0].name"}},
		"a condition of a status":         {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","condition":"Paid"}]}]}`, []string{"orderTypes[0].orderStatuses[0].condition"}},
		"misspelt validator":              {`{"connectors":[{"name":"WebhookValidater","host":"http://h"},{"name":"Cart check","implementations":["ivalidator"],"host":"http://h"},{"name":"webhookVALIDATOR","implementations":["IValidator"],"host":"http://h"}]}`, []string{"connectors[0].name", "connectors[1].name"}},
		"properties of a connector": {`{"connectors":[{"name":"webhookValidator","host":"http://h","properties":[{"key":"IsOnlyLineItemUpdated","value":"true"},{"key":"BearerToken","value":"x"},{"key":"X-A","value":"1","keyGroup":"RequestHeaders"},{"key":"IsRequestWrapperEnabled","value":"true"},{"key":"isrequestwrapperenabled","value":"false"},{"key":"ErrorStatus","value":"x"}]},{"name":"W","host":"http://h","properties":[{"key":"IsOnlyLineItemsUpdated","value":"true"}]}]}`,
			[]string{"connectors[0].properties[0].key", "connectors[0].properties[1].key", "connectors[0].properties[2].keyGroup", "connectors[0].properties[4].key", "connectors[0].properties[5].key", "connectors[1].properties[0].key"}},
		"misspelt deeper down": {`{"connectors":[{"name":"W","host":"http://h","breaker":{"failures":1,"window":"PT1M","openFor":"PT1M","whileOpened":"wait"},"customHeaders":[{"key":"a","value":"b","valeu":"c"}],"properties":[{"key":"a","value":"b","keyGroups":"c"}]}],"markets":[{"marketId":"A","marketIds":["B"]}],"marketGroups":[{"groupId":"g","marketId":["A"]}],"storeGroups":[{"groupId":"g","storeId":["A"]}]}`,
			[]string{"markets[0].marketIds", "marketGroups[0].marketId", "storeGroups[0].storeId", "connectors[0].breaker.whileOpened", "connectors[0].customHeaders[0].valeu", "connectors[0].properties[0].keyGroups"}},
		"a header without a value":       {`{"connectors":[{"name":"W","host":"http://h","customHeaders":[{"key":"a","value":" "}]}]}`, []string{"connectors[0].customHeaders[0].value"}},
		"statuses of the same letters":   {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"ReadyToPick"},{"name":"Ready to pick"},{"name":"ready-to-ship"},{"name":"ReadyToShip2"},{"name":"+"},{"name":"++"}]}]}`, []string{"orderTypes[0].orderStatuses[1].name"}},
		"a status that is nearly there":  {with(`"x":1,`, `{"name":"WebhookWorkflowStep","connector":"webhook","stopOnError":true,"properties":[{"key":"ErrorStatus","value":"Nwe"}]}`), []string{stepAt + ".properties[0].value"}},
		"a main status nearly there":     {`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"Packed","mainOrderStatus":"AllPackd"},{"name":"AllPacked","mainOrderStatus":"Elsewhere"},{"name":"x","mainOrderStatus":"packed"}]}]}`, []string{"orderTypes[0].orderStatuses[0].mainOrderStatus"}},
		"a return's status nearly there": {`{"returnStatuses":[{"name":"Return"},{"name":"PartialyReturned"},{"name":"Inspected","mainOrderStatus":"x","shipmentStatusUpdate":"y"}]}`, []string{"returnStatuses[0].name", "returnStatuses[1].name", "returnStatuses[2].mainOrderStatus", "returnStatuses[2].shipmentStatusUpdate"}},
		"a store group no one knows":     {with(`"storeGroups":[{"groupId":"city"}],`, `{"name":"WebhookWorkflowStep","connector":"webhook","enabledForStoreGroups":["City","town"]}`), []string{stepAt + ".enabledForStoreGroups[1]"}},
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

func TestWarningsComeWithErrorsToo(t *testing.T) {
	_, warnings, err := Parse(document(t, inStatus(`{"name":"`+strings.Repeat("Fax", 100)+`"},{}`)))
	if err == nil || len(warnings) != 1 || len(warnings[0].Message) > 100 {
		t.Errorf("got %v and %v", warnings, err)
	}
}

// What may be meant is named where something is like it.
func TestWarningsSayWhatMayBeMeant(t *testing.T) {
	doc := `{"connectors":[{"name":"Webhook","connectorId":"erp-prod","host":"http://h"}],"markets":[{"marketId":"Norway"}],"orderTypes":[{"name":"a","orderStatuses":[{"name":"Packed","workflowSteps":[
		{"name":"WebhookWorkflowStp","connector":"Webhok","enabledForMarkets":["Norwya"],"properties":[{"key":"ErrorStaus","value":"Pakced"},{"key":"X","keyGroup":"RequestHeader"}]},
		{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp-prd","stopOnErr":true,"stopOnError":true,"properties":[{"key":"ErrorStatus","value":"Pakced"}]}]}]}]}`
	_, warnings, err := Parse(document(t, doc))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, w := range warnings {
		all = append(all, w.Path+": "+w.Message)
	}
	said := strings.Join(all, "\n")
	for _, meant := range []string{"is WebhookWorkflowStep meant?", "is Webhook meant?", "is Norway meant?", "is ErrorStatus meant?", "is RequestHeaders meant?", "is erp-prod meant?", "is stopOnError meant?", "is Packed meant?"} {
		if !strings.Contains(said, meant) {
			t.Errorf("nothing asks whether %s\n%s", meant, said)
		}
	}
}

// To compare a name with all that are known costs more than to read it.
func TestComparedNamesAreBounded(t *testing.T) {
	var fields strings.Builder
	for i := range 2 * mostVerdicts {
		fmt.Fprintf(&fields, `"own%d":1,`, i)
	}
	p := newParser(document(t, `{"connectors":[{"name":"W","host":"http://h",`+fields.String()+`"properties":[{"key":"a","value":"b"}]}]}`))
	if p.settings(); len(p.root.verdicts) != mostVerdicts {
		t.Errorf("%d names were compared", len(p.root.verdicts))
	}
}
