package contract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/simulate"
	"github.com/orderhook/orderhook/internal/store"
)

// mostSimulated bounds the orders of one tenant that happen once more.
const mostSimulated = 25

// simulationReport names a file, by a variable of the environment, that says of each order of
// the suite what came of it when it happened once more.
const simulationReport = "ORDERHOOK_SIMULATION_REPORT"

// notWhole are the tests whose orders cannot happen once more, by the beginning of their name, and
// what the simulation says is missing of them. Whatever else is said to be missing is an error, as is
// an order that comes out in another way.
var notWhole = map[string]string{
	// 64 KiB of an answer are recorded, and these are longer.
	"TestLargeAnswersTakeTurns":                    "was not recorded whole",
	"TestLargeAnswersOfShadowsTakeNothingOfOthers": "was not recorded whole",
	"TestAnAttemptCutsABigResponse":                "was not recorded whole",
	"TestValidAnswersAreTakenAtOnce":               "was not recorded whole",
	"TestWhoWaitsHasNoSlot":                        "was not recorded whole",
	"TestALargeAnswerIsAppliedInTurn":              "was not recorded whole",
	// These remove a part of the record, as retention does.
	"TestBlameSaysWhatItDoesNotKnow":            "version 1 of the order was removed",
	"TestTheVersionAndTheRunOfAnExportsHistory": "was removed",
	// This one writes versions of an order past the engine, so nothing says how they came to be.
	"TestBlameLooksBackSoFar": "the history does not say how version 2 of the order came to be",
}

// happenAgain has the orders of a tenant happen once more, from the record alone
// (docs/configuring-workflows.md#what-would-have-happened). The error is that one of them comes
// out in another way though nothing of it is missing, or that something is said to be missing
// which is not.
func (r *rig) happenAgain(ctx context.Context, tenant string) (err error) {
	list, err := r.store.Orders(ctx, tenant, store.OrderFilter{}, store.Page{Limit: mostSimulated})
	if err != nil {
		return err
	}
	s := &simulate.Simulation{From: r.store, Tenant: tenant}
	for _, o := range list.Items {
		began := time.Now()
		c, failed := s.Check(ctx, o.ID)
		if apierr.KindOf(failed) == apierr.NotFound { // it is being erased
			continue
		}
		if failed != nil {
			return fmt.Errorf("order %s: %w", o.ID, failed)
		}
		what := "same"
		switch {
		case c.Missing:
			what = "not on record"
			if missing := notWhole[topmost(r.t.Name())]; missing == "" || !strings.Contains(c.Reason, missing) {
				err = errors.Join(err, fmt.Errorf("order %s of %s is said not to be whole on record: %s", o.ID, tenant, c.Reason))
			}
		case c.Reason != "":
			what = "not reproduced"
			err = errors.Join(err, fmt.Errorf("order %s of %s does not come out the same once more: %s", o.ID, tenant, c.Reason))
		}
		if err := r.reported(what, tenant, o.ID, c.Reason, time.Since(began).Microseconds()); err != nil {
			return err
		}
	}
	if os.Getenv(simulationReport) != "" {
		return nil
	}
	return err
}

// topmost is the name of a test without those of its parts.
func topmost(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

// reported adds a line to the report, if one is wanted.
func (r *rig) reported(columns ...any) error {
	name := os.Getenv(simulationReport)
	if name == "" {
		return nil
	}
	report, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer report.Close()
	_, err = fmt.Fprintf(report, "%s\t%s\t%s\t%s\t%s\t%d\n", append([]any{r.t.Name()}, columns...)...)
	return err
}
