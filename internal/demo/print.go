package demo

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// printPosted prints an order as it was sent.
func (s *show) printPosted(order *oms.Object, a answer, result *workflowResult) {
	form := order.Object("orderForm")
	total, _ := form.Get("total")
	s.paper.print("")
	s.paper.line(piece{strings.Repeat("─", width), dim})
	s.paper.line(piece{order.Text("id"), bold}, piece{"  " + order.Text("customerName") + ", " + order.Text("marketId"), plain},
		piece{fmt.Sprintf(", %s, %s %s", count(len(form.List("lineItems")), "line"), shown(total), order.Text("billingCurrency")), plain})
	s.paper.line(piece{"POST /api/orders", cyan}, piece{fmt.Sprintf("  %d after %d ms", a.status, a.took.Milliseconds()), plain}, piece{"  " + result.RunID, dim})
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// printStep prints a step: each attempt and what came back, then the changes.
func (s *show) printStep(number int, st step, attempts []attempt) {
	s.paper.print("")
	lead := fmt.Sprintf("  %d  ", number)
	if len(attempts) == 0 {
		s.paper.line(piece{lead, plain}, piece{"not called: " + st.ErrorReason, dim})
		return
	}
	for i, a := range attempts {
		later := ""
		if i > 0 {
			lead = "     "
			later = fmt.Sprintf("   %.1f s later", a.StartedAt.Sub(attempts[i-1].StartedAt).Seconds())
		}
		s.printAttempt(lead, a, later)
		s.field("answer", answerText(a), plain)
	}
	if st.ActionStatus != string(oms.ActionSuccess) {
		s.field("result", st.ActionStatus+": "+st.ErrorReason, actionStyle(st.ActionStatus))
	}
	s.printChanges(st.Changes)
}

// printAttempt prints one request and the status that came back.
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

// printEnd says what became of the order.
func (s *show) printEnd(posted *oms.Object, result *workflowResult, run *workflowRun) {
	was := posted.Text("status")
	if was == "" {
		was = oms.StatusNew
	}
	version, _ := result.Order.Get("version")
	word, style := ending(result)
	s.paper.print("")
	s.paper.line(piece{"  " + word, style}, piece{fmt.Sprintf("  status %s → %s, order version %s, run %s", was, result.Order.Text("status"), shown(version), run.Status), plain})
	if result.IsAborted {
		s.paper.line(piece{"  because  ", dim}, piece{run.Reason, plain})
	}
}

// printSummary prints a line for each order.
func (s *show) printSummary() {
	s.paper.print("")
	s.paper.line(piece{strings.Repeat("─", width), dim})
	for _, e := range s.ended {
		o := e.result.Order
		total, _ := o.Object.Object("orderForm").Get("total")
		word, style := ending(e.result)
		_, reason, _ := strings.Cut(e.run.Reason, ": ") // without the step's name
		s.paper.line(piece{pad(o.Text("id"), 10), bold}, piece{pad(o.Text("status"), 13), plain}, piece{fmt.Sprintf("%9s %s  ", shown(total), o.Text("billingCurrency")), plain},
			piece{pad(word, 9), style}, piece{reason, dim})
	}
}

func ending(result *workflowResult) (word, style string) {
	if result.IsAborted {
		return "stopped", red
	}
	return "done", green
}

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Path
}

func statusStyle(status int) string {
	if status/100 == 2 {
		return green
	}
	return yellow
}

func actionStyle(status string) string {
	if status == string(oms.ActionWarning) {
		return yellow
	}
	return red
}
