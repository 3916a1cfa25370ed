package settings

import "slices"

// StepType describes a workflow step that settings can name, as `GET
// /api/workflow-steps` shows it. The rows are those
// of docs/contract.md#which-steps-run and docs/contract.md#settings. What is read of a step
// is known from here everywhere: where settings are checked, where the API describes them,
// and where a name is taken for a slip.
type StepType struct {
	Key                string         `json:"key"`
	Group              string         `json:"group"`
	ApplicableStatuses []string       `json:"applicableStatuses" nullable:"false"` // "All", or statuses by name
	Description        string         `json:"description"`
	Properties         []StepProperty `json:"properties" nullable:"false"`
	// ListedProperties are those that stand in the step's `properties` list.
	ListedProperties []StepProperty `json:"listedProperties" nullable:"false"`
}

// StepProperty is one thing that can be configured on a step. People read the description
// in the API and on the dashboard.
type StepProperty struct {
	Name        string `json:"name,omitempty"`     // absent where any key of the group will do
	KeyGroup    string `json:"keyGroup,omitempty"` // of listed properties only
	Required    bool   `json:"required"`
	Type        string `json:"type"`
	Default     any    `json:"default,omitempty"`
	Description string `json:"description"`
}

// Steps lists the steps that there are. Each call makes a list of its own.
func Steps() []StepType {
	return []StepType{
		{
			Key: WebhookStep, Group: "Export", ApplicableStatuses: []string{"All"},
			Description: "Sends the order to an HTTP endpoint, waits for its answer, and changes the order as the answer asks.",
			Properties:  callProperties(), ListedProperties: callListedProperties(),
		},
		{
			Key: WebhookReturnStep, Group: "Export", ApplicableStatuses: slices.Clone(returnStatuses),
			Description: "Sends the order and the id of its return to an HTTP endpoint, waits for its answer, and changes the order as the answer asks.",
			Properties:  callProperties(), ListedProperties: callListedProperties(),
		},
		{
			Key: ExportOrderStep, Group: "Export", ApplicableStatuses: []string{"All"},
			Description: "Sends the order, with the return or the shipment that the workflow is for, to an HTTP endpoint, and goes on at once: one way. It is sent again until it is acknowledged, as events are, and the order's history says what came of it.",
			Properties:  without(callProperties(), "stopOnError", modeField, compareWithField, promoteAfterField), ListedProperties: without(callListedProperties(), errorStatusKey),
		},
	}
}

// namesOf lists the names of properties; a group that any key will do in has none. Kinds of
// objects are made of them.
func namesOf(properties []StepProperty) (names []string) {
	for _, p := range properties {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// without leaves out some properties. The list is changed, so it must be the caller's own.
func without(properties []StepProperty, names ...string) []StepProperty {
	return slices.DeleteFunc(properties, func(p StepProperty) bool { return slices.Contains(names, p.Name) })
}

// callProperties are the fields of a step that calls somebody.
func callProperties() []StepProperty {
	texts := func(name, description string) StepProperty {
		return StepProperty{Name: name, Type: "string[]", Description: description}
	}
	return []StepProperty{
		{Name: "connector", Required: true, Type: "string", Description: "Name of the connector to call, usually Webhook."},
		{Name: "connectorId", Type: "string", Description: "Picks one connector where several have the same name; no other one is called in its stead."},
		{Name: "active", Type: "bool", Default: true, Description: "A step that is not active is passed over."},
		{Name: "runAfterOrderIsSaved", Type: "bool", Default: false, Description: "Calls in the background, one second after the change that started the workflow is stored."},
		{Name: "stopOnError", Type: "bool", Default: false, Description: "Ends the workflow when this step fails or its endpoint cancels."},
		{Name: "isInvisible", Type: "bool", Default: false, Description: "Marks the step's result as one not to be shown to users."},
		{Name: "translateKey", Type: "string", Description: "Key under which a user interface finds the step's name in its language."},
		{Name: modeField, Type: "string", Default: modeLive, Description: "shadow: the step is called beside another one, with the same order; its answer is only compared, and changes nothing."},
		{Name: compareWithField, Type: "string", Description: "Of a shadow: the displayName of the live step of the same status that its answers are compared with, or its name where no other step has it; not needed where there is one live step alone."},
		{Name: promoteAfterField, Type: "int", Default: defaultPromoteAfter, Description: "Of a shadow: how often in a row it has to agree before it may take the place of that step."},
		texts("conditions", "Any of Success (every step before it succeeded), Error, Warning (some step before it had one); none runs the step always."),
		{Name: "workflowStepConditions", Type: "object[]", Description: "The same as conditions, as objects: {\"type\": \"Success\"}."},
		texts("enabledForMarkets", "Only orders of these markets."), texts("disabledForMarkets", "No orders of these markets, enabled or not."),
		texts("enabledForMarketGroups", "Only orders of the markets in these groups."), texts("disabledForMarketGroups", "No orders of the markets in these groups."),
		texts("enabledForStores", "Only orders of these stores."), texts("disabledForStores", "No orders of these stores, enabled or not."),
		texts("enabledForStoreGroups", "Only orders of the stores in these groups."), texts("disabledForStoreGroups", "No orders of the stores in these groups."),
		texts("enabledForTags", "Only orders with one of these tags."), texts("disabledForTags", "No orders with one of these tags, enabled or not."),
		texts("enabledForWarehouses", "Only for a shipment from one of these warehouses."), texts("disabledForWarehouses", "Not for a shipment from one of these warehouses, enabled or not."),
		texts("enabledForShipmentOptions", "Only for a shipment by one of these shipping methods, each by its id or its name."),
		texts("disabledForShipmentOptions", "Not for a shipment by one of these shipping methods, enabled or not."),
	}
}

// callListedProperties are the entries of such a step's `properties` that orderhook itself
// reads.
func callListedProperties() []StepProperty {
	return []StepProperty{
		{Name: hostKey, Type: "string", Description: "URL to call in place of the connector's; with it, no connector of the name has to be defined."},
		{Name: errorStatusKey, Type: "string", Description: "Status that the order gets when the step stops the workflow; needs stopOnError."},
		{KeyGroup: headerGroup, Type: "string", Description: "Each property of this group is sent as an HTTP header: key is its name, value its value, kept secret."},
	}
}
