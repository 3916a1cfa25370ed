package settings

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
)

var ignoreWire = cmp.Options{cmpopts.IgnoreFields(Step{}, "Wire"), cmpopts.EquateComparable(secret.Value{})}

// The steps below are the examples of the specifications (docs/contract.md#settings), in
// their own mix of letter case.
func TestStepsOfTheSeeds(t *testing.T) {
	webhook := func(change func(*Step)) *Step {
		st := &Step{Name: WebhookStep, Active: true, Connector: "Webhook"}
		change(st)
		return st
	}
	inline := func(st *Step) {
		st.Host = "https://validation.example.com/api/validate"
		st.RequestHeaders = []event.Header{{Name: "Authorization", Value: secret.New("Bearer your-token")}}
	}
	for name, c := range map[string]struct {
		step string
		want *Step
	}{
		"option A": {`{ "name": "WebhookWorkflowStep", "active": true, "Connector": "Webhook",
			"Properties": [
				{ "Key": "Host", "Value": "https://validation.example.com/api/validate" },
				{ "Key": "Authorization", "Value": "Bearer your-token", "KeyGroup": "RequestHeaders" } ] }`,
			webhook(inline)},
		"option A with StopOnError and ErrorStatus": {`{ "name": "WebhookWorkflowStep", "active": true, "Connector": "Webhook", "StopOnError": true,
			"Properties": [
				{ "Key": "Host", "Value": "https://validation.example.com/api/validate" },
				{ "Key": "Authorization", "Value": "Bearer your-token", "KeyGroup": "RequestHeaders" },
				{ "Key": "ErrorStatus", "Value": "ValidationFailed" } ] }`,
			webhook(func(st *Step) { inline(st); st.StopOnError, st.ErrorStatus = true, "ValidationFailed" })},
		"option B": {`{ "name": "WebhookWorkflowStep", "active": true, "Connector": "Webhook", "ConnectorId": "my-validation-service",
			"StopOnError": true, "Properties": [ { "Key": "ErrorStatus", "Value": "ValidationFailed" } ] }`,
			webhook(func(st *Step) {
				st.ConnectorID, st.StopOnError, st.ErrorStatus = "my-validation-service", true, "ValidationFailed"
			})},
		"rows RunAfterOrderIsSaved and TranslateKey": {`{ "Name": "WebhookWorkflowStep", "Connector": "Webhook", "RunAfterOrderIsSaved": true,
			"TranslateKey": "steps.validate", "isInvisible": true }`,
			webhook(func(st *Step) {
				st.RunAfterOrderIsSaved, st.TranslateKey, st.IsInvisible = true, "steps.validate", true
			})},
		"all other case": {`{ "NAME": "webhookworkflowstep", "ACTIVE": true, "CONNECTOR": "Webhook", "stoponerror": true,
			"PROPERTIES": [
				{ "KEY": "host", "VALUE": "https://validation.example.com/api/validate" },
				{ "key": "Authorization", "value": "Bearer your-token", "keygroup": "requestheaders" },
				{ "key": "ERRORSTATUS", "value": "ValidationFailed" } ] }`,
			webhook(func(st *Step) { inline(st); st.StopOnError, st.ErrorStatus = true, "ValidationFailed" })},
		"active left out": {`{"name":"WebhookWorkflowStep","connector":"Webhook"}`, webhook(func(*Step) {})},
		"not active": {`{"name":"WebhookWorkflowStep","connector":"Webhook","active":false}`,
			webhook(func(st *Step) { st.Active = false })},
		"empty fields spelled out": {`{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":null,"active":null,"properties":null,
			"enabledForMarkets":null,"conditions":null,"stopOnError":null}`, webhook(func(*Step) {})},
		"conditions in any case": {`{"name":"WebhookWorkflowStep","connector":"Webhook","conditions":["success","ERROR","Warning"]}`,
			webhook(func(st *Step) { st.Conditions = []Condition{OnSuccess, OnError, OnWarning} })},
		"conditions as the field has them": {`{"name":"WebhookWorkflowStep","connector":"Webhook","workflowStepConditions":[{"type":"success"},{"TYPE":"Error","value":null,"list":[]}]}`,
			webhook(func(st *Step) { st.Conditions = []Condition{OnSuccess, OnError} })},
		"conditions, either form in either field": {`{"name":"WebhookWorkflowStep","connector":"Webhook","conditions":[{"type":"Warning"}],"WorkflowStepConditions":["warning"]}`,
			webhook(func(st *Step) { st.Conditions = []Condition{OnWarning} })},
		"conditions given twice, in another order": {`{"name":"WebhookWorkflowStep","connector":"Webhook","conditions":["Error","Warning"],"workflowStepConditions":[{"type":"Warning"},{"type":"Error"}]}`,
			webhook(func(st *Step) { st.Conditions = []Condition{OnError, OnWarning} })},
		"no conditions": {`{"name":"WebhookWorkflowStep","connector":"Webhook","conditions":[],"workflowStepConditions":null}`, webhook(func(*Step) {})},
		"limits of shipments": {`{"name":"WebhookWorkflowStep","connector":"Webhook","EnabledForWarehouses":["a"],"disabledForWarehouses":["b"],"enabledForShipmentOptions":["c"],"disabledForShipmentOptions":["d"]}`,
			webhook(func(st *Step) {
				st.Limits = Limits{EnabledForWarehouses: []string{"a"}, DisabledForWarehouses: []string{"b"}, EnabledForShipmentOptions: []string{"c"}, DisabledForShipmentOptions: []string{"d"}}
			})},
		"limits that are not known here and say nothing": {`{"name":"WebhookWorkflowStep","connector":"Webhook","enabledForRegions":[],"disabledForRegions":null,"enabledForCountry":"","regionConditions":{}}`, webhook(func(*Step) {})},
		"ErrorStatus is trimmed": {`{"name":"WebhookWorkflowStep","connector":"Webhook","stopOnError":true,"properties":[{"key":"errorstatus","value":" On Hold\n"}]}`,
			webhook(func(st *Step) { st.StopOnError, st.ErrorStatus = true, "On Hold" })},
		"ErrorStatus of null": {`{"name":"WebhookWorkflowStep","connector":"Webhook","properties":[{"key":"ErrorStatus","value":null}]}`, webhook(func(*Step) {})},
		"limits": {`{"name":"WebhookWorkflowStep","connector":"Webhook","enabledForMarkets":["NOR"],"disabledForMarkets":["SWE"],
			"enabledForStores":["1"],"disabledForStores":["2"],"enabledForTags":["a"],"disabledForTags":["b"]}`,
			webhook(func(st *Step) {
				st.Limits = Limits{EnabledForMarkets: []string{"NOR"}, DisabledForMarkets: []string{"SWE"}, EnabledForStores: []string{"1"},
					DisabledForStores: []string{"2"}, EnabledForTags: []string{"a"}, DisabledForTags: []string{"b"}}
			})},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, onlyStep(t, c.step), ignoreWire); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The first two are the connectors of the specifications; the others are rows of
// their tables (docs/contract.md#settings).
func TestConnectorsOfTheSeeds(t *testing.T) {
	for name, c := range map[string]struct {
		connector string
		want      Connector
	}{
		"option B": {`{ "Name": "Webhook", "ConnectorId": "my-validation-service", "DisplayName": "Order Validation",
			"Host": "https://validation.example.com/api/validate", "BearerToken": "your-token-here" }`,
			Connector{Name: "Webhook", ConnectorID: "my-validation-service", Host: "https://validation.example.com/api/validate",
				BearerToken: secret.New("your-token-here"), Timeout: event.DefaultTimeout}},
		"cart validator": {`{ "name": "webhookValidator", "implementations": ["IValidator"], "host": "https://validation.example.com/api/cart-validate",
			"bearerToken": "YOUR_API_KEY", "properties": [
				{ "key": "IsRequestWrapperEnabled", "value": "false" }, { "key": "IsOnlyLineItemsUpdated", "value": "false" } ] }`,
			Connector{Name: "webhookValidator", Host: "https://validation.example.com/api/cart-validate", BearerToken: secret.New("YOUR_API_KEY"),
				Timeout: event.DefaultTimeout}},
		"both properties": {`{"name":"WEBHOOKVALIDATOR","host":"http://h","properties":[{"KEY":"isrequestwrapperenabled","value":"TRUE"},{"key":"IsOnlyLineItemsUpdated","value":true},{"key":"own","value":"yes"}]}`,
			Connector{Name: "WEBHOOKVALIDATOR", Host: "http://h", Timeout: event.DefaultTimeout, WrapsRequest: true, OnlyLineItems: true}},
		"rows Username / Password, Token, timeOut": {`{"name":"W","host":"http://h","username":"u","password":"p","token":"t","timeOut":"00:00:05"}`,
			Connector{Name: "W", Host: "http://h", Username: "u", Password: secret.New("p"), Token: secret.New("t"), Timeout: 5 * time.Second}},
		"row CustomHeaders": {`{"name":"W","host":"http://h","CustomHeaders":[{"Key":"X-Api-Key","Value":"k"},{"key":"Authorization","value":""}]}`,
			Connector{Name: "W", Host: "http://h", Timeout: event.DefaultTimeout, CustomHeaders: []event.Header{{Name: "X-Api-Key", Value: secret.New("k")}, {Name: "Authorization"}}}},
		"rows EnabledForMarkets, DisabledForMarkets": {`{"name":"W","host":"http://h","EnabledForMarkets":["NOR"],"DisabledForMarkets":["SWE"]}`,
			Connector{Name: "W", Host: "http://h", Timeout: event.DefaultTimeout, EnabledForMarkets: []string{"NOR"}, DisabledForMarkets: []string{"SWE"}}},
		"rows of market groups": {`{"name":"W","host":"http://h","enabledForMarkets":["DEU"],"enabledForMarketGroups":["nordic"],"disabledForMarketGroups":["Nordic"]}`,
			Connector{Name: "W", Host: "http://h", Timeout: event.DefaultTimeout, EnabledForMarkets: []string{"DEU", "NOR", "SWE"}, DisabledForMarkets: []string{"NOR", "SWE"}}},
		"a group of no markets": {`{"name":"W","host":"http://h","enabledForMarketGroups":["Void"]}`,
			Connector{Name: "W", Host: "http://h", Timeout: event.DefaultTimeout, NoMarket: true}},
		"signing and retries": {`{"name":"W","host":"http://h","signingSecret":"whsec_c2VjcmV0","disableStandardErrorPolicy":true}`,
			Connector{Name: "W", Host: "http://h", Timeout: event.DefaultTimeout, SigningSecret: secret.New("whsec_c2VjcmV0"), DisableStandardErrorPolicy: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, `{"connectors":[`+c.connector+`],"marketGroups":[{"groupId":"Nordic","marketIds":["NOR","SWE"]},{"groupId":"Void"}]}`)
			if diff := cmp.Diff([]Connector{c.want}, s.Connectors, ignoreWire); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// docs/contract.md#requests: WorkflowStep is the configuration without the
// RequestHeaders properties, in PascalCase, unknown fields included.
func TestWireLeavesOutRequestHeaders(t *testing.T) {
	st := onlyStep(t, `{"name":"webhookWORKFLOWstep","connector":"Webhook","urgency":{"level":1.50},"translateKey":"k","implementations":["I"],
		"properties":[{"key":"a","value":"1"},{"key":"Authorization","value":"s3cret","keyGroup":"REQUESTHEADERS"},{"key":"Host","value":"http://h","custom":true}]}`)
	want := `{"Name":"webhookWORKFLOWstep","Connector":"Webhook","Urgency":{"Level":1.50},"TranslateKey":"k","Implementations":["I"],` +
		`"Properties":[{"Key":"a","Value":"1"},{"Key":"Host","Value":"http://h","Custom":true}]}`
	if got := string(st.Wire.PascalJSON()); got != want {
		t.Errorf("wire is\n%s\nwant\n%s", got, want)
	}
}

// docs/contract.md#shipments and docs/contract.md#settings.
func TestStatusesOfOrderTypes(t *testing.T) {
	for status, want := range map[string]Status{
		`{"name":" Packed ","shipmentStatusUpdate":" Ready\t","mainOrderStatus":" AllPacked "}`: {Name: "Packed", ShipmentStatusUpdate: "Ready", MainOrderStatus: "AllPacked"},
		`{"NAME":"Packed","SHIPMENTSTATUSUPDATE":"Ready"}`:                                      {Name: "Packed", ShipmentStatusUpdate: "Ready"},
		`{"name":"Packed","shipmentStatusUpdate":null,"mainOrderStatus":""}`:                    {Name: "Packed"},
	} {
		s := mustParse(t, `{"orderTypes":[{"name":"a","orderStatuses":[`+status+`]}]}`)
		if diff := cmp.Diff([]Status{want}, s.OrderTypes[0].Statuses); diff != "" {
			t.Errorf("%s: %s", status, diff)
		}
	}
}

// docs/contract.md#settings: both time forms are taken for every time-out.
func TestTimesInBothForms(t *testing.T) {
	for text, want := range map[string]time.Duration{"00:00:05": 5 * time.Second, "PT5S": 5 * time.Second, "1.00:00:00": day, "P1D": day, "PT0.5S": time.Second / 2} {
		s := mustParse(t, fmt.Sprintf(`{"connectors":[{"name":"W","timeOut":%[1]q,"breaker":{"failures":1,"window":%[1]q,"openFor":%[1]q}}],
			"orderTypes":[{"name":"a","orderStatuses":[{"name":"New","maxDuration":%[1]q}]}]}`, text))
		c, st := s.Connectors[0], s.OrderTypes[0].Statuses[0]
		if diff := cmp.Diff([]time.Duration{want, want, want, want}, []time.Duration{c.Timeout, c.Breaker.Window, c.Breaker.OpenFor, st.MaxDuration}); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// docs/contract.md#settings: what .NET writes for a TimeSpan that nobody has set.
func TestATimeoutOfZeroIsTheDefault(t *testing.T) {
	for _, text := range []string{"00:00:00", "0.00:00:00", "00:00:00.0000000", "PT0S", "P0D"} {
		if got := mustParse(t, fmt.Sprintf(`{"connectors":[{"name":"W","timeOut":%q}]}`, text)).Connectors[0].Timeout; got != event.DefaultTimeout {
			t.Errorf("%s is %v", text, got)
		}
	}
}

func TestAnOrderTypeMayDisableItsWorkflow(t *testing.T) {
	for field, want := range map[string]bool{`"disableWorkflow":true`: true, `"DISABLEWORKFLOW":false`: false, `"disableWorkflow":null`: false, `"x":1`: false} {
		if got := mustParse(t, `{"orderTypes":[{"name":"a",`+field+`}]}`).OrderTypes[0].DisableWorkflow; got != want {
			t.Errorf("%s gives %v", field, got)
		}
	}
}

func TestStoreGroupsCountAsTheirStores(t *testing.T) {
	for lists, want := range map[string]Limits{
		`"enabledForStoreGroups":["CITY"]`:                                    {EnabledForStores: []string{"1", "2"}},
		`"enabledForStores":["9"],"enabledForStoreGroups":["city"]`:           {EnabledForStores: []string{"9", "1", "2"}},
		`"disabledForStoreGroups":["city"]`:                                   {DisabledForStores: []string{"1", "2"}},
		`"enabledForStoreGroups":["closed"]`:                                  {NoStore: true},
		`"enabledForStoreGroups":["nobody's"]`:                                {NoStore: true},
		`"enabledForStoreGroups":[],"enabledForMarketGroups":["nobody's"]`:    {NoMarket: true},
		`"enabledForStoreGroups":["closed"],"enabledForStores":["9"]`:         {EnabledForStores: []string{"9"}},
		`"disabledForStoreGroups":["closed"],"disabledForMarketGroups":["x"]`: {},
	} {
		s := mustParse(t, `{"storeGroups":[{"groupId":"city","storeIds":["1","2"]},{"groupId":"closed","groupName":"n"}],`+inStatus(webhook + `,` + lists + `}`)[1:])
		if diff := cmp.Diff(want, s.OrderTypes[0].Statuses[0].Steps[0].Limits); diff != "" {
			t.Errorf("%s: %s", lists, diff)
		}
	}
}

func TestParseCopiesTheDocument(t *testing.T) {
	doc := document(t, `{"connectors":[{"name":"W","host":"http://h","token":"old"}]}`)
	s, _, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	doc.Objects("connectors")[0].Set("token", "new")
	if got := secretsOf(s.doc)[0].value().Unsealed(); got != "old" {
		t.Errorf("the settings' token became %q with the caller's document", got)
	}
}

func TestNoSettings(t *testing.T) {
	for name, s := range map[string]*Settings{"Empty": Empty(), "{}": mustParse(t, `{}`)} {
		if got := string(s.Masked().JSON()); got != "{}" || s.Version != 0 || s.OrderType("x").Status("y") != nil {
			t.Errorf("%s: document %s, version %d", name, got, s.Version)
		}
	}
}
