// Package receiver is for programs that orderhook calls: it verifies a request, reads it into
// typed values, and answers it, once however often it comes.
//
//   - [Receiver.Step] answers workflow steps of orders and of returns: the handler changes the
//     order that it got, and [StepRequest.Patch] answers with what differs.
//   - [Receiver.Validator] answers for carts.
//   - [Receiver.Events] handles events. With a [Feed] it handles them in order and fetches
//     what no delivery brought.
//   - [Receiver.Export] handles orders that an ExportOrder step sends.
//
// Each is an http.Handler. Begin with [New]; the examples below are whole programs, and those
// in examples/ do something useful.
//
// # Once
//
// orderhook may send the same request twice: no sender can know whether an answer that never
// came was lost on its way. A [Store] remembers what was done. With an [SQLStore] the mark is
// committed in one transaction with what the handler writes through [Tx], so that its effect
// happens once, whenever the program is killed. Effects elsewhere, as a mail that is sent,
// may happen again if the program is killed between the effect and the commit; pass on
// Call.Key where the other system takes an idempotency key.
//
// What the order-state webhook sends has no id, so nothing tells a repeat from another event:
// it is handled each time. An endpoint that is made through the API gets the same events once.
//
// # Documents
//
// [Order] and what is in it have the fields that orderhook's model has. Everything else is in
// their [Members], so nothing gets lost. A [Number] has the digits that were sent.
//
// The package imports the standard library alone, and nothing of the rest of orderhook: it is
// a client of what docs/contract.md promises.
package receiver
