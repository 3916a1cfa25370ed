// Package schema is what is known of the fields of documents: of orders and carts, of
// returns, and of the answers of steps and validators. From its models come the reading of
// a document, the spelling of its names, hints about what nobody reads, and the [Shape]
// that the API describes it by.
//
// It knows what a field may be, not what it is for: what an order does is in package order.
// Start with [Model] and its fields, then [ParseOrder].
//
// A model says what is known of a kind of object, and leaves all else alone: documents are
// stored with every field that they have. A shape of a table is for objects of which every
// field is known, as most bodies of the API are: what it does not have is refused.
package schema
