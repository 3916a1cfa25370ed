package run_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/run"
)

func TestARunThatWaitsOrRunsHasNotEnded(t *testing.T) {
	for status, want := range map[run.RunStatus]bool{
		run.RunRunning: false, run.RunWaiting: false, run.RunSucceeded: true, run.RunAborted: true,
		run.RunSuperseded: true, run.RunFailed: true, run.RunCanceled: true,
	} {
		if got := status.Ended(); got != want {
			t.Errorf("%s has ended: %v", status, got)
		}
	}
}
