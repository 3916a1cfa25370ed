package telemetry

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/nodes"
)

const monitoring = "../../monitoring/"

var metricName = regexp.MustCompile(`\borderhook_[a-z_]+`)

// TestAlertsAndDashboard: what they ask for is there, under these names.
func TestAlertsAndDashboard(t *testing.T) {
	m := New("1")
	m.Request("GET", "/", 200, time.Second)
	m.Call("acme", "step", true, time.Second)
	m.OwnTrouble("step")
	m.Watch(t.Context(), Sources{Store: &database{tenants: []string{"acme"}}, Gate: admission.New(admission.Limits{}), Work: admission.NewWork(1), KeyRates: new(admission.KeyRates), WrongKeys: new(admission.WrongKeys), Outgoing: fair.New(1), Answers: fair.New(1),
		Breakers: func() map[string]int { return map[string]int{"open": 3} }, Queues: func() map[string]int { return map[string]int{"circuit": 1} }, Leases: func() nodes.Leases { return nodes.Leases{Shared: true} }, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	m.WatchReloads(func() Reloads { return Reloads{CertificateExpires: time.Now()} })
	text := scrape(t, m)
	for _, file := range []string{"alerts.yml", "grafana.json"} {
		content, err := os.ReadFile(monitoring + file)
		if err != nil {
			t.Fatal(err)
		}
		names := metricName.FindAllString(string(content), -1)
		if len(names) < 12 {
			t.Errorf("%s asks for %d metrics", file, len(names))
		}
		for _, name := range names {
			if !strings.Contains(text, "\n"+name+"{") && !strings.Contains(text, "\n"+name+" ") {
				t.Errorf("%s asks for %s, which is not told", file, name)
			}
		}
	}
	content, err := os.ReadFile(monitoring + "grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(content) {
		t.Error("the dashboard is no JSON")
	}
}

// TestRunbooks: each alert leads to a section of the documents.
func TestRunbooks(t *testing.T) {
	content, err := os.ReadFile(monitoring + "alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	alerts := strings.Count(string(content), "- alert:")
	runbooks := regexp.MustCompile(`runbook: docs/([a-z-]+\.md)#([a-z-]+)`).FindAllStringSubmatch(string(content), -1)
	if len(runbooks) != alerts || alerts == 0 {
		t.Errorf("%d alerts have %d runbooks", alerts, len(runbooks))
	}
	for _, r := range runbooks {
		doc, err := os.ReadFile("../../docs/" + r[1])
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for line := range strings.Lines(string(doc)) {
			title := strings.TrimSpace(strings.TrimLeft(line, "#"))
			anchor := strings.ReplaceAll(regexp.MustCompile(`[^a-z -]`).ReplaceAllString(strings.ToLower(title), ""), " ", "-")
			found = found || strings.HasPrefix(line, "#") && anchor == r[2]
		}
		if !found {
			t.Errorf("docs/%s has no section #%s", r[1], r[2])
		}
	}
}

// TestPromtool: Prometheus's own tool reads the rules, where it is installed.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: on Debian, apt-get install prometheus")
	}
	if out, err := exec.CommandContext(t.Context(), tool, "check", "rules", monitoring+"alerts.yml").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
