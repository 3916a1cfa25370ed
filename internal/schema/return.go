package schema

// Return is a request to return lines, and the places are where its members stand
// (docs/contract.md#returns).
var (
	returnLineModel = newModel(of(Text, "lineItemId returnReason"), of(Number, "returnQuantity"))
	Return          = newModel(of(Text, "returnComment"), list("lineItems", returnLineModel))

	ReturnPlace     = &Place{read: Return, meant: meantInReturn(Return, "comment", "returnComment")}
	ReturnLinePlace = &Place{read: returnLineModel, meant: meantInReturn(returnLineModel, "reason", "returnReason")}
)

// meantInReturn says what may be meant by a member of a request to return lines:
// a known one, or the one that a shorter word stands for. There is one such word for each
// of the two places.
func meantInReturn(m *Model, word, field string) func(name string) string {
	return func(name string) string {
		if meant := m.nearest(name, map[string]string{word: field}); meant != "" {
			return mayBeMeant(meant)
		}
		return ""
	}
}
