// Package event is events and who gets them: what happened to an order, a shipment or a
// stock item; the endpoints that events go to, and the deliveries that take them there.
//
// It is pure: package delivery sends, and the store says what is due. It knows nothing of
// attempts. Start with [Event], then [Endpoint] and [Subscriptions.ReceiversOf].
package event
