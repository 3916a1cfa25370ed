// Package rerun makes a recorded call again, against any URL and without effect, and says
// what the engine would have done by the answer, beside what it did.
//
// A [Call] is one request of the record with all that its answer is decided by. [Call.Decide]
// decides by any answer: with the engine's own code, on its own, so that nothing of it is
// stored or sent. [Compare] holds two decisions against each other. Only [Recorded] reads the
// store, and only [Sender] sends; no one writes. It knows neither files nor the command line.
// Start with [Call].
package rerun
