package workflow

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
)

// late reports whether the run's time is over.
func (t *transition) late() bool {
	return !t.run.Deadline.IsZero() && !t.run.Deadline.After(t.now)
}

// expire aborts a run whose maxDuration has passed before its steps were done.
func (t *transition) expire() error {
	if t.idle = t.run.Status.Ended(); t.idle {
		return nil
	}
	t.by = "workflow"
	if t.overtaken() {
		return t.supersede(oms.HistoryEntry{Message: "another writer changed the status while the workflow waited; theirs stays"}, wanted{})
	}
	i := t.run.Position.Step
	step := &stepsOf(t.settings, t.run)[t.run.Results[i].ConfigIndex]
	reason := fmt.Sprintf("the workflow's maxDuration of %s has passed", statusOf(t.settings, t.run).MaxDuration)
	t.run.Results[i].ActionStatus, t.run.Results[i].ErrorReason = oms.ActionError, reason
	t.fail(i, reason, nil)
	if step.StopOnError && step.ErrorStatus != "" {
		t.setStatus(step.ErrorStatus)
	}
	t.end(oms.RunAborted, t.about(i, reason))
	return nil
}
