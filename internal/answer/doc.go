// Package answer says what came of one attempt: of a step's call, of a validator's, of a
// delivery. The engine goes by it when the answer comes, and whoever makes a recorded call
// again goes by the very same, so that both always agree.
//
// It knows no store and sends nothing, and decides nothing about an order: what follows from
// the answer to a step is decided in package workflow/decide. Start with [Step].
package answer
