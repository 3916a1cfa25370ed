// Package jsondoc is JSON documents in memory: an [Object] keeps the order of its members,
// the names that they came under and the text of its numbers.
//
// It reads and writes them, compares them, and says where an error is. It knows no
// field of any document: which names a reader knows is told to it ([Names]), and what the
// fields of an object are is in package schema. Start with [Object], then [Read].
//
// A value of a document is nil, a bool, a string, a [Number], a list ([]any) or an
// *[Object]; in settings it may be a secret, too. Nothing else ever stands in one, so
// whoever goes through a document can name all the cases.
package jsondoc
