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

	"github.com/orderhook/orderhook/internal/oms"
)

//go:embed settings.json
var settingsFile string

//go:embed orders/*.json
var orderFiles embed.FS

// show loads the settings, posts the orders and prints what became of them.
type show struct {
	paper *paper
	api   *client
	sites *endpoints
	ended []ended
}

// ended is an order whose workflow has ended.
type ended struct {
	result *workflowResult
	run    *workflowRun
}

func (s *show) run(ctx context.Context) error {
	s.paper.line(piece{"orderhook demo", bold})
	s.paper.line(piece{"  server     ", dim}, piece{s.api.url, plain}, piece{"  (SQLite in a temporary folder)", dim})
	s.paper.line(piece{"  endpoints  ", dim}, piece{s.sites.url, plain})
	if err := s.settings(ctx); err != nil {
		return err
	}
	if err := s.subscribe(ctx); err != nil {
		return err
	}
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

// settings puts the settings and prints the workflow that the server has then.
func (s *show) settings(ctx context.Context) error {
	doc := strings.NewReplacer("{{endpoints}}", s.sites.url, "{{token}}", s.sites.token, "{{secret}}", s.sites.secret).Replace(settingsFile)
	var put struct{ Version int }
	a, err := s.api.call(ctx, http.MethodPut, "/api/settings", []byte(doc), &put)
	if err != nil {
		return err
	}
	var stored document
	if err := s.api.get(ctx, "/api/settings", &stored); err != nil {
		return err
	}
	s.printWorkflow(a, put.Version, stored.Object)
	return nil
}

// order posts an order and prints its way through the workflow, and the event
// that came of it.
func (s *show) order(ctx context.Context, body []byte) error {
	posted, err := oms.Parse(body)
	if err != nil {
		return err
	}
	var result workflowResult
	a, err := s.api.call(ctx, http.MethodPost, "/api/orders", body, &result)
	if err != nil {
		return err
	}
	s.printPosted(posted, a, &result)
	var run workflowRun
	if err := s.api.get(ctx, "/api/runs/"+result.RunID, &run); err != nil {
		return err
	}
	for i, step := range run.Results {
		attempts, err := s.attempts(ctx, step.CallID)
		if err != nil {
			return err
		}
		s.printStep(i+1, step, attempts)
	}
	s.printEnd(posted, &result, &run)
	s.ended = append(s.ended, ended{&result, &run})
	return s.event(ctx, posted.Text("id"))
}

// attempts reads the requests of one call, the first one first.
func (s *show) attempts(ctx context.Context, callID string) (list []attempt, err error) {
	if callID == "" {
		return nil, nil
	}
	var found struct{ Items []attempt }
	if err := s.api.get(ctx, "/api/attempts?callId="+url.QueryEscape(callID), &found); err != nil {
		return nil, err
	}
	for _, a := range slices.Backward(found.Items) {
		if err := s.api.get(ctx, "/api/attempts/"+a.ID, &a); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// stayUp says how to go on by hand.
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
		if strings.HasPrefix(c.command, "/") {
			p.print("  %s%s", s.api.url, c.command)
			continue
		}
		p.print("  %s", fmt.Sprintf(`curl -s -H "Authorization: Bearer $KEY" %s`, c.command))
	}
}
