package demo

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/schema"
)

//go:embed settings.json
var settingsFile string

//go:embed orders/*.json
var orderFiles embed.FS

// show loads the settings, posts the orders and prints what became of them. It remembers
// how each order ended, for the summary.
type show struct {
	paper *paper
	api   *client
	sites *endpoints
	ended []ended
}

// ended is an order whose workflow has ended. The run has the reason, which the result of
// the call has not.
type ended struct {
	result *workflowResult
	run    *workflowRun
}

// run goes through the whole demo, in the order in which somebody would set things up:
// settings, endpoint, orders. The files are posted in the order of their names.
func (s *show) run(ctx context.Context) error {
	s.paper.line(piece{"orderhook demo", bold})
	s.paper.line(piece{"  server     ", dim}, piece{s.api.url, plain}, piece{"  (SQLite in a temporary folder)", dim})
	s.paper.line(piece{"  endpoints  ", dim}, piece{s.sites.url, plain})
	// The settings come first, or the orders would have no workflow.
	if err := s.settings(ctx); err != nil {
		return err
	}
	if err := s.subscribe(ctx); err != nil {
		return err
	}
	// The orders are files in the program, each with another story.
	files, err := orderFiles.ReadDir("orders")
	if err != nil {
		return err
	}
	for _, f := range files {
		order, err := orderFiles.ReadFile(path.Join("orders", f.Name()))
		if err != nil {
			return err
		}
		if err := s.order(ctx, order); err != nil {
			return err
		}
	}
	s.printSummary()
	return nil
}

// settings puts the settings and prints the workflow that the server has then. The file
// has places for what differs in each run: the address of the endpoints, and the secrets.
func (s *show) settings(ctx context.Context) error {
	doc := strings.NewReplacer("{{endpoints}}", s.sites.url, "{{token}}", s.sites.token, "{{secret}}", s.sites.secret).Replace(settingsFile)
	var put struct{ Version int }
	// It is the call by which anybody would store settings.
	a, err := s.api.call(ctx, http.MethodPut, "/api/settings", []byte(doc), &put)
	if err != nil {
		return err
	}
	// What is printed is what the server has stored, and not what was sent.
	var stored document
	if err := s.api.get(ctx, "/api/settings", &stored); err != nil {
		return err
	}
	s.printWorkflow(a, put.Version, stored.Object)
	return nil
}

// order posts an order and prints its way through the workflow, and the event
// that came of it. The call answers when the workflow has ended, so everything else can
// be read at once.
func (s *show) order(ctx context.Context, body []byte) error {
	// The order is read here only for what the demo prints of it. It is sent as the file
	// has it.
	posted, err := schema.Parse(body)
	if err != nil {
		return err
	}
	var result workflowResult
	// The call waits for the workflow, as it does for any caller who does not say
	// otherwise.
	a, err := s.api.call(ctx, http.MethodPost, "/api/orders", body, &result)
	if err != nil {
		return err
	}
	s.printPosted(posted, a, &result)
	var run workflowRun
	if err := s.api.get(ctx, "/api/runs/"+result.RunID, &run); err != nil {
		return err
	}
	// Each step of the run has a call, and each call its attempts.
	for i, step := range run.Results {
		attempts, err := s.attempts(ctx, step.CallID)
		if err != nil {
			return err
		}
		s.printStep(i+1, step, attempts)
	}
	s.printEnd(posted, &result, &run)
	// The summary at the end has a line of each.
	s.ended = append(s.ended, ended{&result, &run})
	return s.showEvent(ctx, posted.Text("id"))
}

// attempts reads the requests of one call, the first one first. The list has them the
// newest first, and without what was answered; so each is read by itself. A delivery's id
// is its call's, too.
func (s *show) attempts(ctx context.Context, callID string) (list []attempt, err error) {
	if callID == "" {
		return nil, nil
	}
	var found struct{ Items []attempt }
	if err := s.api.get(ctx, "/api/attempts?callId="+url.QueryEscape(callID), &found); err != nil {
		return nil, err
	}
	// The bodies of an attempt come only when it is read alone.
	for _, a := range slices.Backward(found.Items) {
		if err := s.api.get(ctx, "/api/attempts/"+a.ID, &a); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// stayUp says how to go on by hand. Each command can be copied as it stands.
func (s *show) stayUp() {
	p := s.paper
	p.print("")
	p.line(piece{"The server stays up until Ctrl-C. Try it:", bold})
	p.print("")
	p.print("  export URL=%s KEY=%s", s.api.url, s.api.key)
	for _, c := range []struct{ what, command string }{
		{"the orders that were stopped", `"$URL/api/orders?status=FraudReview"`},
		{"what happened to one of them", `"$URL/api/orders/S-058213/history"`},
		{"every request that left for it, and what came back", `"$URL/api/attempts?orderId=S-058213"`},
		{"the events that went to the warehouse", `"$URL/api/deliveries"`},
		{"run its workflow again", `-X POST "$URL/api/orders/S-058213/status" -d '{"status":"New"}'`},
		{"the dashboard, for a browser: sign in with $KEY", "/"},
		{"the whole API as a page", "/api/docs"},
	} {
		p.print("")
		p.line(piece{"  # " + c.what, dim})
		// These are for a browser, the others for a shell.
		if strings.HasPrefix(c.command, "/") {
			p.print("  %s%s", s.api.url, c.command)
			continue
		}
		p.print("  %s", fmt.Sprintf(`curl -s -H "Authorization: Bearer $KEY" %s`, c.command))
	}
}
