package bench

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
)

// stepsPerOrder is how many steps the workflow of a throughput measurement has.
const stepsPerOrder = 5

// steps measures the two-way steps: what the engine adds to one call, and how
// many it takes a second. Both use one server, the second after the first.
func (b *bench) steps(ctx context.Context) (string, error) {
	if err := b.settings(ctx); err != nil {
		return "", err
	}
	overhead, err := b.overhead(ctx)
	if err != nil {
		return "", err
	}
	throughput, err := b.throughput(ctx)
	return overhead + throughput, err
}

// step is a webhook step that calls a URL.
func step(url string) string {
	return fmt.Sprintf(`{"name":"WebhookWorkflowStep","active":true,"connector":"Webhook","properties":[{"key":"Host","value":%q}]}`, url)
}

// settings makes a status without steps, one with one, and one with several.
func (b *bench) settings(ctx context.Context) error {
	// All three statuses are of one order type, and the order says with which it begins.
	one := step(b.target)
	several := strings.TrimSuffix(strings.Repeat(one+",", stepsPerOrder), ",")
	doc := fmt.Sprintf(`{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"None","workflowSteps":[]},
		{"name":"One","workflowSteps":[%s]},{"name":"Several","workflowSteps":[%s]}]}]}`, one, several)
	return b.call(ctx, "PUT", b.url+"/api/settings", doc, 200)
}

// overhead compares, turn by turn, the bare call of the endpoint, an order
// without a workflow and an order with one step. What is left of an order with one step,
// when both others are taken off, is what the engine does for the step: two commits, the
// request, and the patch.
func (b *bench) overhead(ctx context.Context) (string, error) {
	body := orderOf("bare", "One")
	var n atomic.Int64
	// Every order has an id of its own, so each is stored anew.
	order := func(status string) func() error {
		return func() error {
			return b.post(ctx, b.url+"/api/orders", orderOf(fmt.Sprintf("o-%s-%d", status, n.Add(1)), status), 201)
		}
	}
	times, err := inTurn(ctx, b.budget,
		func() error { return b.post(ctx, b.target, body, 200) }, order("None"), order("One"))
	if err != nil {
		return "", err
	}
	bare, none, one := times[0], times[1], times[2]
	// Both are taken off round by round, and only then are percentiles taken.
	added := one.less(none).less(bare)
	return fmt.Sprintf(`
## One two-way step

%d rounds of one bare POST to the endpoint, one order without a workflow, and one order with one step, in turn.
The engine's overhead is the order with a step, less the order without, less the bare call, round by round.

| what | p50 | p99 |
|---|---|---|
| bare POST of the same order to the same endpoint | %s | %s |
| POST /api/orders, no workflow: stored and answered | %s | %s |
| POST /api/orders, one step: stored, endpoint called, patch applied, answered | %s | %s |
| **engine overhead of the step** | **%s** %s | %s |
`, len(one), bare.p(50), bare.p(99), none.p(50), none.p(99), one.p(50), one.p(99),
		added.p(50), atMost(added.at(50), b.engine.bars.step), added.p(99)), nil
}

// throughput counts the steps a second with some orders at once, against bare
// calls by as many callers. Orders do not wait for each other, so more at once share
// commits.
func (b *bench) throughput(ctx context.Context) (string, error) {
	out := strings.Builder{}
	fmt.Fprintf(&out, `
## Steps a second

Orders with %d steps each, every step durable before the next begins.

| orders at once | steps/s | bare POSTs/s by as many callers | ratio |
|---|---|---|---|
`, stepsPerOrder)
	body := orderOf("bare", "Several")
	var n atomic.Int64
	// The bare calls come first, by as many callers as there are orders at once later.
	for _, callers := range []int{1, 8, 64} {
		bare, err := perSecond(ctx, callers, b.budget, func() error { return b.post(ctx, b.target, body, 200) })
		if err != nil {
			return "", err
		}
		orders, err := perSecond(ctx, callers, b.budget, func() error {
			return b.post(ctx, b.url+"/api/orders", orderOf(fmt.Sprintf("t-%d", n.Add(1)), "Several"), 201)
		})
		if err != nil {
			return "", err
		}
		// An order is answered when all its steps are done.
		steps := orders * stepsPerOrder
		verdict := ""
		if callers == 64 {
			verdict = " " + bar(steps/bare >= b.engine.bars.steps, "at least %g", b.engine.bars.steps)
		}
		fmt.Fprintf(&out, "| %d | %.0f | %.0f | %.2f%s |\n", callers, steps, bare, steps/bare, verdict)
	}
	return out.String(), nil
}
