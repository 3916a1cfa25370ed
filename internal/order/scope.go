package order

// StepScope says what of an order a step runs for. A step is for one of them, or for the
// whole order with neither.
type StepScope struct {
	ShipmentID string // "" when the step is not shipment-scoped
	ReturnID   string // "" outside return workflows
}
