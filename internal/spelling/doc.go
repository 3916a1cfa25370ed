// Package spelling compares names: those of fields, and those of things that have no case,
// as statuses and markets. [Nearest] finds what a name was meant for. [Count] and [Times]
// word a number, and [Clip] shortens a text.
//
// It knows no name itself. All of orderhook compares names here.
package spelling
