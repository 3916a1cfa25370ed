// Package export is what an ExportOrder step sends, and what it leaves on its order: the
// entry of its history, and its error.
//
// It is pure. Start with [NewEvent].
package export
