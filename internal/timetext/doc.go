// Package timetext reads and writes times and durations as documents, settings and the API
// have them.
//
// It reads no clock. Start with [ParseTime] and [ParseDuration].
package timetext
