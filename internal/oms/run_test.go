package oms_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestARunThatWaitsOrRunsHasNotEnded(t *testing.T) {
	for status, want := range map[oms.RunStatus]bool{
		oms.RunRunning: false, oms.RunWaiting: false, oms.RunSucceeded: true, oms.RunAborted: true,
		oms.RunSuperseded: true, oms.RunFailed: true, oms.RunCanceled: true,
	} {
		if got := status.Ended(); got != want {
			t.Errorf("%s has ended: %v", status, got)
		}
	}
}
