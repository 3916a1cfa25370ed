package ordertest

// Form is an order with an order form of the given members. Most tests of totals need
// nothing else of an order.
func Form(members string) string { return `{"orderForm":{` + members + `}}` }
