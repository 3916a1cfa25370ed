package settings

import (
	"strings"

	"github.com/orderhook/orderhook/internal/schema"
)

// fieldTypes are the types of the fields of kind.go that are no text; those of steps
// have theirs from the catalogue. Lists of what a connector is for, as
// enabledForMarkets, are lists of texts.
var fieldTypes = map[string]schema.ShapeType{
	"default": schema.ShapeFlag, "defaultOrderType": schema.ShapeFlag, "disableStandardErrorPolicy": schema.ShapeFlag, "disableWorkflow": schema.ShapeFlag,
	"events": schema.ShapeTexts, "implementations": schema.ShapeTexts, "marketIds": schema.ShapeTexts, "storeIds": schema.ShapeTexts,
	"conditions": schema.ShapeList, // of texts, and of objects with a type
	"failures":   schema.ShapeNumber,
}

// fieldDocs says of fields what their names do not; those of steps have theirs
// from the catalogue.
var fieldDocs = map[string]string{
	"bearerToken": secretDoc, "token": secretDoc, "password": secretDoc,
	"signingSecret": "A secret, shown as ***: whsec_ and base64, or any text. Requests are signed with it.",
	"timeout":       "Of one attempt, as 00:00:30 or PT30S; 30 seconds if it is left out.",
	"maxDuration":   "A run of the status's steps is aborted after it, as PT2H.",
	"events":        "Types of events that entering the status makes: instead of the usual ones, or with a + in front besides them.",
	"default":       "The type of orders whose own type is none of these.",
	"customHeaders": "Sent with every request; the values are secrets, shown as ***.",
	"host":          "The URL that is called.",
	"whileOpen":     "What becomes of a step while the breaker is open: fail, skip or wait.",
	"window":        "As many failures within this time open the breaker.",
	"openFor":       "How long the breaker stays open.",
	"attempts":      "As P90D; null keeps them for good.",
	"audit":         "Entries of the audit log: as P1Y, and P30D at least; null keeps them for good.",
	"conditions":    "Any of Success, Error and Warning, or objects that have one as their type; none runs the step always.",
}

// secretDoc describes a field that is write-only.
const secretDoc = "A secret, shown as ***; sent back so, the stored one stays."

// Shape describes the settings document (docs/contract.md#settings) by the fields that
// are read of each kind of object. Fields beyond them are stored. The OpenAPI document has
// it.
func Shape() *schema.Shape {
	property := shapeOf("SettingsProperty", propertyKind, nil)
	header := shapeOf("SettingsHeader", headerKind, nil)
	step := shapeOf("WorkflowStep", stepKind, map[string]*schema.Shape{"properties": property})
	for i := range step.Fields {
		describeStepField(&step.Fields[i])
	}
	status := shapeOf("SettingsStatus", statusKind, map[string]*schema.Shape{"workflowSteps": step})
	connector := shapeOf("Connector", connectorKind, map[string]*schema.Shape{"properties": property, "customHeaders": header})
	object(connector, "breaker", shapeOf("ConnectorBreaker", breakerKind, nil))
	document := shapeOf("Settings", documentKind, map[string]*schema.Shape{
		"connectors":     connector,
		"markets":        shapeOf("Market", marketKind, nil),
		"marketGroups":   shapeOf("MarketGroup", marketGroupKind, nil),
		"storeGroups":    shapeOf("StoreGroup", storeGroupKind, nil),
		"orderTypes":     shapeOf("OrderType", orderTypeKind, map[string]*schema.Shape{"orderStatuses": status}),
		"returnStatuses": status,
	})
	object(document, "retention", shapeOf("Retention", retentionKind, nil))
	return document
}

// StepShape is one workflow step's configuration.
func StepShape() *schema.Shape {
	return Shape().Field("returnStatuses").Of.Field("workflowSteps").Of
}

// shapeOf makes a shape of the fields that are read of a kind of object; lists
// are those of them that hold objects. Fields that are stored without being read are not in
// it.
func shapeOf(name string, k kind, lists map[string]*schema.Shape) *schema.Shape {
	s := &schema.Shape{Name: name}
	for _, field := range k.read {
		f := schema.ShapeField{Name: field, Type: fieldTypes[field], Of: lists[field], Doc: fieldDocs[field]}
		switch {
		case f.Of != nil:
			f.Type = schema.ShapeList
		case strings.HasPrefix(field, "enabledFor"), strings.HasPrefix(field, "disabledFor"):
			f.Type = schema.ShapeTexts
		}
		s.Fields = append(s.Fields, f)
	}
	return s
}

// object makes a field of a shape an object.
func object(s *schema.Shape, name string, of *schema.Shape) {
	f := s.Field(name)
	f.Type, f.Of = schema.ShapeObject, of
}

// catalogueTypes are the types that the catalogue names and that are no text.
var catalogueTypes = map[string]schema.ShapeType{"bool": schema.ShapeFlag, "int": schema.ShapeNumber, "string[]": schema.ShapeTexts, "object[]": schema.ShapeList}

// describeStepField takes what the catalogue says of a step's field.
func describeStepField(f *schema.ShapeField) {
	for _, p := range callProperties() {
		if p.Name != f.Name {
			continue
		}
		f.Doc = p.Description
		if t, ok := catalogueTypes[p.Type]; ok && fieldTypes[f.Name] == schema.ShapeText {
			f.Type = t
		}
	}
}
