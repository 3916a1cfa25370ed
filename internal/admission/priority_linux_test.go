package admission

import "testing"

// Whoever works on a large document does so on a thread of low priority, and on one
// like everybody's before and afterwards.
func TestLargeDocumentsAreWorkedOnAtLowPriority(t *testing.T) {
	if !CanLower() {
		t.Skip("the system does not let this process raise a priority again")
	}
	ctx, end := NewWork(1).Task(t.Context(), "acme")
	defer end()
	is := func(when string, want int) {
		t.Helper()
		if got := priority(); got != want {
			t.Errorf("%s: priority %d, want %d", when, got, want)
		}
	}
	own := priority()
	for _, bytes := range []int{Large - 1, Large} {
		if err := Begin(ctx, bytes); err != nil {
			t.Fatal(err)
		}
		if bytes < Large {
			is("with a small document", own)
		}
	}
	is("with a large one", own+nice)
	others := make(chan int)
	go func() { others <- priority() }()
	if got := <-others; got != own {
		t.Errorf("somebody else has priority %d, want %d", got, own)
	}
	Pause(ctx)
	is("while it waits", own)
}
