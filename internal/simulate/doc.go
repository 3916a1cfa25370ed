// Package simulate says what would have become of orders under other settings: what is on
// record of them happens once more, in memory, decided by the engine's own rules
// (internal/workflow/decide).
//
// What callers did happens again at its time. The answer to a step's call is the recorded one;
// where there is none, the simulation says so and goes no further with that run. With the
// settings that each run had, the very same must come of it as did: that is checked first for
// each order ([Simulation.Order]), and an order of which it does not is never compared.
//
// It reads a store, and writes and sends nothing. It knows neither files nor the command
// line. Start with [Simulation], then read record.go (what happened) and world.go (what
// happens once more).
package simulate
