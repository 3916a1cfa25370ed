package contract

import (
	"fmt"
	"strings"
)

// step is a webhook step in settings.
type step struct {
	Name        string // "" is WebhookWorkflowStep
	Host        string // a property; "" leaves it out
	Connector   string // "" is Webhook
	ID          string // ConnectorId
	Stop        bool   // StopOnError
	Deferred    bool   // RunAfterOrderIsSaved
	ErrorStatus string
	Headers     string // further properties, each with a comma in front
	More        string // further fields, each with a comma in front
}

func (s step) String() string {
	props := s.Headers
	if s.ErrorStatus != "" {
		props = prop("ErrorStatus", s.ErrorStatus) + props
	}
	if s.Host != "" {
		props = prop("Host", s.Host) + props
	}
	more := s.More
	if s.ID != "" {
		more += fmt.Sprintf(`,"ConnectorId":%q`, s.ID)
	}
	return fmt.Sprintf(`{"name":%q,"active":true,"Connector":%q,"StopOnError":%v,"RunAfterOrderIsSaved":%v%s,"Properties":[%s]}`,
		or(s.Name, "WebhookWorkflowStep"), or(s.Connector, "Webhook"), s.Stop, s.Deferred, more, strings.TrimPrefix(props, ","))
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// prop and header are properties of a step, with a comma in front.
func prop(key, value string) string { return fmt.Sprintf(`,{"Key":%q,"Value":%q}`, key, value) }

func header(key, value string) string {
	return fmt.Sprintf(`,{"Key":%q,"Value":%q,"KeyGroup":"RequestHeaders"}`, key, value)
}

// status is an order status in settings.
func status(name string, steps ...step) string {
	all := make([]string, len(steps))
	for i, s := range steps {
		all[i] = s.String()
	}
	return fmt.Sprintf(`{"name":%q,"workflowSteps":[%s]}`, name, strings.Join(all, ","))
}

// config is settings of one order type with the given statuses.
func config(statuses ...string) string {
	return fmt.Sprintf(`{"orderTypes":[{"name":"Online","default":true,"orderStatuses":[%s]}]}`, strings.Join(statuses, ","))
}

// with adds fields to a document, as `"connectors":[…]`.
func with(doc, fields string) string { return strings.TrimSuffix(doc, "}") + "," + fields + "}" }

// connectors is that field of settings.
func connectors(all ...string) string { return `"connectors":[` + strings.Join(all, ",") + `]` }

// connector is one connector; more are its further fields, with a comma in front.
func connector(url, more string) string {
	return fmt.Sprintf(`{"Name":"Webhook","Host":%q%s}`, url, more)
}

// workflowOf is settings whose status New has the given steps.
func workflowOf(steps string) string {
	return `{"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[` + steps + `]}]}]}`
}
