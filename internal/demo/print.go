package demo

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/spelling"
)

// printPosted prints an order as it was sent. Its id, customer and total are those of the
// file; status and time are those of the answer.
func (s *show) printPosted(order *jsondoc.Object, a answer, result *workflowResult) {
	// The total is printed with the digits of the file.
	form := order.Object("orderForm")
	total, _ := form.Get("total")
	s.paper.print("")
	s.paper.line(piece{strings.Repeat("─", width), dim})
	s.paper.line(piece{order.Text("id"), bold}, piece{"  " + order.Text("customerName") + ", " + order.Text("marketId"), plain},
		piece{fmt.Sprintf(", %s, %s %s", spelling.Count(len(form.List("lineItems")), "line"), shown(total), order.Text("billingCurrency")), plain})
	s.paper.line(piece{"POST /api/orders", cyan}, piece{fmt.Sprintf("  %d after %d ms", a.status, a.took.Milliseconds()), plain}, piece{"  " + result.RunID, dim})
}

// printStep prints a step: each attempt and what came back, then the changes. A step that
// was passed over has no attempts, and the reason for it.
func (s *show) printStep(number int, st step, attempts []attempt) {
	s.paper.print("")
	lead := fmt.Sprintf("  %d  ", number)
	// A step that was not called says why: it was passed over, or one before it stopped
	// the workflow.
	if len(attempts) == 0 {
		s.paper.line(piece{lead, plain}, piece{"not called: " + st.ErrorReason, dim})
		return
	}
	for i, a := range attempts {
		later := ""
		// A further attempt says how much later it was made: the wait is the retry delay.
		if i > 0 {
			lead = "     "
			later = fmt.Sprintf("   %.1f s later", a.StartedAt.Sub(attempts[i-1].StartedAt).Seconds())
		}
		s.printAttempt(lead, a, later)
		s.field("answer", answerText(a), plain)
	}
	// A success has nothing to explain.
	if st.ActionStatus != string(run.ActionSuccess) {
		s.field("result", st.ActionStatus+": "+st.ErrorReason, actionStyle(st.ActionStatus))
	}
	s.printChanges(st.Changes)
}

// printAttempt prints one request and the status that came back. lead is what stands
// before it: the number of the step with its first attempt, and blanks after that.
func (s *show) printAttempt(lead string, a attempt, later string) {
	s.paper.line(piece{lead, plain}, piece{"POST " + pad(pathOf(a.URL), 10), cyan},
		piece{fmt.Sprintf("attempt %d of %d   ", a.Number, a.MaxNumber), plain},
		piece{fmt.Sprintf("%3d %-20s", a.Status, http.StatusText(a.Status)), statusStyle(a.Status)},
		piece{fmt.Sprintf("%8.1f ms", a.DurationMs), plain}, piece{later, dim})
}

// field prints a named line below a step.
func (s *show) field(name, text, style string) {
	s.paper.line(piece{"     " + pad(name, 9), dim}, piece{text, style})
}

// printEnd says what became of the order. The status before is the one that was posted,
// or the one that an order gets without one.
func (s *show) printEnd(posted *jsondoc.Object, result *workflowResult, run *workflowRun) {
	was := posted.Text("status")
	if was == "" {
		was = order.StatusNew
	}
	version, _ := result.Order.Get("version")
	// The version says how often the order was changed on its way, and the run how it
	// ended.
	word, style := ending(result)
	s.paper.print("")
	s.paper.line(piece{"  " + word, style}, piece{fmt.Sprintf("  status %s → %s, order version %s, run %s", was, result.Order.Text("status"), shown(version), run.Status), plain})
	// The reason is that of the step which stopped the order.
	if result.IsAborted {
		s.paper.line(piece{"  because  ", dim}, piece{run.Reason, plain})
	}
}

// printSummary prints a line for each order.
func (s *show) printSummary() {
	s.paper.print("")
	s.paper.line(piece{strings.Repeat("─", width), dim})
	// The summary is in the order in which the orders were posted.
	for _, e := range s.ended {
		o := e.result.Order
		total, _ := o.Object.Object("orderForm").Get("total")
		word, style := ending(e.result)
		// The whole reason stands above, where the order is printed.
		_, reason, _ := strings.Cut(e.run.Reason, ": ") // without the step's name
		s.paper.line(piece{pad(o.Text("id"), 10), bold}, piece{pad(o.Text("status"), 13), plain}, piece{fmt.Sprintf("%9s %s  ", shown(total), o.Text("billingCurrency")), plain},
			piece{pad(word, 9), style}, piece{reason, dim})
	}
}

// ending is what became of an order in one word, with its colour.
func ending(result *workflowResult) (word, style string) {
	if result.IsAborted {
		return "stopped", red
	}
	return "done", green
}

// pathOf is the path of a URL: all endpoints of the demo have the same host.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Path
}

// statusStyle is the colour of a status. A failed attempt is yellow, since another one
// may follow.
func statusStyle(status int) string {
	if status/100 == 2 {
		return green
	}
	return yellow
}

// actionStyle is the colour of a step's result that is no success.
func actionStyle(status string) string {
	if status == string(run.ActionWarning) {
		return yellow
	}
	return red
}
