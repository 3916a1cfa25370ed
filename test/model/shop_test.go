package model

import (
	"encoding/json"
	"fmt"
)

// shop is what a tenant has set up.
type shop struct {
	types      []orderType
	returns    []status
	connectors []connector
}

type orderType struct {
	name     string
	marked   bool // as the default
	statuses []status
}

type status struct {
	name  string
	steps []step
	// shadows stand before the steps at these places. The model knows nothing of them:
	// whatever they are, all must come out as without them.
	shadows []shadow
}

// shadow is a shadow step of the step with a number. Its number is apart from those of steps.
type shadow struct{ at, no, of int }

// step is a workflow step. Its number tells the endpoint which one calls.
type step struct {
	no              int
	key             string
	inactive        bool
	ownHost         bool
	connector, id   string
	deferred, stop  bool
	errorStatus     string
	conditions      []string
	markets, stores limit
	tags            limit
}

// limit are two lists of names; disabled beats enabled.
type limit struct{ enabled, disabled []string }

type connector struct {
	name, id string
	noRetry  bool
	markets  limit
	nordics  bool // it is enabled for the market group nordics
}

const (
	webhook       = "WebhookWorkflowStep"
	returnWebhook = "WebhookReturnWorkflowStep"
	unknownStep   = "SendGreetingCard"
)

// nordics are the markets of the one market group.
var nordics = []string{"NOR", "SWE"}

// fields is a JSON object.
type fields map[string]any

// put sets a list, if there is one.
func (f fields) put(name string, list []string) fields {
	if len(list) > 0 {
		f[name] = list
	}
	return f
}

// json is the settings document; every host is a path at the given origin.
func (s shop) json(origin string) string {
	types, connectors := []any{}, []any{}
	for _, t := range s.types {
		types = append(types, fields{"name": t.name, "default": t.marked, "orderStatuses": statuses(t.statuses, origin)})
	}
	for i, c := range s.connectors {
		connectors = append(connectors, c.fields(i, origin))
	}
	return toJSON(fields{"orderTypes": types, "returnStatuses": statuses(s.returns, origin), "connectors": connectors,
		"marketGroups": []any{fields{"groupId": "nordics", "marketIds": nordics}}})
}

func statuses(list []status, origin string) []any {
	out := []any{}
	for _, s := range list {
		steps := []any{}
		for i, st := range s.steps {
			steps = append(append(steps, s.shadowsAt(i, origin)...), st.fields(origin))
		}
		steps = append(steps, s.shadowsAt(len(s.steps), origin)...)
		out = append(out, fields{"name": s.name, "workflowSteps": steps})
	}
	return out
}

func (st step) fields(origin string) fields {
	properties := []any{
		fields{"Key": "No", "Value": fmt.Sprint(st.no)},
		fields{"Key": "X-Step", "Value": fmt.Sprint(st.no), "KeyGroup": "RequestHeaders"},
	}
	if st.ownHost {
		properties = append(properties, fields{"Key": "Host", "Value": origin + st.path()})
	}
	if st.errorStatus != "" {
		properties = append(properties, fields{"Key": "ErrorStatus", "Value": st.errorStatus})
	}
	f := fields{"name": st.key, "active": !st.inactive, "Connector": st.connector, "ConnectorId": st.id,
		"StopOnError": st.stop, "RunAfterOrderIsSaved": st.deferred, "Properties": properties}
	f.put("enabledForMarkets", st.markets.enabled).put("disabledForMarkets", st.markets.disabled)
	f.put("enabledForStores", st.stores.enabled).put("disabledForStores", st.stores.disabled)
	f.put("enabledForTags", st.tags.enabled).put("disabledForTags", st.tags.disabled)
	return f.put("conditions", st.conditions)
}

// shadowsAt is the shadows that stand before a step.
func (s status) shadowsAt(at int, origin string) (out []any) {
	for _, sh := range s.shadows {
		if sh.at == at {
			out = append(out, fields{"name": s.steps[sh.of].key, "displayName": fmt.Sprint("shadow ", sh.no), "mode": "shadow", "compareWith": s.steps[sh.of].key,
				"connector": "Webhook", "stopOnError": sh.no%2 == 0, "properties": []any{fields{"key": "Host", "value": origin + shadowPath}}})
		}
	}
	return out
}

// shadowPath is where all shadows are called.
const shadowPath = "/shadow"

func (st step) path() string { return fmt.Sprintf("/step/%d", st.no) }

func (c connector) fields(i int, origin string) fields {
	f := fields{"Name": c.name, "Host": origin + connectorPath(i), "BearerToken": token(i), "disableStandardErrorPolicy": c.noRetry}
	f.put("EnabledForMarkets", c.markets.enabled).put("DisabledForMarkets", c.markets.disabled)
	if c.id != "" {
		f["ConnectorId"] = c.id
	}
	if c.nordics {
		f["EnabledForMarketGroups"] = []string{"nordics"}
	}
	return f
}

func connectorPath(i int) string { return fmt.Sprintf("/connector/%d", i) }

func token(i int) string { return fmt.Sprintf("token-of-%d", i) }

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
