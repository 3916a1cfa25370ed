package api

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

// TestAProblemNamesSoManyErrors, whoever found them, and the last says how many more there are.
func TestAProblemNamesSoManyErrors(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "wrong", mostErrors: "wrong", mostErrors + 1: "wrong (and 1 more errors)", 5000: "wrong (and 4900 more errors)"} {
		fields := make([]apierr.FieldError, n)
		for i := range fields {
			fields[i] = apierr.FieldError{Location: "a", Message: "wrong"}
		}
		got := newProblem(422, "", fields).Errors
		if len(got) != min(n, mostErrors) || n > 0 && got[len(got)-1].Message != want {
			t.Errorf("of %d errors %d, the last %+v", n, len(got), got[max(0, len(got)-1):])
		}
		if n > mostErrors && strings.Contains(fields[mostErrors-1].Message, "more") {
			t.Error("the list that was given has changed")
		}
	}
}
