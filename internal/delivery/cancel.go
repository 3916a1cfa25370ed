package delivery

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/store"
)

// cancelAll makes the next step of a cancel job: it cancels one page of the pending
// deliveries that its filter picks. The list goes from the newest event to the oldest. So
// where the events of a subject are ordered, those that wait are canceled before the one
// that they wait for, and none of them is sent only because that one went first.
func (d *Dispatcher) cancelAll(ctx context.Context, tenant string, j *job.Job) (jobrunner.Step, error) {
	page, err := d.deliveriesOf(ctx, tenant, j)
	if err != nil {
		return jobrunner.Step{}, err
	}
	return jobrunner.Step{Write: func(ctx context.Context, tx store.Tx, j *job.Job) error {
		j.Examined += int64(len(page.Items))
		if j.Cursor = page.NextCursor; j.Cursor == "" {
			j.End(job.JobSucceeded, "")
		}
		for _, one := range page.Items {
			err := tx.CancelDelivery(ctx, tenant, one.DeliveryKey, j.Updated)
			switch apierr.KindOf(err) {
			// It has ended since the page was read, or its order was erased: nothing is to
			// be canceled any more.
			case apierr.Conflict, apierr.NotFound:
				continue
			}
			if err != nil {
				return fmt.Errorf("cancel delivery %s: %w", one.ID(), err)
			}
			j.Canceled++
		}
		return nil
	}}, nil
}
