// Package ids makes the ids of orderhook's own things, and checks those that others give
// to theirs.
//
// It keeps no record of ids. Start with [New] and the prefixes.
package ids
